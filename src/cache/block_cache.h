// BlockCache: blocks that were read or decompressed, charged in bytes, shared by all tables.
//
// Keys are (file id, offset); a file id is unique in the process for the life of the cache, so a name that
// is used again cannot alias. Sharded; each shard evicts by CLOCK with a scan-resistant entry: a block
// enters with no credit and earns it by being used again. A block that is pinned by a caller stays
// readable after eviction. Thread safety: all methods concurrently; each takes one shard's mutex briefly.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "metrics/statistics.h"
#include "seerdb/slice.h"

namespace seerdb {

class BlockCache {
 public:
  using Block = std::shared_ptr<const std::string>;

  // `capacity_bytes` 0 keeps nothing. `statistics` may be null.
  BlockCache(uint64_t capacity_bytes, std::shared_ptr<Statistics> statistics);
  ~BlockCache();

  // A process-wide unique id for a table that is about to use the cache.
  static uint64_t NewFileId();

  // Null when absent.
  Block Find(uint64_t file_id, uint64_t offset);
  // Keeps the block unless it is larger than a shard; replaces what is there.
  void Insert(uint64_t file_id, uint64_t offset, Block block);
  // Forgets all blocks of a file.
  void EraseFile(uint64_t file_id);

  uint64_t capacity_bytes() const { return capacity_bytes_; }
  uint64_t bytes() const;
  uint64_t entries() const;

 private:
  class Shard;
  Shard& ShardFor(uint64_t file_id, uint64_t offset) const;

  const uint64_t capacity_bytes_;
  const std::shared_ptr<Statistics> statistics_;
  std::unique_ptr<Shard[]> shards_;
};

}  // namespace seerdb
