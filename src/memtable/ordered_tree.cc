#include "memtable/ordered_tree.h"

#include <new>

#include "base/assert.h"
#include "base/prefetch.h"
#include "memtable/node_builder.h"

namespace seerdb {

// The reader's way to a leaf; find_slot(inner, count) chooses the child among the first `count`.
template <typename FindSlot>
const TreeNode* OrderedTree::GoDown(const FindSlot& find_slot) const {
  const TreeNode* node = root_.load(std::memory_order_acquire);
  if (node == nullptr) return nullptr;
  for (uint32_t level = node->level; level > 0; --level) {
    const InnerNode& inner = *static_cast<const InnerNode*>(node);
    uint32_t count = inner.count.load(std::memory_order_acquire);
    for (;;) {
      const uint32_t slot = find_slot(inner, count);
      node = inner.children[slot].load(std::memory_order_acquire);
      level > 1 ? PrefetchInner(node) : PrefetchLeaf(node);
      const uint32_t count_after = inner.count.load(std::memory_order_acquire);
      if (count_after == count) break;
      count = count_after;
    }
  }
  return node;
}

const TreeNode* OrderedTree::FindLeaf(const Position& target) const {
  return GoDown(
      [&](const InnerNode& inner, uint32_t count) { return inner.FindChild(search_, count, target); });
}

const TreeNode* OrderedTree::FindLastLeaf() const {
  return GoDown([&](const InnerNode& inner, uint32_t count) { return inner.FindLastChild(search_, count); });
}

const Record* OrderedTree::Find(Slice key, uint64_t trailer) const {
  const Position target{key, trailer};
  for (;;) {
    const TreeNode* leaf = FindLeaf(target);
    if (leaf == nullptr) return nullptr;
    if (leaf->prefix_certain || leaf->ComparePrefix(key) == 0) {
      const uint64_t window = LoadWindow(key, leaf->prefix_bytes);
      const uint32_t count = leaf->count.load(std::memory_order_acquire);
      uint64_t slots = search_.equal(leaf->windows, count, window);
      while (slots != 0) {
        const uint32_t slot = 63 - static_cast<uint32_t>(std::countl_zero(slots));
        const Record* record = leaf->records[slot];
        PrefetchRecord(record);
        if (record->trailer <= trailer && SameBytes(record->key(), key)) return record;
        slots &= ~(uint64_t{1} << slot);
      }
      if (leaf->high_window.load(std::memory_order_acquire) > window) return nullptr;
    }
    const Record* high = leaf->high.load(std::memory_order_acquire);
    if (high == nullptr) return nullptr;
    if (Compare(*high, target) >= 0) return high->key() == key ? high : nullptr;
  }
}

const Record* OrderedTree::Insert(Slice key, uint64_t trailer, Slice value) {
  const Record* record = NewRecord(key, trailer, value);
  const Position target = PositionOf(*record);
  if (greatest_ == nullptr) {
    rightmost_ = NodeBuilder(&arena_).BuildFirst(record);
    greatest_ = record;
    root_.store(rightmost_, std::memory_order_release);
    return record;
  }
  const bool greatest = Compare(*greatest_, target) < 0;
  if (greatest) greatest_ = record;
  if (greatest && TryAppend(rightmost_, record)) return record;
  Path path;
  TreeNode* leaf = Descend(target, &path);
  if (!TryAppend(leaf, record)) GrowLeaf(leaf, record, &path);
  return record;
}

const Record* OrderedTree::NewRecord(Slice key, uint64_t trailer, Slice value) {
  char* memory = arena_.Allocate(sizeof(Record) + key.size() + value.size(), alignof(Record));
  Record* record =
      new (memory) Record{trailer, static_cast<uint32_t>(key.size()), static_cast<uint32_t>(value.size())};
  char* bytes = memory + sizeof(Record);
  if (!key.empty()) std::memcpy(bytes, key.data(), key.size());
  if (!value.empty()) std::memcpy(bytes + key.size(), value.data(), value.size());
  return record;
}

TreeNode* OrderedTree::Descend(const Position& target, Path* path) const {
  TreeNode* node = root_.load(std::memory_order_relaxed);
  path->root_level = node->level;
  for (uint32_t level = node->level; level > 0; --level) {
    InnerNode* inner = static_cast<InnerNode*>(node);
    const uint32_t slot = inner->FindChild(search_, inner->count.load(std::memory_order_relaxed), target);
    path->inner[level] = inner;
    path->slot[level] = slot;
    node = inner->children[slot].load(std::memory_order_relaxed);
    if (level > 1) {
      PrefetchInner(node);
    } else {
      PrefetchLine(node);
    }
  }
  return node;
}

bool OrderedTree::TryAppend(TreeNode* leaf, const Record* record) {
  const uint32_t count = leaf->count.load(std::memory_order_relaxed);
  if (count == kNodeSlots) return false;
  if (!leaf->prefix_certain && leaf->ComparePrefix(record->key()) != 0) return false;
  leaf->windows[count] = LoadWindow(record->key(), leaf->prefix_bytes);
  leaf->records[count] = record;
  leaf->count.store(count + 1, std::memory_order_release);
  return true;
}

void OrderedTree::GrowLeaf(TreeNode* leaf, const Record* record, Path* path) {
  const NodeBuilder builder(&arena_);
  const Record* low = leaf->low;
  const Record* high = leaf->high.load(std::memory_order_relaxed);
  SortedNode sorted(leaf, search_);
  sorted.Add(record, nullptr);
  if (sorted.count <= kNodeSlots) {
    TreeNode* copy = builder.Build(sorted, 0, sorted.count, low, high);
    Replace(path, 0, copy);
    if (leaf == rightmost_) rightmost_ = copy;
    return;
  }
  const uint32_t cut = sorted.CutIndex();
  const Record* separator = sorted.entries[cut].record;
  const bool keep_left = cut == kNodeSlots && sorted.added == cut;
  const bool keep_right = cut == 1 && sorted.added == 0;
  TreeNode* left = keep_left ? leaf : builder.Build(sorted, 0, cut, low, separator);
  TreeNode* right = keep_right ? leaf : builder.Build(sorted, cut, sorted.count, separator, high);
  PublishSplit(path, 0, left, separator, right);
  if (keep_left) {
    leaf->high.store(separator, std::memory_order_release);
    leaf->high_window.store(HighWindow(*leaf, separator), std::memory_order_release);
  }
  if (leaf == rightmost_) rightmost_ = right;
}

void OrderedTree::Replace(Path* path, uint32_t level, TreeNode* node) {
  if (level == path->root_level) {
    root_.store(node, std::memory_order_release);
  } else {
    path->inner[level + 1]->children[path->slot[level + 1]].store(node, std::memory_order_release);
  }
  if (level > 0) path->inner[level] = static_cast<InnerNode*>(node);
}

void OrderedTree::PublishSplit(Path* path, uint32_t level, TreeNode* left, const Record* separator,
                               TreeNode* right) {
  const uint32_t above = level + 1;
  if (level == path->root_level) {
    SEERDB_ASSERT(above < kMaxLevels);
    InnerNode* root = NodeBuilder(&arena_).BuildRoot(left, separator, right);
    path->inner[above] = root;
    path->slot[above] = 0;
    path->root_level = above;
    root_.store(root, std::memory_order_release);
    return;
  }
  MakeRoom(path, above, separator);
  InnerNode* parent = path->inner[above];
  const uint32_t count = parent->count.load(std::memory_order_relaxed);
  parent->windows[count] = LoadWindow(separator->key(), parent->prefix_bytes);
  parent->records[count] = separator;
  parent->children[count].store(right, std::memory_order_relaxed);
  parent->count.store(count + 1, std::memory_order_release);
  parent->children[path->slot[above]].store(left, std::memory_order_release);
}

void OrderedTree::MakeRoom(Path* path, uint32_t level, const Record* separator) {
  if (path->inner[level]->count.load(std::memory_order_relaxed) == kNodeSlots) SplitInner(path, level);
  InnerNode* inner = path->inner[level];
  if (inner->prefix_certain || inner->ComparePrefix(separator->key()) == 0) return;
  SortedNode sorted(inner, search_);
  sorted.ShortenPrefix(separator->key());
  const uint32_t old_slot = path->slot[level];
  for (uint32_t i = 0; i < sorted.count; ++i) {
    if (sorted.entries[i].old_slot == old_slot) path->slot[level] = i;
  }
  Replace(path, level,
          NodeBuilder(&arena_).Build(sorted, 0, sorted.count, inner->low,
                                     inner->high.load(std::memory_order_relaxed)));
}

void OrderedTree::SplitInner(Path* path, uint32_t level) {
  const NodeBuilder builder(&arena_);
  InnerNode* inner = path->inner[level];
  const SortedNode sorted(inner, search_);
  uint32_t index = 0;  // of the path's child
  for (uint32_t i = 0; i < sorted.count; ++i) {
    if (sorted.entries[i].old_slot == path->slot[level]) index = i;
  }
  // A path along the right edge is likely to grow there again: the left half is left nearly full.
  const uint32_t cut = index == sorted.count - 1 ? index : sorted.count / 2;
  const Record* separator = sorted.entries[cut].record;
  TreeNode* left = builder.Build(sorted, 0, cut, inner->low, separator);
  TreeNode* right =
      builder.Build(sorted, cut, sorted.count, separator, inner->high.load(std::memory_order_relaxed));
  PublishSplit(path, level, left, separator, right);
  const bool goes_right = index >= cut;
  path->inner[level] = static_cast<InnerNode*>(goes_right ? right : left);
  path->slot[level] = goes_right ? index - cut : index;
  if (goes_right) {
    InnerNode* parent = path->inner[level + 1];
    path->slot[level + 1] = parent->count.load(std::memory_order_relaxed) - 1;
  }
}

}  // namespace seerdb
