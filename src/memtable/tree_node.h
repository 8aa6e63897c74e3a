// TreeNode: one node of an OrderedTree, and the Record it points to.
//
// A node covers the positions [low, high). Its slots are in no order; slots below `count` never change again,
// except for an inner node's child pointers. A slot's *window* is the 8 bytes of its key that follow the
// node's *prefix*, as a big-endian number, padded with zeros: where two windows differ they order the keys,
// where they are equal the records must be compared.
// The prefix is shared by all keys in the slots. If prefix_certain, it is shared by all keys of [low, high).
// Nodes and records live in an arena and are never destroyed one by one.
// Thread safety: written by the tree's writer only; read by any thread that has loaded `count` with acquire.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <cstring>

#include "base/key_window.h"
#include "base/prefetch.h"
#include "format/internal_key.h"
#include "memtable/window_search.h"
#include "seerdb/slice.h"

namespace seerdb {

// An entry; the bytes of key and value follow it.
struct Record {
  uint64_t trailer;
  uint32_t key_bytes;
  uint32_t value_bytes;

  Slice key() const { return Slice(reinterpret_cast<const char*>(this + 1), key_bytes); }
  Slice value() const { return Slice(reinterpret_cast<const char*>(this + 1) + key_bytes, value_bytes); }
};

// Asks the processor for a record with its key and a value of the usual size: one wait instead of two.
inline void PrefetchRecord(const Record* record) { PrefetchBytes(record, 3 * kLineBytes); }

// A place in the order of all entries.
struct Position {
  Slice key;
  uint64_t trailer;
};

inline Position PositionOf(const Record& record) { return {record.key(), record.trailer}; }

inline int Compare(const Record& record, const Position& position) {
  return CompareInternal(record.key(), record.trailer, position.key, position.trailer);
}

// A leaf, or the part that an inner node shares with it.
struct alignas(64) TreeNode {
  static constexpr uint32_t kInlinePrefixBytes = 24;

  std::atomic<uint32_t> count{0};
  uint32_t prefix_bytes = 0;
  uint8_t level = 0;  // 0: leaf
  bool prefix_certain = false;
  uint16_t built_slots = 0;     // slots filled when the node was built; later ones are in order of insertion
  const Record* low = nullptr;  // null: no bound
  // Null: no bound. A leaf that stays as the left half of a split gets a lower `high`, after the right half
  // has been published.
  std::atomic<const Record*> high{nullptr};
  // The window of high; the greatest number if there is no high or it lacks the prefix. Stored after high.
  std::atomic<uint64_t> high_window{UINT64_MAX};
  union {
    char inline_prefix[kInlinePrefixBytes];  // if prefix_bytes <= kInlinePrefixBytes
    const char* long_prefix;
  };
  uint64_t windows[kNodeSlots];
  const Record* records[kNodeSlots];  // an inner node's separators

  Slice prefix() const {
    return Slice(prefix_bytes <= kInlinePrefixBytes ? inline_prefix : long_prefix, prefix_bytes);
  }
  // < 0, 0, > 0 as `key` sorts before all keys with the prefix, has it, or sorts after them.
  int ComparePrefix(Slice key) const {
    if (prefix_bytes == 0) return 0;
    const size_t common = key.size() < prefix_bytes ? key.size() : prefix_bytes;
    const int order = common == 0 ? 0 : std::memcmp(key.data(), prefix().data(), common);
    return order != 0 ? order : (key.size() < prefix_bytes ? -1 : 0);
  }
};
static_assert(offsetof(TreeNode, windows) == 64);

// Slot i leads to the positions from records[i] up to the next greater separator. Slot 0 has no separator: it
// leads to all positions below the others.
struct InnerNode : TreeNode {
  std::atomic<TreeNode*> children[kNodeSlots];

  // The slot that leads to `target`, by the first `used` slots. Requires: used > 0.
  uint32_t FindChild(const WindowSearch& search, uint32_t used, const Position& target) const;
  // The slot that leads to the last position.
  uint32_t FindLastChild(const WindowSearch& search, uint32_t used) const;
};

// Asks the processor for all that a search of the node may touch, so that its cache misses overlap.
inline void PrefetchLeaf(const TreeNode* leaf) { PrefetchBytes(leaf, sizeof(TreeNode)); }

inline void PrefetchInner(const TreeNode* node) {
  PrefetchBytes(node, offsetof(TreeNode, records));
  PrefetchBytes(node + 1, sizeof(InnerNode) - sizeof(TreeNode));
}

}  // namespace seerdb
