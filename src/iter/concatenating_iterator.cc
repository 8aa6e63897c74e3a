#include "iter/concatenating_iterator.h"

namespace seerdb {
namespace {

class ConcatenatingIterator final : public InternalIterator {
 public:
  explicit ConcatenatingIterator(std::unique_ptr<RunParts> parts)
      : parts_(std::move(parts)), part_(parts_->count()) {}

  void SeekToFirst() override {
    if (Enter(0)) part_iterator_->SeekToFirst();
    SkipForward();
  }
  void SeekToLast() override {
    if (Enter(parts_->count() - 1)) part_iterator_->SeekToLast();
    SkipBackward();
  }
  void Seek(Slice key, uint64_t trailer) override {
    if (Enter(FirstPartEndingAtOrAfter(key))) part_iterator_->Seek(key, trailer);
    SkipForward();
  }
  void PrepareSeek(Slice key, int step) override {
    if (step == 0) {
      shown_ = nullptr;
      Enter(FirstPartEndingAtOrAfter(key));
    }
    if (part_iterator_ != nullptr) part_iterator_->PrepareSeek(key, step);
  }
  void SeekForPrev(Slice key, uint64_t trailer) override {
    const size_t part = FirstPartEndingAtOrAfter(key);
    if (part == parts_->count()) {
      SeekToLast();
      return;
    }
    if (Enter(part)) part_iterator_->SeekForPrev(key, trailer);
    SkipBackward();
  }
  void Next() override {
    part_iterator_->Next();
    Publish();
    if (!Valid()) [[unlikely]]
      SkipForward();
  }
  void Prev() override {
    part_iterator_->Prev();
    Publish();
    if (!Valid()) [[unlikely]]
      SkipBackward();
  }
  Status status() const override { return part_iterator_ != nullptr ? part_iterator_->status() : Status(); }

 private:
  size_t FirstPartEndingAtOrAfter(Slice key) const {
    size_t low = 0;
    size_t high = parts_->count();
    while (low < high) {
      const size_t middle = low + (high - low) / 2;
      if (parts_->largest(middle) < key) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  // Opens a part unless it is open. False, with nothing open, past either end.
  bool Enter(size_t part) {
    if (part >= parts_->count()) {
      part_iterator_.reset();
      part_ = parts_->count();
      return false;
    }
    // A part that failed is opened afresh: positioning again clears an error.
    if (part != part_ || part_iterator_ == nullptr || !part_iterator_->status().ok()) {
      part_iterator_ = parts_->Open(part);
      part_ = part;
    }
    return true;
  }

  void Publish() { shown_ = part_iterator_->entry(); }

  void SkipForward() {
    shown_ = nullptr;
    while (part_iterator_ != nullptr) {
      if (part_iterator_->Valid()) {
        Publish();
        return;
      }
      if (!part_iterator_->status().ok()) return;
      if (!Enter(part_ + 1)) return;
      part_iterator_->SeekToFirst();
    }
  }
  void SkipBackward() {
    shown_ = nullptr;
    while (part_iterator_ != nullptr) {
      if (part_iterator_->Valid()) {
        Publish();
        return;
      }
      if (!part_iterator_->status().ok()) return;
      if (!Enter(part_ - 1)) return;  // part 0 wraps round to past the end
      part_iterator_->SeekToLast();
    }
  }

  const std::unique_ptr<RunParts> parts_;
  size_t part_;
  std::unique_ptr<InternalIterator> part_iterator_;
};

}  // namespace

std::unique_ptr<InternalIterator> NewConcatenatingIterator(std::unique_ptr<RunParts> parts) {
  return std::make_unique<ConcatenatingIterator>(std::move(parts));
}

}  // namespace seerdb
