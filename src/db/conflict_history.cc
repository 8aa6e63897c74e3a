#include "db/conflict_history.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "format/batch_codec.h"
#include "format/keyspace_prefix.h"

namespace seerdb {
namespace {

constexpr size_t kMostPartEntries = 512;
constexpr size_t kLeastPartEntries = 16;
constexpr size_t kMostPartKeyBytes = 64 << 10;
// Of the bound, what one part of the log or one tree may take, so that little more than needed is forgotten.
constexpr uint64_t kShares = 8;
constexpr uint64_t kBytesAnEntry = 64;  // about
constexpr size_t kRangesBetweenLooks = 64;

}  // namespace

uint32_t FilterHash(Slice key) { return static_cast<uint32_t>(Hash64(key)); }

ConflictHistory::ConflictHistory(uint64_t max_bytes, std::shared_ptr<MemoryAccount> account,
                                 std::function<SequenceNumber()> oldest_start)
    : max_bytes_(max_bytes),
      part_entries_(
          std::clamp<uint64_t>(max_bytes / kShares / kBytesAnEntry, kLeastPartEntries, kMostPartEntries)),
      oldest_start_(std::move(oldest_start)),
      charge_(std::move(account), MemoryClass::kTransactions) {}

void ConflictHistory::Restart(SequenceNumber sequence) {
  trees_.clear();
  parts_.clear();
  ranges_.clear();
  // Others may have begun below them.
  std::erase_if(drops_, [sequence](const Range& drop) { return drop.sequence <= sequence; });
  range_bytes_ = 0;
  forgotten_through_ = sequence;
  CountBytes();
}

void ConflictHistory::Record(SequenceNumber base, Slice operations) {
  BatchReader reader(operations);
  BatchOperation operation;
  while (reader.Next(&operation)) {
    if (operation.type == ValueType::kRangeDeletion) {
      RecordRange(base++, operation.key, operation.value);
    } else {
      RecordKey(base++, operation.key);
    }
  }
}

void ConflictHistory::RecordKey(SequenceNumber sequence, Slice key) {
  if (parts_.empty() || parts_.back().entries.size() == part_entries_ ||
      parts_.back().keys.size() >= kMostPartKeyBytes) {
    if (!parts_.empty()) Seal();
    parts_.emplace_back();
    parts_.back().entries.reserve(part_entries_);
    CountBytes();
  }
  Part& part = parts_.back();
  part.entries.push_back({sequence, FilterHash(key), static_cast<uint32_t>(part.keys.size()),
                          static_cast<uint32_t>(key.size())});
  part.keys.append(key);
}

uint64_t ConflictHistory::BytesOf(const Range& range) {
  return sizeof(Range) + range.begin.size() + range.end.size();
}

void ConflictHistory::RecordRange(SequenceNumber sequence, Slice begin, Slice end) {
  ranges_.push_back({std::string(begin), std::string(end), sequence});
  range_bytes_ += BytesOf(ranges_.back());
  if (ranges_.size() % kRangesBetweenLooks != 0) return;
  Forget(oldest_start_());
  CountBytes();
  FitBound();
}

void ConflictHistory::RecordDrop(SequenceNumber last, Slice prefix) {
  drops_.push_back({std::string(prefix), BehindPrefix(prefix), last + 1});
}

void ConflictHistory::Seal() {
  const SequenceNumber oldest = oldest_start_();
  Forget(oldest);
  // A transaction has seen a whole part pass by: it is not one of those that come and go.
  if (!parts_.empty() && oldest < parts_.back().entries.front().sequence) MoveToTrees();
  CountBytes();
  FitBound();
}

void ConflictHistory::MoveToTrees() {
  for (const Part& part : parts_) {
    if (trees_.empty() || trees_.back()->memory_bytes() >= max_bytes_ / kShares) {
      trees_.push_back(std::make_unique<MemTable>());
    }
    for (const Entry& entry : part.entries) {
      trees_.back()->Add(entry.sequence, ValueType::kDeletion, part.KeyOf(entry), Slice());
    }
  }
  parts_.clear();
}

void ConflictHistory::Forget(SequenceNumber through) {
  while (!trees_.empty() && trees_.front()->last_sequence() <= through) trees_.pop_front();
  while (!parts_.empty() && parts_.front().last() <= through) parts_.pop_front();
  while (!ranges_.empty() && ranges_.front().sequence <= through) {
    range_bytes_ -= BytesOf(ranges_.front());
    ranges_.pop_front();
  }
  while (!drops_.empty() && drops_.front().sequence <= through) drops_.pop_front();
  forgotten_through_ = std::max(forgotten_through_, through);
}

void ConflictHistory::FitBound() {
  while (bytes_ > max_bytes_) {
    SequenceNumber through = forgotten_through_;
    if (range_bytes_ > max_bytes_ / 2) {
      through = ranges_[ranges_.size() / kShares].sequence;
    } else if (!trees_.empty()) {
      through = trees_.front()->last_sequence();
    } else if (parts_.size() > 1) {
      through = parts_.front().last();
    } else {
      return;  // what is left is less than the least that can be forgotten
    }
    Forget(through);
    CountBytes();
  }
}

void ConflictHistory::CountBytes() {
  bytes_ = range_bytes_;
  for (const auto& tree : trees_) bytes_ += tree->memory_bytes();
  for (const Part& part : parts_) bytes_ += part.bytes();
  charge_.Set(bytes_);
}

ConflictHistory::Verdict ConflictHistory::Check(CommitCheck* check) const {
  Search search{check, check->start()};
  if (search.start < forgotten_through_) return Verdict::kForgotten;
  SearchRanges(drops_, &search);
  if (search.go_on) SearchRanges(ranges_, &search);
  if (search.go_on) SearchLog(&search);
  if (search.go_on && !trees_.empty() && trees_.back()->last_sequence() > search.start) SearchTrees(&search);
  return search.found ? Verdict::kConflict : Verdict::kClear;
}

void ConflictHistory::SearchRanges(const std::deque<Range>& ranges, Search* search) {
  for (auto range = ranges.rbegin(); range != ranges.rend() && range->sequence > search->start; ++range) {
    if (!search->check->TouchesRange(range->begin, range->end)) continue;
    search->Report({range->begin, range->end, /*range=*/true, range->sequence});
    if (!search->go_on) return;
  }
}

void ConflictHistory::SearchLog(Search* search) const {
  const KeyFilter* const filter = search->check->filter();
  for (auto part = parts_.rbegin(); part != parts_.rend() && part->last() > search->start; ++part) {
    for (auto entry = part->entries.rbegin(); entry != part->entries.rend(); ++entry) {
      if (entry->sequence <= search->start) return;
      if (filter != nullptr && !filter->MayHold(entry->hash)) continue;
      const Slice key = part->KeyOf(*entry);
      if (!search->check->Touches(key)) continue;
      search->Report({key, Slice(), /*range=*/false, entry->sequence});
      if (!search->go_on) return;
    }
  }
}

void ConflictHistory::SearchTreeRange(const MemTable& tree, Slice begin, Slice end, Search* search) {
  const std::unique_ptr<InternalIterator> entries = tree.NewIterator();
  for (entries->Seek(begin, kFirstTrailer); search->go_on && entries->Valid() && entries->key() < end;
       entries->Next()) {
    if (entries->sequence() <= search->start) continue;
    search->Report({entries->key(), Slice(), /*range=*/false, entries->sequence()});
  }
}

void ConflictHistory::SearchTrees(Search* search) const {
  for (auto it = trees_.rbegin(); it != trees_.rend() && (*it)->last_sequence() > search->start; ++it) {
    const MemTable& tree = **it;
    search->check->ForEachKey([&](Slice key) {
      Lookup newest;
      tree.Get({key, kMaxSequence, 0}, &newest);
      if (newest.state != Lookup::State::kAbsent && newest.sequence > search->start) {
        search->Report({key, Slice(), /*range=*/false, newest.sequence});
      }
      return search->go_on;
    });
    if (!search->go_on) return;
    search->check->ForEachRange([&](Slice begin, Slice end) {
      SearchTreeRange(tree, begin, end, search);
      return search->go_on;
    });
    if (!search->go_on) return;
  }
}

}  // namespace seerdb
