// Encoding of TableProperties: a list of (varint id, length-prefixed value); unknown ids are skipped.
// Format: docs/format/table.md, "Properties".
#pragma once

#include <string>

#include "seerdb/result.h"
#include "seerdb/slice.h"
#include "sstable/table_properties.h"

namespace seerdb {

// Leaves out file_bytes.
void AppendTableProperties(const TableProperties& properties, std::string* out);
// kCorruption when malformed or when a property of format 1 is missing.
Result<TableProperties> DecodeTableProperties(Slice bytes);

}  // namespace seerdb
