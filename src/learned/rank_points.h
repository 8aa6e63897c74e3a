// RankPoints: ascending windows as the points that models of their lower bounds are fitted to, and how far a
// finished model is off from them.
//
// The lower bound is a step function: a point's rank holds from behind the window of the point before it up
// to its own. Thread safety: external synchronization.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/assert.h"
#include "base/mutant.h"
#include "learned/rank_model.h"

namespace seerdb {

struct RankPoint {
  uint64_t window = 0;
  uint32_t rank = 0;
};

class RankPoints {
 public:
  // Runs of more than `epsilon` equal windows get a second point, behind them.
  explicit RankPoints(uint32_t epsilon) : epsilon_(epsilon) {}

  // The window of the next rank; gives `fit` each new point, at most two. Points ascend in windows; that
  // behind a run has the rank of the one after it. Requires: not less than the window before; fewer than
  // 2^32 - 1 ranks.
  template <typename Fit>
  void Add(uint64_t window, const Fit& fit) {
    SEERDB_ASSERT(ranks_ < UINT32_MAX - 1);
    const uint32_t rank = ranks_++;
    if (!points_.empty()) {
      const RankPoint last = points_.back();
      SEERDB_ASSERT(window >= last.window);
      if (window == last.window) return;
      // After a run of equal windows the lower bound jumps by the run's length already for the next window.
      if (rank - last.rank > epsilon_ && window - last.window > 1) AddPoint({last.window + 1, rank}, fit);
    }
    AddPoint({window, rank}, fit);
  }
  // After the last window: the point behind a run that ends the windows, if it is to have one.
  template <typename Fit>
  void AddEnd(const Fit& fit) {
    if (points_.empty()) return;
    const RankPoint last = points_.back();
    if (ranks_ - last.rank > epsilon_ && last.window < UINT64_MAX) AddPoint({last.window + 1, ranks_}, fit);
  }

  uint32_t ranks() const { return ranks_; }
  const std::vector<RankPoint>& points() const { return points_; }

  // The greatest distance of a lower bound from the `pos` that `model` finds, over all windows there are.
  // Requires: `pos` does not fall where windows rise. `behind` 0 instead of 1 never makes it less: as if the
  // lower bound that holds behind a point held at the point too.
  template <RankModel Model>
  uint32_t MeasuredError(const Model& model, uint64_t behind = 1) const {
    if (SEERDB_MUTANT("model-unmeasured")) return epsilon_;
    uint32_t error = 0;
    for (size_t i = 0; i < points_.size(); ++i) {
      const auto [window, rank] = points_[i];
      const uint32_t predicted = model.Find(window).pos;
      if (predicted > rank) error = std::max(error, predicted - rank);
      if (rank > predicted) error = std::max(error, rank - predicted);
      // Windows behind this point up to the next have that one's rank, and predictions from here on.
      const uint32_t next = i + 1 < points_.size() ? points_[i + 1].rank : ranks_;
      if (next <= predicted || next - predicted <= error || window > UINT64_MAX - behind) continue;
      const uint32_t least = model.Find(window + behind).pos;
      if (next > least) error = std::max(error, next - least);
    }
    return error;
  }

 private:
  template <typename Fit>
  void AddPoint(RankPoint point, const Fit& fit) {
    points_.push_back(point);
    fit(point);
  }

  const uint32_t epsilon_;
  uint32_t ranks_ = 0;
  std::vector<RankPoint> points_;
};

}  // namespace seerdb
