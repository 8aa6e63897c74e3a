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

 private:
  struct Point {
    uint64_t window;
    uint32_t rank;
  };
  struct Fraction {
    uint64_t numerator;
    uint64_t denominator;
  };

  void AddPoint(Point point);
  bool Fits(Point point);
  void CloseSegment();
  uint32_t MeasuredError(const PlaModel& model) const;

  const uint32_t epsilon_;
  uint32_t ranks_ = 0;
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
