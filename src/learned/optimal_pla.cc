#include "learned/optimal_pla.h"

#include <algorithm>
#include <utility>

namespace seerdb {
namespace {

using Wide = unsigned __int128;

// Bits behind the point of a rank that is no integer.
constexpr int kRankBits = 16;

// slope * 2^shift, rounded up: what is cut off below must not make a rank fall short of an integer.
uint64_t Scaled(SlopeFraction slope, uint32_t shift) {
  const Wide numerator = static_cast<Wide>(slope.numerator) << shift;
  return static_cast<uint64_t>((numerator + slope.denominator - 1) / slope.denominator);
}

// The first window whose rank on a line of this slope that passes `below` ranks under zero at `window` is not
// negative, but at most `last`.
uint64_t WhereItRises(uint64_t window, uint64_t last, uint64_t below, const PlaSegment& line) {
  if (line.mantissa == 0) return last;
  const Wide distance = ((static_cast<Wide>(below) << line.shift) + line.mantissa - 1) / line.mantissa;
  return distance < last - window ? window + static_cast<uint64_t>(distance) : last;
}

}  // namespace

void OptimalSegments::Add(RankPoint point) {
  if (count_ == 0 || !Extend(point)) {
    Close();
    first_ = point;
    tops_ = {{{point.window, point.rank + epsilon_}}, 0};
    bottoms_ = {{{point.window, point.rank - epsilon_}}, 0};
  }
  last_ = point;
  ++count_;
}

bool OptimalSegments::Extend(RankPoint point) {
  const Corner top{point.window, point.rank + epsilon_};
  const Corner bottom{point.window, point.rank - epsilon_};
  if (count_ == 1) {
    steepest_ = {bottoms_.corners[0], Between(bottoms_.corners[0], top)};
    flattest_ = {tops_.corners[0], Between(tops_.corners[0], bottom)};
    tops_.corners.push_back(top);
    bottoms_.corners.push_back(bottom);
    return true;
  }
  if (Less(steepest_.slope, Between(steepest_.from, bottom))) return false;
  if (Less(Between(flattest_.from, top), flattest_.slope)) return false;
  Narrow(top, bottom, Less(Between(steepest_.from, top), steepest_.slope),
         Less(flattest_.slope, Between(flattest_.from, bottom)));
  return true;
}

// `steeper`: the steepest line so far passes above `top`; `flatter`: the flattest one below `bottom`.
void OptimalSegments::Narrow(Corner top, Corner bottom, bool steeper, bool flatter) {
  // Both lines are found before either chain grows: they join corners of different windows.
  if (steeper) {
    const std::vector<Corner>& from = bottoms_.corners;
    size_t& i = bottoms_.begin;
    while (i + 1 < from.size() && !Less(Between(from[i], top), Between(from[i + 1], top))) ++i;
    steepest_ = {from[i], Between(from[i], top)};
  }
  if (flatter) {
    const std::vector<Corner>& from = tops_.corners;
    size_t& i = tops_.begin;
    while (i + 1 < from.size() && !Less(Between(from[i + 1], bottom), Between(from[i], bottom))) ++i;
    flattest_ = {from[i], Between(from[i], bottom)};
  }
  // A corner beyond the lines that remain can touch none of them, and is left out.
  const auto append = [](Chain* chain, Corner corner, const auto& bends) {
    std::vector<Corner>& corners = chain->corners;
    while (corners.size() >= chain->begin + 2 &&
           !bends(Between(corners[corners.size() - 2], corners.back()), Between(corners.back(), corner))) {
      corners.pop_back();
    }
    corners.push_back(corner);
  };
  if (steeper) append(&tops_, top, [](Slope before, Slope after) { return Less(before, after); });
  if (flatter) append(&bottoms_, bottom, [](Slope before, Slope after) { return Less(after, before); });
}

// The middle of the steepest and the flattest line that is not falling. Ranks ascend, so where a falling line
// is within epsilon of all points, a level one is too.
PlaSegment OptimalSegments::Fitted() const {
  PlaSegment segment;
  segment.first_window = first_.window;
  segment.first_rank = first_.rank;
  if (count_ == 1) return segment;
  const auto fraction = [](Slope slope) {
    return SlopeFraction{static_cast<uint64_t>(slope.rise), slope.run};
  };
  const SlopeFraction high = fraction(steepest_.slope);
  const bool falling = flattest_.slope.rise < 0;
  const SlopeFraction low = falling ? SlopeFraction{} : fraction(flattest_.slope);
  segment.shift = ShiftFor(high);
  const uint64_t least = Scaled(low, segment.shift);
  segment.mantissa = least + (Scaled(high, segment.shift) - least) / 2;
  // A line's rank at the first window, in units of 2^-kRankBits.
  const auto start = [&](Corner from, SlopeFraction slope) {
    const Wide rise = (static_cast<Wide>(slope.numerator) << kRankBits) * (from.x - first_.window);
    const Wide rounded_up = (rise + slope.denominator - 1) / slope.denominator;
    return static_cast<int64_t>((static_cast<__int128>(from.y) << kRankBits) -
                                static_cast<__int128>(rounded_up));
  };
  const int64_t lowest = start(steepest_.from, high);
  const int64_t highest =
      falling ? (first_.rank + epsilon_) * (int64_t{1} << kRankBits) : start(flattest_.from, low);
  const int64_t middle = lowest + (highest - lowest) / 2;
  // Rounded up, because predictions are rounded down.
  const int64_t rank = (middle + (1 << kRankBits) - 1) >> kRankBits;
  if (rank >= 0) {
    segment.first_rank = static_cast<uint32_t>(std::min<int64_t>(rank, UINT32_MAX));
  } else {
    // Only the first segment can begin so low: what lies epsilon above the second is above zero.
    segment.first_rank = 0;
    segment.first_window = WhereItRises(first_.window, last_.window, static_cast<uint64_t>(-rank), segment);
  }
  return segment;
}

void OptimalSegments::Close() {
  if (count_ == 0) return;
  segments_.push_back(Fitted());
  count_ = 0;
}

// The first ranks ascend: a segment ends only where no level line is within epsilon of its first point and of
// the next segment's.
std::vector<PlaSegment> OptimalSegments::Take(uint32_t ranks) {
  Close();
  for (PlaSegment& segment : segments_) segment.first_rank = std::min(segment.first_rank, ranks);
  return std::exchange(segments_, {});
}

PlaModel OptimalPlaBuilder::Finish() {
  points_.AddEnd([this](RankPoint point) { segments_.Add(point); });
  std::vector<PlaSegment> segments = segments_.Take(points_.ranks());
  if (segments.empty()) return {};
  const PlaModel unmeasured(segments, points_.ranks(), 0);
  return PlaModel(std::move(segments), points_.ranks(), points_.MeasuredError(unmeasured));
}

}  // namespace seerdb
