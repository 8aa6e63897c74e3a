// PgmModel: segments over windows, and levels of segments above them that say where in the level below to
// look, up to one root (Ferragina and Vinciguerra, "The PGM-index", VLDB 2020).
//
// A lookup walks from the root down and searches, in each level, the few segments that the level above is off
// by. What each level is off was measured when the model was built. Predictions are integer arithmetic only.
// Thread safety: immutable, freely shared. Encoding: pgm_codec.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "learned/optimal_pla.h"
#include "learned/pla_segment.h"
#include "learned/rank_model.h"
#include "learned/rank_points.h"

namespace seerdb {

class PgmModel {
 public:
  // Its segments map windows to ranks (level 0), or to segments of the level below, with at most `error` off.
  struct Level {
    std::vector<PlaSegment> segments;
    uint32_t error = 0;
  };

  PgmModel() = default;
  // Levels from the lowest up; the lowest one's error is that of the model. Requires: each has segments, with
  // first_window strictly ascending and first_rank ascending up to the last segment below (up to `ranks`);
  // the last has one; shifts < 128.
  PgmModel(const std::vector<Level>& levels, uint32_t ranks);

  bool empty() const { return levels_.empty(); }
  bool IsOf(size_t count) const { return !empty() && ranks_ == count; }
  uint32_t ranks() const { return ranks_; }
  uint32_t max_error() const { return empty() ? 0 : levels_[0].error; }
  size_t memory_bytes() const {
    return segments_.size() * sizeof(PlaSegment) + levels_.size() * sizeof(Place);
  }
  size_t level_count() const { return levels_.size(); }
  std::span<const PlaSegment> SegmentsOf(size_t level) const {
    return std::span(segments_).subspan(levels_[level].begin, levels_[level].count);
  }
  uint32_t ErrorOf(size_t level) const { return levels_[level].error; }

  // Requires: !empty().
  ApproxRange Find(uint64_t window) const {
    uint32_t index = 0;
    for (size_t level = levels_.size() - 1; level > 0; --level) {
      const Place& below = levels_[level - 1];
      const uint32_t last = below.count - 1;
      const uint32_t pos = PredictIn(levels_[level], index, window, last);
      const ApproxRange range = RangeAround(pos, levels_[level].error, last);
      index = static_cast<uint32_t>(
          LastSegmentBefore(segments_.data() + below.begin, range.lo, range.hi, window));
    }
    return RangeAround(PredictIn(levels_[0], index, window, ranks_), levels_[0].error, ranks_);
  }

 private:
  // Where a level's segments lie in segments_.
  struct Place {
    uint32_t begin = 0;
    uint32_t count = 0;
    uint32_t error = 0;
  };

  // Never above `limit`. Requires: index < place.count.
  uint32_t PredictIn(const Place& place, uint32_t index, uint64_t window, uint32_t limit) const {
    const PlaSegment* segment = segments_.data() + place.begin + index;
    const uint32_t next = index + 1 < place.count ? segment[1].first_rank : limit;
    return segment->Predict(window, next);
  }

  std::vector<PlaSegment> segments_;
  std::vector<Place> levels_;
  uint32_t ranks_ = 0;
};

// Fits a PgmModel to ascending windows. Thread safety: external synchronization.
class PgmBuilder {
 public:
  static constexpr uint32_t kInnerEpsilon = 4;

  // The error of segments over windows, and of those over segments, by design.
  explicit PgmBuilder(uint32_t epsilon, uint32_t inner_epsilon = kInnerEpsilon)
      : inner_epsilon_(inner_epsilon), points_(epsilon), segments_(epsilon) {}

  // The window of the next rank. Requires: not less than the one before; fewer than 2^32 - 1 ranks.
  void Add(uint64_t window) {
    points_.Add(window, [this](RankPoint point) { segments_.Add(point); });
  }
  // Empty when nothing was added.
  PgmModel Finish();

 private:
  const uint32_t inner_epsilon_;
  RankPoints points_;
  OptimalSegments segments_;
};

}  // namespace seerdb
