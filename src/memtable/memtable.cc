#include "memtable/memtable.h"

#include "base/assert.h"
#include "base/hash.h"
#include "memtable/tree_iterator.h"

namespace seerdb {

MemTable::MemTable(std::shared_ptr<MemoryAccount> account, std::shared_ptr<ChunkPool> pool, uint64_t secret,
                   uint64_t indexed)
    : tree_(BestWindowSearch(), std::move(account), std::move(pool)), secret_(secret) {
  if (indexed != 0) index_.emplace(&tree_.arena(), indexed);
}

void MemTable::Add(SequenceNumber sequence, ValueType type, Slice key, Slice value) {
  SEERDB_DCHECK(sequence > last_sequence());
  if (wants_hash()) {
    const uint64_t hash = Hash64(key);
    index_->Prefetch(hash);
    index_->Add(hash, tree_.Insert(key, PackTrailer(sequence, type), value));
  } else {
    tree_.Insert(key, PackTrailer(sequence, type), value);
  }
  Count(sequence);
  if (type == ValueType::kDeletion) tombstones_.store(tombstones() + 1, std::memory_order_relaxed);
}

void MemTable::Count(SequenceNumber sequence) {
  if (empty()) first_sequence_.store(sequence, std::memory_order_relaxed);
  last_sequence_.store(sequence, std::memory_order_relaxed);
  entries_.store(entries() + 1, std::memory_order_relaxed);
}

void MemTable::AddRange(SequenceNumber sequence, Slice begin, Slice end) {
  SEERDB_DCHECK(sequence > last_sequence());
  if (owned_ranges_ == nullptr) owned_ranges_ = std::make_unique<RangeTombstoneMap>(&tree_.arena(), secret_);
  owned_ranges_->Add(sequence, begin, end);
  ranges_.store(owned_ranges_.get(), std::memory_order_release);
  Count(sequence);
}

const Record* MemTable::Find(const LookupKey& lookup) const {
  const uint64_t trailer = SeekTrailer(lookup.sequence);
  const Record* newest = nullptr;
  // An older version than the newest is the tree's to find.
  if (index_.has_value() && index_->Find(lookup.key, lookup.hash, &newest) &&
      (newest == nullptr || newest->trailer <= trailer)) {
    return newest;
  }
  return tree_.Find(lookup.key, trailer);
}

void MemTable::Get(const LookupKey& lookup, Lookup* result) const {
  result->owner.reset();
  const Record* const record = Find(lookup);
  if (record == nullptr) {
    result->state = Lookup::State::kAbsent;
    return;
  }
  result->type = TrailerType(record->trailer);
  result->sequence = TrailerSequence(record->trailer);
  if (result->type == ValueType::kDeletion) {
    result->state = Lookup::State::kDeleted;
    result->value = Slice();
  } else {
    result->state = Lookup::State::kFound;
    result->value = record->value();
  }
}

std::unique_ptr<InternalIterator> MemTable::NewIterator() const {
  return std::make_unique<TreeIterator>(&tree_);
}

uint64_t MemTable::CountBetween(Slice begin, Slice end, uint64_t most) const {
  TreeIterator entries(&tree_);
  uint64_t count = 0;
  for (entries.Seek(begin, kFirstTrailer); count < most && entries.Valid() && entries.key() < end;
       entries.Next()) {
    ++count;
  }
  return count;
}

uint64_t MemTable::bytes() const { return tree_.bytes_used(); }
uint64_t MemTable::memory_bytes() const { return tree_.bytes_reserved(); }

}  // namespace seerdb
