#include "sstable/table_iterator.h"

#include <cstring>
#include <utility>

#include "base/mutant.h"
#include "sstable/sequential_blocks.h"
#include "sstable/tag_block.h"

namespace seerdb {
namespace {

constexpr uint32_t kNoBlock = UINT32_MAX;
// Suffixes up to this size are copied whole words at a time.
constexpr size_t kShortSuffixBytes = 16;

class TableIterator final : public InternalIterator {
 public:
  TableIterator(const TableReadFlags& flags, const BlockSource& source) : flags_(flags), source_(source) {}

  void OpenSequential(FileSystem& fs) {
    sequential_ = std::make_unique<SequentialBlocks>(source_, flags_.read_ahead_bytes, flags_.statistics);
    unopened_ = sequential_->Open(fs);
    status_ = unopened_;
  }

  void SeekToFirst() override {
    if (Load(0)) ToEntry(0);
  }
  void SeekToLast() override {
    if (Load(source_.index().blocks() - 1)) ToEntry(block_.entries() - 1);
  }
  void Seek(Slice key, uint64_t trailer) override {
    bool by_model = false;
    const uint32_t number = source_.index().Find(key, trailer, &by_model);
    if (!Load(number)) return;
    const uint32_t entry = block_.LowerBound(key, trailer);
    if (entry < block_.entries())
      ToEntry(entry);
    else
      ToNextBlock();
  }
  void SeekForPrev(Slice key, uint64_t trailer) override {
    bool by_model = false;
    const uint32_t number = source_.index().Find(key, trailer, &by_model);
    if (!Load(number)) return;
    const uint32_t entry = block_.LowerBound(key, trailer);
    if (entry < block_.entries()) {
      ToEntry(entry);
      if (key_ == key && trailer_ == trailer) return;
    }
    if (entry > 0)
      ToEntry(entry - 1);
    else
      ToPreviousBlock();
  }
  void Next() override {
    if (entry_ + 1 < block_.entries()) [[likely]] {
      ++entry_;
      TakeAt(next_);
    } else {
      ToNextBlock();
    }
  }
  void Prev() override {
    if (entry_ > 0)
      ToEntry(entry_ - 1);
    else
      ToPreviousBlock();
  }
  Status status() const override { return status_; }

 private:
  // Makes `number` the block in hand; false, and not valid, when it cannot be had.
  bool Load(uint32_t number) {
    valid_ = false;
    if (number == block_number_) {
      status_ = Status::Ok();
      return true;
    }
    if (sequential_ != nullptr) {
      status_ = unopened_.ok() ? sequential_->Fetch(number, &ref_.bytes) : unopened_;
    } else {
      status_ = source_.Fetch(number, flags_, &ref_);
    }
    if (!status_.ok()) {
      block_number_ = SEERDB_MUTANT("failed-block-stays-in-hand") ? number : kNoBlock;
      return false;
    }
    if (flags_.statistics != nullptr) flags_.statistics->Add(Counter::iterator_blocks_read);
    block_number_ = number;
    block_ = source_.View(ref_.bytes);
    const Slice prefix = block_.prefix();
    if (!prefix.empty()) {
      Reserve(prefix.size() + kShortSuffixBytes);
      std::memcpy(key_buffer_.get(), prefix.data(), prefix.size());
    }
    return true;
  }
  void ToNextBlock() {
    if (block_number_ + 1 < source_.index().blocks()) {
      if (Load(block_number_ + 1)) ToEntry(0);
    } else {
      valid_ = false;
    }
  }
  void ToPreviousBlock() {
    if (block_number_ == 0) {
      valid_ = false;
    } else if (Load(block_number_ - 1)) {
      ToEntry(block_.entries() - 1);
    }
  }
  void ToEntry(uint32_t entry) {
    entry_ = entry;
    TakeAt(block_.RecordStart(entry));
  }
  void TakeAt(const char* start) {
    TagRecord record;
    next_ = block_.Parse(start, &record);
    trailer_ = record.trailer;
    // Of a plain value nothing is needed; other kinds say more than their value.
    value_ = flags_.keys_only && type() == ValueType::kValue ? Slice() : record.value;
    key_ = KeyOf(record.suffix);
    valid_ = true;
  }
  // The key of a record of the block in hand: in the block when it has no prefix, else assembled.
  Slice KeyOf(Slice suffix) {
    const size_t prefix_bytes = block_.prefix().size();
    if (prefix_bytes == 0) return suffix;
    if (suffix.size() <= kShortSuffixBytes && suffix.data() + kShortSuffixBytes <= block_.limit()) {
      std::memcpy(key_buffer_.get() + prefix_bytes, suffix.data(), kShortSuffixBytes);
    } else {
      Reserve(prefix_bytes + suffix.size());
      std::memcpy(key_buffer_.get() + prefix_bytes, suffix.data(), suffix.size());
    }
    return Slice(key_buffer_.get(), prefix_bytes + suffix.size());
  }
  // Keeps the prefix that stands in the buffer.
  void Reserve(size_t bytes) {
    if (bytes <= key_capacity_) return;
    auto grown = std::make_unique<char[]>(bytes * 2);
    if (key_capacity_ != 0) std::memcpy(grown.get(), key_buffer_.get(), key_capacity_);
    key_buffer_ = std::move(grown);
    key_capacity_ = bytes * 2;
  }

  const TableReadFlags flags_;
  const BlockSource& source_;
  TagBlock block_;
  uint32_t block_number_ = kNoBlock;
  uint32_t entry_ = 0;
  const char* next_ = nullptr;  // record behind the present one
  std::unique_ptr<char[]> key_buffer_;
  size_t key_capacity_ = 0;
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
