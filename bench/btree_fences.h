// BtreeFences: every n-th window in a static B+-tree of nodes of one cache line, as a baseline for models.
//
// It has the shape of a model (learned/pla_model.h), and its brackets, between two fences, always hold. A
// node has eight fences and nine children, which follow from its number, so that there are no pointers (S.
// Slotin, "Algorithms for Modern Hardware", Static B-Trees). Thread safety: immutable, freely shared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "learned/pla_model.h"

namespace seerdb::bench {

class BtreeFences {
 public:
  BtreeFences() = default;
  // Requires: `windows` ascend and are less than 2^32; spacing > 0.
  BtreeFences(std::span<const uint64_t> windows, uint32_t spacing);

  bool empty() const { return levels_.empty(); }
  bool IsOf(size_t count) const { return !empty() && ranks_ == count; }
  uint32_t ranks() const { return ranks_; }
  size_t memory_bytes() const;
  // Requires: !empty().
  ApproxRange Find(uint64_t window) const {
    const uint64_t rank = uint64_t{FenceOf(window)} * spacing_;
    ApproxRange range;
    range.hi = rank < ranks_ ? static_cast<uint32_t>(rank) : ranks_;
    range.lo = rank == 0 ? 0 : static_cast<uint32_t>(rank - spacing_ + 1);
    range.pos = range.lo;
    return range;
  }

 private:
  static constexpr size_t kFences = 8;
  struct alignas(64) Node {
    uint64_t fences[kFences];
  };

  // First fence that is not less than `window`, or how many there are.
  uint32_t FenceOf(uint64_t window) const {
    size_t node = 0;
    for (size_t level = 0;; ++level) {
      size_t below = 0;
      for (const uint64_t fence : levels_[level][node].fences) below += fence < window ? 1 : 0;
      if (level + 1 == levels_.size()) return static_cast<uint32_t>(node * kFences + below);
      node = node * (kFences + 1) + below;
    }
  }

  std::vector<std::vector<Node>> levels_;  // the root's first; missing fences are the greatest number
  uint32_t spacing_ = 1;
  uint32_t ranks_ = 0;
};

}  // namespace seerdb::bench
