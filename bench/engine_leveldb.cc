// The LevelDB adapter: no compression, the common memtable and cache sizes, files of the memtable's size, a
// filter of 10 bits a key. LevelDB has no call for many keys: MultiGet reads them one by one in a snapshot.
// Its one codec in this version is Snappy, which stands in when compression is asked for.
#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/filter_policy.h>
#include <leveldb/options.h>
#include <leveldb/write_batch.h>

#include <string>

#include "engine.h"

namespace seerdb::bench {
namespace {

void Check(const leveldb::Status& status, const char* operation) {
  if (!status.ok()) Die(std::string("leveldb ") + operation + ": " + status.ToString());
}

leveldb::Slice ToLevel(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
std::string_view FromLevel(const leveldb::Slice& bytes) { return {bytes.data(), bytes.size()}; }

class LeveldbSession final : public Session {
 public:
  LeveldbSession(leveldb::DB* db, bool sync) : db_(db) { write_options_.sync = sync; }

  void Put(std::string_view key, std::string_view value) override {
    Check(db_->Put(write_options_, ToLevel(key), ToLevel(value)), "put");
  }
  void Delete(std::string_view key) override { Check(db_->Delete(write_options_, ToLevel(key)), "delete"); }
  void PutBatch(std::span<const KeyValue> entries) override {
    batch_.Clear();
    for (const KeyValue& entry : entries) batch_.Put(ToLevel(entry.key), ToLevel(entry.value));
    Check(db_->Write(write_options_, &batch_), "write");
  }
  void Get(std::string_view key, Digest* digest) override { GetWith(leveldb::ReadOptions(), key, digest); }
  void MultiGet(std::span<const std::string_view> keys, Digest* digest) override {
    leveldb::ReadOptions options;
    options.snapshot = db_->GetSnapshot();
    for (std::string_view key : keys) GetWith(options, key, digest);
    db_->ReleaseSnapshot(options.snapshot);
  }
  void Scan(std::string_view start, uint64_t limit, Digest* digest) override {
    const std::unique_ptr<leveldb::Iterator> it(db_->NewIterator(leveldb::ReadOptions()));
    it->Seek(ToLevel(start));
    for (; limit > 0 && it->Valid(); --limit) {
      digest->AddEntry(FromLevel(it->key()), FromLevel(it->value()));
      if (limit > 1) it->Next();
    }
    Check(it->status(), "scan");
  }
  void ScanReverse(std::string_view start, uint64_t limit, Digest* digest) override {
    const std::unique_ptr<leveldb::Iterator> it(db_->NewIterator(leveldb::ReadOptions()));
    if (!start.empty()) it->Seek(ToLevel(start));
    if (!it->Valid()) {
      it->SeekToLast();
    } else if (FromLevel(it->key()) > start) {
      it->Prev();
    }
    for (; limit > 0 && it->Valid(); --limit) {
      digest->AddEntry(FromLevel(it->key()), FromLevel(it->value()));
      if (limit > 1) it->Prev();
    }
    Check(it->status(), "scan");
  }

 private:
  void GetWith(const leveldb::ReadOptions& options, std::string_view key, Digest* digest) {
    const leveldb::Status status = db_->Get(options, ToLevel(key), &value_);
    if (status.ok()) {
      digest->AddValue(value_);
    } else if (status.IsNotFound()) {
      digest->AddMiss();
    } else {
      Check(status, "get");
    }
  }

  leveldb::DB* const db_;
  leveldb::WriteOptions write_options_;
  leveldb::WriteBatch batch_;
  std::string value_;
};

class LeveldbEngine final : public Engine {
 public:
  explicit LeveldbEngine(const EngineConfig& config)
      : sync_(config.sync),
        cache_(leveldb::NewLRUCache(config.cache_bytes)),
        filter_(leveldb::NewBloomFilterPolicy(10)) {
    const bool snappy = config.compression != Compression::kNone;
    leveldb::Options options;
    options.create_if_missing = true;
    options.write_buffer_size = config.write_buffer_bytes;
    options.max_file_size = config.write_buffer_bytes;
    options.block_cache = cache_.get();
    options.filter_policy = filter_.get();
    options.compression = snappy ? leveldb::kSnappyCompression : leveldb::kNoCompression;
    options_ = {
        {"version", std::to_string(leveldb::kMajorVersion) + "." + std::to_string(leveldb::kMinorVersion)},
        {"WriteOptions.sync", config.sync ? "true" : "false"},
        {"write_buffer_size", std::to_string(options.write_buffer_size)},
        {"max_file_size", std::to_string(options.max_file_size)},
        {"block_cache", "LRUCache " + std::to_string(config.cache_bytes)},
        {"filter_policy", "NewBloomFilterPolicy(10)"},
        {"compression", snappy ? "kSnappyCompression" : "kNoCompression"},
    };
    leveldb::DB* db = nullptr;
    Check(leveldb::DB::Open(options, config.path, &db), "open");
    db_.reset(db);
  }

  std::unique_ptr<Session> NewSession() override {
    return std::make_unique<LeveldbSession>(db_.get(), sync_);
  }
  bool Compact() override {
    db_->CompactRange(nullptr, nullptr);
    return true;
  }
  // A manual compaction of a range without keys writes the memtable to a table, waits for the compaction that
  // runs, and compacts nothing. For those that follow by themselves there is no call.
  bool Settle() override {
    Flush();
    return false;
  }
  bool Flush() override {
    const leveldb::Slice behind_all_keys("\xff\xff", 2);
    db_->CompactRange(&behind_all_keys, &behind_all_keys);
    return true;
  }

 private:
  const bool sync_;
  const std::unique_ptr<leveldb::Cache> cache_;
  const std::unique_ptr<const leveldb::FilterPolicy> filter_;
  std::unique_ptr<leveldb::DB> db_;  // last: it uses the two above until destroyed
};

}  // namespace

std::unique_ptr<Engine> OpenLeveldb(const EngineConfig& config) {
  return std::make_unique<LeveldbEngine>(config);
}

}  // namespace seerdb::bench
