// The RocksDB adapter, in two configurations. "rocksdb-default" is the library as it comes, with the common
// cache size. "rocksdb" is tuned for data that fits in memory:
//   compression none                 no codec work in reads and compactions (lz4 on request)
//   HyperClockCache                  the lock-free block cache, of the common size
//   filter 10 bits a key, whole key  most runs without the key are skipped; whole_key_filtering is on
//   data block hash index            a get finds its restart interval by hash, not by binary search
//   memtable bloom, whole key        gets skip memtables without the key
//   write_buffer_size                the common memtable size
//   max_background_jobs 2            a flush and a compaction at once, as for the other engines
// Gets use PinnableSlice (no copy of the value), MultiGet the batched call, scans Iterator::Refresh (a new
// view without building a new iterator tree when no flush happened).
#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/version.h>
#include <rocksdb/write_batch.h>

#include <array>
#include <chrono>
#include <string>
#include <thread>
#include <utility>

#include "engine.h"

namespace seerdb::bench {
namespace {

void Check(const rocksdb::Status& status, const char* operation) {
  if (!status.ok()) Die(std::string("rocksdb ") + operation + ": " + status.ToString());
}

rocksdb::Slice ToRocks(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
std::string_view FromRocks(const rocksdb::Slice& bytes) { return {bytes.data(), bytes.size()}; }

class RocksdbSession final : public Session {
 public:
  RocksdbSession(rocksdb::DB* db, bool sync) : db_(db) { write_options_.sync = sync; }

  void Put(std::string_view key, std::string_view value) override {
    Check(db_->Put(write_options_, ToRocks(key), ToRocks(value)), "put");
  }
  void Delete(std::string_view key) override { Check(db_->Delete(write_options_, ToRocks(key)), "delete"); }
  void PutBatch(std::span<const KeyValue> entries) override {
    batch_.Clear();
    for (const KeyValue& entry : entries) Check(batch_.Put(ToRocks(entry.key), ToRocks(entry.value)), "put");
    Check(db_->Write(write_options_, &batch_), "write");
  }
  void Get(std::string_view key, Digest* digest) override {
    values_[0].Reset();
    Add(db_->Get(read_options_, db_->DefaultColumnFamily(), ToRocks(key), &values_[0]), values_[0], digest);
  }
  void MultiGet(std::span<const std::string_view> keys, Digest* digest) override {
    while (!keys.empty()) {
      const size_t count = std::min(keys.size(), kMultiGetMax);
      for (size_t i = 0; i < count; ++i) {
        keys_[i] = ToRocks(keys[i]);
        values_[i].Reset();
      }
      db_->MultiGet(read_options_, db_->DefaultColumnFamily(), count, keys_.data(), values_.data(),
                    statuses_.data());
      for (size_t i = 0; i < count; ++i) Add(statuses_[i], values_[i], digest);
      keys = keys.subspan(count);
    }
  }
  void Scan(std::string_view start, uint64_t limit, Digest* digest) override {
    rocksdb::Iterator* it = FreshIterator();
    it->Seek(ToRocks(start));
    for (; limit > 0 && it->Valid(); --limit) {
      digest->AddEntry(FromRocks(it->key()), FromRocks(it->value()));
      if (limit > 1) it->Next();
    }
    Check(it->status(), "scan");
  }
  void ScanReverse(std::string_view start, uint64_t limit, Digest* digest) override {
    rocksdb::Iterator* it = FreshIterator();
    if (start.empty()) {
      it->SeekToLast();
    } else {
      it->SeekForPrev(ToRocks(start));
    }
    for (; limit > 0 && it->Valid(); --limit) {
      digest->AddEntry(FromRocks(it->key()), FromRocks(it->value()));
      if (limit > 1) it->Prev();
    }
    Check(it->status(), "scan");
  }

 private:
  static constexpr size_t kMultiGetMax = 128;

  static void Add(const rocksdb::Status& status, const rocksdb::PinnableSlice& value, Digest* digest) {
    if (status.ok()) {
      digest->AddValue(FromRocks(value));
    } else if (status.IsNotFound()) {
      digest->AddMiss();
    } else {
      Check(status, "get");
    }
  }
  rocksdb::Iterator* FreshIterator() {
    if (iterator_ == nullptr) {
      iterator_.reset(db_->NewIterator(read_options_));
    } else {
      Check(iterator_->Refresh(), "refresh");
    }
    return iterator_.get();
  }

  rocksdb::DB* const db_;
  rocksdb::WriteOptions write_options_;
  const rocksdb::ReadOptions read_options_;
  rocksdb::WriteBatch batch_;
  std::unique_ptr<rocksdb::Iterator> iterator_;
  std::array<rocksdb::Slice, kMultiGetMax> keys_;
  std::array<rocksdb::PinnableSlice, kMultiGetMax> values_;
  std::array<rocksdb::Status, kMultiGetMax> statuses_;
};

class RocksdbEngine final : public Engine {
 public:
  RocksdbEngine(const EngineConfig& config, bool tuned) : sync_(config.sync) {
    options_ = {
        {"version", rocksdb::GetRocksVersionAsString()},
        {"WriteOptions.sync", config.sync ? "true" : "false"},
    };
    rocksdb::BlockBasedTableOptions table;
    rocksdb::Options options;
    options.create_if_missing = true;
    if (tuned) {
      Tune(config, &options, &table);
    } else {
      table.block_cache = rocksdb::NewLRUCache(config.cache_bytes);
      options_["block_cache"] = "LRUCache " + std::to_string(config.cache_bytes);
    }
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    rocksdb::DB* db = nullptr;
    Check(rocksdb::DB::Open(options, config.path, &db), "open");
    db_.reset(db);
  }
  ~RocksdbEngine() override { Check(db_->Close(), "close"); }

  std::unique_ptr<Session> NewSession() override {
    return std::make_unique<RocksdbSession>(db_.get(), sync_);
  }
  bool Compact() override {
    Check(db_->Flush(rocksdb::FlushOptions()), "flush");
    rocksdb::CompactRangeOptions options;
    options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
    Check(db_->CompactRange(options, nullptr, nullptr), "compact");
    return true;
  }
  // This version has no call that waits for automatic compactions, so its properties are asked.
  bool Settle() override {
    Check(db_->Flush(rocksdb::FlushOptions()), "flush");
    while (Busy()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return true;
  }
  bool Flush() override {
    Check(db_->Flush(rocksdb::FlushOptions()), "flush");
    return true;
  }

 private:
  bool Busy() {
    for (const std::string* property :
         {&rocksdb::DB::Properties::kMemTableFlushPending, &rocksdb::DB::Properties::kNumRunningFlushes,
          &rocksdb::DB::Properties::kCompactionPending, &rocksdb::DB::Properties::kNumRunningCompactions}) {
      uint64_t value = 0;
      if (!db_->GetIntProperty(*property, &value)) Die("rocksdb property " + *property + ": unknown");
      if (value != 0) return true;
    }
    return false;
  }
  void Tune(const EngineConfig& config, rocksdb::Options* options, rocksdb::BlockBasedTableOptions* table) {
    const bool lz4 = config.compression == Compression::kLz4;
    options->compression = lz4 ? rocksdb::kLZ4Compression : rocksdb::kNoCompression;
    options->write_buffer_size = config.write_buffer_bytes;
    options->max_background_jobs = 2;
    options->memtable_whole_key_filtering = true;
    options->memtable_prefix_bloom_size_ratio = 0.1;
    // Blocks hold 4 KiB or one value, whichever is more; the cache sizes its table by this.
    const size_t entry_charge = std::max<uint64_t>(table->block_size, config.value_bytes) + 256;
    table->block_cache = rocksdb::HyperClockCacheOptions(config.cache_bytes, entry_charge).MakeSharedCache();
    table->filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    table->data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
    options_["compression"] = lz4 ? "kLZ4Compression" : "kNoCompression";
    options_["write_buffer_size"] = std::to_string(config.write_buffer_bytes);
    options_["max_background_jobs"] = "2";
    options_["memtable_whole_key_filtering"] = "true";
    options_["memtable_prefix_bloom_size_ratio"] = "0.1";
    options_["block_cache"] = "HyperClockCache " + std::to_string(config.cache_bytes) +
                              ", estimated_entry_charge " + std::to_string(entry_charge);
    options_["filter_policy"] = "NewBloomFilterPolicy(10)";
    options_["data_block_index_type"] = "kDataBlockBinaryAndHash";
  }

  const bool sync_;
  std::unique_ptr<rocksdb::DB> db_;
};

}  // namespace

std::unique_ptr<Engine> OpenRocksdbTuned(const EngineConfig& config) {
  return std::make_unique<RocksdbEngine>(config, true);
}

std::unique_ptr<Engine> OpenRocksdbDefault(const EngineConfig& config) {
  return std::make_unique<RocksdbEngine>(config, false);
}

}  // namespace seerdb::bench
