#include "base/crc32c.h"

#include <array>

#include "base/coding.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
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

#endif

using ExtendFunction = uint32_t (*)(uint32_t, const char*, size_t);

ExtendFunction Choose() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) return ExtendSse42;
#endif
  return ExtendPortable;
}

}  // namespace

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

uint32_t Extend(uint32_t crc, const char* bytes, size_t n) {
  static const ExtendFunction extend = Choose();
  return extend(crc, bytes, n);
}

}  // namespace seerdb::crc32c
