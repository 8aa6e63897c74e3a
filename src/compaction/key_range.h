// KeyRange: an inclusive range of engine keys that grows over the tables put into it.
//
// Thread safety: external synchronization.
#pragma once

#include <string>

#include "manifest/table_meta.h"
#include "seerdb/slice.h"

namespace seerdb {

struct KeyRange {
  std::string smallest;
  std::string largest;
  bool empty = true;

  // True if the range grew.
  bool Include(const TableMeta& table) {
    bool grew = empty;
    if (empty || Slice(table.smallest_key) < Slice(smallest)) {
      smallest = table.smallest_key;
      grew = true;
    }
    if (empty || Slice(table.largest_key) > Slice(largest)) {
      largest = table.largest_key;
      grew = true;
    }
    empty = false;
    return grew;
  }
  bool Meets(const TableMeta& table) const {
    return !empty && Slice(table.smallest_key) <= Slice(largest) &&
           Slice(table.largest_key) >= Slice(smallest);
  }
  bool Meets(const KeyRange& other) const {
    return !empty && !other.empty && Slice(other.smallest) <= Slice(largest) &&
           Slice(other.largest) >= Slice(smallest);
  }
  friend bool operator==(const KeyRange&, const KeyRange&) = default;
};

}  // namespace seerdb
