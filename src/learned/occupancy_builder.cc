#include "learned/occupancy_builder.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <vector>

#include "base/coding.h"
#include "base/random.h"
#include "learned/filter_hash.h"
#include "learned/occupancy_map.h"

namespace seerdb {
namespace {

using Stretch = OccupancyMap::Stretch;

// A stretch in the middle of another makes two more.
constexpr uint64_t kStretchCostBits = 2 * 8 * OccupancyMap::kStretchBytes;
constexpr uint64_t kHeadBits = 8 * OccupancyMap::kHeadBytes;
// Every lookup searches the map: it must be worth one in so many bits of the filter behind it.
constexpr uint64_t kLeastShare = 32;
constexpr uint64_t kProbes = 4096;
// Fewer probes in gaps are chance.
constexpr uint64_t kLeastHits = 16;
constexpr size_t kClasses = OccupancyMap::kPositionBits + 1;
// Bits a key for which a Bloom filter passes half as much: 1 / ln 2, in units of 2^-16.
constexpr uint64_t kHalvingQ16 = 94'548;

// Positions [begin, end).
struct Interval {
  uint64_t begin;
  uint64_t end;
  Stretch kind;
};

uint64_t CommonStep(std::span<const uint64_t> windows) {
  uint64_t step = 0;
  for (size_t i = 1; i < windows.size() && step != 1; ++i) {
    const uint64_t distance = windows[i] - windows[i - 1];
    if (step == 0 || distance % step != 0) step = std::gcd(step, distance);
  }
  return step == 0 ? 1 : step;
}

class Planner {
 public:
  Planner(std::span<const uint64_t> windows, const OccupancyOptions& options)
      : windows_(windows), options_(options), step_(CommonStep(windows)) {
    const uint64_t steps = StepsTo(windows.size() - 1);
    const int width = static_cast<int>(std::bit_width(steps));
    shift_ = width > int{OccupancyMap::kPositionBits} ? width - int{OccupancyMap::kPositionBits} : 0;
    positions_ = (steps >> shift_) + 1;
  }

  // Whether anything pays.
  bool Choose();
  EncodedOccupancy Encode() const;

 private:
  // Gaps by the width of their whole positions: class c has those of 2^c up to 2^(c + 1).
  struct Gaps {
    uint64_t count[kClasses] = {};
    uint64_t hits[kClasses] = {};  // absent probes in them
    uint64_t hits_off_step = 0;
    uint64_t probes = 0;
  };

  uint64_t StepsTo(size_t key) const { return (windows_[key] - windows_[0]) / step_; }
  uint64_t PositionOf(size_t key) const { return StepsTo(key) >> shift_; }
  Interval GapBefore(size_t key) const { return {PositionOf(key - 1) + 1, PositionOf(key), Stretch::kEmpty}; }
  // Of keys `first` to `last`, each a step from the next: the whole positions that they fill.
  Interval RunOf(size_t first, size_t last) const {
    const uint64_t rest = (uint64_t{1} << shift_) - 1;
    const uint64_t begin = StepsTo(first);
    const uint64_t end = StepsTo(last);
    return {(begin >> shift_) + ((begin & rest) == 0 ? 0 : 1),
            (end >> shift_) + ((end & rest) == rest ? 1 : 0), Stretch::kFull};
  }
  bool Pays(const Interval& run) const {
    if (!options_.windows_tell_keys || run.end <= run.begin) return false;
    return ((run.end - run.begin) << shift_) * options_.bits_per_key >= kStretchCostBits;
  }
  // Calls on_run(interval) for runs that pay, and on_gap(interval) for gaps with a whole position, in order.
  template <typename OnRun, typename OnGap>
  void Walk(const OnRun& on_run, const OnGap& on_gap) const;
  static size_t ClassOf(const Interval& gap) {
    return static_cast<size_t>(std::bit_width(gap.end - gap.begin)) - 1;
  }
  // Makes probes of the keys and counts where they lie.
  void Probe(Gaps* gaps) const;
  // Picks the least class of gaps that become stretches; returns what these, and the step, are worth to
  // `mixed_keys` beyond the cost.
  uint64_t ChooseGaps(const Gaps& gaps, uint64_t mixed_keys);
  // The stretches that are chosen, and what lies between them.
  std::vector<Interval> Stretches() const;

  const std::span<const uint64_t> windows_;
  const OccupancyOptions options_;
  const uint64_t step_;
  int shift_ = 0;
  uint64_t positions_ = 0;
  uint64_t least_gap_ = UINT64_MAX;
};

template <typename OnRun, typename OnGap>
void Planner::Walk(const OnRun& on_run, const OnGap& on_gap) const {
  size_t run_begin = 0;
  for (size_t i = 1; i <= windows_.size(); ++i) {
    if (i < windows_.size() && windows_[i] - windows_[i - 1] <= step_) continue;
    const Interval run = RunOf(run_begin, i - 1);
    if (Pays(run)) on_run(run);
    run_begin = i;
    if (i == windows_.size()) break;
    const Interval gap = GapBefore(i);
    if (gap.begin < gap.end) on_gap(gap);
  }
}

void Planner::Probe(Gaps* gaps) const {
  Random random(1);
  for (uint64_t i = 0; i < kProbes; ++i) {
    const uint64_t head = windows_[random.Uniform(windows_.size())];
    const uint64_t tail = windows_[random.Uniform(windows_.size())];
    const uint64_t tail_mask = UINT64_MAX >> (8 * (1 + random.Uniform(7)));
    const uint64_t probe = (head & ~tail_mask) | (tail & tail_mask);
    if (probe < windows_.front() || probe > windows_.back()) continue;
    const auto next = std::lower_bound(windows_.begin(), windows_.end(), probe);
    if (*next == probe) {
      if (!options_.windows_tell_keys) ++gaps->probes;  // of another key
      continue;
    }
    ++gaps->probes;
    if ((probe - windows_.front()) % step_ != 0) {
      ++gaps->hits_off_step;
      continue;
    }
    const Interval gap = GapBefore(static_cast<size_t>(next - windows_.begin()));
    const uint64_t position = (probe - windows_.front()) / step_ >> shift_;
    if (position >= gap.begin && position < gap.end) ++gaps->hits[ClassOf(gap)];
  }
}

uint64_t Planner::ChooseGaps(const Gaps& gaps, uint64_t mixed_keys) {
  const auto worth = [&](uint64_t hits) -> uint64_t {
    if (hits < kLeastHits) return 0;
    const uint64_t passed = gaps.probes == hits ? 1 : gaps.probes - hits;
    const uint64_t halvings = Log2Q16(gaps.probes) - Log2Q16(passed);
    return static_cast<uint64_t>(
        static_cast<unsigned __int128>(mixed_keys) * (kHalvingQ16 * halvings >> 16) >> 16);
  };
  uint64_t hits = gaps.hits_off_step;
  uint64_t best = worth(hits);
  uint64_t cost = 0;
  for (size_t c = kClasses; c-- > 0;) {
    if (gaps.count[c] == 0) continue;
    hits += gaps.hits[c];
    cost += gaps.count[c] * kStretchCostBits;
    if (worth(hits) <= cost + best) continue;
    best = worth(hits) - cost;
    least_gap_ = uint64_t{1} << c;
  }
  return best;
}

bool Planner::Choose() {
  uint64_t worth = 0;
  uint64_t full_keys = 0;
  Gaps gaps;
  Walk(
      [&](const Interval& run) {
        const uint64_t keys = (run.end - run.begin) << shift_;
        full_keys += keys;
        worth += keys * options_.bits_per_key - kStretchCostBits / 2;
      },
      [&](const Interval& gap) { ++gaps.count[ClassOf(gap)]; });
  Probe(&gaps);
  if (full_keys < windows_.size()) worth += ChooseGaps(gaps, windows_.size() - full_keys);
  const uint64_t filter_bits = windows_.size() * options_.bits_per_key;
  return worth > std::max(kHeadBits, filter_bits / kLeastShare);
}

std::vector<Interval> Planner::Stretches() const {
  std::vector<Interval> chosen;
  Walk([&](const Interval& run) { chosen.push_back(run); },
       [&](const Interval& gap) {
         if (gap.end - gap.begin >= least_gap_) chosen.push_back(gap);
       });
  chosen.push_back({positions_, positions_, Stretch::kEmpty});
  std::vector<Interval> all;
  const auto append = [&](const Interval& next) {
    if (next.begin == next.end) return;
    if (!all.empty() && all.back().kind == next.kind) {
      all.back().end = next.end;
    } else {
      all.push_back(next);
    }
  };
  size_t key = 0;
  uint64_t begin = 0;
  for (const Interval& next : chosen) {
    while (key < windows_.size() && PositionOf(key) < begin) ++key;
    const bool has_key = key < windows_.size() && PositionOf(key) < next.begin;
    append({begin, next.begin, has_key ? Stretch::kMixed : Stretch::kEmpty});
    append(next);
    begin = next.end;
  }
  return all;
}

EncodedOccupancy Planner::Encode() const {
  EncodedOccupancy encoded;
  const std::vector<Interval> stretches = Stretches();
  for (const Interval& stretch : stretches) {
    AppendU64(&encoded.bytes, stretch.begin << 2 | static_cast<uint64_t>(stretch.kind));
  }
  AppendU64(&encoded.bytes, windows_.front());
  AppendU64(&encoded.bytes, windows_.back());
  AppendU64(&encoded.bytes, step_);
  encoded.stretches = static_cast<uint32_t>(stretches.size());
  encoded.shift = static_cast<uint32_t>(shift_);
  return encoded;
}

}  // namespace

EncodedOccupancy BuildOccupancy(std::span<const uint64_t> windows, const OccupancyOptions& options) {
  if (windows.empty()) return {};
  Planner planner(windows, options);
  if (!planner.Choose()) return {};
  return planner.Encode();
}

}  // namespace seerdb
