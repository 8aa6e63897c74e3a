// PlaBuilder: fits a PlaModel to ascending windows, greedily, with at most `epsilon` error by design, then
// measures the true error with the model itself.
//
// Works in integers throughout, so the same windows give the same model everywhere.
// Thread safety: external synchronization.
#pragma once

#include <cstdint>
#include <vector>

#include "learned/pla_model.h"

namespace seerdb {

class PlaBuilder {
 public:
  explicit PlaBuilder(uint32_t epsilon) : epsilon_(epsilon) {}

  // The window of the next rank. Requires: not less than the one before; fewer than 2^32 - 1 ranks.
  void Add(uint64_t window);
  // Empty when nothing was added.
  PlaModel Finish();

  // Instead of these two, where not every rank has a window: the window of some rank. Of equal windows only
  // the first is fitted, and what the segments are off is for the caller to measure. Requires: a rank greater
  // and a window not less than those before.
  void AddAt(uint64_t window, uint32_t rank) {
    if (ranks_ != 0 && window == last_window_) return;
    ranks_ = rank + 1;
    last_window_ = window;
    Extend({window, rank});
  }
  std::vector<PlaSegment> TakeSegments();

 private:
  struct Point {
    uint64_t window;
    uint32_t rank;
  };
  struct Fraction {
    uint64_t numerator;
    uint64_t denominator;
  };

  void AddPoint(Point point) {
    points_.push_back(point);
    Extend(point);
  }
  // Takes the point into the open segment, or begins another.
  void Extend(Point point);
  bool Fits(Point point);
  void CloseSegment();
  uint32_t MeasuredError(const PlaModel& model) const;

  const uint32_t epsilon_;
  uint32_t ranks_ = 0;
  uint64_t last_window_ = 0;   // of AddAt
  std::vector<Point> points_;  // the lower bound is `rank` from the window before it (exclusive) to here
  std::vector<PlaSegment> segments_;
  // The open segment: its first point, and the slopes that keep all its points within epsilon.
  bool open_ = false;
  Point first_{};
  bool sloped_ = false;
  Fraction low_{};
  Fraction high_{};
};

}  // namespace seerdb
