#include "learned/alex_plan.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "base/assert.h"
#include "learned/alex_fit.h"

namespace seerdb {
namespace {

// So few keys are not worth a plan of their own.
constexpr size_t kFewKeys = 64;
// Halves of a leaf that costs so little a key are not looked at.
constexpr double kGoodCost = 16;
// A plan begins with about so many keys a pointer, and joins pointers.
constexpr size_t kKeysPerPointer = 128;
// A node with fewer pointers gets as many more for one child as the plan likes, else twice as many.
constexpr uint32_t kEasyBits = 10;

class RangePlanner {
 public:
  RangePlanner(const AlexPartition& partition, std::span<const AlexEntry> entries, const AlexOptions& options)
      : partition_(partition), entries_(entries), options_(options) {}

  // Adds the pieces of the entries [begin, end), which are those of the pointers, and returns their cost.
  // `split`: halves until no piece has nearly all entries.
  double Plan(AlexPiece range, bool split) {
    const size_t count = range.end - range.begin;
    const bool fits = count <= options_.max_leaf_keys;
    split = split && count > entries_.size() - entries_.size() / kAlexSplitShare;
    if (range.bits == 0 || (!split && fits && count <= kFewKeys)) {
      pieces_.push_back(range);
      return fits ? LeafCost(range) : DeepCost(count);
    }
    const bool may_be_whole = fits && !split;
    const double whole = may_be_whole ? LeafCost(range) : std::numeric_limits<double>::infinity();
    const size_t mark = pieces_.size();
    if (whole > kGoodCost * static_cast<double>(count)) {
      const auto [left, right] = Halves(range);
      const double halves = Plan(left, split) + Plan(right, split);
      if (whole > halves) return halves;
    }
    pieces_.resize(mark);
    pieces_.push_back(range);
    return whole;
  }
  std::vector<AlexPiece>& pieces() { return pieces_; }

 private:
  double LeafCost(const AlexPiece& piece) const {
    return AlexLeafCost(entries_.subspan(piece.begin, piece.end - piece.begin));
  }
  // What is not known yet: a node more, and leaves that are fitted well.
  double DeepCost(size_t count) const {
    return static_cast<double>(count) * (kAlexDepthWeight + 4 * kAlexSearchWeight) + kAlexLeafWeight;
  }
  std::pair<AlexPiece, AlexPiece> Halves(const AlexPiece& range) const {
    const size_t middle = range.start + (size_t{1} << (range.bits - 1));
    const auto keys = entries_.subspan(range.begin, range.end - range.begin);
    const auto cut = std::partition_point(keys.begin(), keys.end(), [&](const AlexEntry& entry) {
      return partition_.IndexOf(entry.key) < middle;
    });
    const size_t at = range.begin + static_cast<size_t>(cut - keys.begin());
    return {{range.start, range.bits - 1, range.begin, at}, {middle, range.bits - 1, at, range.end}};
  }

  const AlexPartition& partition_;
  const std::span<const AlexEntry> entries_;
  const AlexOptions& options_;
  std::vector<AlexPiece> pieces_;
};

uint32_t WantedBits(size_t count, const AlexOptions& options) {
  const size_t keys_per_pointer = std::min<size_t>(kKeysPerPointer, options.max_leaf_keys / 4);
  return std::max(static_cast<uint32_t>(std::bit_width(count / keys_per_pointer)), 1u);
}

// Makes one of pointers that no piece tells apart, at most `levels` times.
void Coarsen(uint32_t levels, AlexInnerPlan* made) {
  for (const AlexPiece& piece : made->plan.pieces) levels = std::min(levels, piece.bits);
  made->partition = made->partition.Coarsened(levels);
  for (AlexPiece& piece : made->plan.pieces) {
    piece.start >>= levels;
    piece.bits -= levels;
  }
}

}  // namespace

size_t AlexPlan::LargestPiece() const {
  size_t largest = 0;
  for (const AlexPiece& piece : pieces) largest = std::max(largest, piece.end - piece.begin);
  return largest;
}

double AlexLeafCost(std::span<const AlexEntry> entries) {
  if (entries.empty()) return kAlexLeafWeight;
  const AlexFit fit = FitAlexLeaf(entries, AlexCapacityFor(entries.size()));
  return fit.Cost() * static_cast<double>(entries.size()) + kAlexLeafWeight;
}

AlexPlan PlanAlexRange(const AlexPartition& partition, size_t start, uint32_t bits,
                       std::span<const AlexEntry> entries, const AlexOptions& options, bool split) {
  RangePlanner planner(partition, entries, options);
  AlexPlan plan;
  plan.cost = planner.Plan({start, bits, 0, entries.size()}, split);
  plan.pieces = std::move(planner.pieces());
  return plan;
}

AlexInnerPlan PlanAlexInner(std::span<const AlexEntry> entries, const AlexOptions& options) {
  SEERDB_ASSERT(entries.size() >= 4);
  const uint64_t first = entries.front().key;
  const uint64_t last = entries.back().key;
  // 2^(bits + 1) keys at least lie in the range.
  const uint32_t most = static_cast<uint32_t>(std::bit_width((last - first - 1) / 2 + 1)) - 1;
  const uint32_t bits = std::min({WantedBits(entries.size(), options), most, options.max_fanout_bits});
  AlexInnerPlan made{AlexPartition::Over(first, last, bits), {}};
  made.plan = PlanAlexRange(made.partition, 0, bits, entries, options, true);
  made.plan.cost += static_cast<double>(entries.size()) * kAlexDepthWeight;
  Coarsen(bits, &made);
  return made;
}

AlexInnerPlan PlanAlexSideways(const AlexPartition& partition, size_t start, uint32_t bits,
                               std::span<const AlexEntry> entries, const AlexOptions& options) {
  AlexInnerPlan made{partition, {}};
  const uint32_t wanted = WantedBits(entries.size(), options);
  uint32_t refinements = 0;
  while (bits + refinements < wanted && made.partition.CanRefine() &&
         made.partition.bits() < options.max_fanout_bits &&
         (bits + refinements == 0 || made.partition.bits() < kEasyBits)) {
    made.partition = made.partition.Refined();
    ++refinements;
  }
  made.plan.cost = std::numeric_limits<double>::infinity();
  if (bits + refinements == 0) return made;
  made.plan = PlanAlexRange(made.partition, start << refinements, bits + refinements, entries, options, true);
  Coarsen(refinements, &made);
  const size_t pointers = made.partition.fanout() - partition.fanout();
  made.plan.cost += static_cast<double>(pointers * sizeof(void*)) * kAlexByteWeight;
  const size_t most = entries.size() - entries.size() / kAlexSplitShare;
  if (made.plan.LargestPiece() > most) made.plan.cost = std::numeric_limits<double>::infinity();
  return made;
}

uint32_t PlanAlexExtension(const AlexPartition& partition, std::span<const AlexEntry> entries, bool right) {
  const auto outside = [&](const AlexPartition& range) {
    const auto cut = std::partition_point(entries.begin(), entries.end(), [&](const AlexEntry& entry) {
      return range.SideOf(entry.key) < (right ? 1 : 0);
    });
    return static_cast<size_t>(right ? entries.end() - cut : cut - entries.begin());
  };
  AlexPartition range = partition.Coarsened(partition.bits());
  size_t left = outside(range);
  for (uint32_t levels = 0;; ++levels) {
    if (!range.CanExtend()) return levels;
    range = right ? range.ExtendedRight() : range.ExtendedLeft();
    const size_t left_now = outside(range);
    const size_t near = left - left_now;
    // Of those that lie farther away most must lie near what is there by now.
    const bool enough = levels == 0 ? near * kAlexSplitShare >= entries.size() : near * 2 >= left;
    if (near == 0 || !enough) return levels;
    left = left_now;
  }
}

}  // namespace seerdb
