// CompactionStream: the one place that decides which versions survive a flush or a compaction.
//
// Between two neighbouring snapshots nobody can tell versions of a key apart, so of each such stripe only
// the newest version is kept. A merge operand stands for itself and all that it rests on: down to a value
// they become one value, else one operand if the operator can, else they stay as they are. What has expired,
// or is removed by a filter, is a tombstone. A tombstone goes when nothing it could hide is left: it lies in
// the oldest stripe and no level below the output may hold its key. What a range tombstone hides from
// everyone who could see it goes; range tombstones themselves are no entries. Nothing of a dropped keyspace
// survives.
//
// Requires: inputs were fixed before `snapshots` and `keyspaces` were taken, and `snapshots` holds every
// registered sequence and the visible sequence of that moment (docs/concurrency.md).
//
// Thread safety: external synchronization.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "format/keyspace_table.h"
#include "iter/internal_iterator.h"
#include "iter/merge_chain.h"
#include "iter/range_cover.h"
#include "iter/value_source.h"
#include "seerdb/compaction_filter.h"

namespace seerdb {

struct CompactionStreamOptions {
  // Ascending; the last one is the visible sequence when the list was taken.
  std::vector<SequenceNumber> snapshots;
  // True if some table below the output may hold the key. Called with ascending keys. Null = always true.
  std::function<bool(Slice key)> may_hold_below;
  // The range tombstones that may hide something in the input: all that are older than its newest entry, and
  // of later ones those that are as durable as the output will be. Their maps outlive the stream.
  RangeCover ranges;
  // Once set, the stream ends with kShutdown. May be null.
  const std::atomic<bool>* cancelled = nullptr;
  // Called with the bytes of keys and values read since the last call, each kPaceBytes or so; may take its
  // time. Null = nobody cares.
  std::function<void(uint64_t bytes)> pace = nullptr;
  // Null = no keyspace is known to be dropped, and no merge operator.
  KeyspaceTablePtr keyspaces = nullptr;
  // Values of keyspaces with a filter go through it, if their sequence is above this one; `level` is where
  // the output goes. kMaxSequence: none does.
  SequenceNumber filter_above = kMaxSequence;
  uint32_t level = 0;
  // No value or operand of more is made of others.
  uint64_t max_value_bytes = kMaxValueBytes;
  // Of the values to which the input points. Null: it points to none.
  const ValueSource* values = nullptr;
  // Wall clock: what has expired by then is dropped. 0 = nothing has.
  uint64_t now_us = 0;
};
inline constexpr uint64_t kPaceBytes = 256 << 10;

class CompactionStream {
 public:
  // Borrows `input`, which it positions.
  CompactionStream(InternalIterator* input, CompactionStreamOptions options);

  void SeekToFirst();
  bool Valid() const { return valid_; }
  // Requires: Valid(). Valid until Next().
  Slice key() const { return made_.empty() ? input_->key() : Slice(current_key_); }
  uint64_t trailer() const { return made_.empty() ? input_->trailer() : made_[made_next_].trailer; }
  Slice value() const { return made_.empty() ? input_->value() : Slice(made_[made_next_].payload); }
  // True if the present entry's key differs from the one before: only here may a table end.
  bool starts_key() const { return starts_key_; }
  // No range tombstone up to this sequence hides the present entry; a later one does, and a snapshot keeps
  // the entry. kMaxSequence: none hides it.
  SequenceNumber hidden_after() const { return hidden_after_; }
  void Next();
  Status status() const {
    if (!unread_.ok()) return unread_;
    return cancelled_ ? Status::Shutdown("compaction cancelled") : input_->status();
  }

  uint64_t entries_read() const { return entries_read_; }
  uint64_t entries_dropped() const { return entries_dropped_; }

 private:
  enum class Fate { kKeep, kDrop, kFold, kExpired, kFilter };

  // Index of the stripe that holds `sequence`: the number of snapshots below it.
  size_t StripeOf(SequenceNumber sequence) const {
    return sequence <= oldest_snapshot_ ? 0 : StripeAboveOldest(sequence);
  }
  size_t StripeAboveOldest(SequenceNumber sequence) const;
  // Moves to the first entry at or after the input's position that survives.
  void Settle();
  // Counts the input's entry, and lets the job be paced. False if the stream is cancelled.
  bool Read();
  // What was being taken out of the input did not come to its end.
  bool StoppedWithin() const {
    return cancelled_ || !unread_.ok() || (!input_->Valid() && !input_->status().ok());
  }
  // The value of an entry that points to it, in its place. A damaged one stays where it is (true): the entry
  // is kept as it is. False if it cannot be read now: the stream ends with unread_.
  bool BringInValue(MergeChain::Entry* entry);
  Fate Judge();
  // True if range tombstones hide the input's entry from every reader who could see it.
  bool HiddenByRange();
  // Where the first reader reads who can see an entry with this sequence.
  SequenceNumber FirstReaderOf(SequenceNumber sequence) const {
    const size_t stripe = StripeOf(sequence);
    return stripe < options_.snapshots.size() ? options_.snapshots[stripe] : kMaxSequence;
  }
  // True if a tombstone of the present key, in this stripe, has nothing left to hide.
  bool NothingBelow(size_t stripe) const;
  // Of the input's entry.
  bool IsExpired();
  // Takes the chain that begins at the input's entry out of the input and fills made_ with what it becomes.
  void Fold();
  // The filter for an entry of the present key; null if there is none for it.
  const CompactionFilter* FilterFor(ValueType type, SequenceNumber sequence) const;
  // Takes the value that the input is at out of it, and those that the filter merges with it, and fills made_
  // with what it becomes.
  void FilterValues(const CompactionFilter& filter);
  // Puts what the filter makes of several versions into the first.
  void MergeVersions(const CompactionFilter& filter, std::vector<MergeChain::Entry>* versions);
  // What becomes of one value, in place. False if it is to be removed.
  bool FilterOne(const CompactionFilter& filter, MergeChain::Entry* entry);
  // An entry that stands for the removal of the present key, in the place of made_.
  void MakeTombstone(SequenceNumber sequence);
  Slice UserKey() const { return Slice(current_key_).substr(prefix_bytes_); }
  void Emit();

  InternalIterator* const input_;
  const CompactionStreamOptions options_;
  RangeCover ranges_;
  KeyspaceCursor keyspace_;               // of current_key_
  const SequenceNumber oldest_snapshot_;  // all sequences up to it are in stripe 0
  bool valid_ = false;
  bool cancelled_ = false;
  bool starts_key_ = false;
  SequenceNumber hidden_after_ = kMaxSequence;
  bool has_key_ = false;
  // Entries of current_key_ that the input does not have as they are;
  // the input stands behind what they were made of.
  std::vector<MergeChain::Entry> made_;
  size_t made_next_ = 0;
  MergeChain chain_;
  size_t prefix_bytes_ = 0;   // of current_key_; 0 if it has none
  bool emitted_key_ = false;  // an entry of current_key_ survived
  std::string current_key_;
  size_t last_stripe_ = 0;  // of the newest version of current_key_ seen in it
  uint64_t entries_read_ = 0;
  uint64_t entries_dropped_ = 0;
  uint64_t unpaced_bytes_ = 0;
  Status unread_;
};

}  // namespace seerdb
