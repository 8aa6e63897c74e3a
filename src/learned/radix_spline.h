// RadixSpline: a spline through some of the points (window, rank), the knots, and a table from the top bits
// of a window to the knots around it (Kipf et al., "RadixSpline: a single-pass learned index", aiDM 2020).
//
// Between two knots ranks are interpolated, in integers; what that is off was measured when the model was
// built. Thread safety: immutable, freely shared. Encoding: radix_spline_codec.h.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "learned/bracket_search.h"
#include "learned/rank_model.h"
#include "learned/rank_points.h"

namespace seerdb {

class RadixSpline {
 public:
  RadixSpline() = default;
  // Requires: windows of knots strictly ascend, ranks ascend up to `ranks`; radix_bits from 1 to
  // MaxRadixBits.
  RadixSpline(const std::vector<RankPoint>& knots, uint32_t ranks, uint32_t max_error, uint32_t radix_bits);

  // The bits by which a table is at most 16 times as long as the knots are many.
  static uint32_t MaxRadixBits(size_t knots) { return static_cast<uint32_t>(std::bit_width(knots)) + 3; }
  // Those by which it has one to two entries a knot.
  static uint32_t UsualRadixBits(size_t knots) { return static_cast<uint32_t>(std::bit_width(knots)); }

  bool empty() const { return windows_.empty(); }
  bool IsOf(size_t count) const { return !empty() && ranks_ == count; }
  uint32_t ranks() const { return ranks_; }
  uint32_t max_error() const { return max_error_; }
  size_t memory_bytes() const {
    return windows_.size() * sizeof(uint64_t) + (knot_ranks_.size() + table_.size()) * sizeof(uint32_t);
  }
  size_t knot_count() const { return windows_.size(); }
  RankPoint Knot(size_t i) const { return {windows_[i], knot_ranks_[i]}; }
  uint32_t radix_bits() const { return radix_bits_; }

  // Requires: !empty().
  ApproxRange Find(uint64_t window) const { return RangeAround(Predict(window), max_error_, ranks_); }

 private:
  uint32_t Predict(uint64_t window) const {
    if (window <= windows_.front()) return knot_ranks_.front();
    if (window >= windows_.back()) return knot_ranks_.back();
    const size_t right = KnotAfter(window);
    const uint64_t width = windows_[right] - windows_[right - 1];
    const uint64_t run = window - windows_[right - 1];
    const uint64_t rise = knot_ranks_[right] - knot_ranks_[right - 1];
    // Of windows that are far apart the top 32 bits of their distance: products then fit 64 bits.
    const int shift = std::max<int>(std::bit_width(width), 32) - 32;
    return knot_ranks_[right - 1] + static_cast<uint32_t>((run >> shift) * rise / (width >> shift));
  }
  // The first knot above `window`. Requires: one at or below, and one above.
  size_t KnotAfter(uint64_t window) const {
    const uint64_t bucket = (window - windows_.front()) >> shift_;
    return LowerBoundWindow(table_[bucket], table_[bucket + 1], window + 1,
                            [this](size_t i) { return windows_[i]; });
  }

  std::vector<uint64_t> windows_;  // of knots
  std::vector<uint32_t> knot_ranks_;
  // For each value of the top bits of (window - first window) the first knot of these bits or of higher ones;
  // then the number of knots.
  std::vector<uint32_t> table_;
  uint32_t shift_ = 0;
  uint32_t radix_bits_ = 0;
  uint32_t ranks_ = 0;
  uint32_t max_error_ = 0;
};

// Fits a RadixSpline to ascending windows in one pass (the greedy corridor of Neumann and Michel, "Smooth
// interpolating histograms with error guarantees", BNCOD 2008). Thread safety: external synchronization.
class RadixSplineBuilder {
 public:
  // `radix_bits` 0: chosen by the number of knots. More than MaxRadixBits are not taken.
  explicit RadixSplineBuilder(uint32_t epsilon, uint32_t radix_bits = 0)
      : epsilon_(epsilon), wanted_bits_(radix_bits), points_(epsilon) {}

  // The window of the next rank. Requires: not less than the one before; fewer than 2^32 - 1 ranks.
  void Add(uint64_t window) {
    points_.Add(window, [this](RankPoint point) { Extend(point); });
  }
  // Empty when nothing was added.
  RadixSpline Finish();

 private:
  struct Slope {
    int64_t rise = 0;
    uint64_t run = 1;
  };

  static bool Less(Slope a, Slope b) {
    return static_cast<__int128>(a.rise) * b.run < static_cast<__int128>(b.rise) * a.run;
  }
  Slope FromKnot(RankPoint point, int64_t offset) const {
    const RankPoint knot = knots_.back();
    return {int64_t{point.rank} - knot.rank + offset, point.window - knot.window};
  }
  void Extend(RankPoint point);

  const int64_t epsilon_;
  const uint32_t wanted_bits_;
  RankPoints points_;
  std::vector<RankPoint> knots_;
  // The points since the last knot: the last of them, and the slopes from the knot within epsilon of all.
  bool open_ = false;
  RankPoint last_;
  Slope low_;
  Slope high_;
};

}  // namespace seerdb
