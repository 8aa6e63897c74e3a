#include <string>

#include "seerdb/memory_budget.h"

namespace seerdb {

std::string MemoryUsage::ToString() const {
  std::string out = std::to_string(total_bytes);
  if (limit_bytes != 0) out += " of " + std::to_string(limit_bytes);
  out += " bytes held";
  const char* separator = ": ";
  const auto add = [&](const char* what, uint64_t bytes) {
    if (bytes == 0) return;
    out += separator;
    out += what + (" " + std::to_string(bytes));
    separator = ", ";
  };
  add("active memtable", active_memtable_bytes);
  add("immutable memtables", immutable_memtable_bytes);
  add("memtables in use by readers", pinned_memtable_bytes);
  add("block cache", block_cache_bytes);
  add("blocks in use by readers", pinned_block_bytes);
  add("table metadata", table_metadata_bytes);
  add("bulk loads", bulk_load_bytes);
  add("transactions", transaction_bytes);
  add("flush and compaction", job_bytes);
  add("log", log_bytes);
  return out;
}

}  // namespace seerdb
