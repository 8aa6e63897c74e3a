// The integer arithmetic that the formats of filters are made of. Persistent: docs/format/filters.md.
//
// Thread safety: none needed.
#pragma once

#include <bit>
#include <cstdint>

namespace seerdb {

// The halves of a product of 128 bits, one over the other.
inline uint64_t FoldedProduct(uint64_t a, uint64_t b) {
  const unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// In [0, n), ascending with `hash`.
inline uint64_t ScaleTo(uint64_t hash, uint64_t n) {
  return static_cast<uint64_t>((static_cast<unsigned __int128>(hash) * n) >> 64);
}

// log2(n) in units of 2^-16, rounded down. Requires: n > 0.
constexpr uint64_t Log2Q16(uint64_t n) {
  const int width = static_cast<int>(std::bit_width(n));
  uint64_t mantissa = width > 32 ? n >> (width - 32) : n << (32 - width);  // [2^31, 2^32)
  uint64_t log = static_cast<uint64_t>(width - 1);
  for (int bit = 0; bit < 16; ++bit) {
    mantissa = mantissa * mantissa >> 31;
    const uint64_t carry = mantissa >> 32;
    mantissa >>= carry;
    log = log << 1 | carry;
  }
  return log;
}

}  // namespace seerdb
