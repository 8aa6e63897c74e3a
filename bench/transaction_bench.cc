// transaction_bench: transactions that read and write ten keys each, beside RocksDB's optimistic ones; and
// what plain puts cost beside transactions.
//
// Keys are drawn from a zipfian distribution; each value holds a counter that the transaction increments.
// Both engines: no compression, the same memtable, log without syncs, as many threads. What conflicts is
// tried anew and counted; only commits are measured. Rounds are interleaved, and medians are printed. After
// each round the sum of all counters must be that of all commits. RocksDB reads with GetForUpdate and sets no
// snapshot, which is what costs it least.
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/optimistic_transaction_db.h>
#include <rocksdb/utilities/transaction.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
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
  std::fprintf(stderr, "transaction_bench: %s\n", what.c_str());
  std::exit(1);
}
void Check(const Status& status) {
  if (!status.ok()) Fail(status.ToString());
}
void Check(const rocksdb::Status& status) {
  if (!status.ok()) Fail("rocksdb: " + status.ToString());
}
rocksdb::Slice ToRocks(Slice bytes) { return {bytes.data(), bytes.size()}; }

struct Plan {
  std::string directory = "/tmp/transaction_bench";
  uint64_t records = 1'000'000;
  uint64_t transactions = 200'000;  // a thread and round
  uint64_t keys = 10;
  uint64_t value_bytes = 100;
  int threads = 2;
  int rounds = 5;
  bool settled = false;
  std::string only;
};

constexpr uint64_t kMemtableBytes = 64 << 20;

void Increment(std::string* value) {
  uint64_t counter = 0;
  std::memcpy(&counter, value->data(), sizeof counter);
  ++counter;
  std::memcpy(value->data(), &counter, sizeof counter);
}

uint64_t CounterOf(Slice value) {
  uint64_t counter = 0;
  std::memcpy(&counter, value.data(), sizeof counter);
  return counter;
}

// One engine with its database.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual void Put(Slice key, Slice value) = 0;
  virtual void Settle() = 0;
  virtual uint64_t Sum() = 0;
  // Increments the keys; false if it conflicted.
  virtual bool Run(const std::vector<std::string>& keys) = 0;
};

class SeerdbSubject final : public Subject {
 public:
  SeerdbSubject(const std::string& path, IsolationLevel level) {
    Options options;
    options.memtable_capacity = kMemtableBytes;
    options.wal_sync_policy = SyncPolicy::kNone;
    auto opened = DB::Open(options, path);
    Check(opened.status());
    db_ = *std::move(opened);
    options_.isolation = level;
  }
  ~SeerdbSubject() override { Check(db_->Close()); }
  void Put(Slice key, Slice value) override { Check(db_->Put(key, value)); }
  void Settle() override {
    Check(db_->Flush());
    Check(db_->WaitForCompaction());
  }
  uint64_t Sum() override {
    uint64_t sum = 0;
    const auto it = db_->NewIterator();
    for (it->SeekToFirst(); it->Valid(); it->Next()) sum += CounterOf(it->value());
    Check(it->status());
    return sum;
  }
  bool Run(const std::vector<std::string>& keys) override {
    auto begun = db_->BeginTransaction(options_);
    Check(begun.status());
    Transaction& transaction = **begun;
    static thread_local std::string value;
    for (const std::string& key : keys) {
      const auto got = transaction.GetForUpdate(key);
      Check(got.status());
      value.assign((*got)->slice());
      Increment(&value);
      Check(transaction.Put(key, value));
    }
    const Status status = transaction.Commit();
    if (status.IsConflict()) return false;
    Check(status);
    return true;
  }

 private:
  std::unique_ptr<DB> db_;
  TransactionOptions options_;
};

class RocksSubject final : public Subject {
 public:
  explicit RocksSubject(const std::string& path) {
    rocksdb::Options options;
    options.create_if_missing = true;
    options.compression = rocksdb::kNoCompression;
    options.write_buffer_size = kMemtableBytes;
    options.max_background_jobs = 2;
    options.memtable_whole_key_filtering = true;
    options.memtable_prefix_bloom_size_ratio = 0.1;
    // Without, it fails where a memtable was flushed since.
    options.max_write_buffer_size_to_maintain = 4 * kMemtableBytes;
    rocksdb::BlockBasedTableOptions table;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
    table.block_cache = rocksdb::NewLRUCache(256 << 20);
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    rocksdb::OptimisticTransactionDB* db = nullptr;
    Check(rocksdb::OptimisticTransactionDB::Open(options, path, &db));
    db_.reset(db);
  }
  void Put(Slice key, Slice value) override { Check(db_->Put({}, ToRocks(key), ToRocks(value))); }
  void Settle() override {
    Check(db_->Flush({}));
    Check(db_->CompactRange({}, nullptr, nullptr));
  }
  uint64_t Sum() override {
    uint64_t sum = 0;
    const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator({}));
    for (it->SeekToFirst(); it->Valid(); it->Next())
      sum += CounterOf({it->value().data(), it->value().size()});
    Check(it->status());
    return sum;
  }
  bool Run(const std::vector<std::string>& keys) override {
    // Of a thread of one round, so that it does not outlive the database.
    static thread_local std::unique_ptr<rocksdb::Transaction> kept;
    kept.reset(db_->BeginTransaction({}, {}, kept.release()));
    static thread_local std::string value;
    for (const std::string& key : keys) {
      Check(kept->GetForUpdate({}, ToRocks(key), &value));
      Increment(&value);
      Check(kept->Put(ToRocks(key), value));
    }
    const rocksdb::Status status = kept->Commit();
    if (status.IsBusy() || status.IsTryAgain()) return false;
    Check(status);
    return true;
  }

 private:
  std::unique_ptr<rocksdb::OptimisticTransactionDB> db_;
};

std::string KeyOf(uint64_t n) {
  char key[24];
  std::snprintf(key, sizeof key, "%016llu",
                static_cast<unsigned long long>(Mix64(n) % 10'000'000'000'000'000));
  return std::string(key, 16);
}

struct Figures {
  double us = 0;  // of the wall clock, for each commit
  double conflicts = 0;
};

Figures Measure(Subject* subject, const Plan& plan, int round) {
  for (uint64_t i = 0; i < plan.records; ++i) {
    subject->Put(KeyOf(i), std::string(plan.value_bytes, '\0'));
  }
  if (plan.settled) subject->Settle();
  std::atomic<uint64_t> conflicts{0};
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> threads;
  for (int t = 0; t < plan.threads; ++t) {
    threads.emplace_back([&, t] {
      Rng random(static_cast<uint64_t>(round * plan.threads + t));
      const Zipfian zipfian(plan.records);
      std::vector<std::string> keys;
      for (uint64_t i = 0; i < plan.transactions; ++i) {
        keys.clear();
        while (keys.size() < plan.keys) {
          std::string key = KeyOf(zipfian.Draw(&random));
          if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(std::move(key));
        }
        while (!subject->Run(keys)) conflicts.fetch_add(1, std::memory_order_relaxed);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const double us =
      std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
  const uint64_t commits = plan.transactions * static_cast<uint64_t>(plan.threads);
  if (const uint64_t sum = subject->Sum(); sum != commits * plan.keys) {
    Fail("the counters add up to " + std::to_string(sum));
  }
  return {us / static_cast<double>(commits), static_cast<double>(conflicts) / static_cast<double>(commits)};
}

// What plain puts cost beside transactions, in microseconds.
double PlainPuts(const Plan& plan, const std::string& beside) {
  std::filesystem::remove_all(plan.directory);
  std::filesystem::create_directories(plan.directory);
  Options options;
  options.memtable_capacity = kMemtableBytes;
  options.wal_sync_policy = SyncPolicy::kNone;
  auto opened = DB::Open(options, plan.directory + "/db");
  Check(opened.status());
  const std::unique_ptr<DB> db = *std::move(opened);
  std::unique_ptr<Transaction> transaction;
  const auto begin = [&] {
    auto begun = db->BeginTransaction();
    Check(begun.status());
    transaction = *std::move(begun);
    Check(transaction->Put("of the transaction", "v"));
  };
  if (beside != "no transaction") begin();
  const std::string value(plan.value_bytes, 'v');
  constexpr uint64_t kPutsEach = 100;  // of the short ones
  const auto start = std::chrono::steady_clock::now();
  for (uint64_t i = 0; i < plan.records; ++i) {
    Check(db->Put(KeyOf(i), value));
    if (beside == "short transactions" && i % kPutsEach == 0) begin();
  }
  const double us =
      std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
  transaction.reset();
  Check(db->Close());
  return us / static_cast<double>(plan.records);
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

int Main(int argc, char** argv) {
  CLI::App app("transactions of ten keys, beside RocksDB");
  Plan plan;
  app.add_option("--dir", plan.directory, "scratch directory");
  app.add_option("--records", plan.records, "keys in the database");
  app.add_option("--transactions", plan.transactions, "transactions a thread and round");
  app.add_option("--keys", plan.keys, "keys a transaction");
  app.add_option("--value-bytes", plan.value_bytes, "at least 8");
  app.add_option("--threads", plan.threads, "threads");
  app.add_option("--rounds", plan.rounds, "rounds, at least 1");
  app.add_flag("--settled", plan.settled, "everything is in compacted tables when it begins");
  app.add_option("--only", plan.only, "plain, serializable, snapshot or rocksdb; empty: all");
  CLI11_PARSE(app, argc, argv);
  const char* const names[] = {"serializable", "snapshot", "rocksdb"};
  std::map<std::string, std::vector<double>> times;
  std::map<std::string, std::vector<double>> conflicts;
  std::map<std::string, std::vector<double>> plain;
  for (int round = 0; round < plan.rounds; ++round) {
    for (const char* const beside : {"no transaction", "short transactions", "one long transaction"}) {
      if (plan.only.empty() || plan.only == "plain") plain[beside].push_back(PlainPuts(plan, beside));
    }
    for (const std::string name : names) {
      if (!plan.only.empty() && plan.only != name) continue;
      std::filesystem::remove_all(plan.directory);
      std::filesystem::create_directories(plan.directory);
      const std::string path = plan.directory + "/db";
      std::unique_ptr<Subject> subject;
      if (name == "rocksdb") {
        subject = std::make_unique<RocksSubject>(path);
      } else {
        subject = std::make_unique<SeerdbSubject>(
            path, name == "snapshot" ? IsolationLevel::kSnapshot : IsolationLevel::kSerializable);
      }
      const Figures figures = Measure(subject.get(), plan, round);
      times[name].push_back(figures.us);
      conflicts[name].push_back(figures.conflicts);
    }
  }
  for (const auto& [beside, values] : plain) {
    std::printf("%-22s %8.3f us a plain put beside\n", beside.c_str(), Median(values));
  }
  for (const auto& [name, values] : times) {
    std::printf("%-14s %8.2f us a commit, %6.4f conflicts a commit\n", name.c_str(), Median(values),
                Median(conflicts[name]));
  }
  if (times.contains("rocksdb")) {
    for (const char* const name : {"serializable", "snapshot"}) {
      std::printf("rocksdb / %-12s %6.2f\n", name, Median(times["rocksdb"]) / Median(times[name]));
    }
  }
  std::filesystem::remove_all(plan.directory);
  return 0;
}

}  // namespace
}  // namespace seerdb::bench

int main(int argc, char** argv) { return seerdb::bench::Main(argc, argv); }
