// PlaBuilder: fits a PlaModel to ascending windows, greedily, with at most `epsilon` error by design, then
// measures the true error with the model itself. A segment begins at a point and takes further ones while the
// slopes from there (a cone) keep all of them within epsilon.
//
// Works in integers throughout, so the same windows give the same model everywhere.
// Thread safety: external synchronization.
#pragma once

#include <cstdint>
#include <vector>

#include "learned/pla_model.h"
#include "learned/pla_segment.h"
#include "learned/rank_points.h"

namespace seerdb {

class PlaBuilder {
 public:
  explicit PlaBuilder(uint32_t epsilon) : epsilon_(epsilon), points_(epsilon) {}

  // The window of the next rank. Requires: not less than the one before; fewer than 2^32 - 1 ranks.
  void Add(uint64_t window) {
    points_.Add(window, [this](RankPoint point) { Extend(point); });
  }
  // Empty when nothing was added.
  PlaModel Finish();

  // Instead of these two, where not every rank has a window: the window of some rank. Of equal windows only
  // the first is fitted, and what the segments are off is for the caller to measure. Requires: a rank greater
  // and a window not less than those before.
  void AddAt(uint64_t window, uint32_t rank) {
    if (started_ && window == last_window_) return;
    started_ = true;
    last_window_ = window;
    Extend({window, rank});
  }
  std::vector<PlaSegment> TakeSegments();

 private:
  // Takes the point into the open segment, or begins another.
  void Extend(RankPoint point);
  bool Fits(RankPoint point);
  void CloseSegment();

  const uint32_t epsilon_;
  RankPoints points_;
  bool started_ = false;      // by AddAt
  uint64_t last_window_ = 0;  // of AddAt
  std::vector<PlaSegment> segments_;
  // The open segment: its first point, and the slopes that keep all its points within epsilon.
  bool open_ = false;
  RankPoint first_;
  bool sloped_ = false;
  SlopeFraction low_;
  SlopeFraction high_;
};

}  // namespace seerdb
