// Recorded histories of the database are linearizable; histories that are not are refused.
#include "tests/concurrency/linearizability.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <thread>

#include "base/random.h"
#include "env/memory_file_system.h"
#include "seerdb/db.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

constexpr size_t kClients = 5;

std::string KeyOf(size_t key) { return "key" + std::to_string(key); }

std::string ValueOf(uint64_t value) {
  std::string text = std::to_string(value);
  text.resize(text.size() + 1 + value % 90, '.');  // bytes, so that memtables fill
  return text;
}

// One client: random operations, each recorded with what it saw and when.
class Client {
 public:
  Client(DB* db, HistoryClock* clock, size_t thread, uint64_t seed)
      : db_(db), clock_(clock), thread_(thread), random_(seed) {}

  void Run(uint64_t operations) {
    for (uint64_t i = 0; i < operations && status_.ok(); ++i) {
      HistoryOperation operation;
      operation.thread = thread_;
      Step(&operation);
      history_.push_back(std::move(operation));
    }
  }
  const History& history() const { return history_; }
  const Status& status() const { return status_; }

 private:
  void Step(HistoryOperation* operation) {
    const size_t key = random_.Uniform(kHistoryKeys);
    switch (random_.Uniform(10)) {
      case 0:
      case 1:
      case 2:
        return Put(key, operation);
      case 3:
        operation->writes = {{key, kAbsent}};
        return Timed(operation, [&] { return db_->Delete(KeyOf(key)); });
      case 4:
        return Batch(operation);
      case 5:
        return MultiGet(operation);
      case 6:
        return ReadSnapshot(operation);
      case 7:
        return Walk(operation);
      default:
        return Get(key, operation);
    }
  }

  template <class Call>
  void Timed(HistoryOperation* operation, const Call& call) {
    operation->invoked = clock_->Now();
    Status status = call();
    operation->returned = clock_->Now();
    if (!status.ok()) status_ = std::move(status);
  }

  uint64_t NewValue() { return ++writes_ * kHistoryThreads + thread_; }

  void Put(size_t key, HistoryOperation* operation) {
    const uint64_t value = NewValue();
    operation->writes = {{key, value}};
    const WriteOptions options = random_.OneIn(20) ? WriteOptions::Sync() : WriteOptions();
    Timed(operation, [&] { return db_->Put(options, KeyOf(key), ValueOf(value)); });
  }

  void Batch(HistoryOperation* operation) {
    WriteBatch batch;
    for (uint64_t n = 1 + random_.Uniform(4); n > 0; --n) {
      const size_t key = random_.Uniform(kHistoryKeys);
      const uint64_t value = random_.OneIn(4) ? kAbsent : NewValue();
      value == kAbsent ? batch.Delete(KeyOf(key)) : batch.Put(KeyOf(key), ValueOf(value));
      operation->writes.emplace_back(key, value);
    }
    Timed(operation, [&] { return db_->Write(batch); });
  }

  uint64_t Found(const Result<std::optional<PinnedValue>>& found) {
    if (!found.ok()) status_ = found.status();
    return found.ok() && found->has_value() ? std::stoull((**found).ToString()) : kAbsent;
  }

  void Get(size_t key, HistoryOperation* operation) {
    operation->invoked = clock_->Now();
    const auto found = db_->Get(KeyOf(key));
    operation->returned = clock_->Now();
    operation->reads = {{key, Found(found)}};
  }

  void MultiGet(HistoryOperation* operation) {
    std::vector<std::string> keys;
    for (size_t key = 0; key < kHistoryKeys; ++key) keys.push_back(KeyOf(key));
    const std::vector<Slice> slices(keys.begin(), keys.end());
    operation->invoked = clock_->Now();
    const auto found = db_->MultiGet({}, slices);
    operation->returned = clock_->Now();
    for (size_t key = 0; key < kHistoryKeys; ++key) operation->reads.emplace_back(key, Found(found[key]));
  }

  // The reads come later, but see the moment of the snapshot.
  void ReadSnapshot(HistoryOperation* operation) {
    operation->invoked = clock_->Now();
    const Snapshot snapshot = db_->GetSnapshot();
    operation->returned = clock_->Now();
    ReadOptions options;
    options.snapshot = &snapshot;
    for (size_t key = 0; key < kHistoryKeys; ++key) {
      operation->reads.emplace_back(key, Found(db_->Get(options, KeyOf(key))));
    }
  }

  void Walk(HistoryOperation* operation) {
    operation->invoked = clock_->Now();
    const std::unique_ptr<Iterator> it = db_->NewIterator();
    operation->returned = clock_->Now();
    for (size_t key = 0; key < kHistoryKeys; ++key) operation->reads.emplace_back(key, kAbsent);
    for (it->SeekToFirst(); it->Valid(); it->Next()) {
      const size_t key = static_cast<size_t>(it->key().back() - '0');
      operation->reads[key].second = std::stoull(std::string(it->value()));
    }
    if (!it->status().ok()) status_ = it->status();
  }

  DB* const db_;
  HistoryClock* const clock_;
  const size_t thread_;
  Random random_;
  uint64_t writes_ = 0;
  History history_;
  Status status_;
};

History RecordHistory(const Options& options, uint64_t seed, uint64_t operations_each) {
  const std::unique_ptr<DB> db = OpenOrFail(options, "/db");
  if (!db) return {};
  HistoryClock clock;
  std::vector<Client> clients;
  for (size_t i = 0; i < kClients; ++i) clients.emplace_back(db.get(), &clock, i, seed + i);
  std::atomic<bool> done{false};
  std::thread maintenance([&] {
    while (!done.load()) {
      EXPECT_OK(db->Flush());
      EXPECT_OK(db->CompactRange());
    }
  });
  std::vector<std::thread> threads;
  for (Client& client : clients)
    threads.emplace_back([&client, operations_each] { client.Run(operations_each); });
  for (std::thread& thread : threads) thread.join();
  done.store(true);
  maintenance.join();
  History history;
  for (const Client& client : clients) {
    EXPECT_OK(client.status());
    history.insert(history.end(), client.history().begin(), client.history().end());
  }
  EXPECT_OK(db->Close());
  return history;
}

Options TinyWithThreads(SyncPolicy policy) {
  Options options = TinyOptions();
  options.background_flush = true;
  options.background_compaction = true;
  options.clock = nullptr;
  options.wal_sync_policy = policy;
  options.file_system = std::make_shared<MemoryFileSystem>();
  return options;
}

TEST(Linearizability, RecordedHistoriesAre) {
  const uint64_t seed = TestSeed();
  const uint64_t operations = kSanitized ? 1'000 : LongRun() ? 100'000 : 8'000;
  uint64_t checked = 0, overlapping = 0;
  for (const SyncPolicy policy : {SyncPolicy::kNone, SyncPolicy::kBarrier, SyncPolicy::kSyncData}) {
    const History history =
        RecordHistory(TinyWithThreads(policy), seed + 100 * static_cast<uint64_t>(policy), operations);
    ASSERT_EQ(history.size(), kClients * operations);
    ASSERT_EQ(CheckLinearizable(history), "");
    checked += history.size();
    for (const HistoryOperation& operation : history)
      overlapping += operation.returned - operation.invoked > 1;
  }
  std::printf("[ HISTORY  ] %llu operations of %zu threads on %zu keys, %llu met others, all linearizable\n",
              static_cast<unsigned long long>(checked), kClients, kHistoryKeys,
              static_cast<unsigned long long>(overlapping));
  EXPECT_GT(overlapping, checked / 50);
}

// A recorded history in which one read is given another value that the key once had is refused.
TEST(Linearizability, OneChangedReadIsNoticed) {
  const uint64_t seed = TestSeed();
  const History recorded = RecordHistory(TinyWithThreads(SyncPolicy::kNone), seed, 400);
  ASSERT_EQ(CheckLinearizable(recorded), "");
  Random random(seed);
  uint64_t refused = 0, changed = 0;
  while (changed < 40) {
    History history = recorded;
    HistoryOperation& reader = history[random.Uniform(history.size())];
    const HistoryOperation& writer = recorded[random.Uniform(recorded.size())];
    // Long before, so that the value cannot be there any more, or long after.
    const bool far = writer.returned + 600 < reader.invoked || reader.returned < writer.invoked;
    if (reader.reads.empty() || writer.writes.empty() || !far) continue;
    auto& [key, value] = reader.reads[random.Uniform(reader.reads.size())];
    if (writer.writes.front().first != key || writer.writes.front().second == kAbsent) continue;
    value = writer.writes.front().second;
    ++changed;
    refused += !CheckLinearizable(history).empty();
  }
  EXPECT_GE(refused, 38u);  // a key that nobody wrote for long still has the old value
}

// thread, reads, writes, invoked, returned
struct HandMade {
  const char* name;
  bool linearizable;
  History history;
};

const HandMade kHandMade[] = {
    {"Empty", true, {}},
    {"ReadAfterWrite", true, {{0, {}, {{0, 1}}, 1, 2}, {1, {{0, 1}}, {}, 3, 4}}},
    {"StaleRead", false, {{0, {}, {{0, 1}}, 1, 2}, {1, {{0, kAbsent}}, {}, 3, 4}}},
    {"ReadOfTheFuture", false, {{1, {{0, 1}}, {}, 1, 2}, {0, {}, {{0, 1}}, 3, 4}}},
    {"ConcurrentReadOld", true, {{0, {}, {{0, 1}}, 1, 4}, {1, {{0, kAbsent}}, {}, 2, 3}}},
    {"ConcurrentReadNew", true, {{0, {}, {{0, 1}}, 1, 4}, {1, {{0, 1}}, {}, 2, 3}}},
    {"TimeRunsBack",
     false,
     {{0, {}, {{0, 1}}, 1, 8}, {1, {{0, 1}}, {}, 2, 3}, {2, {{0, kAbsent}}, {}, 4, 5}}},
    {"TwoWritersEitherOrder",
     true,
     {{0, {}, {{0, 1}}, 1, 5}, {1, {}, {{0, 2}}, 2, 6}, {2, {{0, 1}}, {}, 7, 8}, {2, {{0, 1}}, {}, 9, 10}}},
    {"TwoReadersTwoOrders",
     false,
     {{0, {}, {{0, 1}}, 1, 5},
      {1, {}, {{0, 2}}, 2, 6},
      {2, {{0, 1}}, {}, 7, 10},
      {3, {{0, 2}}, {}, 8, 9},
      {2, {{0, 2}}, {}, 11, 12},
      {3, {{0, 1}}, {}, 13, 14}}},
    {"HalfABatch", false, {{0, {}, {{0, 1}, {1, 1}}, 1, 4}, {1, {{0, 1}, {1, kAbsent}}, {}, 2, 3}}},
    {"HalfABatchByTwoReads",
     false,
     {{0, {}, {{0, 1}, {1, 1}}, 1, 6}, {1, {{0, 1}}, {}, 2, 3}, {1, {{1, kAbsent}}, {}, 4, 5}}},
    {"LastOfABatchWins", true, {{0, {}, {{0, 1}, {0, kAbsent}, {0, 2}}, 1, 2}, {1, {{0, 2}}, {}, 3, 4}}},
    {"LostDelete", false, {{0, {}, {{0, 1}}, 1, 2}, {0, {}, {{0, kAbsent}}, 3, 4}, {1, {{0, 1}}, {}, 5, 6}}},
};

TEST(Linearizability, HandMadeHistories) {
  for (const HandMade& test : kHandMade) {
    EXPECT_EQ(CheckLinearizable(test.history).empty(), test.linearizable)
        << test.name << ": " << CheckLinearizable(test.history);
  }
}

}  // namespace
}  // namespace seerdb::testing
