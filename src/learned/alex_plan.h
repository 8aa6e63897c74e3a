// AlexPlan: which leaves a range of an inner node's pointers should have, by ALEX's cost model.
//
// It is the paper's fanout tree, walked from the top: a range of 2^bits pointers is one leaf, or what its
// halves are, whichever costs less. Deciding is pure: the tree builds what a plan says (alex_tree.h).
// Thread safety: plain values and functions without state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "learned/alex_line.h"

namespace seerdb {

// Of the entries of a leaf that is split this share must come apart from the others.
inline constexpr size_t kAlexSplitShare = 8;

struct AlexOptions {
  uint32_t max_leaf_keys = 1 << 13;                    // 16 to 2^24
  uint32_t max_fanout_bits = AlexPartition::kMaxBits;  // 1 to kMaxBits
};

// The entries [begin, end) under the 2^bits pointers from `start` on; more than a leaf holds: another inner
// node.
struct AlexPiece {
  size_t start;
  uint32_t bits;
  size_t begin;
  size_t end;
};

struct AlexPlan {
  std::vector<AlexPiece> pieces;
  double cost = 0;  // of one operation on each key

  size_t LargestPiece() const;
};

// Of the entries that `partition` leads to the 2^bits pointers from `start` on. `split`: so that no
// piece has nearly all of them, if the pointers tell enough of them apart.
// Requires: keys strictly ascend.
AlexPlan PlanAlexRange(const AlexPartition& partition, size_t start, uint32_t bits,
                       std::span<const AlexEntry> entries, const AlexOptions& options, bool split);

struct AlexInnerPlan {
  AlexPartition partition;
  AlexPlan plan;
};
// A new inner node for the entries. At least two pieces, each with fewer entries than there are. Requires: at
// least 4 entries.
AlexInnerPlan PlanAlexInner(std::span<const AlexEntry> entries, const AlexOptions& options);
// Several nodes for the entries of one, which has the 2^bits pointers from `start` on. `partition` of the
// answer may be a refined one. The cost is infinite if these pointers tell too few entries apart.
AlexInnerPlan PlanAlexSideways(const AlexPartition& partition, size_t start, uint32_t bits,
                               std::span<const AlexEntry> entries, const AlexOptions& options);

// How often the partition's range should be doubled to one side for the sake of entries that lie outside: 0
// if too few of them lie near it.
uint32_t PlanAlexExtension(const AlexPartition& partition, std::span<const AlexEntry> entries, bool right);

// One operation on each key of a leaf that has them all.
double AlexLeafCost(std::span<const AlexEntry> entries);

}  // namespace seerdb
