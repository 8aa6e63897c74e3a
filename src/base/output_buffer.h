// OutputBuffer: bytes of a file that were made and not yet handed to it. Room for them is not filled first.
//
// Thread safety: external synchronization.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>

#include "seerdb/slice.h"

namespace seerdb {

class OutputBuffer {
 public:
  size_t size() const { return size_; }
  Slice bytes() const { return Slice(data_.get(), size_); }
  // Room for `n` bytes behind the end, for Grow. Valid until the next call that is not const.
  char* Room(size_t n) {
    if (n > capacity_ - size_) Reserve(size_ + n);
    return data_.get() + size_;
  }
  // Makes the first `n` bytes of the room part of the buffer.
  void Grow(size_t n) { size_ += n; }
  void Append(Slice bytes) {
    if (bytes.empty()) return;
    std::memcpy(Room(bytes.size()), bytes.data(), bytes.size());
    Grow(bytes.size());
  }
  void AppendZeros(size_t n) {
    if (n == 0) return;
    std::memset(Room(n), 0, n);
    Grow(n);
  }
  // Requires: n <= size().
  void RemoveFront(size_t n) {
    size_ -= n;
    if (size_ != 0) std::memmove(data_.get(), data_.get() + n, size_);
  }
  void Clear() { size_ = 0; }
  // Keeps no more memory than `capacity`, or than the bytes need.
  void Limit(size_t capacity) {
    if (capacity_ > capacity) Reallocate(size_ > capacity ? size_ : capacity);
  }

 private:
  void Reserve(size_t bytes) { Reallocate(bytes > 2 * capacity_ ? bytes : 2 * capacity_); }
  // Requires: capacity >= size().
  void Reallocate(size_t capacity) {
    auto moved = std::make_unique_for_overwrite<char[]>(capacity);
    if (size_ != 0) std::memcpy(moved.get(), data_.get(), size_);
    data_ = std::move(moved);
    capacity_ = capacity;
  }

  std::unique_ptr<char[]> data_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace seerdb
