// The memory budget as its user sees it: what it refuses, what it waits for, what two databases on it do.
#include "seerdb/memory_budget.h"

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "base/units.h"
#include "env/memory_file_system.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

Options SmallBudget() {
  Options options;
  options.file_system = std::make_shared<MemoryFileSystem>();
  options.max_memory_bytes = 8 * kMiB;
  options.wal_sync_policy = SyncPolicy::kNone;
  return options;
}

std::string BudgetKey(uint64_t i) { return "key" + std::to_string(1'000'000 + i); }

uint64_t SumOf(const MemoryUsage& usage) {
  return usage.active_memtable_bytes + usage.immutable_memtable_bytes + usage.pinned_memtable_bytes +
         usage.block_cache_bytes + usage.pinned_block_bytes + usage.table_metadata_bytes +
         usage.bulk_load_bytes + usage.transaction_bytes + usage.job_bytes + usage.log_bytes;
}

TEST(MemoryBudgetTest, CreateChecksItsRange) {
  EXPECT_TRUE(MemoryBudget::Create(8 * kMiB - 1).status().IsInvalidArgument());
  EXPECT_TRUE(MemoryBudget::Create((uint64_t{16} << 40) + 1).status().IsInvalidArgument());
  const auto budget = MemoryBudget::Create(8 * kMiB);
  ASSERT_TRUE(budget.ok());
  EXPECT_EQ((*budget)->limit_bytes(), 8 * kMiB);
  EXPECT_EQ((*budget)->usage().total_bytes, 0u);
}

TEST(MemoryBudgetTest, LimitCutsWhatTheOptionsAskFor) {
  Options options = SmallBudget();
  auto db = OpenOrFail(options, "/db");
  ASSERT_TRUE(db);
  const DBStats stats = db->Stats();
  EXPECT_LT(stats.memtable_capacity_bytes, 2 * kMiB);
  EXPECT_GT(stats.memtable_capacity_bytes, 500'000u);
  EXPECT_LT(stats.block_cache_capacity, 8 * kMiB);
  EXPECT_GT(stats.block_cache_capacity, 3 * kMiB);
  EXPECT_EQ(stats.memory.limit_bytes, 8 * kMiB);
  options.max_memory_bytes = 0;
  auto free = OpenOrFail(options, "/free");
  ASSERT_TRUE(free);
  EXPECT_EQ(free->Stats().memtable_capacity_bytes, options.memtable_capacity);
  EXPECT_EQ(free->Stats().memory.limit_bytes, 0u);
}

TEST(MemoryBudgetTest, BatchesAndValuesThatCannotFitAreRefused) {
  Options options = SmallBudget();
  options.separation_bytes = 0;
  auto db = OpenOrFail(options, "/db");
  ASSERT_TRUE(db);
  EXPECT_OK(db->Put("fits", std::string(kMiB, 'v')));
  Status status = db->Put("value", std::string(kMiB + 1, 'v'));
  EXPECT_TRUE(status.IsInvalidArgument() && status.detail() == StatusDetail::kMemoryFull)
      << status.ToString();
  WriteBatch batch;
  for (int i = 0; i < 30; ++i) batch.Put(BudgetKey(i), std::string(100'000, 'v'));
  status = db->Write(batch);
  EXPECT_TRUE(status.IsInvalidArgument() && status.detail() == StatusDetail::kMemoryFull)
      << status.ToString();
  EXPECT_EQ(GetText(*db, "value"), "none");
  EXPECT_EQ(GetText(*db, BudgetKey(0)), "none");
  EXPECT_OK(db->Put("after", "x"));
}

// What entries need beside their bytes counts: a batch that can never fit is not called busy.
TEST(MemoryBudgetTest, ABatchOfManySmallOperationsIsRefusedForGood) {
  auto db = OpenOrFail(SmallBudget(), "/db");
  ASSERT_TRUE(db);
  WriteBatch batch;
  for (int i = 0; i < 30'000; ++i) batch.Delete(BudgetKey(i));
  const Status status = db->Write(batch);
  EXPECT_TRUE(status.IsInvalidArgument() && status.detail() == StatusDetail::kMemoryFull)
      << status.ToString();
  batch.Clear();
  for (int i = 0; i < 10'000; ++i) batch.Delete(BudgetKey(i));
  EXPECT_OK(db->Write(batch));
}

TEST(MemoryBudgetTest, UsageAddsUpAndIsGivenBack) {
  const auto budget = MemoryBudget::Create(16 * kMiB);
  ASSERT_TRUE(budget.ok());
  Options options = SmallBudget();
  options.max_memory_bytes = 0;
  options.memory_budget = *budget;
  options.table_access = TableAccess::kPread;
  std::unique_ptr<Iterator> iterator;
  {
    auto db = OpenOrFail(options, "/db");
    ASSERT_TRUE(db);
    for (int i = 0; i < 20'000; ++i) {
      ASSERT_OK(db->Put(BudgetKey(i), std::string(200, 'v')));
      const MemoryUsage usage = db->memory_usage();
      ASSERT_EQ(usage.total_bytes, SumOf(usage));
    }
    ASSERT_OK(db->Flush());
    ASSERT_OK(db->WaitForCompaction());
    for (int i = 0; i < 20'000; i += 50) EXPECT_NE(GetText(*db, BudgetKey(i)), "none");
    const DBStats stats = db->Stats();
    EXPECT_GT(stats.memory.block_cache_bytes, 100'000u);
    EXPECT_GT(stats.memory.table_metadata_bytes, 10'000u);
    EXPECT_GT(stats.cache_inserts, 0u);
    EXPECT_EQ(stats.memory.job_bytes, 0u);
    EXPECT_EQ(db->estimate_memory_usage(), db->memory_usage().total_bytes);
    EXPECT_EQ((*budget)->usage().total_bytes, db->memory_usage().total_bytes);
    EXPECT_NE(stats.ToString().find("memory_block_cache_bytes"), std::string::npos);
    iterator = db->NewIterator();
    iterator->SeekToFirst();
    EXPECT_OK(db->Close());
  }
  // What an iterator holds is counted beyond the end of its database.
  EXPECT_GT((*budget)->usage().total_bytes, 0u);
  EXPECT_TRUE(iterator->Valid());
  iterator.reset();
  EXPECT_EQ((*budget)->usage().total_bytes, 0u) << (*budget)->usage().ToString();
}

TEST(MemoryBudgetTest, MappedTablesAreShownApartAlsoWhenDeleted) {
  auto db = OpenOrFail(SmallBudget(), "/db");
  ASSERT_TRUE(db);
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 1000; ++i) ASSERT_OK(db->Put(BudgetKey(i), std::string(500, 'v')));
    ASSERT_OK(db->Flush());
  }
  const auto pin = db->NewIterator();
  EXPECT_GT(db->memory_usage().mapped_bytes, 500'000u);
  EXPECT_EQ(db->memory_usage().mapped_obsolete_bytes, 0u);
  ASSERT_OK(db->CompactRange());
  EXPECT_GT(db->memory_usage().mapped_obsolete_bytes, 500'000u);
  EXPECT_LT(db->memory_usage().total_bytes, 8 * kMiB);
}

// Writes until a write fails; the status of that, or OK if none did.
Status WriteUntilRefused(DB& db, int writes, std::vector<std::unique_ptr<Iterator>>* pins) {
  for (int i = 0; i < writes; ++i) {
    const Status status = db.Put(BudgetKey(i % 5000), std::string(1000, static_cast<char>('a' + i % 26)));
    if (!status.ok()) return status;
    // An iterator keeps the memtable that it was made on.
    if (pins != nullptr && i % 200 == 0) pins->push_back(db.NewIterator());
  }
  return {};
}

TEST(MemoryBudgetTest, PinnedMemtablesAreCountedAndEndInAClearError) {
  for (const bool background : {true, false}) {
    Options options = SmallBudget();
    options.background_flush = options.background_compaction = background;
    auto db = OpenOrFail(options, "/db");
    ASSERT_TRUE(db);
    std::vector<std::unique_ptr<Iterator>> pins;
    const Status refused = WriteUntilRefused(*db, 40'000, &pins);
    EXPECT_TRUE(refused.IsBusy() && refused.detail() == StatusDetail::kMemoryFull) << refused.ToString();
    EXPECT_NE(refused.message().find("memtables in use by readers"), Slice::npos) << refused.ToString();
    const MemoryUsage usage = db->memory_usage();
    EXPECT_GT(usage.pinned_memtable_bytes, 4 * kMiB);
    EXPECT_LE(usage.total_bytes, 8 * kMiB) << usage.ToString();
    EXPECT_GT(db->Stats().memory_stalls, 0u);
    EXPECT_GT(db->Stats().memory_flushes, 0u);
    // Reads go on, and so do writes once the readers have left.
    EXPECT_NE(GetText(*db, BudgetKey(0)), "none");
    EXPECT_TRUE(WriteUntilRefused(*db, 1000, nullptr).IsBusy());
    pins.clear();
    EXPECT_OK(WriteUntilRefused(*db, 20'000, nullptr));
    // The last flush may hold its own memtable for a moment yet.
    for (int looks = 0; looks < 10'000 && db->memory_usage().pinned_memtable_bytes != 0; ++looks) {
      SystemClock()->SleepMicros(1000);
      ASSERT_OK(db->Put("look", "again"));
    }
    EXPECT_EQ(db->memory_usage().pinned_memtable_bytes, 0u);
    EXPECT_OK(db->Close());
  }
}

TEST(MemoryBudgetTest, PinnedValuesAreCountedAndBounded) {
  auto db = OpenOrFail(SmallBudget(), "/db");
  ASSERT_TRUE(db);
  std::vector<PinnedValue> pins;
  Status status;
  for (int i = 0; i < 40'000 && status.ok(); ++i) {
    status = db->Put(BudgetKey(i % 100), std::string(1000, 'v'));
    if (i % 500 != 0) continue;
    auto got = db->Get(BudgetKey(i % 100));
    ASSERT_TRUE(got.ok() && got->has_value());
    pins.push_back(**std::move(got));
  }
  EXPECT_TRUE(status.IsBusy() && status.detail() == StatusDetail::kMemoryFull) << status.ToString();
  EXPECT_LE(db->memory_usage().total_bytes, 8 * kMiB);
  for (const PinnedValue& pin : pins) EXPECT_EQ(pin.slice(), std::string(1000, 'v'));
  pins.clear();
  EXPECT_OK(db->Put("after", "x"));
}

// An idle database gives its memtable back to a busy one on the same budget.
TEST(MemoryBudgetTest, AnIdleDatabaseIsFlushedForABusyOne) {
  for (const bool cooperative : {false, true}) {
    const auto budget = MemoryBudget::Create(8 * kMiB);
    ASSERT_TRUE(budget.ok());
    Options options = SmallBudget();
    options.max_memory_bytes = 0;
    options.memory_budget = *budget;
    std::vector<std::unique_ptr<DB>> idle;
    for (int i = 0; i < 6; ++i) {
      if (cooperative) options.executor = NewCooperativeExecutor();
      idle.push_back(OpenOrFail(options, "/idle" + std::to_string(i)));
      ASSERT_TRUE(idle.back());
      // Not enough to be flushed for its own sake.
      for (int j = 0; j < 500; ++j) ASSERT_OK(idle.back()->Put(BudgetKey(j), std::string(1000, 'v')));
    }
    if (cooperative) options.executor = NewCooperativeExecutor();
    auto busy = OpenOrFail(options, "/busy");
    ASSERT_TRUE(busy);
    for (int i = 0; i < 20'000; ++i) {
      ASSERT_OK(busy->Put(BudgetKey(i), std::string(1000, 'v')));
      ASSERT_LE((*budget)->usage().total_bytes, 8 * kMiB) << (*budget)->usage().ToString();
    }
    uint64_t flushed = 0;
    for (auto& db : idle) flushed += db->Stats().memory_flushes;
    EXPECT_GT(flushed, 0u);
    for (auto& db : idle) EXPECT_EQ(ReadAll(*db).size(), 500u);
    for (auto& db : idle) EXPECT_OK(db->Close());
    EXPECT_EQ(ReadAll(*busy).size(), 20'000u);
  }
}

TEST(MemoryBudgetTest, DatabasesOnOneBudgetWriteAtOnceAndClose) {
  const auto budget = MemoryBudget::Create(8 * kMiB);
  ASSERT_TRUE(budget.ok());
  Options options = SmallBudget();
  options.max_memory_bytes = 0;
  options.memory_budget = *budget;
  std::atomic<int> wrong{0};
  std::vector<std::thread> writers;
  for (int w = 0; w < 3; ++w) {
    writers.emplace_back([&, w] {
      for (int life = 0; life < 3; ++life) {
        auto opened = DB::Open(options, "/db" + std::to_string(w));
        if (!opened.ok()) return void(++wrong);
        for (int i = 0; i < 8000; ++i) {
          if (!(*opened)->Put(BudgetKey(i), std::string(1000, 'v')).ok()) return void(++wrong);
        }
        if (!(*opened)->Close().ok()) ++wrong;
      }
    });
  }
  uint64_t peak = 0;
  std::string at_peak;
  std::atomic<bool> over{false};
  std::thread watch([&] {
    while (!over) {
      const MemoryUsage usage = (*budget)->usage();
      if (usage.total_bytes > peak) at_peak = usage.ToString();
      peak = std::max(peak, usage.total_bytes);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  for (std::thread& writer : writers) writer.join();
  over = true;
  watch.join();
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_GT(peak, 2 * kMiB);
  // A database that is opened takes its log's two segments unasked, and three may be opened at once.
  EXPECT_LE(peak, 8 * kMiB + 3 * (8 * kMiB / 16)) << at_peak;
  std::printf("[ MEMORY   ] three writers, budget 8192 KiB, peak %llu KiB\n",
              static_cast<unsigned long long>(peak >> 10));
  EXPECT_EQ((*budget)->usage().total_bytes, 0u) << (*budget)->usage().ToString();
}

// The log of a crash is replayed in pieces that the budget allows.
TEST(MemoryBudgetTest, RecoveryKeepsToIt) {
  Options options = SmallBudget();
  options.max_memory_bytes = 0;
  options.memtable_capacity = 64 * kMiB;
  const auto fs = std::make_shared<MemoryFileSystem>();
  options.file_system = fs;
  auto db = OpenOrFail(options, "/db");
  ASSERT_TRUE(db);
  for (int i = 0; i < 20'000; ++i) ASSERT_OK(db->Put(BudgetKey(i), std::string(500, 'v')));
  const auto crashed = fs->CrashClone({0, CrashOptions::kProcessCrash, true});
  options.file_system = crashed;
  options.max_memory_bytes = 8 * kMiB;
  auto recovered = OpenOrFail(options, "/db");
  ASSERT_TRUE(recovered);
  EXPECT_GT(recovered->Stats().total_sstables, 8u);
  EXPECT_EQ(ReadAll(*recovered).size(), 20'000u);
}

// What it reads is remembered: with a budget that is bounded as a batch is.
TEST(MemoryBudgetTest, ATransactionThatReadsWithoutEndIsRefused) {
  auto db = OpenOrFail(SmallBudget(), "/db");
  ASSERT_TRUE(db);
  TransactionOptions options;
  options.isolation = IsolationLevel::kSerializable;
  const auto transaction = *db->BeginTransaction(options);
  Status read;
  for (uint64_t i = 0; i < 200'000 && read.ok(); ++i) read = transaction->Get(BudgetKey(i)).status();
  EXPECT_TRUE(read.IsInvalidArgument() && read.detail() == StatusDetail::kMemoryFull) << read.ToString();
  EXPECT_LT(db->memory_usage().transaction_bytes, 3 * kMiB);
  EXPECT_OK(db->Put("others", "go on"));
}

TEST(MemoryBudgetTest, ACommitThatMeetsAConflictKeepsNoMemory) {
  auto db = OpenOrFail(SmallBudget(), "/db");
  ASSERT_TRUE(db);
  auto transaction = *db->BeginTransaction({});
  for (int i = 0; i < 150; ++i) ASSERT_OK(transaction->Put(BudgetKey(i), std::string(4000, 'v')));
  ASSERT_OK(db->Put(BudgetKey(7), "first"));
  const uint64_t bytes = db->memory_usage().active_memtable_bytes;
  EXPECT_TRUE(transaction->Commit().IsConflict());
  transaction.reset();
  EXPECT_EQ(db->memory_usage().active_memtable_bytes, bytes);
}

}  // namespace
}  // namespace seerdb::testing
