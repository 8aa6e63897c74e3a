// PlaModel: a piecewise-linear map from windows to ranks with a proven bound on its error.
//
// For any window w it brackets the lower bound of w: the first rank whose window is >= w. Prediction is
// integer arithmetic only, so every build of the code computes the same range. The bound was measured with
// this code when the model was built; a model read from a file is a hint that the search proves or drops
// (bracket_search.h). The models of a tag index are bounded for the keys of their table alone
// (sstable/tag_index.h). Thread safety: immutable, freely shared. Format: docs/format/table.md.
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
    FillBuckets();
  }

  bool empty() const { return segments_.empty(); }
  // Whether it may be asked about `count` windows: a stored model may be one of others, or there is none.
  bool IsOf(size_t count) const { return !empty() && ranks_ == count; }
  uint32_t ranks() const { return ranks_; }
  uint32_t max_error() const { return max_error_; }
  const std::vector<PlaSegment>& segments() const { return segments_; }
  size_t memory_bytes() const {
    return segments_.size() * sizeof(PlaSegment) + buckets_.size() * sizeof(uint32_t);
  }

  // Requires: !empty().
  uint32_t Predict(uint64_t window) const { return PredictIn(SegmentOf(window), window); }
  // The same where the segment is known: the last that starts at or before `window`, or the first one.
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
  // Requires: !empty().
  ApproxRange Find(uint64_t window) const {
    ApproxRange range;
    range.pos = Predict(window);
    range.lo = range.pos > max_error_ ? range.pos - max_error_ : 0;
    range.hi = ranks_ - range.pos > max_error_ ? range.pos + max_error_ : ranks_;
    return range;
  }

 private:
  // Last segment that starts at or before `window`, or the first segment. Buckets of equal width say between
  // which segments it is: of windows that lie evenly, one of a few.
  size_t SegmentOf(uint64_t window) const {
    size_t lo = 0;
    size_t hi = segments_.size() - 1;
    if (!buckets_.empty()) {
      const uint64_t first = segments_.front().first_window;
      if (window <= first) return 0;
      const uint64_t bucket = (window - first) >> bucket_shift_;
      const size_t last = buckets_.size() - 1;
      lo = buckets_[bucket < last ? bucket : last];
      if (bucket < last) hi = buckets_[bucket + 1];
    }
    while (lo < hi) {
      const size_t middle = lo + (hi - lo + 1) / 2;
      const bool after = segments_[middle].first_window <= window;
      lo = after ? middle : lo;
      hi = after ? hi : middle - 1;
    }
    return lo;
  }
  // Fills buckets_: the segment of each bucket's first window.
  void FillBuckets();

  std::vector<PlaSegment> segments_;
  std::vector<uint32_t> buckets_;  // empty: few segments, which are searched as they are
  uint32_t bucket_shift_ = 0;
  uint32_t ranks_ = 0;
  uint32_t max_error_ = 0;
};

}  // namespace seerdb
