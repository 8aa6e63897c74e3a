#include "learned/pgm_model.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/mutant.h"

namespace seerdb {
namespace {

// A level over the segments of another, which its windows find by the window where they start.
PgmModel::Level LevelOver(const std::vector<PlaSegment>& below, uint32_t epsilon) {
  const auto last = static_cast<uint32_t>(below.size() - 1);
  OptimalSegments fitted(epsilon);
  for (uint32_t i = 0; i <= last; ++i) fitted.Add({below[i].first_window, i});
  PgmModel::Level level{fitted.Take(last), 0};
  // Predictions ascend. So what a level is off is greatest where a segment starts, or just before the next.
  const std::vector<PlaSegment>& segments = level.segments;
  size_t at = 0;
  const auto predict = [&](uint64_t window) {
    while (at + 1 < segments.size() && segments[at + 1].first_window <= window) ++at;
    return segments[at].Predict(window, at + 1 < segments.size() ? segments[at + 1].first_rank : last);
  };
  for (uint32_t i = 0; i <= last; ++i) {
    const uint32_t lowest = predict(below[i].first_window);
    const uint32_t highest = predict(i < last ? below[i + 1].first_window - 1 : UINT64_MAX);
    if (lowest < i) level.error = std::max(level.error, i - lowest);
    if (highest > i) level.error = std::max(level.error, highest - i);
  }
  if (SEERDB_MUTANT("pgm-level-unmeasured")) level.error = 0;
  return level;
}

}  // namespace

PgmModel::PgmModel(const std::vector<Level>& levels, uint32_t ranks) : ranks_(ranks) {
  size_t count = 0;
  for (const Level& level : levels) count += level.segments.size();
  segments_.reserve(count);
  levels_.reserve(levels.size());
  for (const Level& level : levels) {
    SEERDB_ASSERT(!level.segments.empty());
    levels_.push_back(
        {static_cast<uint32_t>(segments_.size()), static_cast<uint32_t>(level.segments.size()), level.error});
    segments_.insert(segments_.end(), level.segments.begin(), level.segments.end());
  }
  SEERDB_ASSERT(levels_.empty() || levels_.back().count == 1);
}

PgmModel PgmBuilder::Finish() {
  points_.AddEnd([this](RankPoint point) { segments_.Add(point); });
  std::vector<PgmModel::Level> levels;
  levels.push_back({segments_.Take(points_.ranks()), 0});
  if (levels[0].segments.empty()) return {};
  // Any two points are on a line: each level has at most half as many segments as the one below, rounded up.
  while (levels.back().segments.size() > 1)
    levels.push_back(LevelOver(levels.back().segments, inner_epsilon_));
  levels[0].error = points_.MeasuredError(PgmModel(levels, points_.ranks()));
  return PgmModel(levels, points_.ranks());
}

}  // namespace seerdb
