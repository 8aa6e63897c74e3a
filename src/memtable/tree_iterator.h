// TreeIterator: walks an OrderedTree, leaf by leaf, over a sorted copy of each leaf's slots.
//
// Sees all entries inserted before it was positioned, and perhaps newer ones. Must not outlive the tree.
// Thread safety: external synchronization; concurrently with the tree's writer.
#pragma once

#include <cstdint>

#include "iter/internal_iterator.h"
#include "memtable/ordered_tree.h"

namespace seerdb {

class TreeIterator final : public InternalIterator {
 public:
  explicit TreeIterator(const OrderedTree* tree) : tree_(*tree) {}

  void SeekToFirst() override;
  void SeekToLast() override;
  void Seek(Slice key, uint64_t trailer) override;
  void SeekForPrev(Slice key, uint64_t trailer) override;
  void Next() override;
  void Prev() override;
  Status status() const override { return Status(); }

 private:
  struct SortedLeaf {
    const TreeNode* leaf = nullptr;
    const Record* high = nullptr;
    uint32_t count = 0;
    uint64_t windows[kNodeSlots];
    const Record* records[kNodeSlots];

    void Load(const TreeNode* source, const WindowSearch& search);
    // How many entries are before `target`, or, with or_at, before or at it.
    uint32_t CountBefore(const Position& target, bool or_at) const;
  };

  // To the first entry at or after `target`, which lies in or after the leaf just loaded.
  void SeekForward(Position target);
  void LoadAhead();
  void SetEntry();
  void SetEnd();

  const OrderedTree& tree_;
  uint32_t index_ = 0;  // in leaves_[current_]
  uint32_t current_ = 0;
  bool scanning_ = false;  // Next has crossed into another leaf
  bool ahead_ = false;     // the other of leaves_ is the one that follows
  SortedLeaf leaves_[2];
};

}  // namespace seerdb
