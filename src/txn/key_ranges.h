// KeyRanges: a set of engine keys, as disjoint ranges. What meets or touches is one range.
//
// Thread safety: external synchronization.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "seerdb/slice.h"

namespace seerdb {

class KeyRanges {
 public:
  using Map = std::map<std::string, std::string, std::less<>>;  // begin -> end

  // All keys in [begin, end).
  void Add(Slice begin, Slice end);
  void Clear();

  bool empty() const { return ranges_.empty(); }
  size_t size() const { return ranges_.size(); }
  // The range that holds `key`; null if none does.
  const Map::value_type* Find(Slice key) const;
  // Whether a key may lie in [begin, end) and here.
  bool Meets(Slice begin, Slice end) const;
  const Map& ranges() const { return ranges_; }
  // Memory in use, about.
  uint64_t bytes() const { return bytes_; }

 private:
  static uint64_t BytesOf(const Map::value_type& range);

  Map ranges_;
  uint64_t bytes_ = 0;
};

}  // namespace seerdb
