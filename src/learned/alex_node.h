// AlexNode: what the leaves and the inner nodes of an AlexTree have in common; AlexInner: an inner node.
//
// An inner node is a partition of the keys (alex_line.h) and 2^bits pointers. A child has 2^repeat_bits of
// them, in a row that begins at a multiple of their number, so that a crowded range can have its pointers
// finer than an empty one. The tree owns all nodes; pointers between them are borrowed.
// Thread safety: external synchronization.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/assert.h"
#include "learned/alex_line.h"

namespace seerdb {

class AlexInner;

struct AlexNode {
  explicit AlexNode(bool leaf) : is_leaf(leaf) {}

  const bool is_leaf;
  uint8_t repeat_bits = 0;  // 2^repeat_bits pointers of the parent lead here
  uint32_t place = 0;       // in the tree's list of its kind
  AlexInner* parent = nullptr;
};

class AlexInner : public AlexNode {
 public:
  explicit AlexInner(const AlexPartition& partition)
      : AlexNode(false), partition_(partition), children_(partition.fanout()) {}

  const AlexPartition& partition() const { return partition_; }
  const std::vector<AlexNode*>& children() const { return children_; }
  AlexNode* ChildOf(uint64_t key) const { return children_[partition_.IndexOf(key)]; }
  // The first pointer of the child that the key leads to.
  size_t StartOf(uint64_t key) const {
    const size_t index = partition_.IndexOf(key);
    return index >> children_[index]->repeat_bits << children_[index]->repeat_bits;
  }
  size_t memory_bytes() const { return sizeof *this + children_.size() * sizeof(AlexNode*); }

  // Gives `child` the 2^bits pointers from `start` on. Requires: start is a multiple of 2^bits.
  void Adopt(AlexNode* child, size_t start, uint32_t bits);
  // Require: CanRefine, CanExtend of the partition. The new pointers of an extension are to be adopted.
  void Refine();
  void ExtendRight();
  void ExtendLeft();

 private:
  AlexPartition partition_;
  std::vector<AlexNode*> children_;
};

}  // namespace seerdb
