#include "learned/radix_spline.h"

#include <algorithm>

#include "base/assert.h"

namespace seerdb {

RadixSpline::RadixSpline(const std::vector<RankPoint>& knots, uint32_t ranks, uint32_t max_error,
                         uint32_t radix_bits)
    : radix_bits_(radix_bits), ranks_(ranks), max_error_(max_error) {
  if (knots.empty()) return;
  SEERDB_ASSERT(radix_bits >= 1 && radix_bits <= MaxRadixBits(knots.size()));
  windows_.reserve(knots.size());
  knot_ranks_.reserve(knots.size());
  for (const RankPoint& knot : knots) {
    windows_.push_back(knot.window);
    knot_ranks_.push_back(knot.rank);
  }
  const uint64_t span = windows_.back() - windows_.front();
  const auto span_bits = static_cast<uint32_t>(std::bit_width(span));
  shift_ = span_bits > radix_bits ? span_bits - radix_bits : 0;
  table_.reserve((span >> shift_) + 2);
  for (size_t i = 0; i < windows_.size(); ++i) {
    const uint64_t bucket = (windows_[i] - windows_.front()) >> shift_;
    while (table_.size() <= bucket) table_.push_back(static_cast<uint32_t>(i));
  }
  table_.push_back(static_cast<uint32_t>(windows_.size()));
}

// Of the points that the corridor of slopes holds none becomes a knot but the last.
void RadixSplineBuilder::Extend(RankPoint point) {
  if (knots_.empty()) {
    knots_.push_back(point);
    return;
  }
  if (open_) {
    const Slope slope = FromKnot(point, 0);
    if (Less(slope, low_) || Less(high_, slope)) {
      knots_.push_back(last_);
      open_ = false;
    }
  }
  const Slope low = FromKnot(point, -epsilon_);
  const Slope high = FromKnot(point, epsilon_);
  if (!open_ || Less(low_, low)) low_ = low;
  if (!open_ || Less(high, high_)) high_ = high;
  open_ = true;
  last_ = point;
}

RadixSpline RadixSplineBuilder::Finish() {
  points_.AddEnd([this](RankPoint point) { Extend(point); });
  if (open_) knots_.push_back(last_);
  if (knots_.empty()) return {};
  const uint32_t most = RadixSpline::MaxRadixBits(knots_.size());
  const uint32_t bits =
      wanted_bits_ == 0 ? RadixSpline::UsualRadixBits(knots_.size()) : std::min(wanted_bits_, most);
  const RadixSpline unmeasured(knots_, points_.ranks(), 0, bits);
  return RadixSpline(knots_, points_.ranks(), points_.MeasuredError(unmeasured), bits);
}

}  // namespace seerdb
