// KeySplitters: cuts the order of keys into parts that have about as many keys each, going by a sample.
//
// A key's part is found by its window, the eight bytes behind what the keys of the sample share, so that
// parts are whole ranges of keys, whatever keys come later. Keys that differ behind their windows are in one
// part. Thread safety: immutable but for assignment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/key_window.h"
#include "seerdb/slice.h"

namespace seerdb {

class KeySplitters {
 public:
  // One part, of all keys.
  KeySplitters() = default;
  // At most `parts`. `shared`, borrowed: what all keys of the sample begin with. `windows`: of its keys, in
  // any order. Requires: parts > 0.
  KeySplitters(Slice shared, std::vector<uint64_t> windows, size_t parts);

  size_t parts() const { return least_.size() + 1; }
  // Never descends where keys ascend. Below parts().
  size_t PartOf(Slice key) const {
    if (!BeginsWith(key, shared_)) [[unlikely]]
      return key < shared_ ? 0 : least_.size();
    const uint64_t window = LoadWindow(key, shared_.size());
    // How many parts begin at or below the window, without a branch that depends on the key.
    const uint64_t* begin = least_.data();
    for (size_t n = least_.size(); n > 0;) {
      const size_t half = (n + 1) / 2;
      begin += begin[half - 1] <= window ? half : 0;
      n -= half;
    }
    return static_cast<size_t>(begin - least_.data());
  }

 private:
  Slice shared_;
  std::vector<uint64_t> least_;  // windows that parts begin with, but for the first; ascending
};

}  // namespace seerdb
