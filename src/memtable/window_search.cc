#include "memtable/window_search.h"

#include <initializer_list>

#include "base/simd.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define SEERDB_WINDOW_SEARCH_X86 1
#endif

#if defined(__SANITIZE_THREAD__)
#define SEERDB_WINDOW_SEARCH_SCALAR_ONLY 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SEERDB_WINDOW_SEARCH_SCALAR_ONLY 1
#endif
#endif

namespace seerdb {
namespace {

uint64_t ScalarEqual(const uint64_t* windows, uint32_t count, uint64_t window) {
  uint64_t mask = 0;
  for (uint32_t i = 0; i < count; ++i) mask |= uint64_t{windows[i] == window} << i;
  return mask;
}

// The distance window - windows[i], modulo 2^64, is at most `window` exactly for windows[i] <= window, so its
// minimum belongs to the greatest of those. The vector kernels rest on the same fact.
uint64_t ScalarFloor(const uint64_t* windows, uint32_t count, uint64_t window) {
  uint64_t nearest = UINT64_MAX;
  for (uint32_t i = 0; i < count; ++i) {
    const uint64_t distance = window - windows[i];
    nearest = distance < nearest ? distance : nearest;
  }
  return ScalarEqual(windows, count, window - nearest);
}

bool ScalarRank(const uint64_t* windows, uint32_t count, uint8_t* ranks) {
  bool ties = false;
  for (uint32_t i = 0; i < count; ++i) ranks[i] = 0;
  for (uint32_t i = 1; i < count; ++i) {
    for (uint32_t j = 0; j < i; ++j) {
      const bool after = windows[j] <= windows[i];
      ranks[i] = static_cast<uint8_t>(ranks[i] + after);
      ranks[j] = static_cast<uint8_t>(ranks[j] + !after);
      ties |= windows[j] == windows[i];
    }
  }
  return ties;
}

constexpr WindowSearch kScalarSearch = {WindowSearch::Kind::kScalar, ScalarEqual, ScalarFloor, ScalarRank};

#if defined(SEERDB_WINDOW_SEARCH_X86)

#define SEERDB_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,bmi,bmi2,popcnt,lzcnt")))
#define SEERDB_AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt,lzcnt")))

// Each search clears the upper halves of the registers before it returns, as crc32c.cc says why.

inline uint64_t LowBits(uint32_t count) { return count >= 64 ? UINT64_MAX : (uint64_t{1} << count) - 1; }

// Puts slots with equal windows, which have the same rank so far, in the order of the slots.
bool RankTies(const uint64_t* windows, uint32_t count, uint8_t* ranks) {
  for (uint32_t i = count; i-- > 1;) {
    uint32_t same = 0;
    for (uint32_t j = 0; j < i; ++j) same += windows[j] == windows[i];
    ranks[i] = static_cast<uint8_t>(ranks[i] + same);
  }
  return true;
}

SEERDB_AVX512 uint64_t Avx512Equal(const uint64_t* windows, uint32_t count, uint64_t window) {
  const uint64_t used = LowBits(count);
  const __m512i wanted = _mm512_set1_epi64(static_cast<int64_t>(window));
  uint64_t mask = 0;
  for (uint32_t i = 0; i < kNodeSlots; i += 8) {
    const __mmask8 lanes = static_cast<__mmask8>(used >> i);
    const __m512i column = _mm512_maskz_load_epi64(lanes, windows + i);
    mask |= uint64_t{_mm512_mask_cmpeq_epi64_mask(lanes, column, wanted)} << i;
  }
  _mm256_zeroupper();
  return mask;
}

// The forms with a mask, because GCC 12 warns about the others in its own header.
constexpr __mmask8 kAllLanes = 0xff;

SEERDB_AVX512 inline __m512i Avx512Min(__m512i a, __m512i b) {
  return _mm512_maskz_min_epu64(kAllLanes, a, b);
}

SEERDB_AVX512 uint64_t Avx512Floor(const uint64_t* windows, uint32_t count, uint64_t window) {
  constexpr uint32_t kVectors = kNodeSlots / 8;
  const uint64_t used = LowBits(count);
  const __m512i wanted = _mm512_set1_epi64(static_cast<int64_t>(window));
  const __m512i farthest = _mm512_set1_epi64(-1);
  __m512i distances[kVectors];
  __m512i nearest = farthest;
  for (uint32_t v = 0; v < kVectors; ++v) {
    const __mmask8 lanes = static_cast<__mmask8>(used >> (v * 8));
    const __m512i column = _mm512_maskz_load_epi64(lanes, windows + v * 8);
    distances[v] = _mm512_mask_sub_epi64(farthest, lanes, wanted, column);
    nearest = Avx512Min(nearest, distances[v]);
  }
  nearest = Avx512Min(nearest, _mm512_maskz_shuffle_i64x2(kAllLanes, nearest, nearest, 0x4e));
  nearest = Avx512Min(nearest, _mm512_maskz_shuffle_i64x2(kAllLanes, nearest, nearest, 0xb1));
  nearest = Avx512Min(nearest, _mm512_maskz_permutex_epi64(kAllLanes, nearest, 0xb1));
  uint64_t mask = 0;
  for (uint32_t v = 0; v < kVectors; ++v) {
    mask |= uint64_t{_mm512_cmpeq_epi64_mask(distances[v], nearest)} << (v * 8);
  }
  _mm256_zeroupper();
  return mask & used;
}

SEERDB_AVX512 bool Avx512Rank(const uint64_t* windows, uint32_t count, uint8_t* ranks) {
  constexpr uint32_t kVectors = kNodeSlots / 8;
  const uint64_t used = LowBits(count);
  __m512i columns[kVectors];
  for (uint32_t v = 0; v < kVectors; ++v) {
    const __mmask8 lanes = static_cast<__mmask8>(used >> (v * 8));
    columns[v] = _mm512_mask_load_epi64(_mm512_set1_epi64(-1), lanes, windows + v * 8);
  }
  // Lanes out of use hold the greatest number, which is less than none.
  uint64_t taken = 0;
  for (uint32_t i = 0; i < count; ++i) {
    const __m512i own = _mm512_set1_epi64(static_cast<int64_t>(windows[i]));
    uint64_t before = 0;
    for (uint32_t v = 0; v < kVectors; ++v) {
      before |= uint64_t{_mm512_cmplt_epu64_mask(columns[v], own)} << (v * 8);
    }
    const uint32_t rank = static_cast<uint32_t>(__builtin_popcountll(before));
    ranks[i] = static_cast<uint8_t>(rank);
    taken |= uint64_t{1} << rank;
  }
  _mm256_zeroupper();
  return taken != used && RankTies(windows, count, ranks);
}

// The lanes of the vector at `i` that are in use, each as all ones.
SEERDB_AVX2 inline __m256i Avx2Lanes(uint32_t count, uint32_t i) {
  const __m256i index = _mm256_add_epi64(_mm256_set1_epi64x(i), _mm256_setr_epi64x(0, 1, 2, 3));
  return _mm256_cmpgt_epi64(_mm256_set1_epi64x(count), index);
}

SEERDB_AVX2 inline uint64_t Avx2Mask(__m256i lanes) {
  return static_cast<uint64_t>(_mm256_movemask_pd(_mm256_castsi256_pd(lanes)));
}

SEERDB_AVX2 inline __m256i Avx2Load(const uint64_t* windows, __m256i lanes) {
  return _mm256_maskload_epi64(reinterpret_cast<const long long*>(windows), lanes);
}

SEERDB_AVX2 uint64_t Avx2Equal(const uint64_t* windows, uint32_t count, uint64_t window) {
  const __m256i wanted = _mm256_set1_epi64x(static_cast<int64_t>(window));
  uint64_t mask = 0;
  for (uint32_t i = 0; i < kNodeSlots; i += 4) {
    const __m256i column = Avx2Load(windows + i, Avx2Lanes(count, i));
    mask |= Avx2Mask(_mm256_cmpeq_epi64(column, wanted)) << i;
  }
  _mm256_zeroupper();
  return mask & LowBits(count);
}

// The lesser of each pair of lanes; both sides have their top bit flipped, so the signed order is the
// unsigned.
SEERDB_AVX2 inline __m256i Avx2Min(__m256i a, __m256i b) {
  return _mm256_blendv_epi8(a, b, _mm256_cmpgt_epi64(a, b));
}

SEERDB_AVX2 uint64_t Avx2Floor(const uint64_t* windows, uint32_t count, uint64_t window) {
  constexpr uint32_t kVectors = kNodeSlots / 4;
  const __m256i wanted = _mm256_set1_epi64x(static_cast<int64_t>(window));
  const __m256i top_bit = _mm256_set1_epi64x(INT64_MIN);
  const __m256i farthest = _mm256_set1_epi64x(INT64_MAX);
  __m256i distances[kVectors];
  __m256i nearest = farthest;
  for (uint32_t v = 0; v < kVectors; ++v) {
    const __m256i lanes = Avx2Lanes(count, v * 4);
    const __m256i distance =
        _mm256_xor_si256(_mm256_sub_epi64(wanted, Avx2Load(windows + v * 4, lanes)), top_bit);
    distances[v] = _mm256_blendv_epi8(farthest, distance, lanes);
    nearest = Avx2Min(nearest, distances[v]);
  }
  nearest = Avx2Min(nearest, _mm256_permute4x64_epi64(nearest, 0x4e));
  nearest = Avx2Min(nearest, _mm256_permute4x64_epi64(nearest, 0xb1));
  uint64_t mask = 0;
  for (uint32_t v = 0; v < kVectors; ++v) {
    mask |= Avx2Mask(_mm256_cmpeq_epi64(distances[v], nearest)) << (v * 4);
  }
  _mm256_zeroupper();
  return mask & LowBits(count);
}

SEERDB_AVX2 bool Avx2Rank(const uint64_t* windows, uint32_t count, uint8_t* ranks) {
  constexpr uint32_t kVectors = kNodeSlots / 4;
  const __m256i top_bit = _mm256_set1_epi64x(INT64_MIN);
  const __m256i greatest = _mm256_set1_epi64x(INT64_MAX);
  __m256i columns[kVectors];
  for (uint32_t v = 0; v < kVectors; ++v) {
    const __m256i lanes = Avx2Lanes(count, v * 4);
    const __m256i column = _mm256_xor_si256(Avx2Load(windows + v * 4, lanes), top_bit);
    columns[v] = _mm256_blendv_epi8(greatest, column, lanes);
  }
  uint64_t taken = 0;
  for (uint32_t i = 0; i < count; ++i) {
    const __m256i own = _mm256_xor_si256(_mm256_set1_epi64x(static_cast<int64_t>(windows[i])), top_bit);
    uint64_t before = 0;
    for (uint32_t v = 0; v < kVectors; ++v) {
      before |= Avx2Mask(_mm256_cmpgt_epi64(own, columns[v])) << (v * 4);
    }
    const uint32_t rank = static_cast<uint32_t>(__builtin_popcountll(before));
    ranks[i] = static_cast<uint8_t>(rank);
    taken |= uint64_t{1} << rank;
  }
  _mm256_zeroupper();
  return taken != LowBits(count) && RankTies(windows, count, ranks);
}

constexpr WindowSearch kAvx2Search = {WindowSearch::Kind::kAvx2, Avx2Equal, Avx2Floor, Avx2Rank};
constexpr WindowSearch kAvx512Search = {WindowSearch::Kind::kAvx512, Avx512Equal, Avx512Floor, Avx512Rank};

#endif  // SEERDB_WINDOW_SEARCH_X86

}  // namespace

const WindowSearch* GetWindowSearch(WindowSearch::Kind kind) {
#if defined(SEERDB_WINDOW_SEARCH_X86)
  const bool avx2 =
      SimdLimit() >= SimdLevel::kAvx2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
  if (kind == WindowSearch::Kind::kAvx2) return avx2 ? &kAvx2Search : nullptr;
  if (kind == WindowSearch::Kind::kAvx512) {
    const bool avx512 = avx2 && SimdLimit() >= SimdLevel::kAvx512 && __builtin_cpu_supports("avx512f") &&
                        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                        __builtin_cpu_supports("avx512vl");
    return avx512 ? &kAvx512Search : nullptr;
  }
#endif
  return kind == WindowSearch::Kind::kScalar ? &kScalarSearch : nullptr;
}

const WindowSearch& BestWindowSearch() {
#if !defined(SEERDB_WINDOW_SEARCH_SCALAR_ONLY)
  using Kind = WindowSearch::Kind;
  for (const Kind kind : {Kind::kAvx512, Kind::kAvx2}) {
    if (const WindowSearch* search = GetWindowSearch(kind); search != nullptr) return *search;
  }
#endif
  return kScalarSearch;
}

}  // namespace seerdb
