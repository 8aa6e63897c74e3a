// SortedKeys: distinct byte strings in ascending order, one behind the other in one arena.
//
// Thread safety: immutable, freely shared.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/assert.h"
#include "seerdb/slice.h"

namespace seerdb::bench {

class SortedKeys {
 public:
  SortedKeys() = default;
  // Requires: `keys` ascend strictly, and have less than 4 GiB.
  explicit SortedKeys(const std::vector<std::string>& keys) {
    offsets_.reserve(keys.size() + 1);
    offsets_.push_back(0);
    for (size_t i = 0; i < keys.size(); ++i) {
      SEERDB_ASSERT(i == 0 || keys[i - 1] < keys[i]);
      bytes_ += keys[i];
      SEERDB_ASSERT(bytes_.size() <= std::numeric_limits<uint32_t>::max());
      offsets_.push_back(static_cast<uint32_t>(bytes_.size()));
    }
  }

  size_t size() const { return offsets_.empty() ? 0 : offsets_.size() - 1; }
  Slice operator[](size_t i) const { return {bytes_.data() + offsets_[i], offsets_[i + 1] - offsets_[i]}; }
  // Of all keys together.
  uint64_t bytes() const { return bytes_.size(); }

  // First rank whose key is >= `key`, or size().
  size_t LowerBound(Slice key) const {
    size_t begin = 0;
    size_t n = size();
    while (n > 0) {
      const size_t half = n / 2;
      const bool below = (*this)[begin + half] < key;
      begin = below ? begin + half + 1 : begin;
      n = below ? n - half - 1 : half;
    }
    return begin;
  }

 private:
  std::string bytes_;
  std::vector<uint32_t> offsets_;
};

}  // namespace seerdb::bench
