#include "learned/pla_builder.h"

#include <utility>

namespace seerdb {
namespace {

using Wide = unsigned __int128;

}  // namespace

// A point may repeat the rank of the one before: that at last.window + 1 above.
void PlaBuilder::Extend(RankPoint point) {
  if (open_ && Fits(point)) return;
  if (open_) CloseSegment();
  open_ = true;
  sloped_ = false;
  first_ = point;
}

bool PlaBuilder::Fits(RankPoint point) {
  const uint64_t run = point.window - first_.window;
  const uint64_t rise = point.rank - first_.rank;
  const SlopeFraction low{rise > epsilon_ ? rise - epsilon_ : 0, run};
  const SlopeFraction high{rise + epsilon_, run};
  if (!sloped_) {
    sloped_ = true;
    low_ = low;
    high_ = high;
    return true;
  }
  // The point's slopes must meet those of the points before it.
  const Wide highest = static_cast<Wide>(high_.numerator) * run;
  const Wide lowest = static_cast<Wide>(low_.numerator) * run;
  if (highest < static_cast<Wide>(low.numerator) * high_.denominator) return false;
  if (lowest > static_cast<Wide>(high.numerator) * low_.denominator) return false;
  if (lowest < static_cast<Wide>(low.numerator) * low_.denominator) low_ = low;
  if (highest > static_cast<Wide>(high.numerator) * high_.denominator) high_ = high;
  return true;
}

void PlaBuilder::CloseSegment() {
  PlaSegment segment;
  segment.first_window = first_.window;
  segment.first_rank = first_.rank;
  if (sloped_) {
    segment.shift = ShiftFor(high_);
    const auto scaled = [&](SlopeFraction slope) {
      return static_cast<uint64_t>((static_cast<Wide>(slope.numerator) << segment.shift) / slope.denominator);
    };
    const uint64_t low = scaled(low_);
    segment.mantissa = low + (scaled(high_) - low) / 2;
  }
  segments_.push_back(segment);
  open_ = false;
}

std::vector<PlaSegment> PlaBuilder::TakeSegments() {
  if (open_) CloseSegment();
  return std::move(segments_);
}

PlaModel PlaBuilder::Finish() {
  if (open_) CloseSegment();
  if (segments_.empty()) return {};
  const PlaModel unmeasured(segments_, points_.ranks(), 0);
  // The error that models of tables state counts the next point's rank from a point on, not from behind it.
  return PlaModel(std::move(segments_), points_.ranks(), points_.MeasuredError(unmeasured, 0));
}

}  // namespace seerdb
