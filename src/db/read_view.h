// ReadView: everything a read needs, as one immutable object; ReadViewHolder publishes the current one.
//
// Reads take the view first and the sequence after it: a flush between the two may drop a version that the
// older sequence needs, but never one that the view's own later sequence needs (docs/concurrency.md).
// Thread safety: ReadView is immutable; ReadViewHolder: all methods concurrently. mu_ guards replacement
// only; readers never take it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/epoch.h"
#include "base/mutex.h"
#include "db/tree_view.h"
#include "format/lookup.h"
#include "iter/range_cover.h"
#include "iter/value_source.h"
#include "memtable/memtable.h"

namespace seerdb {

// Where a memtable's records begin in the log.
struct LogMark {
  uint64_t log_number = 0;
  uint64_t first_record = 0;
};

struct MemTableSlot {
  std::shared_ptr<MemTable> memtable;
  LogMark log_start;
  std::shared_ptr<MemTableValues> values = std::make_shared<MemTableValues>();
};

class ReadView final : public ValueSource, public std::enable_shared_from_this<ReadView> {
 public:
  ReadView(MemTableSlot active, std::vector<MemTableSlot> immutables, std::shared_ptr<const TreeView> tree);

  const MemTableSlot& active() const { return active_; }
  // Newest first.
  const std::vector<MemTableSlot>& immutables() const { return immutables_; }
  const std::shared_ptr<const TreeView>& tree() const { return tree_; }

  struct Answer {
    Lookup lookup;
    // What holds lookup.value when lookup.owner is null; borrowed from the view. At most one is set.
    const std::shared_ptr<MemTable>* memtable = nullptr;
    const std::shared_ptr<TableFile>* table = nullptr;
  };
  // Memtables newest first, then the tree. Fills lookup->hash when something asks for it. A version that a
  // range tombstone hides is answered as deleted.
  Status Get(const TableReadFlags& flags, LookupKey* lookup, Answer* answer) const;
  // Get of keys side by side: see TreeView::GetGroup. At most kGroup of them.
  static constexpr size_t kGroup = 32;
  struct GroupLookup {
    LookupKey lookup;
    Answer answer;
    Status status;
  };
  void GetGroup(const TableReadFlags& flags, std::span<GroupLookup> group) const;

  // Of an entry of this view.
  Status Fetch(const ValuePointer& pointer, FetchedValue* value) const override;
  // Null: nothing in this view points into it.
  const ValueFile* FindValues(uint64_t segment) const;

  // What range tombstones hide from a reader at `sequence`. Borrows this view. Requires: the sequence was
  // taken after the view.
  RangeCover CoverAt(SequenceNumber sequence) const;
  // All sources that meet the bounds as one iterator. It borrows this view. Leaves out what `cover` hides in
  // long stretches, and has everything else.
  std::unique_ptr<InternalIterator> NewIterator(const TableReadFlags& flags, const KeyBounds& bounds,
                                                const RangeCover& cover) const;

 private:
  // Whatever range tombstones say. False: no memtable knows.
  bool FindInMemTables(LookupKey* lookup, Answer* answer) const;
  // Get where there are any.
  Status FindNotHidden(const TableReadFlags& flags, LookupKey* lookup, Answer* answer) const;
  // Versions of `key` with lower sequences are hidden from a reader at `sequence`.
  SequenceNumber HiddenBelow(Slice key, SequenceNumber sequence) const;

  const MemTableSlot active_;
  const std::vector<MemTableSlot> immutables_;
  const std::shared_ptr<const TreeView> tree_;
  const bool sealed_ranges_;  // the tree or an immutable memtable has range tombstones
};

class ReadViewHolder {
 public:
  explicit ReadViewHolder(std::shared_ptr<const ReadView> first);
  ~ReadViewHolder();

  // The current view for the length of one call, without touching a shared counter.
  class Pin {
   public:
    explicit Pin(ReadViewHolder* holder)
        : guard_(&holder->epochs_), view_(holder->current_.load(std::memory_order_seq_cst)) {}
    const ReadView& operator*() const { return *view_; }
    const ReadView* operator->() const { return view_; }

   private:
    const EpochGuard guard_;
    const ReadView* const view_;
  };
  // The current view for as long as it is held.
  std::shared_ptr<const ReadView> Acquire();

  // Seals the active memtable behind a new one.
  void SwitchMemTable(MemTableSlot active) EXCLUDES(mu_);
  // Puts an empty memtable in the place of the active one. Requires: that is empty, and nobody writes to it.
  void ReplaceMemTable(std::shared_ptr<MemTable> memtable) EXCLUDES(mu_);
  // Publishes a new tree; `flushed`, if not null, is the oldest immutable memtable, now part of the tree.
  void InstallTree(std::shared_ptr<const TreeView> tree, const MemTable* flushed) EXCLUDES(mu_);

  // Lets go of replaced views whose last reader has left since; returns how many are still being read.
  size_t Collect() { return epochs_.Collect(); }

  // Readable at any time; change before the job that changed them reports progress.
  size_t immutable_count() const { return immutable_count_.load(std::memory_order_acquire); }
  size_t l0_runs() const { return l0_runs_.load(std::memory_order_acquire); }
  // Memtables sealed, and those of them that the tree has, ever. They are flushed in the order in which they
  // were sealed.
  uint64_t sealed() const { return sealed_.load(std::memory_order_acquire); }
  uint64_t flushed() const { return flushed_.load(std::memory_order_acquire); }

 private:
  // Returns the view replaced, to be retired outside the lock: its end may unmap files.
  std::shared_ptr<const ReadView> PublishLocked(std::shared_ptr<const ReadView> next) REQUIRES(mu_);
  void Retire(std::shared_ptr<const ReadView> view) EXCLUDES(mu_);

  EpochManager epochs_;
  std::atomic<const ReadView*> current_;
  std::atomic<size_t> immutable_count_{0};
  std::atomic<size_t> l0_runs_{0};
  std::atomic<uint64_t> sealed_{0};
  std::atomic<uint64_t> flushed_{0};
  Mutex mu_;
  std::shared_ptr<const ReadView> owner_ GUARDED_BY(mu_);
};

}  // namespace seerdb
