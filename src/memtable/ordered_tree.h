// OrderedTree: an ordered map from (engine key, trailer) to value, in memory; a B+tree that is only added to.
//
// Readers take no lock and never wait for the writer. Why they are right, with T the time at which a reader
// starts and "its entries" those whose insertion happened before T:
//  1. Every pointer to a node is stored with release after the node is complete, every count after its slots.
//     What a reader loads is therefore at least as new as at T.
//  2. A node that has been replaced never changes again and keeps all entries it had; it was current at some
//     time after T if a reader can reach it, so it holds all of the reader's entries of its range.
//  3. A split adds (separator, right half) to the parent first and stores the left half over the old node
//     second. An inner node's count that is the same before and after a child pointer was loaded therefore
//     proves that the child covers at least the positions its slot leads to. Otherwise the reader searches
//     the same node again, and the separator is then visible: each repetition is a split that was completed.
//  4. A full leaf may stay as the left half (its `high` is lowered after the right half was published), or as
//     the right half. It then covers at least what its slot leads to. A reader in it that looks for something
//     at or above the lowered `high` starts again at the root, where the right half is visible.
//  5. A separator is the position of an entry that is in the tree, first in the part right of it. So the
//  first
//     entry after a leaf's last one is the leaf's `high`, and a leaf that was reached through a separator
//     holds an entry at or before the target. No leaf is empty.
//  6. In a leaf, the versions of one key stand in slots in ascending order of sequence: they are inserted in
//  that
//     order, and leaves are built so.
// Records never move. Memory is given back when the tree is destroyed.
// Thread safety: Insert by one thread at a time; all const methods concurrently with it and one another.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/arena.h"
#include "memtable/tree_node.h"
#include "memtable/window_search.h"
#include "seerdb/slice.h"

namespace seerdb {

class OrderedTree {
 public:
  // `account`, `pool`: see Arena.
  explicit OrderedTree(const WindowSearch& search = BestWindowSearch(),
                       std::shared_ptr<MemoryAccount> account = nullptr,
                       std::shared_ptr<ChunkPool> pool = nullptr)
      : search_(search), arena_(std::move(account), std::move(pool)) {}

  // Copies key and value; returns the copy. Requires: the versions of one key are inserted in ascending order
  // of trailer, and each (key, trailer) once.
  const Record* Insert(Slice key, uint64_t trailer, Slice value);

  // The first entry at or after (key, trailer), if it is a version of `key`; else null.
  const Record* Find(Slice key, uint64_t trailer) const;
  // The leaf that covers `target`; null if the tree is empty.
  const TreeNode* FindLeaf(const Position& target) const;
  // The leaf with the last entries; null if the tree is empty.
  const TreeNode* FindLastLeaf() const;

  const WindowSearch& search() const { return search_; }
  uint64_t bytes_used() const { return arena_.bytes_used(); }
  uint64_t bytes_reserved() const { return arena_.bytes_reserved(); }
  // The writer's, as the arena's.
  uint64_t BytesToReserve(uint64_t bytes) const { return arena_.BytesToReserve(bytes); }
  MemoryCharge& charge() { return arena_.charge(); }
  // For what lives as long as the tree. The writer's.
  Arena& arena() { return arena_; }

 private:
  // More than a tree of kNodeSlots-way nodes can have with 2^64 entries.
  static constexpr uint32_t kMaxLevels = 40;

  // From the root, at inner[root_level], to the leaf, at level 0.
  struct Path {
    uint32_t root_level = 0;
    InnerNode* inner[kMaxLevels];
    uint32_t slot[kMaxLevels];  // of inner[level], where the path goes down
  };

  template <typename FindSlot>
  const TreeNode* GoDown(const FindSlot& find_slot) const;
  const Record* NewRecord(Slice key, uint64_t trailer, Slice value);
  TreeNode* Descend(const Position& target, Path* path) const;
  static bool TryAppend(TreeNode* leaf, const Record* record);
  // Replaces a leaf that is full, or whose prefix `record` does not share, by new ones that have `record`.
  void GrowLeaf(TreeNode* leaf, const Record* record, Path* path);
  // Stores `node` over the path's node at `level`.
  void Replace(Path* path, uint32_t level, TreeNode* node);
  // Makes left and right take the place of the path's node at `level`; `left` may be that very node.
  void PublishSplit(Path* path, uint32_t level, TreeNode* left, const Record* separator, TreeNode* right);
  // Sees to it that the path's inner node at `level` can take `separator`.
  void MakeRoom(Path* path, uint32_t level, const Record* separator);
  void SplitInner(Path* path, uint32_t level);

  const WindowSearch& search_;
  Arena arena_;
  std::atomic<TreeNode*> root_{nullptr};
  TreeNode* rightmost_ = nullptr;     // leaf; the writer's
  const Record* greatest_ = nullptr;  // the entry after all others; the writer's
};

}  // namespace seerdb
