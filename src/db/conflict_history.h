// ConflictHistory: which keys and ranges were written lately, and when; what transactions are checked
// against.
//
// It is its own: neither flushes nor compactions change what it knows. Writes are noted in a log, in the
// order of their sequences. A check looks through the part of the log behind the transaction's start. Where a
// transaction has been running while much was written, the older part is moved into ordered trees, which are
// asked for each key and range instead. What no active transaction can ask for is forgotten; so is the oldest
// part when there is too much, and transactions that began before that are told so.
// Thread safety: external synchronization; it belongs to the leader of the write queue.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/memory_account.h"
#include "db/commit_check.h"
#include "memtable/memtable.h"
#include "seerdb/slice.h"
#include "seerdb/types.h"

namespace seerdb {

class ConflictHistory {
 public:
  enum class Verdict : unsigned char {
    kClear,
    kConflict,
    kForgotten,  // what the answer needs was forgotten
  };

  // At most about `max_bytes`, charged to `account`. `oldest_start`: the lowest sequence at which an active
  // transaction reads, or could begin to read now.
  ConflictHistory(uint64_t max_bytes, std::shared_ptr<MemoryAccount> account,
                  std::function<SequenceNumber()> oldest_start);

  // Forgets everything, as of `sequence`: knows all that is written behind it.
  void Restart(SequenceNumber sequence);
  // A batch, as in batch_codec.h. Sequences never go back.
  void Record(SequenceNumber base, Slice operations);
  void RecordRange(SequenceNumber sequence, Slice begin, Slice end);
  // A keyspace was dropped behind `last`, which no start of a transaction before exceeds. It has no sequence
  // of its own, and is not forgotten for want of room.
  void RecordDrop(SequenceNumber last, Slice prefix);
  // Whether something that `check` touches was written behind its start; tells it of what it finds.
  Verdict Check(CommitCheck* check) const;

  // All that is written behind this sequence is known.
  SequenceNumber forgotten_through() const { return forgotten_through_; }
  uint64_t bytes() const { return bytes_; }
  // Ordered trees that hold the older part.
  size_t trees() const { return trees_.size(); }

 private:
  struct Entry {
    SequenceNumber sequence = 0;
    uint32_t hash = 0;   // FilterHash
    uint32_t begin = 0;  // of the key in Part::keys
    uint32_t size = 0;
  };
  // A part of the log.
  struct Part {
    SequenceNumber last() const { return entries.back().sequence; }
    Slice KeyOf(const Entry& entry) const { return Slice(keys).substr(entry.begin, entry.size); }
    uint64_t bytes() const { return entries.capacity() * sizeof(Entry) + keys.capacity(); }

    std::vector<Entry> entries;  // never empty
    std::string keys;
  };
  struct Range {
    std::string begin;
    std::string end;
    SequenceNumber sequence = 0;
  };
  // Of one check.
  struct Search {
    CommitCheck* check = nullptr;
    SequenceNumber start = 0;
    bool found = false;
    bool go_on = true;

    void Report(const FoundWrite& write) {
      found = true;
      go_on = check->Found(write);
    }
  };

  void RecordKey(SequenceNumber sequence, Slice key);
  // The last part of the log is full.
  void Seal();
  void Forget(SequenceNumber through);
  // Forgets the oldest until there is room.
  void FitBound();
  void MoveToTrees();
  void CountBytes();
  static uint64_t BytesOf(const Range& range);
  static void SearchRanges(const std::deque<Range>& ranges, Search* search);
  void SearchLog(Search* search) const;
  void SearchTrees(Search* search) const;
  static void SearchTreeRange(const MemTable& tree, Slice begin, Slice end, Search* search);

  const uint64_t max_bytes_;
  const size_t part_entries_;
  const std::function<SequenceNumber()> oldest_start_;
  SequenceNumber forgotten_through_ = 0;
  // Oldest first, trees before parts.
  std::deque<std::unique_ptr<MemTable>> trees_;
  std::deque<Part> parts_;
  std::deque<Range> ranges_;
  std::deque<Range> drops_;  // the sequence: the least that may come behind
  uint64_t range_bytes_ = 0;
  uint64_t bytes_ = 0;
  MemoryCharge charge_;
};

}  // namespace seerdb
