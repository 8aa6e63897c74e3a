#include "memtable/node_builder.h"

#include <algorithm>
#include <new>

#include "base/assert.h"

namespace seerdb {
namespace {

// Fewer insertions than this in a row say nothing about the next ones.
constexpr uint32_t kMinRun = 4;
constexpr uint32_t kMaxRun = 8;
// A part with fewer entries than this is too small to tell how much prefix its future keys will share.
constexpr uint32_t kMinPrefixSample = 8;

bool EntryLess(const NodeEntry& a, const NodeEntry& b) {
  if (a.record == nullptr || b.record == nullptr) return a.record == nullptr && b.record != nullptr;
  return Compare(*a.record, PositionOf(*b.record)) < 0;
}

// Entries with equal windows are put in order by their records.
void SortTies(NodeEntry* entries, uint32_t count) {
  for (uint32_t begin = 0; begin < count;) {
    uint32_t end = begin + 1;
    while (end < count && entries[end].window == entries[begin].window) ++end;
    if (end - begin > 1) std::sort(entries + begin, entries + end, EntryLess);
    begin = end;
  }
}

void SetPrefix(TreeNode* node, uint32_t bytes, bool certain, const char* source) {
  node->prefix_bytes = bytes;
  node->prefix_certain = certain || bytes == 0;
  if (bytes <= TreeNode::kInlinePrefixBytes) {
    if (bytes > 0) std::memcpy(node->inline_prefix, source, bytes);
  } else {
    node->long_prefix = source;
  }
}

}  // namespace

uint64_t HighWindow(const TreeNode& node, const Record* high) {
  if (high == nullptr) return UINT64_MAX;
  if (!node.prefix_certain && node.ComparePrefix(high->key()) != 0) return UINT64_MAX;
  return LoadWindow(high->key(), node.prefix_bytes);
}

SortedNode::SortedNode(const TreeNode* source, const WindowSearch& search)
    : node(source), prefix_bytes(source->prefix_bytes), count(source->count.load(std::memory_order_relaxed)) {
  uint8_t ranks[kNodeSlots];
  const bool ties = search.rank(source->windows, count, ranks);
  const InnerNode* inner = source->level > 0 ? static_cast<const InnerNode*>(source) : nullptr;
  for (uint32_t slot = 0; slot < count; ++slot) {
    TreeNode* child = inner != nullptr ? inner->children[slot].load(std::memory_order_relaxed) : nullptr;
    entries[ranks[slot]] = {source->windows[slot], source->records[slot], child, slot};
  }
  if (ties) SortTies(entries, count);
}

void SortedNode::ShortenPrefix(Slice key) {
  const size_t shared = CommonPrefixBytes(node->prefix().substr(0, prefix_bytes), key);
  prefix_bytes = static_cast<uint32_t>(shared > 0 ? shared - 1 : 0);
  for (uint32_t i = 0; i < count; ++i) {
    if (entries[i].record != nullptr) entries[i].window = LoadWindow(entries[i].record->key(), prefix_bytes);
  }
}

void SortedNode::Add(const Record* record, TreeNode* child) {
  if (!node->prefix_certain && node->ComparePrefix(record->key()) != 0) ShortenPrefix(record->key());
  const NodeEntry entry = {LoadWindow(record->key(), prefix_bytes), record, child, kNoSlot};
  uint32_t index = count++;
  while (index > 0) {
    const NodeEntry& before = entries[index - 1];
    if (before.window < entry.window || (before.window == entry.window && EntryLess(before, entry))) break;
    entries[index] = before;
    --index;
  }
  entries[index] = entry;
  added = index;
}

uint32_t SortedNode::CutIndex() const {
  const uint32_t middle = count / 2;
  const uint32_t inserted = count - 1 - node->built_slots;
  const uint32_t run = std::min(inserted, kMaxRun);
  if (run < kMinRun) return middle;
  uint32_t index_of_slot[kNodeSlots];
  for (uint32_t i = 0; i < count; ++i) {
    if (i != added) index_of_slot[entries[i].old_slot] = i;
  }
  bool up = true;
  bool down = true;
  const uint32_t last_slot = count - 2;
  for (uint32_t slot = last_slot; slot > last_slot + 1 - run; --slot) {
    up &= index_of_slot[slot - 1] < index_of_slot[slot];
    down &= index_of_slot[slot - 1] > index_of_slot[slot];
  }
  if (up && added == index_of_slot[last_slot] + 1) return added;
  if (down && added + 1 == index_of_slot[last_slot]) return added + 1;
  return middle;
}

NodeBuilder::Prefix NodeBuilder::ChoosePrefix(const SortedNode& sorted, uint32_t begin, uint32_t end,
                                              const Record* low, const Record* high) {
  const NodeEntry* entries = sorted.entries;
  const uint32_t first_key = entries[0].record == nullptr ? 1 : 0;
  const uint32_t skip = entries[begin].record == nullptr ? 1 : 0;
  const bool same_prefix = sorted.prefix_bytes == sorted.node->prefix_bytes;
  if (same_prefix && sorted.node->prefix_certain && end - begin > skip) {
    // The windows differ early: they have bytes enough left to tell later keys apart.
    if (((entries[begin + skip].window ^ entries[end - 1].window) >> 32) != 0)
      return {sorted.prefix_bytes, true};
  }
  const bool bounded = low != nullptr && high != nullptr;
  const uint32_t sure = bounded ? static_cast<uint32_t>(CommonPrefixBytes(low->key(), high->key())) : 0;
  uint32_t sample_begin = begin + skip;
  uint32_t sample_end = end;
  if (sample_end < sample_begin + kMinPrefixSample) {
    sample_begin = first_key;
    sample_end = sorted.count;
  }
  if (sample_end < sample_begin + 2) return {sure, bounded};
  // One byte fewer than the keys share, so that the next keys are likely to share it too.
  const size_t shared =
      CommonPrefixBytes(entries[sample_begin].record->key(), entries[sample_end - 1].record->key());
  uint32_t likely = static_cast<uint32_t>(shared > 0 ? shared - 1 : 0);
  if (!same_prefix) likely = std::min(likely, sorted.prefix_bytes);  // a key to come needs it that short
  if (bounded && likely <= sure + 3) return {sure, true};
  return {likely, false};
}

TreeNode* NodeBuilder::NewNode(uint32_t level) const {
  const size_t bytes = level == 0 ? sizeof(TreeNode) : sizeof(InnerNode);
  char* memory = arena_->Allocate(bytes, alignof(TreeNode));
  // Default initialization: the slots stay as they are.
  TreeNode* node = level == 0 ? new (memory) TreeNode : new (memory) InnerNode;
  node->level = static_cast<uint8_t>(level);
  return node;
}

TreeNode* NodeBuilder::Build(const SortedNode& sorted, uint32_t begin, uint32_t end, const Record* low,
                             const Record* high) const {
  const uint32_t count = end - begin;
  SEERDB_ASSERT(count > 0 && count <= kNodeSlots);
  const uint32_t level = sorted.node->level;
  const Prefix prefix = ChoosePrefix(sorted, begin, end, low, high);
  const Record* sample = sorted.entries[begin].record;  // some record that has the prefix
  if (sample == nullptr) sample = sorted.count > 1 ? sorted.entries[1].record : low;

  TreeNode* node = NewNode(level);
  SetPrefix(node, prefix.bytes, prefix.certain, prefix.bytes > 0 ? sample->key().data() : nullptr);
  node->built_slots = static_cast<uint16_t>(count);
  node->low = low;
  node->high.store(high, std::memory_order_relaxed);
  node->high_window.store(HighWindow(*node, high), std::memory_order_relaxed);
  for (uint32_t i = 0; i < count; ++i) {
    const NodeEntry& entry = sorted.entries[begin + i];
    // A leaf is filled in descending order: of one key, the newest version gets the highest slot.
    const uint32_t slot = level == 0 ? count - 1 - i : i;
    const bool open = level > 0 && i == 0;
    node->records[slot] = open ? nullptr : entry.record;
    if (open) {
      node->windows[slot] = 0;
    } else if (prefix.bytes == sorted.prefix_bytes) {
      node->windows[slot] = entry.window;
    } else {
      node->windows[slot] = LoadWindow(entry.record->key(), prefix.bytes);
    }
    if (level > 0)
      static_cast<InnerNode*>(node)->children[slot].store(entry.child, std::memory_order_relaxed);
  }
  node->count.store(count, std::memory_order_release);
  return node;
}

TreeNode* NodeBuilder::BuildFirst(const Record* record) const {
  TreeNode* node = NewNode(0);
  SetPrefix(node, 0, true, nullptr);
  node->windows[0] = LoadWindow(record->key(), 0);
  node->records[0] = record;
  node->count.store(1, std::memory_order_release);
  return node;
}

InnerNode* NodeBuilder::BuildRoot(TreeNode* left, const Record* separator, TreeNode* right) const {
  InnerNode* root = static_cast<InnerNode*>(NewNode(left->level + 1u));
  const Slice prefix = left->prefix();
  const uint32_t shared = static_cast<uint32_t>(CommonPrefixBytes(prefix, separator->key()));
  SetPrefix(root, shared, false, separator->key().data());
  root->windows[0] = 0;
  root->records[0] = nullptr;
  root->children[0].store(left, std::memory_order_relaxed);
  root->windows[1] = LoadWindow(separator->key(), shared);
  root->records[1] = separator;
  root->children[1].store(right, std::memory_order_relaxed);
  root->built_slots = 2;
  root->count.store(2, std::memory_order_release);
  return root;
}

}  // namespace seerdb
