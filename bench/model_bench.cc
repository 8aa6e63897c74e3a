// model_bench: what the data model costs, beside RocksDB in one run: counters by merge, a thousand keyspaces,
// and scans over what a range delete covers.
//
// Both engines: no compression, the same memtable, log without syncs, one thread. Rounds are interleaved, and
// the median of each measure is printed. The result of each engine is checked against what was written.
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/merge_operator.h>
#include <rocksdb/table.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "seerdb/db.h"
#include "workload.h"

namespace seerdb::bench {
namespace {

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "model_bench: %s\n", what.c_str());
  std::exit(1);
}
void Check(const Status& status) {
  if (!status.ok()) Fail(status.ToString());
}
void Check(const rocksdb::Status& status) {
  if (!status.ok()) Fail("rocksdb: " + status.ToString());
}
rocksdb::Slice ToRocks(Slice bytes) { return {bytes.data(), bytes.size()}; }

constexpr uint64_t kMemtableBytes = 64 << 20;

class RocksAdd final : public rocksdb::AssociativeMergeOperator {
 public:
  bool Merge(const rocksdb::Slice&, const rocksdb::Slice* existing, const rocksdb::Slice& value,
             std::string* result, rocksdb::Logger*) const override {
    uint64_t sum = 0, operand = 0;
    if (existing != nullptr) std::memcpy(&sum, existing->data(), sizeof sum);
    std::memcpy(&operand, value.data(), sizeof operand);
    sum += operand;
    result->assign(reinterpret_cast<const char*>(&sum), sizeof sum);
    return true;
  }
  const char* Name() const override { return "add"; }
};

template <typename IteratorType, typename CheckStatus>
uint64_t CountEntries(IteratorType* it, bool reverse, const CheckStatus& check) {
  uint64_t entries = 0;
  for (reverse ? it->SeekToLast() : it->SeekToFirst(); it->Valid(); reverse ? it->Prev() : it->Next()) {
    ++entries;
  }
  check();
  return entries;
}

// A database of either engine, with what is measured.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual void OpenKeyspaces(uint64_t count) = 0;
  virtual void Put(uint64_t keyspace, Slice key, Slice value) = 0;
  virtual bool Get(uint64_t keyspace, Slice key, std::string* value) = 0;
  virtual void Increment(Slice key) = 0;
  virtual void Settle() = 0;
  virtual void DeleteRange(Slice begin, Slice end) = 0;
  // Entries that a scan over the default keyspace gives, forward or backward.
  virtual uint64_t Scan(bool reverse) = 0;
};

class SeerdbSubject final : public Subject {
 public:
  explicit SeerdbSubject(const std::string& path) {
    Options options;
    options.memtable_capacity = kMemtableBytes;
    options.wal_sync_policy = SyncPolicy::kNone;
    options.merge_operator = U64Add();
    auto opened = DB::Open(options, path);
    Check(opened.status());
    db_ = *std::move(opened);
  }
  ~SeerdbSubject() override { Check(db_->Close()); }
  void OpenKeyspaces(uint64_t count) override {
    for (uint64_t i = 0; i < count; ++i) {
      auto keyspace = db_->OpenKeyspace("keyspace " + std::to_string(i));
      Check(keyspace.status());
      keyspaces_.push_back(*keyspace);
    }
  }
  void Put(uint64_t keyspace, Slice key, Slice value) override {
    Check(keyspaces_[keyspace].Put(key, value));
  }
  bool Get(uint64_t keyspace, Slice key, std::string* value) override {
    const auto got = keyspaces_.empty() ? db_->Get(key) : keyspaces_[keyspace].Get(key);
    Check(got.status());
    if (got->has_value()) value->assign((*got)->slice());
    return got->has_value();
  }
  void Increment(Slice key) override {
    static const std::string kOne = U64Operand(1);
    Check(db_->Merge(key, kOne));
  }
  void Settle() override {
    Check(db_->Flush());
    Check(db_->WaitForCompaction());
  }
  void DeleteRange(Slice begin, Slice end) override { Check(keyspaces_[0].DeleteRange(begin, end)); }
  uint64_t Scan(bool reverse) override {
    const auto it = keyspaces_[0].NewIterator();
    return CountEntries(it.get(), reverse, [&] { Check(it->status()); });
  }

 private:
  std::unique_ptr<DB> db_;
  std::vector<Keyspace> keyspaces_;
};

class RocksSubject final : public Subject {
 public:
  explicit RocksSubject(const std::string& path) {
    options_.create_if_missing = true;
    options_.compression = rocksdb::kNoCompression;
    options_.write_buffer_size = kMemtableBytes;
    options_.max_background_jobs = 2;
    options_.merge_operator = std::make_shared<RocksAdd>();
    options_.memtable_whole_key_filtering = true;
    options_.memtable_prefix_bloom_size_ratio = 0.1;
    rocksdb::BlockBasedTableOptions table;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
    options_.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    rocksdb::DB* db = nullptr;
    Check(rocksdb::DB::Open(options_, path, &db));
    db_.reset(db);
  }
  ~RocksSubject() override {
    for (rocksdb::ColumnFamilyHandle* family : families_) Check(db_->DestroyColumnFamilyHandle(family));
  }
  void OpenKeyspaces(uint64_t count) override {
    for (uint64_t i = 0; i < count; ++i) {
      Check(db_->CreateColumnFamily(options_, "keyspace " + std::to_string(i), &families_.emplace_back()));
    }
  }
  void Put(uint64_t keyspace, Slice key, Slice value) override {
    Check(db_->Put({}, families_[keyspace], ToRocks(key), ToRocks(value)));
  }
  bool Get(uint64_t keyspace, Slice key, std::string* value) override {
    value_.Reset();
    auto* const family = families_.empty() ? db_->DefaultColumnFamily() : families_[keyspace];
    const rocksdb::Status status = db_->Get({}, family, ToRocks(key), &value_);
    if (status.IsNotFound()) return false;
    Check(status);
    value->assign(value_.data(), value_.size());
    return true;
  }
  void Increment(Slice key) override {
    const uint64_t one = 1;
    Check(db_->Merge({}, ToRocks(key), {reinterpret_cast<const char*>(&one), sizeof one}));
  }
  void Settle() override {
    std::vector<rocksdb::ColumnFamilyHandle*> all = families_;
    all.push_back(db_->DefaultColumnFamily());
    Check(db_->Flush({}, all));
    while (Busy()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  void DeleteRange(Slice begin, Slice end) override {
    Check(db_->DeleteRange({}, families_[0], ToRocks(begin), ToRocks(end)));
  }
  uint64_t Scan(bool reverse) override {
    const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator({}, families_[0]));
    return CountEntries(it.get(), reverse, [&] { Check(it->status()); });
  }

 private:
  bool Busy() {
    for (const std::string* property :
         {&rocksdb::DB::Properties::kNumRunningFlushes, &rocksdb::DB::Properties::kCompactionPending,
          &rocksdb::DB::Properties::kNumRunningCompactions}) {
      uint64_t value = 0;
      if (db_->GetAggregatedIntProperty(*property, &value) && value != 0) return true;
    }
    return false;
  }

  rocksdb::Options options_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
  rocksdb::PinnableSlice value_;
};

// 16 digits that say nothing about their neighbours.
std::string KeyOf(uint64_t n) {
  char key[24];
  std::snprintf(key, sizeof key, "%016llu",
                static_cast<unsigned long long>(Mix64(n) % 10'000'000'000'000'000));
  return std::string(key, 16);
}

class Timer {
 public:
  // Microseconds an operation since the last call.
  double PerOperation(uint64_t operations) {
    const auto now = std::chrono::steady_clock::now();
    const double us = std::chrono::duration<double, std::micro>(now - start_).count();
    start_ = std::chrono::steady_clock::now();
    return us / static_cast<double>(operations);
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

using Measures = std::map<std::string, std::vector<double>>;

void Counters(Subject* subject, const std::string& name, uint64_t merges, uint64_t keys, Measures* measures) {
  const std::string of = name + " counters over " + std::to_string(keys) + " keys: ";
  Rng random(keys);
  std::vector<uint32_t> want(keys);
  Timer timer;
  for (uint64_t i = 0; i < merges; ++i) {
    const uint64_t n = random.Below(keys);
    ++want[n];
    subject->Increment(KeyOf(n));
  }
  (*measures)[of + "us a merge"].push_back(timer.PerOperation(merges));
  std::string value;
  const auto read = [&](const char* what) {
    constexpr uint64_t kReads = 200'000;
    timer = Timer();
    for (uint64_t i = 0; i < kReads; ++i) {
      const uint64_t n = random.Below(keys);
      const bool found = subject->Get(0, KeyOf(n), &value);
      uint64_t sum = 0;
      if (found) std::memcpy(&sum, value.data(), sizeof sum);
      if (sum != want[n]) Fail(name + ": counter " + std::to_string(n) + " is " + std::to_string(sum));
    }
    (*measures)[of + what].push_back(timer.PerOperation(kReads));
  };
  read("us a get, right after");
  timer = Timer();
  subject->Settle();
  (*measures)[of + "us a merge to settle"].push_back(timer.PerOperation(merges));
  read("us a get, settled");
}

void Keyspaces(Subject* subject, const std::string& name, uint64_t count, uint64_t puts, Measures* measures) {
  const std::string of = name + " " + std::to_string(count) + " keyspaces: ";
  subject->OpenKeyspaces(count);
  Rng random(7);
  const std::string value(100, 'v');
  Timer timer;
  for (uint64_t i = 0; i < puts; ++i) {
    const uint64_t n = random.Below(puts);
    subject->Put(n % count, KeyOf(n), value);
  }
  (*measures)[of + "us a put"].push_back(timer.PerOperation(puts));
  subject->Settle();
  (*measures)[of + "us a put to settle"].push_back(timer.PerOperation(puts));
  std::string got;
  const uint64_t gets = puts / 2;
  timer = Timer();
  for (uint64_t i = 0; i < gets; ++i) {
    const uint64_t n = random.Below(puts);
    subject->Get(n % count, KeyOf(n), &got);
  }
  (*measures)[of + "us a get"].push_back(timer.PerOperation(gets));
}

// `keys` keys, all but one at each end deleted by one call.
void Ranges(Subject* subject, const std::string& name, uint64_t keys, Measures* measures) {
  const std::string of = name + " range delete over " + std::to_string(keys) + " keys: ";
  subject->OpenKeyspaces(1);
  const std::string value(20, 'v');
  for (uint64_t i = 0; i < keys; ++i) subject->Put(0, "k" + KeyOf(i), value);
  subject->Put(0, "a", value);
  subject->Put(0, "z", value);
  Timer timer;
  subject->DeleteRange("b", "y");
  (*measures)[of + "us to write it"].push_back(timer.PerOperation(1));
  const auto scan = [&](const std::string& what) {
    for (const bool reverse : {false, true}) {
      timer = Timer();
      if (subject->Scan(reverse) != 2) Fail(name + ": a scan does not give two entries");
      (*measures)[of + "us a scan " + (reverse ? "backward, " : "forward, ") + what].push_back(
          timer.PerOperation(1));
    }
  };
  scan("at once");
  subject->Settle();
  scan("settled");
}

int Main(int argc, char** argv) {
  CLI::App app("what the data model costs");
  std::string directory = "/tmp/model_bench";
  uint64_t merges = 4'000'000, puts = 2'000'000, rounds = 5, rocks_keyspaces = 0;
  app.add_option("--dir", directory, "scratch directory");
  app.add_option("--merges", merges, "merges a round");
  app.add_option("--puts", puts, "puts a round");
  std::string only;
  uint64_t range_keys = 10'000'000;
  app.add_option("--only", only, "counters, keyspaces or ranges; empty: all");
  app.add_option("--range-keys", range_keys, "keys under the range delete");
  app.add_option("--rounds", rounds, "rounds, at least 1");
  app.add_option("--rocksdb-keyspaces", rocks_keyspaces,
                 "column families that RocksDB is measured with; 0: none");
  CLI11_PARSE(app, argc, argv);
  Measures measures;
  const auto fresh = [&](bool ours) -> std::unique_ptr<Subject> {
    std::filesystem::remove_all(directory);
    std::filesystem::create_directories(directory);
    if (ours) return std::make_unique<SeerdbSubject>(directory + "/db");
    return std::make_unique<RocksSubject>(directory + "/db");
  };
  for (uint64_t round = 0; round < rounds; ++round) {
    for (const uint64_t keys : {uint64_t{1'000}, uint64_t{1'000'000}}) {
      if (only != "" && only != "counters") break;
      Counters(fresh(true).get(), "seerdb", merges, keys, &measures);
      Counters(fresh(false).get(), "rocksdb", merges, keys, &measures);
    }
    for (const uint64_t count : {uint64_t{1}, uint64_t{1'000}}) {
      if (only != "" && only != "keyspaces") break;
      Keyspaces(fresh(true).get(), "seerdb", count, puts, &measures);
    }
    if (only == "" || only == "ranges") {
      Ranges(fresh(true).get(), "seerdb", range_keys, &measures);
      Ranges(fresh(false).get(), "rocksdb", range_keys, &measures);
    }
    if (rocks_keyspaces > 0) Keyspaces(fresh(false).get(), "rocksdb", rocks_keyspaces, puts, &measures);
  }
  for (auto& [name, values] : measures) {
    std::sort(values.begin(), values.end());
    std::printf("%-60s %8.3f\n", name.c_str(), values[values.size() / 2]);
  }
  std::filesystem::remove_all(directory);
  return 0;
}

}  // namespace
}  // namespace seerdb::bench

int main(int argc, char** argv) { return seerdb::bench::Main(argc, argv); }
