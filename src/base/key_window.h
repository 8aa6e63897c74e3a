// Windows: eight bytes of a key as a number that orders keys, and what two keys have in common.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "seerdb/slice.h"

namespace seerdb {

static_assert(std::endian::native == std::endian::little);

// The 8 bytes of `key` at `offset`, big-endian, padded with zeros. Of keys that are equal before `offset`,
// those with different windows lie in the order of these; those with equal windows may lie in any. Requires:
// offset
// <= key.size().
inline uint64_t LoadWindow(Slice key, size_t offset) {
  const size_t rest = key.size() - offset;
  uint64_t bytes = 0;
  if (rest >= 8) {
    std::memcpy(&bytes, key.data() + offset, 8);
    return __builtin_bswap64(bytes);
  }
  if (rest == 0) return 0;
  if (key.size() >= 8) {  // one load that ends with the key
    std::memcpy(&bytes, key.data() + key.size() - 8, 8);
    return __builtin_bswap64(bytes) << (8 * (8 - rest));
  }
  for (size_t i = 0; i < rest; ++i) {
    bytes |= uint64_t{static_cast<unsigned char>(key[offset + i])} << (56 - 8 * i);
  }
  return bytes;
}

// a == b. Most keys that differ do so at their ends, which are compared first; keys of 8 to 32 bytes are
// compared without a call.
inline bool SameBytes(Slice a, Slice b) {
  constexpr size_t kWord = sizeof(uint64_t);
  const size_t n = a.size();
  if (n != b.size()) return false;
  if (n < kWord) return a == b;
  const char* const x = a.data();
  const char* const y = b.data();
  const auto same = [&](size_t at) { return std::memcmp(x + at, y + at, kWord) == 0; };
  if (!same(n - kWord)) return false;
  if (n <= 2 * kWord) return same(0);
  if (n <= 4 * kWord) return same(n - 2 * kWord) && same(0) && same(kWord);
  return a == b;
}

// True if `key` begins with `prefix`; without a call where that is as short as it mostly is.
inline bool BeginsWith(Slice key, Slice prefix) {
  constexpr size_t kWord = sizeof(uint64_t);
  const size_t n = prefix.size();
  if (n == 0) return true;
  if (key.size() < n) return false;
  if (n - kWord > kWord) return std::memcmp(key.data(), prefix.data(), n) == 0;
  return std::memcmp(key.data(), prefix.data(), kWord) == 0 &&
         std::memcmp(key.data() + n - kWord, prefix.data() + n - kWord, kWord) == 0;
}

inline size_t CommonPrefixBytes(Slice a, Slice b) {
  const size_t limit = a.size() < b.size() ? a.size() : b.size();
  size_t n = 0;
  while (n + sizeof(uint64_t) <= limit) {
    uint64_t x = 0;
    uint64_t y = 0;
    std::memcpy(&x, a.data() + n, sizeof x);
    std::memcpy(&y, b.data() + n, sizeof y);
    if (x != y) return n + static_cast<size_t>(__builtin_ctzll(x ^ y)) / 8;
    n += sizeof(uint64_t);
  }
  while (n < limit && a[n] == b[n]) ++n;
  return n;
}

}  // namespace seerdb
