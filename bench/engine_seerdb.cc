// The seerdb adapter. Options are the library's defaults but for those listed in options_: the cache has
// the common size, the sync policy and the codec are those of the run.
#include <string>
#include <utility>

#include "engine.h"
#include "seerdb/db.h"
#include "seerdb/version.h"
#include "table_memory.h"

namespace seerdb::bench {
namespace {

void Check(const Status& status, const char* operation) {
  if (!status.ok()) Die(std::string("seerdb ") + operation + ": " + status.ToString());
}

class SeerdbSession final : public Session {
 public:
  explicit SeerdbSession(DB* db) : db_(db) {}

  void Put(std::string_view key, std::string_view value) override { Check(db_->Put(key, value), "put"); }
  void Delete(std::string_view key) override { Check(db_->Delete(key), "delete"); }
  void PutBatch(std::span<const KeyValue> entries) override {
    batch_.Clear();
    for (const KeyValue& entry : entries) batch_.Put(entry.key, entry.value);
    Check(db_->Write(batch_), "write");
  }
  void Get(std::string_view key, Digest* digest) override { Add(db_->Get(key), digest); }
  void MultiGet(std::span<const std::string_view> keys, Digest* digest) override {
    for (const auto& answer : db_->MultiGet(ReadOptions(), keys)) Add(answer, digest);
  }
  void Scan(std::string_view start, uint64_t limit, Digest* digest) override {
    const auto it = db_->NewIterator();
    it->Seek(start);
    for (; limit > 0 && it->Valid(); --limit) {
      digest->AddEntry(it->key(), it->value());
      if (limit > 1) it->Next();
    }
    Check(it->status(), "scan");
  }
  void ScanReverse(std::string_view start, uint64_t limit, Digest* digest) override {
    const auto it = db_->NewIterator();
    if (start.empty()) {
      it->SeekToLast();
    } else {
      it->SeekForPrev(start);
    }
    for (; limit > 0 && it->Valid(); --limit) {
      digest->AddEntry(it->key(), it->value());
      if (limit > 1) it->Prev();
    }
    Check(it->status(), "scan");
  }

 private:
  static void Add(const Result<std::optional<PinnedValue>>& answer, Digest* digest) {
    if (!answer.ok()) Check(answer.status(), "get");
    if (answer->has_value()) {
      digest->AddValue((*answer)->slice());
    } else {
      digest->AddMiss();
    }
  }

  DB* const db_;
  WriteBatch batch_;
};

class SeerdbEngine final : public Engine {
 public:
  SeerdbEngine(const EngineConfig& config, LogMode log_mode) : path_(config.path) {
    Options options;
    options.memtable_capacity = config.write_buffer_bytes;
    options.block_cache_capacity = config.cache_bytes;
    options.log_mode = log_mode;
    options.wal_sync_policy = config.sync ? SyncPolicy::kSyncData : SyncPolicy::kNone;
    const bool lz4 = config.compression == Compression::kLz4;
    options.compression = lz4 ? CompressionType::kLz4 : CompressionType::kNone;
    options_ = {
        {"version", VersionString()},
        {"memtable_capacity", std::to_string(options.memtable_capacity)},
        {"block_cache_capacity", std::to_string(options.block_cache_capacity)},
        {"wal_sync_policy", config.sync ? "kSyncData" : "kNone"},
        {"log_mode", LogModeName(log_mode)},
        {"compression", lz4 ? "kLz4" : "kNone"},
    };
    auto db = DB::Open(options, config.path);
    if (!db.ok()) Check(db.status(), "open");
    db_ = std::move(*db);
  }
  ~SeerdbEngine() override { Check(db_->Close(), "close"); }

  std::unique_ptr<Session> NewSession() override { return std::make_unique<SeerdbSession>(db_.get()); }
  bool Compact() override {
    Check(db_->CompactRange(), "compact");
    return true;
  }
  bool Settle() override {
    Check(db_->Flush(), "flush");
    Check(db_->WaitForCompaction(), "wait for compaction");
    return true;
  }
  bool Flush() override {
    Check(db_->Flush(), "flush");
    return true;
  }
  std::map<std::string, double> Figures() override {
    const DBStats stats = db_->Stats();
    // A memtable that holds something is a run as well.
    double runs = static_cast<double>(stats.immutable_memtables) + (stats.memtable_entries > 0 ? 1 : 0);
    for (const LevelStats& level : stats.levels) runs += level.runs;
    std::map<std::string, double> figures = {{"runs", runs},
                                             {"log_bytes", static_cast<double>(stats.wal_size_bytes)}};
    const TableMemory memory = MeasureTables(path_);
    const uint64_t entries = memory.entries;
    if (entries == 0) return figures;
    const auto bits_a_key = [&](uint64_t bytes) {
      return 8 * static_cast<double>(bytes) / static_cast<double>(entries);
    };
    figures["filter_bits_per_key"] = bits_a_key(memory.filter_bytes);
    figures["block_index_bits_per_key"] = bits_a_key(memory.index_bytes);
    figures["in_block_bits_per_key"] = bits_a_key(memory.column_bytes);
    figures["index_bits_per_key"] =
        bits_a_key(memory.filter_bytes + memory.index_bytes + memory.column_bytes);
    return figures;
  }

 private:
  const std::string path_;
  std::unique_ptr<DB> db_;
};

}  // namespace

std::unique_ptr<Engine> OpenSeerdb(const EngineConfig& config) {
  return std::make_unique<SeerdbEngine>(config, LogMode::kAuto);
}

std::unique_ptr<Engine> OpenSeerdbFloorLog(const EngineConfig& config) {
  return std::make_unique<SeerdbEngine>(config, LogMode::kBuffered);
}

}  // namespace seerdb::bench
