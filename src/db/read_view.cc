#include "db/read_view.h"

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "base/hash.h"
#include "base/mutant.h"
#include "base/status_macros.h"
#include "iter/merging_iterator.h"
#include "iter/range_skip_iterator.h"

namespace seerdb {
namespace {

// Once a read, if at all; 0 is not yet.
void SetHash(LookupKey* lookup) {
  if (lookup->hash == 0) lookup->hash = Hash64(lookup->key);
}

}  // namespace

ReadView::ReadView(MemTableSlot active, std::vector<MemTableSlot> immutables,
                   std::shared_ptr<const TreeView> tree)
    : active_(std::move(active)),
      immutables_(std::move(immutables)),
      tree_(std::move(tree)),
      sealed_ranges_(!tree_->ranges().empty() ||
                     std::any_of(immutables_.begin(), immutables_.end(), [](const MemTableSlot& slot) {
                       return slot.memtable->range_tombstones() != nullptr;
                     })) {}

SequenceNumber ReadView::HiddenBelow(Slice key, SequenceNumber sequence) const {
  SequenceNumber below = tree_->ranges().Find(key, sequence);
  const auto ask = [&](const MemTableSlot& slot) {
    const RangeTombstoneMap* const ranges = slot.memtable->range_tombstones();
    if (ranges != nullptr) below = std::max(below, ranges->Find(key, sequence));
  };
  for (const MemTableSlot& slot : immutables_) ask(slot);
  ask(active_);
  return below;
}

RangeCover ReadView::CoverAt(SequenceNumber sequence) const {
  RangeCover cover;
  cover.AddMap(active_.memtable->range_tombstones(), sequence);
  if (!sealed_ranges_) return cover;
  for (const MemTableSlot& slot : immutables_) cover.AddMap(slot.memtable->range_tombstones(), sequence);
  tree_->ranges().AddTo(&cover, sequence);
  return cover;
}

inline bool ReadView::FindInMemTables(LookupKey* lookup, Answer* answer) const {
  const auto ask = [&](const MemTableSlot& slot) {
    if (slot.memtable->empty()) return false;
    if (slot.memtable->wants_hash()) SetHash(lookup);
    slot.memtable->Get(*lookup, &answer->lookup);
    if (SEERDB_MUTANT("tombstone-falls-through") && answer->lookup.state == Lookup::State::kDeleted) {
      answer->lookup.state = Lookup::State::kAbsent;
    }
    if (answer->lookup.state == Lookup::State::kAbsent) return false;
    answer->memtable = &slot.memtable;
    return true;
  };
  answer->lookup.state = Lookup::State::kAbsent;
  if (ask(active_)) return true;
  for (const MemTableSlot& slot : immutables_) {
    if (ask(slot)) return true;
  }
  return false;
}

Status ReadView::FindNotHidden(const TableReadFlags& flags, LookupKey* lookup, Answer* answer) const {
  const SequenceNumber hidden_below = HiddenBelow(lookup->key, lookup->sequence);
  if (!FindInMemTables(lookup, answer)) {
    SetHash(lookup);
    SEERDB_RETURN_IF_ERROR(tree_->GetFrom(hidden_below, flags, *lookup, &answer->lookup, &answer->table));
  }
  if (answer->lookup.state == Lookup::State::kFound && answer->lookup.sequence < hidden_below &&
      !SEERDB_MUTANT("get-ignores-range-tombstones")) {
    *answer = {};
    answer->lookup.state = Lookup::State::kDeleted;
    answer->lookup.sequence = hidden_below;
  }
  return {};
}

Status ReadView::Get(const TableReadFlags& flags, LookupKey* lookup, Answer* answer) const {
  if (sealed_ranges_ || active_.memtable->range_tombstones() != nullptr) [[unlikely]] {
    return FindNotHidden(flags, lookup, answer);
  }
  if (FindInMemTables(lookup, answer)) return {};
  SetHash(lookup);
  return tree_->Get(flags, *lookup, &answer->lookup, &answer->table);
}

void ReadView::GetGroup(const TableReadFlags& flags, std::span<GroupLookup> group) const {
  if (sealed_ranges_ || active_.memtable->range_tombstones() != nullptr) [[unlikely]] {
    for (GroupLookup& one : group) one.status = Get(flags, &one.lookup, &one.answer);
    return;
  }
  std::array<TreeView::GroupLookup, kGroup> in_tree;
  size_t count = 0;
  for (GroupLookup& one : group) {
    if (FindInMemTables(&one.lookup, &one.answer)) continue;
    SetHash(&one.lookup);
    in_tree[count++] = {one.lookup, &one.answer.lookup, &one.answer.table, &one.status};
  }
  tree_->GetGroup(flags, std::span(in_tree.data(), count));
}

const ValueFile* ReadView::FindValues(uint64_t segment) const {
  if (const ValueFile* const file = active_.values->Find(segment)) return file;
  for (const MemTableSlot& slot : immutables_) {
    if (const ValueFile* const file = slot.values->Find(segment)) return file;
  }
  return tree_->values().Find(segment);
}

Status ReadView::Fetch(const ValuePointer& pointer, FetchedValue* value) const {
  const ValueFile* const file = FindValues(pointer.segment);
  if (file != nullptr) return file->Fetch(pointer, value);
  return NoSuchSegment(pointer);
}

std::unique_ptr<InternalIterator> ReadView::NewIterator(const TableReadFlags& flags, const KeyBounds& bounds,
                                                        const RangeCover& cover) const {
  std::vector<std::unique_ptr<InternalIterator>> children;
  const auto add = [&](const MemTable& memtable) {
    // What is added later has sequences above the reader's.
    const SequenceNumber newest = memtable.last_sequence();
    std::unique_ptr<InternalIterator> entries = memtable.NewIterator();
    children.push_back(cover.empty() ? std::move(entries)
                                     : NewRangeSkippingIterator(std::move(entries), cover, newest));
  };
  if (!active_.memtable->empty()) add(*active_.memtable);
  for (const MemTableSlot& slot : immutables_) add(*slot.memtable);
  tree_->AddIterators(flags, bounds, cover, &children);
  return NewMergingIterator(std::move(children));
}

ReadViewHolder::ReadViewHolder(std::shared_ptr<const ReadView> first) : current_(first.get()) {
  MutexLock lock(&mu_);
  PublishLocked(std::move(first));
}

ReadViewHolder::~ReadViewHolder() = default;

std::shared_ptr<const ReadView> ReadViewHolder::PublishLocked(std::shared_ptr<const ReadView> next) {
  immutable_count_.store(next->immutables().size(), std::memory_order_release);
  l0_runs_.store(next->tree()->l0_runs(), std::memory_order_release);
  current_.store(next.get(), std::memory_order_seq_cst);
  std::swap(owner_, next);
  return next;
}

void ReadViewHolder::Retire(std::shared_ptr<const ReadView> view) {
  epochs_.RetireAfterReaders([kept = std::move(view)]() mutable { kept.reset(); });
}

std::shared_ptr<const ReadView> ReadViewHolder::Acquire() {
  const Pin pin(this);
  return pin->shared_from_this();
}

void ReadViewHolder::SwitchMemTable(MemTableSlot active) {
  std::shared_ptr<const ReadView> previous;
  {
    MutexLock lock(&mu_);
    std::vector<MemTableSlot> immutables = owner_->immutables();
    immutables.insert(immutables.begin(), owner_->active());
    immutables.front().memtable->SetClass(MemoryClass::kImmutableMemTable);
    previous = PublishLocked(
        std::make_shared<const ReadView>(std::move(active), std::move(immutables), owner_->tree()));
    sealed_.fetch_add(1, std::memory_order_release);
  }
  Retire(std::move(previous));
}

void ReadViewHolder::ReplaceMemTable(std::shared_ptr<MemTable> memtable) {
  std::shared_ptr<const ReadView> previous;
  {
    MutexLock lock(&mu_);
    SEERDB_ASSERT(owner_->active().memtable->empty());
    previous = PublishLocked(std::make_shared<const ReadView>(
        MemTableSlot{std::move(memtable), owner_->active().log_start, owner_->active().values},
        owner_->immutables(), owner_->tree()));
  }
  Retire(std::move(previous));
}

void ReadViewHolder::InstallTree(std::shared_ptr<const TreeView> tree, const MemTable* flushed) {
  std::shared_ptr<const ReadView> previous;
  {
    MutexLock lock(&mu_);
    std::vector<MemTableSlot> immutables = owner_->immutables();
    if (flushed != nullptr) {
      SEERDB_ASSERT(!immutables.empty() && immutables.back().memtable.get() == flushed);
      immutables.back().memtable->SetClass(MemoryClass::kPinnedMemTable);
      immutables.pop_back();
    }
    previous = PublishLocked(
        std::make_shared<const ReadView>(owner_->active(), std::move(immutables), std::move(tree)));
    if (flushed != nullptr) flushed_.fetch_add(1, std::memory_order_release);
  }
  Retire(std::move(previous));
}

}  // namespace seerdb
