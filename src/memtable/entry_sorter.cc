#include "memtable/entry_sorter.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "base/prefetch.h"
#include "base/units.h"

namespace seerdb {
namespace {

constexpr size_t kBytesAhead = 3 * kLineBytes;

constexpr size_t RecordBytes(size_t key_bytes, size_t value_bytes) {
  const size_t bytes = sizeof(Record) + key_bytes + value_bytes;
  return (bytes + alignof(Record) - 1) / alignof(Record) * alignof(Record);
}

}  // namespace

template <typename Visit>
void EntrySorter::VisitRecords(const Part& part, const Visit& visit) {
  for (const Stretch& stretch : part.stretches) {
    for (const char* p = stretch.begin; p < stretch.end;) {
      const auto* record = reinterpret_cast<const Record*>(p);
      visit(*record);
      p += RecordBytes(record->key_bytes, record->value_bytes);
    }
  }
}

class EntrySorter::SortedIterator final : public InternalIterator {
 public:
  explicit SortedIterator(const EntrySorter& sorter) : sorter_(sorter) {}

  void SeekToFirst() override {
    LoadPart(0);
    MoveForward(0);
  }
  void SeekToLast() override {
    LoadPart(sorter_.parts_.size() - 1);
    MoveBackward(items_.size());
  }
  void Seek(Slice key, uint64_t trailer) override {
    LoadPart(sorter_.splitters_.PartOf(key));
    MoveForward(CountBefore({key, trailer}, 0));
  }
  void SeekForPrev(Slice key, uint64_t trailer) override {
    LoadPart(sorter_.splitters_.PartOf(key));
    MoveBackward(CountBefore({key, trailer}, 1));
  }
  void Next() override { MoveForward(at_ + 1); }
  void Prev() override { MoveBackward(at_); }
  Status status() const override { return {}; }

 private:
  // The records of neighbours lie anywhere: so many are loaded while one is used.
  static constexpr size_t kAhead = 12;
  static constexpr size_t kNone = SIZE_MAX;

  void LoadPart(size_t part) {
    if (part == part_) return;
    part_ = part;
    items_.clear();
    items_.reserve(sorter_.parts_[part].entries);
    const size_t shared_bytes = sorter_.shared_.size();
    bool ascending = true;
    const auto add = [&](const Record& record) {
      const uint64_t window = LoadWindow(record.key(), shared_bytes);
      ascending = ascending && (items_.empty() || items_.back().window < window);
      items_.push_back({window, &record});
    };
    for (const Record* record : sorter_.parts_[part].sample) add(*record);
    VisitRecords(sorter_.parts_[part], add);
    if (ascending) return;
    if (scratch_.size() < items_.size()) scratch_.resize(items_.size());
    SortRecords(items_, shared_bytes, scratch_.data());
  }

  // How many entries of the part compare with `target` below `limit`.
  size_t CountBefore(const Position& target, int limit) const {
    const auto end = std::partition_point(items_.begin(), items_.end(), [&](const SortItem& item) {
      return Compare(*item.record, target) < limit;
    });
    return static_cast<size_t>(end - items_.begin());
  }

  // To the entry at `index` of the part, or the first of the parts behind it.
  void MoveForward(size_t index) {
    while (index >= items_.size() && part_ + 1 < sorter_.parts_.size()) {
      LoadPart(part_ + 1);
      index = 0;
    }
    Show(index);
  }
  // To the entry before `index` of the part, or the last of the parts before it.
  void MoveBackward(size_t index) {
    while (index == 0 && part_ > 0) {
      LoadPart(part_ - 1);
      index = items_.size();
    }
    Show(index == 0 ? items_.size() : index - 1);
  }

  void Show(size_t index) {
    at_ = index;
    shown_ = nullptr;
    if (index >= items_.size()) return;
    if (index + kAhead < items_.size()) {
      PrefetchBytes(items_[index + kAhead].record, kBytesAhead);
    }
    const Record& record = *items_[index].record;
    own_ = {record.key(), record.trailer, record.value()};
    shown_ = &own_;
  }

  const EntrySorter& sorter_;
  size_t part_ = kNone;
  std::vector<SortItem> items_;  // of the part, in order
  std::vector<SortItem> scratch_;
  size_t at_ = 0;
};

char* EntrySorter::AllocateIn(Part* part, size_t bytes) {
  if (bytes > static_cast<size_t>(part->end - part->next)) {
    // What is long has a stretch of its own, and the last one stays in use.
    const bool is_long = bytes > kMostPieceBytes / 8;
    const size_t taken_bytes = is_long ? bytes : std::max(part->piece_bytes, 2 * bytes);
    char* const memory = arena_.Allocate(taken_bytes, alignof(Record));
    if (is_long) {
      part->stretches.push_back({memory, memory + bytes});
      if (part->next != nullptr) std::swap(part->stretches.back(), *(part->stretches.end() - 2));
      return memory;
    }
    part->stretches.push_back({memory, memory});
    part->next = memory;
    part->end = memory + taken_bytes;
    part->piece_bytes = std::min(2 * part->piece_bytes, kMostPieceBytes);
  }
  char* const memory = part->next;
  part->next += bytes;
  part->stretches.back().end = part->next;
  // The next one comes when many others have been added.
  PrefetchBytes(part->next, kBytesAhead);
  return memory;
}

void EntrySorter::Add(SequenceNumber sequence, ValueType type, Slice key, Slice value) {
  const size_t bytes = RecordBytes(key.size(), value.size());
  Part& part = parts_[splitters_.PartOf(key)];
  char* const memory = AllocateIn(&part, bytes);
  new (memory) Record{PackTrailer(sequence, type), static_cast<uint32_t>(key.size()),
                      static_cast<uint32_t>(value.size())};
  char* const p = memory + sizeof(Record);
  if (!key.empty()) std::memcpy(p, key.data(), key.size());
  if (!value.empty()) std::memcpy(p + key.size(), value.data(), value.size());
  if (entries_++ == 0) shared_ = Slice(p, key.size());
  if (!BeginsWith(key, shared_)) shared_ = shared_.substr(0, CommonPrefixBytes(shared_, key));
  entry_bytes_ += bytes;
  largest_part_ = std::max(largest_part_, ++part.entries);
  if (entries_ == kSampleEntries) Split();
}

void EntrySorter::Split() {
  sample_ = std::move(parts_.front());
  std::vector<uint64_t> windows;
  windows.reserve(kSampleEntries);
  VisitRecords(sample_,
               [&](const Record& record) { windows.push_back(LoadWindow(record.key(), shared_.size())); });
  splitters_ = KeySplitters(shared_, std::move(windows), kParts);
  parts_ = std::vector<Part>(splitters_.parts());
  largest_part_ = 0;
  VisitRecords(sample_, [&](const Record& record) {
    Part& part = parts_[splitters_.PartOf(record.key())];
    part.sample.push_back(&record);
    largest_part_ = std::max(largest_part_, ++part.entries);
  });
}

void EntrySorter::AddRange(SequenceNumber sequence, Slice begin, Slice end) {
  if (ranges_ == nullptr) ranges_ = std::make_unique<RangeTombstoneMap>(&arena_, secret_);
  ranges_->Add(sequence, begin, end);
}

std::unique_ptr<InternalIterator> EntrySorter::NewIterator() const {
  return std::make_unique<SortedIterator>(*this);
}

}  // namespace seerdb
