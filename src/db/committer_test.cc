#include "db/committer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "env/memory_file_system.h"
#include "seerdb/db.h"
#include "seerdb/executor.h"

namespace seerdb {
namespace {

constexpr uint64_t kMemTableBytes = 1 << 20;

struct FirstMemTable {
  uint64_t puts = 0;
  uint64_t log_bytes = 0;
};

Options SmallMemTables(uint64_t segment_bytes) {
  Options options;
  options.background_flush = options.background_compaction = false;
  options.log_mode = LogMode::kBuffered;
  options.wal_sync_policy = SyncPolicy::kNone;
  options.file_system = std::make_shared<MemoryFileSystem>();
  options.memtable_capacity = kMemTableBytes;
  options.wal_segment_bytes = segment_bytes;
  return options;
}

// Null, after a failure was added, if it cannot be opened.
std::unique_ptr<DB> OpenOrFail(const Options& options) {
  auto opened = DB::Open(options, "/db");
  if (opened.ok()) return *std::move(opened);
  ADD_FAILURE() << opened.status().ToString();
  return nullptr;
}

// What the first memtable of a database takes before it is sealed.
FirstMemTable FillOne(uint64_t segment_bytes) {
  const std::unique_ptr<DB> db = OpenOrFail(SmallMemTables(segment_bytes));
  if (db == nullptr) return {};
  FirstMemTable filled;
  for (;; ++filled.puts) {
    const Status status = db->Put("key" + std::to_string(1'000'000 + filled.puts), std::string(100, 'v'));
    EXPECT_TRUE(status.ok()) << status.ToString();
    const DBStats stats = db->Stats();
    if (stats.total_flushes > 0) return filled;
    filled.log_bytes = stats.wal_bytes_written;
  }
}

TEST(Committer, ANearlyFullMemTableEndsWithItsLogSegment) {
  const FirstMemTable whole = FillOne(4 * kMemTableBytes);
  EXPECT_GT(whole.log_bytes, kMemTableBytes / 2);
  const auto with_log_of = [&](uint64_t percent) { return FillOne(whole.log_bytes * percent / 100).puts; };
  // 97 % of the memtable fill the segment.
  EXPECT_LT(with_log_of(97), whole.puts);
  EXPECT_GT(with_log_of(97), whole.puts * 15 / 16 - whole.puts / 100);
  EXPECT_EQ(with_log_of(80), whole.puts) << "much of it is to come";
  EXPECT_EQ(with_log_of(120), whole.puts);
}

// Passes everything on, and counts what is for the cleanup lane.
class CountingExecutor final : public Executor {
 public:
  void Schedule(Lane lane, std::function<void()> task) override {
    if (lane == Lane::kCleanup) ++cleanups;
    base_->Schedule(lane, std::move(task));
  }
  void ScheduleAfter(uint64_t delay_us, Lane lane, std::function<void()> task) override {
    base_->ScheduleAfter(delay_us, lane, std::move(task));
  }
  bool cooperative() const override { return false; }
  bool RunOne() override { return false; }

  std::atomic<int> cleanups{0};

 private:
  const std::shared_ptr<Executor> base_ = NewThreadPoolExecutor();
};

TEST(Committer, AMemTableThatGrowsHasItsNextMemoryFetchedAhead) {
  const auto executor = std::make_shared<CountingExecutor>();
  Options options;
  options.file_system = std::make_shared<MemoryFileSystem>();
  options.executor = executor;
  const std::unique_ptr<DB> db = OpenOrFail(options);
  ASSERT_TRUE(db);
  ASSERT_TRUE(db->Put("small", "v").ok());
  EXPECT_EQ(executor->cleanups, 0) << "nothing was removed, and it may stay small";
  for (int i = 0; i < 2000; ++i) {
    ASSERT_TRUE(db->Put("key" + std::to_string(i), std::string(1000, 'v')).ok());
  }
  EXPECT_GE(executor->cleanups, 1);
  EXPECT_TRUE(db->Close().ok());
}

// Puts until the second memtable is sealed, with one get for each `puts_a_get` of them.
uint64_t FillSecond(uint64_t puts_a_get) {
  const std::unique_ptr<DB> db = OpenOrFail(SmallMemTables(16 * kMemTableBytes));
  if (db == nullptr) return 0;
  uint64_t in_second = 0;
  for (uint64_t put = 0;; ++put) {
    const std::string key = "key" + std::to_string(1'000'000 + put);
    EXPECT_TRUE(db->Put(key, std::string(100, 'v')).ok());
    const uint64_t flushes = db->Stats().total_flushes;
    if (flushes == 2) return in_second;
    if (flushes == 1) ++in_second;
    if (put % puts_a_get != 0) continue;
    const auto got = db->Get("key" + std::to_string(1'000'000 + put / 2));
    EXPECT_TRUE(got.ok() && got->has_value() && (*got)->slice() == std::string(100, 'v')) << put;
  }
}

// The index takes a part of the memtable's memory: where few gets would use it, there is none.
TEST(Committer, AMemTableThatIsReadFromHasAnIndex) {
  const uint64_t rarely = FillSecond(8);
  EXPECT_GT(rarely, 5000u);
  EXPECT_LT(FillSecond(2), rarely - rarely / 20);
}

}  // namespace
}  // namespace seerdb
