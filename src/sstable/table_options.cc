// TableOptionsOf: how the tables of a database with given options are built.
#include "sstable/table_builder.h"

namespace seerdb {

TableBuilderOptions TableOptionsOf(const Options& options) {
  TableBuilderOptions table;
  table.compression = options.compression;
  table.block_bytes = options.block_bytes;
  table.bloom_bits_per_key = options.bloom_bits_per_key;
  table.prefix_filter_bytes = options.prefix_filter_bytes;
  table.learned_index_min_keys = options.learned_index_min_keys;
  table.index_kind = options.index_kind;
  table.ends_with_pages = true;
  if (options.max_memory_bytes != 0 || options.memory_budget != nullptr)
    table.chunk_bytes = kSmallTableChunkBytes;
  return table;
}

}  // namespace seerdb
