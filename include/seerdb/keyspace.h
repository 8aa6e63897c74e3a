// Keyspace: an ordered map of its own inside a database, with a name and a few options. What others call a
// column family or a table.
//
//   Result<Keyspace> users = db->OpenKeyspace("users");   // made if it is not there
//   users->Put("ada", "lovelace");
//   WriteBatch batch;                                     // atomic across keyspaces
//   batch.Put(*users, "grace", "hopper");
//   batch.Put("users", "2");                              // in the default keyspace
//
// Keyspaces are light: a number in front of each key. All share one log, one memtable, the tables and every
// budget, so thousands cost no more memory or flushes than one, and an idle one holds nothing back. Each key
// lives in one keyspace; reads, scans and snapshots of different ones are of one consistent database.
// Source of the idea: RocksDB's column families, without a memtable for each.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "seerdb/export.h"
#include "seerdb/iterator.h"
#include "seerdb/options.h"
#include "seerdb/pinned_value.h"
#include "seerdb/result.h"
#include "seerdb/scan.h"
#include "seerdb/slice.h"
#include "seerdb/status.h"

namespace seerdb {

class DB;
class CompactionFilter;
class MergeOperator;
struct KeyspaceState;

inline constexpr size_t kMaxKeyspaceNameBytes = 255;

// Kept in the manifest, so that every open finds them again; but for the filter.
struct SEERDB_EXPORT KeyspaceOptions {
  // Of its blocks, from the next flush or compaction on. nullopt: as Options::compression.
  std::optional<CompressionType> compression;
  // What Merge does in it (merge_operator.h). Its name is kept, and kInvalidArgument if another one is given
  // later. Null: the one that it has, if that is built in or was given at open; else none.
  std::shared_ptr<const MergeOperator> merge_operator;
  // How long a put or merge lives that names no time of its own. 0 = for ever. At most kMaxTtlUs.
  uint64_t default_ttl_us = 0;
  // Of its values, as Options::separation_bytes: 0 = none, or kMinSeparationBytes .. kMaxValueBytes. nullopt:
  // that of the options.
  std::optional<uint64_t> separation_bytes;
  // Looks at its values during compaction (compaction_filter.h), in this life of the database. Null: none.
  std::shared_ptr<const CompactionFilter> compaction_filter;
};

// A handle: copy it freely. Made by DB::OpenKeyspace; keep the DB for as long as it is used. It belongs to
// that DB object: after a reopen, take another (kInvalidArgument otherwise, also for batches made with it).
// Thread safety: as DB.
// Errors: those of the DB's method of the same name, and kInvalidArgument/kNotFound once the keyspace is
// dropped.
class SEERDB_EXPORT Keyspace {
 public:
  // No keyspace: every call fails with kInvalidArgument.
  Keyspace() = default;
  Keyspace(DB* db, std::shared_ptr<const KeyspaceState> state) : db_(db), state_(std::move(state)) {}

  bool valid() const { return state_ != nullptr; }
  // Requires: valid().
  const std::string& name() const;
  uint32_t id() const;
  // As they are now, also if another handle has changed them.
  const KeyspaceOptions& options() const;

  Status Put(const WriteOptions& options, Slice key, Slice value) const;
  Status Put(Slice key, Slice value) const { return Put(WriteOptions(), key, value); }
  Status Delete(const WriteOptions& options, Slice key) const;
  Status Delete(Slice key) const { return Delete(WriteOptions(), key); }
  Status DeleteRange(const WriteOptions& options, Slice begin, std::optional<Slice> end) const;
  Status DeleteRange(Slice begin, std::optional<Slice> end) const {
    return DeleteRange(WriteOptions(), begin, end);
  }
  Status Merge(const WriteOptions& options, Slice key, Slice operand) const;
  Status Merge(Slice key, Slice operand) const { return Merge(WriteOptions(), key, operand); }
  Result<std::optional<PinnedValue>> Get(const ReadOptions& options, Slice key) const;
  Result<std::optional<PinnedValue>> Get(Slice key) const { return Get(ReadOptions(), key); }
  Result<std::optional<PinnedValue>> GetRange(const ReadOptions& options, Slice key, uint64_t offset,
                                              uint64_t bytes) const;
  Result<std::optional<PinnedValue>> GetRange(Slice key, uint64_t offset, uint64_t bytes) const {
    return GetRange(ReadOptions(), key, offset, bytes);
  }
  Result<std::optional<uint64_t>> GetSize(const ReadOptions& options, Slice key) const;
  Result<std::optional<uint64_t>> GetSize(Slice key) const { return GetSize(ReadOptions(), key); }
  std::vector<Result<std::optional<PinnedValue>>> MultiGet(const ReadOptions& options,
                                                           std::span<const Slice> keys) const;
  std::unique_ptr<Iterator> NewIterator(const ReadOptions& options) const;
  std::unique_ptr<Iterator> NewIterator() const { return NewIterator(ReadOptions()); }
  seerdb::Scan Scan(ReadOptions options = {}) const;

  // For the engine. Null if !valid().
  const std::shared_ptr<const KeyspaceState>& state() const { return state_; }

 private:
  DB* db_ = nullptr;
  std::shared_ptr<const KeyspaceState> state_;
};

// One line of DB::ListKeyspaces.
struct KeyspaceInfo {
  uint32_t id = 0;
  std::string name;
  KeyspaceOptions options;
};

}  // namespace seerdb
