// Search of a column of one-byte hash tags, sixteen at a step.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace seerdb {

// Bit i is set where tags[i] == tag, for i < 16. Reads 16 bytes.
inline uint32_t MatchTags16(const char* tags, uint8_t tag) {
#if defined(__SSE2__)
  const __m128i column = _mm_loadu_si128(reinterpret_cast<const __m128i*>(tags));
  return static_cast<uint32_t>(
      _mm_movemask_epi8(_mm_cmpeq_epi8(column, _mm_set1_epi8(static_cast<char>(tag)))));
#else
  uint32_t mask = 0;
  for (uint32_t i = 0; i < 16; ++i) mask |= uint32_t{static_cast<uint8_t>(tags[i]) == tag} << i;
  return mask;
#endif
}

// As MatchTags16 for n < 16 tags; reads only these.
inline uint32_t MatchTagsFew(const char* tags, size_t n, uint8_t tag) {
  uint32_t mask = 0;
  for (size_t i = 0; i < n; ++i) mask |= uint32_t{static_cast<uint8_t>(tags[i]) == tag} << i;
  return mask;
}

}  // namespace seerdb
