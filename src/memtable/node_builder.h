// NodeBuilder: makes the new nodes that take the place of a full one.
//
// Thread safety: the tree's writer only.
#pragma once

#include <cstdint>

#include "base/arena.h"
#include "memtable/tree_node.h"

namespace seerdb {

// What one slot of a node becomes.
struct NodeEntry {
  uint64_t window;
  const Record* record;  // null: slot 0 of an inner node
  TreeNode* child;       // null in a leaf
  uint32_t old_slot;
};

// The slots of a node, and at most one more entry, in ascending order.
struct SortedNode {
  static constexpr uint32_t kNoSlot = UINT32_MAX;

  const TreeNode* node;
  uint32_t prefix_bytes;  // of the windows in `entries`: those of the node, or fewer
  uint32_t count = 0;
  uint32_t added = 0;  // index of the entry that Add placed
  NodeEntry entries[kNodeSlots + 1];

  SortedNode(const TreeNode* source, const WindowSearch& search);
  // Places an entry that the node does not have; once. If its key lacks the node's prefix, all windows are
  // computed anew for a shorter one.
  void Add(const Record* record, TreeNode* child);
  // Gives up the part of the prefix that `key` does not share, and a little more.
  void ShortenPrefix(Slice key);
  // Where to cut a full leaf: the middle, but at the added entry if the last insertions went up or down one
  // after another, so that such a run leaves full leaves behind. At least 1, less than count.
  uint32_t CutIndex() const;
};

class NodeBuilder {
 public:
  explicit NodeBuilder(Arena* arena) : arena_(arena) {}

  // A node of the level of sorted.node with the entries [begin, end) that covers [low, high).
  TreeNode* Build(const SortedNode& sorted, uint32_t begin, uint32_t end, const Record* low,
                  const Record* high) const;
  // A leaf that is the whole tree.
  TreeNode* BuildFirst(const Record* record) const;
  // A root above two halves.
  InnerNode* BuildRoot(TreeNode* left, const Record* separator, TreeNode* right) const;

 private:
  struct Prefix {
    uint32_t bytes;
    bool certain;
  };
  static Prefix ChoosePrefix(const SortedNode& sorted, uint32_t begin, uint32_t end, const Record* low,
                             const Record* high);
  TreeNode* NewNode(uint32_t level) const;

  Arena* const arena_;
};

// The window of a bound, as TreeNode::high_window has it.
uint64_t HighWindow(const TreeNode& node, const Record* high);

}  // namespace seerdb
