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
#include <utility>
#include <vector>

#include "learned/pla_segment.h"
#include "learned/rank_model.h"

namespace seerdb {

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
    const uint32_t limit = index + 1 < segments_.size() ? segments_[index + 1].first_rank : ranks_;
    return segments_[index].Predict(window, limit);
  }
  // Requires: !empty().
  ApproxRange Find(uint64_t window) const { return RangeAround(Predict(window), max_error_, ranks_); }

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
    return LastSegmentBefore(segments_.data(), lo, hi, window);
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
