// SortRecords: puts records that lie in memory in the order of internal_key.h.
//
// Eight bytes of each key, its *window*, are kept beside the pointer to its record. Items are put in order of
// their windows by a radix sort; those whose windows are equal get the windows behind what their keys share,
// and so on; versions of one key are ordered by their trailers, in the place of windows. Keys are compared
// only where few are left, or where some end within a window.
// Thread safety: none needed; works on what it is given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "memtable/tree_node.h"

namespace seerdb {

struct SortItem {
  uint64_t window;
  const Record* record;
};

// Requires: each window is LoadWindow of the record's key at `shared_bytes`, which all keys have in common;
// `scratch` has room for as many items. Windows are undefined afterwards.
void SortRecords(std::span<SortItem> items, size_t shared_bytes, SortItem* scratch);

}  // namespace seerdb
