// TableMemory: what seerdb's tables keep to find a key with, read from the files themselves.
#pragma once

#include <cstdint>
#include <string>

namespace seerdb::bench {

// Bytes of meta blocks of all tables, mapped or not.
struct TableMemory {
  uint64_t entries = 0;
  uint64_t index_bytes = 0;  // block index, its model, and what an index of tags takes
  uint64_t filter_bytes = 0;
  uint64_t column_bytes = 0;  // tags and offsets in data blocks
};

// Of the tables in the directory `path`, also of those that are about to be removed.
TableMemory MeasureTables(const std::string& path);

}  // namespace seerdb::bench
