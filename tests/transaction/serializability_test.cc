// Random transactions on eight threads, and whether some serial order explains what they have read. The
// checker finds none to be missing under kSerializable, and finds cycles under kSnapshot: it can tell.
#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "base/random.h"
#include "tests/transaction/serial_checker.h"
#include "tests/transaction/transaction_fixture.h"

namespace seerdb::testing {
namespace {

constexpr int kThreads = 8;
constexpr uint64_t kKeys = 40;  // of one epoch, which begins without any

class SerializabilityTest : public TransactionFixture {
 protected:
  struct Totals {
    uint64_t committed = 0;
    uint64_t conflicts = 0;
    uint64_t edges = 0;
    uint64_t cycles = 0;
  };

  void SetUp() override {
    options_.wal_sync_policy = SyncPolicy::kNone;
    options_.background_flush = options_.background_compaction = true;
    options_.memtable_capacity = 256 << 10;  // what is checked against is flushed meanwhile
    options_.l0_compaction_trigger = 4;
    Reopen();
  }

  // Keys of one epoch: its number, then that of the key, in two digits.
  static std::string KeyOf(uint64_t epoch, uint64_t key) {
    return "e" + std::to_string(epoch) + "/" + std::to_string(100 + key);
  }
  static Version VersionOf(Slice value) { return std::stoull(std::string(value)); }

  // One transaction of the thread: reads of keys and ranges, writes with and without reading. What it did is
  // added to `done` if it was committed.
  void RunOne(uint64_t epoch, IsolationLevel level, Random* random, Totals* totals,
              CheckedTransaction* done) {
    const auto transaction = Begin(level);
    std::vector<Version> own(kKeys, 0);
    std::vector<bool> read(kKeys, false);
    const auto note_read = [&](uint64_t key, Version version) {
      if (own[key] != 0 || read[key]) return;  // what is read again is the same: the model tests have that
      read[key] = true;
      done->reads.push_back({static_cast<KeyId>(key), version});
    };
    const uint64_t steps = 2 + random->Uniform(4);
    for (uint64_t step = 0; step < steps; ++step) {
      const uint64_t key = random->OneIn(3) ? random->Uniform(kKeys) : random->Uniform(4);
      const uint64_t kind = random->Uniform(10);
      if (kind < 4) {
        const auto got = transaction->Get(KeyOf(epoch, key));
        ASSERT_TRUE(got.ok()) << got.status().ToString();
        note_read(key, got->has_value() ? VersionOf(**got) : 0);
      } else if (kind < 6) {
        ReadRange(*transaction, epoch, key, std::min<uint64_t>(kKeys, key + 1 + random->Uniform(8)),
                  random->OneIn(2), note_read);
        if (HasFatalFailure()) return;
      } else {
        own[key] = ++next_version_;
        ASSERT_OK(transaction->Put(KeyOf(epoch, key), std::to_string(own[key])));
      }
      std::this_thread::yield();
    }
    const Status status = transaction->Commit();
    if (!status.ok()) {
      ASSERT_TRUE(status.IsConflict()) << status.ToString();
      ASSERT_FALSE(transaction->conflicts().empty());
      ++totals->conflicts;
      *done = CheckedTransaction();
      return;
    }
    ++totals->committed;
    done->sequence = transaction->commit_sequence();
    for (uint64_t key = 0; key < kKeys; ++key) {
      if (own[key] != 0) done->writes.push_back({static_cast<KeyId>(key), own[key]});
    }
  }

  // Of [begin, end), also what is not there was read.
  template <typename NoteRead>
  void ReadRange(Transaction& transaction, uint64_t epoch, uint64_t begin, uint64_t end, bool backward,
                 const NoteRead& note_read) {
    ReadOptions options;
    options.lower_bound = KeyOf(epoch, begin);
    options.upper_bound = KeyOf(epoch, end);
    std::vector<Version> found(kKeys, 0);
    const auto it = transaction.NewIterator(options);
    for (backward ? it->SeekToLast() : it->SeekToFirst(); it->Valid(); backward ? it->Prev() : it->Next()) {
      const uint64_t key = std::stoull(std::string(it->key().substr(it->key().size() - 3))) - 100;
      found[key] = VersionOf(it->value());
    }
    ASSERT_OK(it->status());
    for (uint64_t key = begin; key < end; ++key) note_read(key, found[key]);
  }

  void RunEpoch(uint64_t epoch, IsolationLevel level, uint64_t each, uint64_t seed, Totals* totals) {
    std::vector<CheckedTransaction> history;
    std::mutex mutex;
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        Random random(seed + epoch * kThreads + static_cast<uint64_t>(t));
        Totals mine;
        std::vector<CheckedTransaction> done;
        while (mine.committed < each && !HasFatalFailure()) {
          CheckedTransaction one;
          RunOne(epoch, level, &random, &mine, &one);
          if (!one.reads.empty() || !one.writes.empty()) done.push_back(std::move(one));
        }
        const std::lock_guard lock(mutex);
        totals->committed += mine.committed;
        totals->conflicts += mine.conflicts;
        history.insert(history.end(), done.begin(), done.end());
      });
    }
    for (std::thread& thread : threads) thread.join();
    const SerialVerdict verdict = CheckSerial(history);
    ASSERT_EQ(verdict.malformed, "");
    totals->edges += verdict.edges;
    totals->cycles += verdict.cycle.empty() ? 0 : 1;
    if (level == IsolationLevel::kSerializable) {
      ASSERT_TRUE(verdict.cycle.empty()) << "a cycle of " << verdict.cycle.size() << " in epoch " << epoch;
    }
  }

  std::atomic<Version> next_version_{0};
};

TEST_F(SerializabilityTest, SerializableTransactionsHaveNoCycle) {
  const uint64_t seed = TestSeed();
  const uint64_t epochs = kSanitized ? 10 : LongRun() ? 1000 : 100;
  constexpr uint64_t kEach = 126;
  Totals totals;
  for (uint64_t epoch = 0; epoch < epochs && !HasFatalFailure(); ++epoch) {
    RunEpoch(epoch, IsolationLevel::kSerializable, kEach, seed, &totals);
  }
  RecordProperty("committed", std::to_string(totals.committed));
  RecordProperty("conflicts", std::to_string(totals.conflicts));
  EXPECT_GE(totals.committed, kSanitized ? 10'000u : 100'000u);
  EXPECT_GE(totals.conflicts * 10, 3 * (totals.committed + totals.conflicts)) << "too calm to say anything";
  EXPECT_GT(totals.edges, totals.committed);
}

TEST_F(SerializabilityTest, SnapshotIsolationHasCyclesAndTheCheckerFindsThem) {
  const uint64_t seed = TestSeed();
  Totals totals;
  for (uint64_t epoch = 0; epoch < 10 && !HasFatalFailure(); ++epoch) {
    RunEpoch(epoch, IsolationLevel::kSnapshot, 126, seed, &totals);
  }
  EXPECT_GT(totals.cycles, 0u);
}

}  // namespace
}  // namespace seerdb::testing
