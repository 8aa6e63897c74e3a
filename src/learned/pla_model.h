// PlaModel: a piecewise-linear map from windows to ranks with a proven bound on its error.
//
// For any window w it brackets the lower bound of w: the first rank whose window is >= w. Prediction is
// integer arithmetic only, so every build of the code computes the same range. The bound was measured with
// this code when the model was built; a model read from a file is a hint that the search proves or drops
// (bracket_search.h). Thread safety: immutable, freely shared. Format: docs/format/table.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace seerdb {

// The lower bound is expected at `pos`, and not outside [lo, hi] (hi may be the number of ranks).
struct ApproxRange {
  uint32_t pos = 0;
  uint32_t lo = 0;
  uint32_t hi = 0;
};

// rank(w) = first_rank + ((w - first_window) * mantissa >> shift), for windows from first_window on.
struct PlaSegment {
  uint64_t first_window = 0;
  uint64_t mantissa = 0;
  uint32_t first_rank = 0;
  uint32_t shift = 0;  // < 128

  friend bool operator==(const PlaSegment&, const PlaSegment&) = default;
};

class PlaModel {
 public:
  PlaModel() = default;
  // Requires: first_window strictly ascending, first_rank ascending and at most `ranks`, shifts < 128.
  PlaModel(std::vector<PlaSegment> segments, uint32_t ranks, uint32_t max_error)
      : segments_(std::move(segments)), ranks_(ranks), max_error_(max_error) {
    first_windows_.reserve(segments_.size());
    for (const PlaSegment& segment : segments_) first_windows_.push_back(segment.first_window);
  }

  bool empty() const { return segments_.empty(); }
  // Whether it may be asked about `count` windows: a stored model may be one of others, or there is none.
  bool IsOf(size_t count) const { return !empty() && ranks_ == count; }
  uint32_t ranks() const { return ranks_; }
  uint32_t max_error() const { return max_error_; }
  const std::vector<PlaSegment>& segments() const { return segments_; }
  size_t memory_bytes() const { return segments_.size() * (sizeof(PlaSegment) + sizeof(uint64_t)); }

  // Requires: !empty().
  uint32_t Predict(uint64_t window) const { return PredictIn(SegmentOf(window), window); }
  // Requires: !empty().
  ApproxRange Find(uint64_t window) const {
    ApproxRange range;
    range.pos = Predict(window);
    range.lo = range.pos > max_error_ ? range.pos - max_error_ : 0;
    range.hi = ranks_ - range.pos > max_error_ ? range.pos + max_error_ : ranks_;
    return range;
  }

 private:
  // Last segment that starts at or before `window`, or the first segment.
  size_t SegmentOf(uint64_t window) const {
    const uint64_t* base = first_windows_.data();
    size_t n = first_windows_.size();
    while (n > 1) {
      const size_t half = n / 2;
      base = base[half] <= window ? base + half : base;
      n -= half;
    }
    return static_cast<size_t>(base - first_windows_.data());
  }
  uint32_t PredictIn(size_t index, uint64_t window) const {
    const PlaSegment& segment = segments_[index];
    const uint32_t limit = index + 1 < segments_.size() ? segments_[index + 1].first_rank : ranks_;
    if (window <= segment.first_window) return segment.first_rank;
    const unsigned __int128 product =
        static_cast<unsigned __int128>(window - segment.first_window) * segment.mantissa;
    const unsigned __int128 advance = product >> segment.shift;
    const uint32_t room = limit - segment.first_rank;
    return advance >= room ? limit : segment.first_rank + static_cast<uint32_t>(advance);
  }

  std::vector<PlaSegment> segments_;
  std::vector<uint64_t> first_windows_;
  uint32_t ranks_ = 0;
  uint32_t max_error_ = 0;
};

}  // namespace seerdb
