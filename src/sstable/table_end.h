// AppendTableEnd: what stands behind the last of a table's other blocks: properties, meta list, footer.
//
// Format: docs/format/table.md. Thread safety: free functions and plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sstable/table_format.h"
#include "sstable/table_properties.h"

namespace seerdb {

struct TableEnd {
  TableProperties* properties;  // gets the size of the file
  std::vector<MetaBlock>* metas;
};

// Properties, global sequence if there is one, meta list and footer, to `out`, which stands at `begin` of the
// file.
void AppendTableEnd(TableEnd end, uint64_t begin, std::string* out);

}  // namespace seerdb
