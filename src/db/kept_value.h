// KeptValue: the value that an iterator returns although its input has moved on.
//
// Borrowed where its bytes stay, else copied. Thread safety: external synchronization.
#pragma once

#include <string>

#include "iter/internal_iterator.h"
#include "seerdb/slice.h"

namespace seerdb {

class KeptValue {
 public:
  KeptValue() = default;
  KeptValue(const KeptValue&) = delete;
  KeptValue& operator=(const KeptValue&) = delete;

  // The value of `entry` but for its first `skip_bytes`. Requires, while slice() is used: what the entry was
  // read from is held.
  void Keep(const InternalEntry& entry, size_t skip_bytes) {
    value_ = entry.value.substr(skip_bytes);
    if (entry.value_lasts) [[likely]]
      return;
    own_.assign(value_);
    value_ = own_;
  }
  // Takes `value`, and leaves anything in it.
  void Take(std::string* value) {
    own_.swap(*value);
    value_ = own_;
  }
  Slice slice() const { return value_; }

 private:
  Slice value_;
  std::string own_;
};

}  // namespace seerdb
