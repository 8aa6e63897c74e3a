// The stores that value_bench compares, each with one open database.
//
// Errors end the program. Thread safety: external synchronization.
#pragma once

#include <leveldb/db.h>
#include <leveldb/filter_policy.h>
#include <leveldb/write_batch.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "seerdb/db.h"

namespace seerdb::bench {

[[noreturn]] inline void Fail(const std::string& what) {
  std::fprintf(stderr, "value_bench: %s\n", what.c_str());
  std::exit(1);
}
template <typename StatusType>
void Check(const StatusType& status) {
  if (!status.ok()) Fail(status.ToString());
}

inline constexpr uint64_t kMemtableBytes = 64 << 20;

// One engine with one open database.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual void Put(Slice key, Slice value) = 0;
  // Together, and durable when it returns.
  virtual void PutSynced(const std::vector<std::pair<std::string, Slice>>& entries) = 0;
  // Bytes of the value; 0 if there is none. Every byte is looked at where the engine does not hand out a
  // copy.
  virtual uint64_t Get(Slice key) = 0;
  virtual uint64_t Scan() = 0;
  virtual void Settle() = 0;
};

class SeerdbSubject final : public Subject {
 public:
  SeerdbSubject(const std::string& path, uint64_t separation_bytes) {
    Options options;
    options.memtable_capacity = kMemtableBytes;
    options.wal_sync_policy = SyncPolicy::kNone;
    options.separation_bytes = separation_bytes;
    auto opened = DB::Open(options, path);
    Check(opened.status());
    db_ = *std::move(opened);
  }
  ~SeerdbSubject() override { Check(db_->Close()); }
  void Put(Slice key, Slice value) override { Check(db_->Put(key, value)); }
  void PutSynced(const std::vector<std::pair<std::string, Slice>>& entries) override {
    if (entries.size() == 1)
      return Check(db_->Put(WriteOptions::Sync(), entries[0].first, entries[0].second));
    WriteBatch batch;
    for (const auto& [key, value] : entries) batch.Put(key, value);
    Check(db_->Write(WriteOptions::Sync(), batch));
  }
  uint64_t Get(Slice key) override {
    const auto got = db_->Get(key);
    Check(got.status());
    return got->has_value() ? (*got)->size() : 0;
  }
  uint64_t Scan() override {
    const auto it = db_->NewIterator();
    uint64_t bytes = 0;
    for (it->SeekToFirst(); it->Valid(); it->Next()) bytes += it->value().size();
    Check(it->status());
    return bytes;
  }
  void Settle() override {
    Check(db_->Flush());
    Check(db_->WaitForCompaction());
  }

 private:
  std::unique_ptr<DB> db_;
};

class RocksSubject final : public Subject {
 public:
  RocksSubject(const std::string& path, uint64_t blob_bytes) {
    rocksdb::Options options;
    options.create_if_missing = true;
    options.compression = rocksdb::kNoCompression;
    options.write_buffer_size = kMemtableBytes;
    options.max_background_jobs = 2;
    options.enable_blob_files = blob_bytes != 0;
    options.min_blob_size = blob_bytes;
    options.enable_blob_garbage_collection = true;
    rocksdb::BlockBasedTableOptions table;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    table.block_cache = rocksdb::NewLRUCache(64 << 20);
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    rocksdb::DB* db = nullptr;
    Check(rocksdb::DB::Open(options, path, &db));
    db_.reset(db);
  }
  ~RocksSubject() override { Check(db_->Close()); }
  void Put(Slice key, Slice value) override {
    Check(db_->Put({}, {key.data(), key.size()}, {value.data(), value.size()}));
  }
  void PutSynced(const std::vector<std::pair<std::string, Slice>>& entries) override {
    rocksdb::WriteBatch batch;
    for (const auto& [key, value] : entries) Check(batch.Put(key, {value.data(), value.size()}));
    rocksdb::WriteOptions options;
    options.sync = true;
    Check(db_->Write(options, &batch));
  }
  uint64_t Get(Slice key) override {
    rocksdb::PinnableSlice value;
    const rocksdb::Status status = db_->Get({}, db_->DefaultColumnFamily(), {key.data(), key.size()}, &value);
    if (status.IsNotFound()) return 0;
    Check(status);
    return value.size();
  }
  uint64_t Scan() override {
    const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator({}));
    uint64_t bytes = 0;
    for (it->SeekToFirst(); it->Valid(); it->Next()) bytes += it->value().size();
    Check(it->status());
    return bytes;
  }
  void Settle() override {
    Check(db_->Flush({}));
    while (Busy()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

 private:
  bool Busy() {
    for (const std::string* property :
         {&rocksdb::DB::Properties::kNumRunningFlushes, &rocksdb::DB::Properties::kCompactionPending,
          &rocksdb::DB::Properties::kNumRunningCompactions}) {
      uint64_t value = 0;
      if (db_->GetIntProperty(*property, &value) && value != 0) return true;
    }
    return false;
  }

  std::unique_ptr<rocksdb::DB> db_;
};

class LevelSubject final : public Subject {
 public:
  explicit LevelSubject(const std::string& path) {
    filter_.reset(leveldb::NewBloomFilterPolicy(10));
    leveldb::Options options;
    options.create_if_missing = true;
    options.compression = leveldb::kNoCompression;
    options.write_buffer_size = kMemtableBytes;
    options.filter_policy = filter_.get();
    leveldb::DB* db = nullptr;
    Check(leveldb::DB::Open(options, path, &db));
    db_.reset(db);
  }
  void Put(Slice key, Slice value) override {
    Check(db_->Put({}, {key.data(), key.size()}, {value.data(), value.size()}));
  }
  void PutSynced(const std::vector<std::pair<std::string, Slice>>& entries) override {
    leveldb::WriteBatch batch;
    for (const auto& [key, value] : entries) batch.Put(key, {value.data(), value.size()});
    leveldb::WriteOptions options;
    options.sync = true;
    Check(db_->Write(options, &batch));
  }
  uint64_t Get(Slice key) override {
    const leveldb::Status status = db_->Get({}, {key.data(), key.size()}, &value_);
    if (status.IsNotFound()) return 0;
    Check(status);
    return value_.size();
  }
  uint64_t Scan() override {
    const std::unique_ptr<leveldb::Iterator> it(db_->NewIterator({}));
    uint64_t bytes = 0;
    for (it->SeekToFirst(); it->Valid(); it->Next()) bytes += it->value().size();
    Check(it->status());
    return bytes;
  }
  void Settle() override {}  // it has no call to wait for

 private:
  std::unique_ptr<const leveldb::FilterPolicy> filter_;
  std::unique_ptr<leveldb::DB> db_;
  std::string value_;
};

inline std::unique_ptr<Subject> Open(const std::string& engine, const std::string& path, uint64_t value_bytes,
                                     uint64_t separation_bytes) {
  if (engine == "seerdb") return std::make_unique<SeerdbSubject>(path, separation_bytes);
  if (engine == "rocksdb-blob")
    return std::make_unique<RocksSubject>(path, std::min<uint64_t>(value_bytes, 1024));
  if (engine == "rocksdb") return std::make_unique<RocksSubject>(path, 0);
  if (engine == "leveldb") return std::make_unique<LevelSubject>(path);
  Fail("unknown engine " + engine);
}

}  // namespace seerdb::bench
