// Optimal piecewise-linear approximation: as few segments as any with at most `epsilon` error can have.
//
// A segment takes points for as long as some line passes within epsilon of all of them (O'Rourke, "An on-line
// algorithm for fitting straight lines between data ranges", CACM 1981; as in Ferragina and Vinciguerra, "The
// PGM-index", VLDB 2020). PlaBuilder's lines must begin at a point; these need not. Works in integers
// throughout, so the same windows give the same model everywhere. Thread safety: external synchronization.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "learned/pla_model.h"
#include "learned/pla_segment.h"
#include "learned/rank_points.h"

namespace seerdb {

// The segments of points, without a measure of what their integers cost beyond epsilon.
class OptimalSegments {
 public:
  explicit OptimalSegments(uint32_t epsilon) : epsilon_(epsilon) {}

  // Requires: a window greater and a rank not less than those before.
  void Add(RankPoint point);
  // All segments; their windows strictly ascend, their ranks ascend up to `ranks`. Requires: no point of a
  // greater rank was added.
  std::vector<PlaSegment> Take(uint32_t ranks);

 private:
  struct Corner {
    uint64_t x;
    int64_t y;
  };
  struct Slope {
    int64_t rise;
    uint64_t run;
  };
  // The corners of a convex chain that a line between the two chains may still touch: those from `begin` on.
  struct Chain {
    std::vector<Corner> corners;
    size_t begin = 0;
  };
  struct Line {
    Corner from;
    Slope slope;
  };

  static Slope Between(Corner from, Corner to) { return {to.y - from.y, to.x - from.x}; }
  static bool Less(Slope a, Slope b) {
    return static_cast<__int128>(a.rise) * b.run < static_cast<__int128>(b.rise) * a.run;
  }
  // False, and nothing changes, if no line passes through the open segment's points and this one.
  bool Extend(RankPoint point);
  void Narrow(Corner top, Corner bottom, bool steeper, bool flatter);
  void Close();
  PlaSegment Fitted() const;

  const int64_t epsilon_;
  std::vector<PlaSegment> segments_;
  // The open segment. Its lines pass below all tops (rank + epsilon) and above all bottoms (rank - epsilon).
  size_t count_ = 0;
  RankPoint first_;
  RankPoint last_;
  Chain tops_;       // bends upwards
  Chain bottoms_;    // bends downwards
  Line steepest_{};  // from a bottom to a top behind it
  Line flattest_{};  // from a top to a bottom behind it
};

class OptimalPlaBuilder {
 public:
  explicit OptimalPlaBuilder(uint32_t epsilon) : points_(epsilon), segments_(epsilon) {}

  // The window of the next rank. Requires: not less than the one before; fewer than 2^32 - 1 ranks.
  void Add(uint64_t window) {
    points_.Add(window, [this](RankPoint point) { segments_.Add(point); });
  }
  // Empty when nothing was added.
  PlaModel Finish();

 private:
  RankPoints points_;
  OptimalSegments segments_;
};

}  // namespace seerdb
