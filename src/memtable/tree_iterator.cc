#include "memtable/tree_iterator.h"

#include <algorithm>

#include "base/assert.h"

namespace seerdb {
namespace {

// How many entries ahead of the one it stands at a scan asks the processor to load.
constexpr uint32_t kPrefetchEntries = 8;

}  // namespace

void TreeIterator::SortedLeaf::Load(const TreeNode* source, const WindowSearch& search) {
  leaf = source;
  count = source->count.load(std::memory_order_acquire);
  high = source->high.load(std::memory_order_acquire);
  uint8_t ranks[kNodeSlots];
  const bool ties = search.rank(source->windows, count, ranks);
  for (uint32_t slot = 0; slot < count; ++slot) {
    windows[ranks[slot]] = source->windows[slot];
    records[ranks[slot]] = source->records[slot];
  }
  if (!ties) return;
  for (uint32_t begin = 0; begin < count;) {
    uint32_t end = begin + 1;
    while (end < count && windows[end] == windows[begin]) ++end;
    if (end - begin > 1) {
      std::sort(records + begin, records + end,
                [](const Record* a, const Record* b) { return Compare(*a, PositionOf(*b)) < 0; });
    }
    begin = end;
  }
}

uint32_t TreeIterator::SortedLeaf::CountBefore(const Position& target, bool or_at) const {
  const int order = leaf->prefix_certain ? 0 : leaf->ComparePrefix(target.key);
  if (order != 0) return order < 0 ? 0 : count;
  const uint64_t window = LoadWindow(target.key, leaf->prefix_bytes);
  uint32_t index = static_cast<uint32_t>(std::lower_bound(windows, windows + count, window) - windows);
  while (index < count && windows[index] == window && Compare(*records[index], target) < (or_at ? 1 : 0))
    ++index;
  return index;
}

void TreeIterator::SeekToFirst() { Seek(Slice(), kFirstTrailer); }

void TreeIterator::SeekToLast() {
  const TreeNode* leaf = tree_.FindLastLeaf();
  if (leaf == nullptr) return SetEnd();
  ahead_ = scanning_ = false;
  leaves_[current_].Load(leaf, tree_.search());
  index_ = leaves_[current_].count - 1;
  SetEntry();
}

void TreeIterator::Seek(Slice key, uint64_t trailer) {
  ahead_ = scanning_ = false;
  SeekForward({key, trailer});
}

void TreeIterator::SeekForward(Position target) {
  SortedLeaf& sorted = leaves_[current_];
  for (;;) {
    const TreeNode* leaf = tree_.FindLeaf(target);
    if (leaf == nullptr) return SetEnd();
    sorted.Load(leaf, tree_.search());
    index_ = sorted.CountBefore(target, false);
    if (index_ < sorted.count) return SetEntry();
    if (sorted.high == nullptr) return SetEnd();
    // A bound at or before the target was lowered since the leaf was found: find it again.
    if (Compare(*sorted.high, target) > 0) target = PositionOf(*sorted.high);
  }
}

void TreeIterator::SeekForPrev(Slice key, uint64_t trailer) {
  ahead_ = scanning_ = false;
  const Position target{key, trailer};
  SortedLeaf& sorted = leaves_[current_];
  const TreeNode* leaf = tree_.FindLeaf(target);
  if (leaf == nullptr) return SetEnd();
  sorted.Load(leaf, tree_.search());
  index_ = sorted.CountBefore(target, true);
  // Only the first leaf can lack an entry at or before a position it covers.
  if (index_ == 0) return SetEnd();
  --index_;
  SetEntry();
}

void TreeIterator::Next() {
  ++index_;
  const SortedLeaf& sorted = leaves_[current_];
  if (index_ < sorted.count) {
    if (index_ + kPrefetchEntries < sorted.count) {
      PrefetchRecord(sorted.records[index_ + kPrefetchEntries]);
    } else if (scanning_ && !ahead_) {
      LoadAhead();
    }
    return SetEntry();
  }
  if (sorted.high == nullptr) return SetEnd();
  if (ahead_) {
    ahead_ = false;
    current_ ^= 1;
    index_ = 0;
    return SetEntry();
  }
  scanning_ = true;
  SeekForward(PositionOf(*sorted.high));
}

void TreeIterator::LoadAhead() {
  const SortedLeaf& sorted = leaves_[current_];
  if (sorted.high == nullptr) return;
  SortedLeaf& next = leaves_[current_ ^ 1];
  next.Load(tree_.FindLeaf(PositionOf(*sorted.high)), tree_.search());
  // The leaf found is the one that begins with the bound.
  SEERDB_DCHECK(next.CountBefore(PositionOf(*sorted.high), false) == 0);
  for (uint32_t i = 0; i < std::min(next.count, kPrefetchEntries); ++i) PrefetchRecord(next.records[i]);
  ahead_ = true;
}

void TreeIterator::Prev() {
  if (index_ > 0) {
    --index_;
    return SetEntry();
  }
  // The trailer that comes just before: no entry has the first of all trailers.
  const Record& first = *leaves_[current_].records[0];
  SeekForPrev(first.key(), first.trailer + 1);
}

void TreeIterator::SetEntry() {
  const Record& record = *leaves_[current_].records[index_];
  own_ = {record.key(), record.trailer, record.value(), true};
  shown_ = &own_;
}

void TreeIterator::SetEnd() { shown_ = nullptr; }

}  // namespace seerdb
