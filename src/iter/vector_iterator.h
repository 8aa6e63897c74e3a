// VectorIterator: entries held in memory, for tests of what stands on InternalIterator.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "iter/internal_iterator.h"

namespace seerdb {

class VectorIterator final : public InternalIterator {
 public:
  static constexpr size_t kNever = SIZE_MAX - 1;
  struct Entry {
    std::string key;
    uint64_t trailer = 0;
    std::string value;
  };
  // `entries` are sorted here. With `fail_at`, reaching that index is an error.
  explicit VectorIterator(std::vector<Entry> entries, size_t fail_at = kNever)
      : entries_(std::move(entries)), position_(entries_.size()), fail_at_(fail_at) {
    std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
      return CompareInternal(a.key, a.trailer, b.key, b.trailer) < 0;
    });
  }
  void SeekToFirst() override { MoveTo(0); }
  void SeekToLast() override { MoveTo(entries_.size() - 1); }
  void Seek(Slice key, uint64_t trailer) override { MoveTo(LowerBound(key, trailer)); }
  void SeekForPrev(Slice key, uint64_t trailer) override {
    size_t i = LowerBound(key, trailer);
    const bool exact =
        i < entries_.size() && CompareInternal(entries_[i].key, entries_[i].trailer, key, trailer) == 0;
    MoveTo(exact ? i : i - 1);
  }
  void Next() override { MoveTo(position_ + 1); }
  void Prev() override { MoveTo(position_ - 1); }
  Status status() const override { return status_; }

 private:
  size_t LowerBound(Slice key, uint64_t trailer) const {
    return static_cast<size_t>(std::partition_point(entries_.begin(), entries_.end(),
                                                    [&](const Entry& e) {
                                                      return CompareInternal(e.key, e.trailer, key, trailer) <
                                                             0;
                                                    }) -
                               entries_.begin());
  }
  void MoveTo(size_t position) {
    position_ = position;
    status_ = position == fail_at_ ? Status::Corruption("entry cannot be read") : Status();
    shown_ = nullptr;
    if (position >= entries_.size() || !status_.ok()) return;
    own_ = {entries_[position].key, entries_[position].trailer, entries_[position].value};
    shown_ = &own_;
  }

  std::vector<Entry> entries_;
  size_t position_;
  const size_t fail_at_;
  Status status_;
};

}  // namespace seerdb
