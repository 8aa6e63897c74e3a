#include "base/crc32c.h"

#include <array>

#include "base/coding.h"
#include "base/simd.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace seerdb::crc32c {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // reflected

// kTable[k][b]: the CRC of byte b followed by k zero bytes.
constexpr std::array<std::array<uint32_t, 256>, 8> MakeTables() {
  std::array<std::array<uint32_t, 256>, 8> tables{};
  for (uint32_t b = 0; b < 256; ++b) {
    uint32_t crc = b;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    tables[0][b] = crc;
  }
  for (size_t k = 1; k < 8; ++k) {
    for (size_t b = 0; b < 256; ++b) {
      tables[k][b] = (tables[k - 1][b] >> 8) ^ tables[0][tables[k - 1][b] & 0xff];
    }
  }
  return tables;
}
constexpr auto kTables = MakeTables();

#if defined(__x86_64__)

// Advances a CRC over kLane zero bytes: a linear map, kept as four tables of its byte columns.
constexpr size_t kLane = 1024;
constexpr std::array<std::array<uint32_t, 256>, 4> MakeShift() {
  std::array<uint32_t, 32> columns{};
  for (size_t bit = 0; bit < 32; ++bit) {
    uint32_t crc = uint32_t{1} << bit;
    for (size_t i = 0; i < kLane; ++i) crc = (crc >> 8) ^ kTables[0][crc & 0xff];
    columns[bit] = crc;
  }
  std::array<std::array<uint32_t, 256>, 4> shift{};
  for (size_t k = 0; k < 4; ++k) {
    for (size_t b = 0; b < 256; ++b) {
      uint32_t v = 0;
      for (size_t bit = 0; bit < 8; ++bit) {
        if ((b >> bit & 1) != 0) v ^= columns[8 * k + bit];
      }
      shift[k][b] = v;
    }
  }
  return shift;
}

uint32_t Shift(uint32_t crc) {
  static const auto kShift = MakeShift();
  return kShift[0][crc & 0xff] ^ kShift[1][crc >> 8 & 0xff] ^ kShift[2][crc >> 16 & 0xff] ^
         kShift[3][crc >> 24];
}

__attribute__((target("sse4.2"))) uint32_t ExtendSse42(uint32_t crc, const char* p, size_t n) {
  uint64_t state = ~crc;
  // Three independent lanes hide the instruction's latency of three cycles.
  while (n >= 3 * kLane) {
    uint64_t b = 0;
    uint64_t c = 0;
    for (size_t i = 0; i < kLane; i += 8) {
      state = _mm_crc32_u64(state, LoadU64(p + i));
      b = _mm_crc32_u64(b, LoadU64(p + kLane + i));
      c = _mm_crc32_u64(c, LoadU64(p + 2 * kLane + i));
    }
    state = Shift(static_cast<uint32_t>(state)) ^ b;
    state = Shift(static_cast<uint32_t>(state)) ^ c;
    p += 3 * kLane;
    n -= 3 * kLane;
  }
  for (; n >= 8; n -= 8, p += 8) state = _mm_crc32_u64(state, LoadU64(p));
  uint32_t tail = static_cast<uint32_t>(state);
  for (; n > 0; --n, ++p) tail = _mm_crc32_u8(tail, static_cast<unsigned char>(*p));
  return ~tail;
}

// The powers of x that fold 16 bytes over a distance: multiplied by them, its halves have the same remainder
// that they would have `bits` bits further on. Reflected like the CRC; one bit more is the polynomial
// product's due (Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction").
struct FoldFactors {
  uint64_t low;
  uint64_t high;
};
constexpr uint64_t PowerOfX(size_t n) {
  uint32_t power = 0x80000000;
  for (; n > 0; --n) power = (power >> 1) ^ ((power & 1) != 0 ? kPolynomial : 0);
  return uint64_t{power} << 1;
}
constexpr FoldFactors FactorsFor(size_t bits) { return {PowerOfX(bits + 32), PowerOfX(bits - 32)}; }

#define SEERDB_CRC_AVX512 __attribute__((target("avx512f,avx512dq,vpclmulqdq,pclmul,sse4.2")))

SEERDB_CRC_AVX512 inline __m512i Broadcast(FoldFactors factors) {
  return _mm512_broadcast_i64x2(
      _mm_set_epi64x(static_cast<long long>(factors.high), static_cast<long long>(factors.low)));
}

// `x` moved on by the factors' distance, and the bytes that stand there.
SEERDB_CRC_AVX512 inline __m512i Fold(__m512i x, __m512i factors, __m512i next) {
  constexpr int kXor3 = 0x96;
  return _mm512_ternarylogic_epi64(_mm512_clmulepi64_epi128(x, factors, 0x00),
                                   _mm512_clmulepi64_epi128(x, factors, 0x11), next, kXor3);
}

constexpr size_t kStepBytes = 64;

// Folds the whole steps of the `n` bytes, the CRC of what came before them, and leaves 64 bytes that have the
// same remainder. Returns how many bytes it took. Requires: n >= 4 * kStepBytes.
//
// Clears the upper halves of the registers: while they are in use, each SSE instruction of the plain x86-64
// code behind it waits for them on some processors. GCC 12 does so by itself only where it optimizes, and not
// before a tail call.
SEERDB_CRC_AVX512 size_t FoldSteps(uint32_t crc, const char* p, size_t n, char* left) {
  static constexpr FoldFactors kFourSteps = FactorsFor(4 * 8 * kStepBytes);
  static constexpr FoldFactors kOneStep = FactorsFor(8 * kStepBytes);
  const size_t taken = n - n % kStepBytes;
  const __m512i four_steps = Broadcast(kFourSteps);
  const __m512i one_step = Broadcast(kOneStep);
  __m512i a = _mm512_xor_si512(_mm512_loadu_si512(p),
                               _mm512_zextsi128_si512(_mm_cvtsi32_si128(static_cast<int>(~crc))));
  __m512i b = _mm512_loadu_si512(p + kStepBytes);
  __m512i c = _mm512_loadu_si512(p + 2 * kStepBytes);
  __m512i d = _mm512_loadu_si512(p + 3 * kStepBytes);
  constexpr size_t kFour = 4 * kStepBytes;
  for (p += kFour, n -= kFour; n >= kFour; p += kFour, n -= kFour) {
    a = Fold(a, four_steps, _mm512_loadu_si512(p));
    b = Fold(b, four_steps, _mm512_loadu_si512(p + kStepBytes));
    c = Fold(c, four_steps, _mm512_loadu_si512(p + 2 * kStepBytes));
    d = Fold(d, four_steps, _mm512_loadu_si512(p + 3 * kStepBytes));
  }
  d = Fold(Fold(Fold(a, one_step, b), one_step, c), one_step, d);
  for (; n >= kStepBytes; p += kStepBytes, n -= kStepBytes) d = Fold(d, one_step, _mm512_loadu_si512(p));
  _mm512_storeu_si512(left, d);
  _mm256_zeroupper();
  return taken;
}

uint32_t ExtendAvx512(uint32_t crc, const char* p, size_t n) {
  if (n < 4 * kStepBytes) return ExtendSse42(crc, p, n);
  char left[kStepBytes];
  const size_t taken = FoldSteps(crc, p, n, left);
  // ExtendSse42 inverts: this begins with a remainder of 0.
  return ExtendSse42(ExtendSse42(~uint32_t{0}, left, sizeof left), p + taken, n - taken);
}

#undef SEERDB_CRC_AVX512

#endif

uint32_t ExtendPortable(uint32_t crc, const char* p, size_t n) {
  uint32_t state = ~crc;
  for (; n >= 8; n -= 8, p += 8) {
    const uint64_t word = LoadU64(p) ^ state;
    state = kTables[7][word & 0xff] ^ kTables[6][word >> 8 & 0xff] ^ kTables[5][word >> 16 & 0xff] ^
            kTables[4][word >> 24 & 0xff] ^ kTables[3][word >> 32 & 0xff] ^ kTables[2][word >> 40 & 0xff] ^
            kTables[1][word >> 48 & 0xff] ^ kTables[0][word >> 56];
  }
  for (; n > 0; --n, ++p) state = (state >> 8) ^ kTables[0][(state ^ static_cast<unsigned char>(*p)) & 0xff];
  return ~state;
}

std::vector<Form> FormsOfThisProcessor() {
  std::vector<Form> forms;
#if defined(__x86_64__)
  const bool sse42 = SimdLimit() >= SimdLevel::kAvx2 && __builtin_cpu_supports("sse4.2");
  if (sse42 && SimdLimit() >= SimdLevel::kAvx512 && __builtin_cpu_supports("avx512f") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("vpclmulqdq")) {
    forms.push_back({"avx512", ExtendAvx512});
  }
  if (sse42) forms.push_back({"sse4.2", ExtendSse42});
#endif
  forms.push_back({"portable", ExtendPortable});
  return forms;
}

}  // namespace

const std::vector<Form>& Forms() {
  static const std::vector<Form> forms = FormsOfThisProcessor();
  return forms;
}

uint32_t Extend(uint32_t crc, const char* p, size_t n) {
  static const auto extend = Forms().front().extend;
  return extend(crc, p, n);
}

}  // namespace seerdb::crc32c
