// PinnedValue: the bytes of one value, kept readable for as long as this object lives.
//
// Up to kInlineBytes are copied into the object; longer values are not copied but borrowed from the
// memtable, mapped table or cached block that holds them, which the object keeps alive through a counted
// reference. It stays readable after the value is overwritten, compacted away, and after DB::Close().
// Holding many of them, or one for long, holds that much memory or file space.
//
// Thread safety: const methods may be called concurrently. Moving invalidates Slices taken before.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "seerdb/slice.h"

namespace seerdb {

class PinnedValue {
 public:
  static constexpr size_t kInlineBytes = 104;

  PinnedValue() noexcept = default;
  // Copies `bytes`, whatever their size.
  static PinnedValue Copy(Slice bytes) {
    PinnedValue value;
    value.size_ = bytes.size();
    if (bytes.size() <= kInlineBytes) {
      value.data_ = value.inline_;
      if (!bytes.empty()) std::memcpy(value.inline_, bytes.data(), bytes.size());
    } else {
      auto copy = std::make_shared<const std::string>(bytes);
      value.data_ = copy->data();
      value.owner_ = std::move(copy);
    }
    return value;
  }
  // Borrows `bytes`, which live as long as `owner`; copies them when they are few.
  static PinnedValue Pin(Slice bytes, std::shared_ptr<const void> owner) {
    if (bytes.size() <= kInlineBytes) return Copy(bytes);
    PinnedValue value;
    value.data_ = bytes.data();
    value.size_ = bytes.size();
    value.owner_ = std::move(owner);
    return value;
  }

  PinnedValue(PinnedValue&& other) noexcept { *this = std::move(other); }
  PinnedValue& operator=(PinnedValue&& other) noexcept {
    if (this == &other) return *this;
    owner_ = std::move(other.owner_);
    size_ = other.size_;
    if (other.data_ == other.inline_) {
      data_ = inline_;
      if (size_ != 0) std::memcpy(inline_, other.inline_, size_);
    } else {
      data_ = other.data_;
    }
    other.data_ = nullptr;
    other.size_ = 0;
    return *this;
  }
  PinnedValue(const PinnedValue& other) noexcept { *this = other; }
  PinnedValue& operator=(const PinnedValue& other) noexcept {
    if (this == &other) return *this;
    owner_ = other.owner_;
    size_ = other.size_;
    if (other.data_ == other.inline_) {
      data_ = inline_;
      if (size_ != 0) std::memcpy(inline_, other.inline_, size_);
    } else {
      data_ = other.data_;
    }
    return *this;
  }

  // Valid until this object is moved from, assigned to or destroyed.
  Slice slice() const noexcept { return Slice(data_, size_); }
  operator Slice() const noexcept { return slice(); }  // NOLINT: a PinnedValue reads as its bytes
  const char* data() const noexcept { return data_; }
  size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  std::string ToString() const { return std::string(slice()); }

  friend bool operator==(const PinnedValue& a, Slice b) { return a.slice() == b; }

 private:
  const char* data_ = nullptr;
  size_t size_ = 0;
  std::shared_ptr<const void> owner_;
  char inline_[kInlineBytes];
};

}  // namespace seerdb
