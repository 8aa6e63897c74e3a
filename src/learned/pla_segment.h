// PlaSegment: a line from windows to ranks, in integers; what piecewise-linear models are made of.
//
// Thread safety: none of its own; plain values.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace seerdb {

// rank(w) = first_rank + ((w - first_window) * mantissa >> shift), for windows from first_window on.
struct PlaSegment {
  uint64_t first_window = 0;
  uint64_t mantissa = 0;
  uint32_t first_rank = 0;
  uint32_t shift = 0;  // < 128

  // The rank of `window`; never above `limit`, where the next segment begins. Requires: first_rank <= limit.
  uint32_t Predict(uint64_t window, uint32_t limit) const {
    if (window <= first_window) return first_rank;
    const unsigned __int128 product = static_cast<unsigned __int128>(window - first_window) * mantissa;
    const unsigned __int128 advance = product >> shift;
    const uint32_t room = limit - first_rank;
    return advance >= room ? limit : first_rank + static_cast<uint32_t>(advance);
  }

  friend bool operator==(const PlaSegment&, const PlaSegment&) = default;
};

// Of segments [lo, hi] the last that starts at or before `window`, or lo.
inline size_t LastSegmentBefore(const PlaSegment* segments, size_t lo, size_t hi, uint64_t window) {
  while (lo < hi) {
    const size_t middle = lo + (hi - lo + 1) / 2;
    const bool after = segments[middle].first_window <= window;
    lo = after ? middle : lo;
    hi = after ? hi : middle - 1;
  }
  return lo;
}

// Ranks a window.
struct SlopeFraction {
  uint64_t numerator = 0;  // < 2^34
  uint64_t denominator = 1;
};

// The shift with which a mantissa of about 32 bits holds `slope`.
inline uint32_t ShiftFor(SlopeFraction slope) {
  const int numerator_bits = std::bit_width(slope.numerator);
  const int denominator_bits = std::bit_width(slope.denominator);
  return static_cast<uint32_t>(std::clamp(32 + denominator_bits - numerator_bits, 0, 94));
}

}  // namespace seerdb
