#include "sstable/table_iterator.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "base/inline_bytes.h"
#include "base/mutant.h"
#include "base/prefetch.h"
#include "base/units.h"
#include "sstable/sequential_blocks.h"
#include "sstable/tag_block.h"
#include "sstable/walk_ahead.h"

namespace seerdb {
namespace {

constexpr uint32_t kNoBlock = UINT32_MAX;
// Suffixes up to this size are copied whole words at a time.
constexpr size_t kShortSuffixBytes = 16;
constexpr size_t kPrefetchBytes = 1024;
constexpr uint32_t kRecordsBefore = 3;
constexpr size_t kStretchBytes = 1024;

class TableIterator final : public InternalIterator {
 public:
  TableIterator(const TableReadFlags& flags, const BlockSource& source)
      : flags_(flags), source_(source), ahead_(source) {}

  void OpenSequential(FileSystem& fs) {
    sequential_ = std::make_unique<SequentialBlocks>(source_, flags_.read_ahead_bytes, flags_.statistics);
    unopened_ = sequential_->Open(fs);
    status_ = unopened_;
  }

  void SeekToFirst() override {
    guess_.reset();
    if (Load(0)) ToEntry(0);
  }
  void SeekToLast() override {
    guess_.reset();
    if (Load(source_.index().blocks() - 1)) ToEntry(block_.entries() - 1);
  }
  void PrepareSeek(Slice key, int step) override {
    const BlockIndex& index = source_.index();
    if (step == 0) {
      guess_ = index.GuessOf(key);
      index.Prefetch(*guess_);
    } else if (step == 1) {
      bool by_model = false;
      prepared_block_ = index.Find(*guess_, key, kFirstTrailer, &by_model);
      source_.Prefetch(prepared_block_);
      source_.Expect(prepared_block_, prepared_block_);
    } else {
      source_.PrefetchLowerBound(prepared_block_);
    }
  }
  void Seek(Slice key, uint64_t trailer) override {
    bool by_model = false;
    const BlockIndex& index = source_.index();
    const uint32_t number =
        guess_ ? index.Find(*guess_, key, trailer, &by_model) : index.Find(key, trailer, &by_model);
    guess_.reset();
    if (!Enter(number)) return;
    const uint32_t entry = block_.LowerBound(key, trailer);
    if (entry < block_.entries()) {
      ToEntry(entry);
      PrefetchStretch(next_);
    } else {
      ToNextBlock();
    }
  }
  void SeekForPrev(Slice key, uint64_t trailer) override {
    guess_.reset();
    bool by_model = false;
    const uint32_t number = source_.index().Find(key, trailer, &by_model);
    if (!Enter(number)) return;
    const uint32_t entry = block_.LowerBound(key, trailer);
    if (entry < block_.entries()) {
      ToEntry(entry);
      if (own_.key == key && own_.trailer == trailer) return;
    }
    if (entry > 0) {
      ToEntry(entry - 1);
      PrefetchStretch(block_.RecordStart(entry - 1) - kStretchBytes);
    } else {
      ToPreviousBlock();
    }
  }
  void Next() override {
    if (entry_ + 1 < block_.entries()) [[likely]] {
      ++entry_;
      const char* const start = next_;
      TakeAt(start);
      PrefetchNext(start);
    } else {
      ToNextBlock();
    }
  }
  void Prev() override {
    if (entry_ > 0) [[likely]] {
      ToEntry(entry_ - 1);
      PrefetchBefore();
    } else {
      ToPreviousBlock();
    }
  }
  Status status() const override { return status_; }

 private:
  // Makes `number` the block in hand; false, and not valid, when it cannot be had.
  bool Load(uint32_t number) {
    shown_ = nullptr;
    if (number == block_number_) {
      status_ = Status::Ok();
      return true;
    }
    if (sequential_ != nullptr) {
      status_ = unopened_.ok() ? sequential_->Fetch(number, &ref_.bytes) : unopened_;
    } else {
      ahead_.Take(number);
      status_ = source_.Fetch(number, flags_, &ref_);
    }
    if (!status_.ok()) {
      block_number_ = SEERDB_MUTANT("failed-block-stays-in-hand") ? number : kNoBlock;
      return false;
    }
    if (flags_.statistics != nullptr) flags_.statistics->Add(Counter::iterator_blocks_read);
    block_number_ = number;
    block_ = source_.View(ref_.bytes);
    // They are in the mapping.
    values_last_ = (sequential_ == nullptr && ref_.owner == nullptr) || SEERDB_MUTANT("all-values-last");
    const Slice prefix = block_.prefix();
    if (!prefix.empty()) {
      key_buffer_.Reserve(prefix.size() + kShortSuffixBytes, 0);
      std::memcpy(key_buffer_.data(), prefix.data(), prefix.size());
    }
    return true;
  }
  // Load of a block in which something is searched.
  bool Enter(uint32_t number) {
    source_.Prefetch(number);
    if (!Load(number)) return false;
    block_.PrefetchLowerBound();
    return true;
  }
  void ToNextBlock() {
    if (block_number_ + 1 < source_.index().blocks()) {
      if (Load(block_number_ + 1)) ToEntry(0);
    } else {
      shown_ = nullptr;
    }
  }
  void ToPreviousBlock() {
    if (block_number_ == 0) {
      shown_ = nullptr;
    } else if (Load(block_number_ - 1)) {
      ToEntry(block_.entries() - 1);
    }
  }
  // Starts to load what the first steps behind a seek will read: the processor foresees a walk only when it
  // has met several lines of it. Some of it may lie outside of the block, and of memory.
  static void PrefetchStretch(const char* begin) { PrefetchBytes(begin, kStretchBytes); }
  // Starts to load what follows the next record, as if all were of the size of the one at `start`: in a
  // merge, or in a page that was not touched yet, the processor does not foresee it.
  void PrefetchNext(const char* start) const {
    const size_t bytes = std::min(static_cast<size_t>(next_ - start), kPrefetchBytes);
    PrefetchBytes(next_ + bytes, bytes + 1);
  }
  // Starts to load the record to which kRecordsBefore more steps back lead.
  void PrefetchBefore() const {
    if (entry_ < kRecordsBefore) return;
    PrefetchBytes(block_.RecordStart(entry_ - kRecordsBefore), 2 * kLineBytes);
  }
  void ToEntry(uint32_t entry) {
    entry_ = entry;
    TakeAt(block_.RecordStart(entry));
  }
  void TakeAt(const char* start) {
    TagRecord record;
    next_ = block_.Parse(start, &record);
    // Of a plain value nothing is needed; other kinds say more than their value.
    const bool no_value = flags_.keys_only && TrailerType(record.trailer) == ValueType::kValue;
    own_ = {KeyOf(record.suffix), record.trailer, no_value ? Slice() : record.value, values_last_};
    shown_ = &own_;
  }
  // The key of a record of the block in hand: in the block when it has no prefix, else assembled.
  Slice KeyOf(Slice suffix) {
    const size_t prefix_bytes = block_.prefix().size();
    if (prefix_bytes == 0) return suffix;
    if (suffix.size() <= kShortSuffixBytes && suffix.data() + kShortSuffixBytes <= block_.limit()) {
      std::memcpy(key_buffer_.data() + prefix_bytes, suffix.data(), kShortSuffixBytes);
    } else {
      key_buffer_.Reserve(prefix_bytes + suffix.size(), prefix_bytes);
      std::memcpy(key_buffer_.data() + prefix_bytes, suffix.data(), suffix.size());
    }
    return Slice(key_buffer_.data(), prefix_bytes + suffix.size());
  }

  const TableReadFlags flags_;
  const BlockSource& source_;
  WalkAhead ahead_;
  TagBlock block_;
  uint32_t block_number_ = kNoBlock;
  uint32_t prepared_block_ = 0;
  std::optional<BlockGuess> guess_;  // of the Seek that is being prepared
  uint32_t entry_ = 0;
  const char* next_ = nullptr;  // record behind the present one
  bool values_last_ = false;
  InlineBytes key_buffer_;  // begins with the block's prefix
  BlockRef ref_;
  std::unique_ptr<SequentialBlocks> sequential_;
  Status unopened_;  // why sequential_ could not open its file
  Status status_;
};

}  // namespace

std::unique_ptr<InternalIterator> NewTableIterator(const TableReadFlags& flags, const BlockSource& source,
                                                   FileSystem& fs) {
  auto iterator = std::make_unique<TableIterator>(flags, source);
  if (flags.sequential_pread) iterator->OpenSequential(fs);
  return iterator;
}

}  // namespace seerdb
