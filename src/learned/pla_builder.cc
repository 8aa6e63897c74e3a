#include "learned/pla_builder.h"

#include <algorithm>
#include <bit>

#include "base/assert.h"

namespace seerdb {
namespace {

using Wide = unsigned __int128;

}  // namespace

void PlaBuilder::Add(uint64_t window) {
  SEERDB_ASSERT(ranks_ < UINT32_MAX - 1);
  const uint32_t rank = ranks_++;
  if (points_.empty()) {
    AddPoint({window, rank});
    return;
  }
  const Point last = points_.back();
  SEERDB_ASSERT(window >= last.window);
  if (window == last.window) return;
  // After a run of equal windows the lower bound jumps by the run's length already for the next window.
  if (rank - last.rank > epsilon_ && window - last.window > 1) AddPoint({last.window + 1, rank});
  AddPoint({window, rank});
}

// A point may repeat the rank of the one before: that at last.window + 1 above.
void PlaBuilder::Extend(Point point) {
  if (open_ && Fits(point)) return;
  if (open_) CloseSegment();
  open_ = true;
  sloped_ = false;
  first_ = point;
}

bool PlaBuilder::Fits(Point point) {
  const uint64_t run = point.window - first_.window;
  const uint64_t rise = point.rank - first_.rank;
  const Fraction low{rise > epsilon_ ? rise - epsilon_ : 0, run};
  const Fraction high{rise + epsilon_, run};
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
    // As much precision as a mantissa of about 32 bits holds.
    const int numerator_bits = std::bit_width(high_.numerator);
    const int denominator_bits = std::bit_width(high_.denominator);
    segment.shift = static_cast<uint32_t>(std::clamp(32 + denominator_bits - numerator_bits, 0, 94));
    const auto scaled = [&](Fraction slope) {
      return static_cast<uint64_t>((static_cast<Wide>(slope.numerator) << segment.shift) / slope.denominator);
    };
    const uint64_t low = scaled(low_);
    segment.mantissa = low + (scaled(high_) - low) / 2;
  }
  segments_.push_back(segment);
  open_ = false;
}

uint32_t PlaBuilder::MeasuredError(const PlaModel& model) const {
  uint32_t error = 0;
  for (size_t i = 0; i < points_.size(); ++i) {
    const uint32_t predicted = model.Predict(points_[i].window);
    // Windows up to the next point have that point's rank as lower bound, and predictions from here on.
    const uint32_t next = i + 1 < points_.size() ? points_[i + 1].rank : ranks_;
    if (predicted > points_[i].rank) error = std::max(error, predicted - points_[i].rank);
    if (next > predicted) error = std::max(error, next - predicted);
  }
  return error;
}

std::vector<PlaSegment> PlaBuilder::TakeSegments() {
  if (open_) CloseSegment();
  return std::move(segments_);
}

PlaModel PlaBuilder::Finish() {
  if (open_) CloseSegment();
  if (segments_.empty()) return {};
  const PlaModel unmeasured(segments_, ranks_, 0);
  return PlaModel(std::move(segments_), ranks_, MeasuredError(unmeasured));
}

}  // namespace seerdb
