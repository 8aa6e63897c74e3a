// InlineBytes: a string of bytes that needs no memory of its own while it is short, as most keys are.
//
// Thread safety: external synchronization.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>

#include "seerdb/slice.h"

namespace seerdb {

// Copies short runs of bytes without a call. Requires: they do not overlap.
inline void CopyBytes(char* to, Slice from) {
  const size_t n = from.size();
  const char* const p = from.data();
  // Two copies that meet or overlap in the middle.
  const auto ends = [to, p, n](auto* whole) {
    std::memcpy(whole, p, sizeof *whole);
    auto last = *whole;
    std::memcpy(&last, p + n - sizeof last, sizeof last);
    std::memcpy(to, whole, sizeof *whole);
    std::memcpy(to + n - sizeof last, &last, sizeof last);
  };
  struct Half {
    char bytes[16];
  };
  if (n - 16 <= 16) [[likely]] {
    Half half;
    ends(&half);
  } else if (n - 8 < 8) {
    uint64_t half = 0;
    ends(&half);
  } else if (n != 0) {
    std::memcpy(to, p, n);
  }
}

class InlineBytes {
 public:
  InlineBytes() = default;
  InlineBytes(const InlineBytes&) = delete;
  InlineBytes& operator=(const InlineBytes&) = delete;

  Slice slice() const { return Slice(data_, size_); }
  char* data() { return data_; }

  // Requires: `bytes` lie elsewhere.
  void Assign(Slice bytes) {
    if (bytes.size() > capacity_) [[unlikely]]
      Grow(bytes.size(), 0);
    CopyBytes(data_, bytes);
    size_ = bytes.size();
  }
  void Append(Slice bytes) {
    if (size_ + bytes.size() > capacity_) [[unlikely]]
      Grow(size_ + bytes.size(), size_);
    CopyBytes(data_ + size_, bytes);
    size_ += bytes.size();
  }
  // Makes room for `bytes` in all, and keeps the first `kept` of those that are there.
  void Reserve(size_t bytes, size_t kept) {
    if (bytes > capacity_) [[unlikely]]
      Grow(bytes, kept);
  }

 private:
  void Grow(size_t bytes, size_t kept) {
    auto grown = std::make_unique<char[]>(bytes * 2);
    std::memcpy(grown.get(), data_, kept);
    long_ = std::move(grown);
    data_ = long_.get();
    capacity_ = bytes * 2;
  }

  size_t size_ = 0;
  char* data_ = inline_;
  size_t capacity_ = sizeof inline_;
  std::unique_ptr<char[]> long_;
  char inline_[72];
};

}  // namespace seerdb
