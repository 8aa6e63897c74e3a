#include "memtable/entry_sorter.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <span>

#include "base/assert.h"

namespace seerdb {
namespace {

constexpr size_t RecordBytes(size_t key_bytes, size_t value_bytes) {
  const size_t bytes = sizeof(Record) + key_bytes + value_bytes;
  return (bytes + alignof(Record) - 1) / alignof(Record) * alignof(Record);
}

class SortedIterator final : public InternalIterator {
 public:
  explicit SortedIterator(std::span<const SortItem> items) : items_(items), at_(items.size()) {}

  void SeekToFirst() override { MoveTo(0); }
  void SeekToLast() override { MoveTo(items_.empty() ? 0 : items_.size() - 1); }
  void Seek(Slice key, uint64_t trailer) override { MoveTo(CountBefore({key, trailer}, 0)); }
  void SeekForPrev(Slice key, uint64_t trailer) override {
    const size_t count = CountBefore({key, trailer}, 1);
    MoveTo(count == 0 ? items_.size() : count - 1);
  }
  void Next() override { MoveTo(at_ + 1); }
  void Prev() override { MoveTo(at_ == 0 ? items_.size() : at_ - 1); }
  Status status() const override { return {}; }

 private:
  // The records of neighbours lie anywhere: so many are loaded while one is used.
  static constexpr size_t kAhead = 12;
  static constexpr size_t kLineBytes = 64;
  static constexpr size_t kLinesAhead = 3;

  // How many entries compare with `target` below `limit`.
  size_t CountBefore(const Position& target, int limit) const {
    const auto end = std::partition_point(items_.begin(), items_.end(), [&](const SortItem& item) {
      return Compare(*item.record, target) < limit;
    });
    return static_cast<size_t>(end - items_.begin());
  }

  void MoveTo(size_t index) {
    at_ = index;
    shown_ = nullptr;
    if (index >= items_.size()) return;
    if (index + kAhead < items_.size()) {
      const auto* ahead = reinterpret_cast<const char*>(items_[index + kAhead].record);
      for (size_t i = 0; i < kLinesAhead; ++i) __builtin_prefetch(ahead + i * kLineBytes);
    }
    const Record& record = *items_[index].record;
    own_ = {record.key(), record.trailer, record.value()};
    shown_ = &own_;
  }

  const std::span<const SortItem> items_;
  size_t at_;
};

}  // namespace

void EntrySorter::Add(SequenceNumber sequence, ValueType type, Slice key, Slice value) {
  SEERDB_DCHECK(!sorted_);
  const size_t bytes = RecordBytes(key.size(), value.size());
  char* const memory = arena_.Allocate(bytes, alignof(Record));
  new (memory) Record{PackTrailer(sequence, type), static_cast<uint32_t>(key.size()),
                      static_cast<uint32_t>(value.size())};
  char* const p = memory + sizeof(Record);
  if (!key.empty()) std::memcpy(p, key.data(), key.size());
  if (!value.empty()) std::memcpy(p + key.size(), value.data(), value.size());
  if (stretches_.empty() || stretches_.back().end != memory) stretches_.push_back({memory, memory});
  stretches_.back().end = memory + bytes;
  if (entries_++ == 0) shared_ = Slice(p, key.size());
  if (!BeginsWith(key, shared_)) shared_ = shared_.substr(0, CommonPrefixBytes(shared_, key));
  entry_bytes_ += bytes;
}

void EntrySorter::AddRange(SequenceNumber sequence, Slice begin, Slice end) {
  if (ranges_ == nullptr) ranges_ = std::make_unique<RangeTombstoneMap>(&arena_, secret_);
  ranges_->Add(sequence, begin, end);
}

void EntrySorter::Sort() {
  SEERDB_DCHECK(!sorted_);
  sorted_ = true;
  if (entries_ == 0) return;
  items_ = reinterpret_cast<SortItem*>(arena_.Allocate(BytesToSort(), alignof(SortItem)));
  SortItem* item = items_;
  for (const Stretch& stretch : stretches_) {
    for (const char* p = stretch.begin; p < stretch.end; ++item) {
      const auto* record = reinterpret_cast<const Record*>(p);
      new (item) SortItem{LoadWindow(record->key(), shared_.size()), record};
      p += RecordBytes(record->key_bytes, record->value_bytes);
    }
  }
  SEERDB_ASSERT(item == items_ + entries_);
  SortRecords({items_, entries_}, shared_.size(), items_ + entries_);
}

std::unique_ptr<InternalIterator> EntrySorter::NewIterator() const {
  if (!sorted_) return nullptr;
  return std::make_unique<SortedIterator>(std::span<const SortItem>(items_, entries_));
}

}  // namespace seerdb
