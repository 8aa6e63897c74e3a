// Options::min_disk_space_bytes: which writes it refuses, when it asks, what goes on.
#include <sys/statvfs.h>

#include <mutex>
#include <vector>

#include "base/units.h"
#include "env/manual_clock.h"
#include "env/memory_file_system.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

constexpr uint64_t kLimit = 100 * kMiB;

class DiskGuardTest : public ::testing::Test {
 protected:
  DiskGuardTest() : fs_(std::make_shared<MemoryFileSystem>()), clock_(std::make_shared<ManualClock>()) {
    options_ = TinyOptions();
    options_.file_system = fs_;
    options_.clock = clock_;
    options_.min_disk_space_bytes = kLimit;
    options_.logger = [this](Slice line) { lines_ += std::string(line) + "\n"; };
    SetAvailable(1000 * kMiB);
  }
  void SetAvailable(uint64_t bytes) { fs_->SetSpaceInfo({bytes, 2000 * kMiB}); }
  void ExpectRefused(const Status& status) {
    EXPECT_TRUE(status.IsIoError() && status.detail() == StatusDetail::kDiskSpaceFull) << status.ToString();
  }

  const std::shared_ptr<MemoryFileSystem> fs_;
  const std::shared_ptr<ManualClock> clock_;
  Options options_;
  std::string lines_;
};

TEST_F(DiskGuardTest, AsksEveryTenSeconds) {
  auto db = OpenOrFail(options_, "/db");
  ASSERT_TRUE(db);
  EXPECT_OK(db->Put("a", "1"));
  EXPECT_GT(db->Stats().disk_available_bytes, 999 * kMiB);
  SetAvailable(50 * kMiB);
  clock_->Advance(9'900'000);
  EXPECT_OK(db->Put("b", "2"));  // not asked again yet
  clock_->Advance(200'000);
  const Status refused = db->Put("c", "3");
  ExpectRefused(refused);
  EXPECT_NE(refused.message().find(std::to_string(50 * kMiB)), Slice::npos) << refused.ToString();
  EXPECT_NE(refused.message().find(std::to_string(kLimit)), Slice::npos) << refused.ToString();
  EXPECT_EQ(GetText(*db, "c"), "none");
  EXPECT_EQ(db->Stats().disk_guard_refusals, 1u);
  EXPECT_EQ(db->Stats().disk_available_bytes, 50 * kMiB);
  // After a refusal the next write asks.
  SetAvailable(1000 * kMiB);
  EXPECT_OK(db->Put("c", "3"));
  EXPECT_OK(db->Close());
}

TEST_F(DiskGuardTest, WhatWasAdmittedCountsAndNearTheLimitEachWriteAsks) {
  auto db = OpenOrFail(options_, "/db");
  ASSERT_TRUE(db);
  SetAvailable(kLimit + 2000);
  EXPECT_OK(db->Put("fits", std::string(1000, 'v')));
  ExpectRefused(db->Put("does not", std::string(3000, 'v')));
  SetAvailable(kLimit - 1);
  ExpectRefused(db->Put("a", ""));
  SetAvailable(kLimit + 1);
  EXPECT_OK(db->Put("a", ""));
}

TEST_F(DiskGuardTest, DeletesGoOnAndSoDoReadsAndFlushes) {
  auto db = OpenOrFail(options_, "/db");
  ASSERT_TRUE(db);
  EXPECT_OK(db->Put("a", "1"));
  EXPECT_OK(db->Put("b", "2"));
  SetAvailable(10 * kMiB);
  clock_->Advance(11'000'000);
  ExpectRefused(db->Put("c", "3"));
  EXPECT_OK(db->Delete("a"));
  WriteBatch deletes;
  deletes.Delete("b");
  EXPECT_OK(db->Write(deletes));
  EXPECT_EQ(db->Stats().disk_guard_refusals, 1u) << "what was let through is no refusal";
  deletes.Put("c", "3");
  ExpectRefused(db->Write(deletes));
  EXPECT_EQ(db->Stats().disk_guard_refusals, 2u);
  EXPECT_OK(db->Flush());
  EXPECT_EQ(ReadAll(*db).size(), 0u);
  EXPECT_OK(db->Close());
  EXPECT_TRUE(OpenOrFail(options_, "/db"));
}

TEST_F(DiskGuardTest, CompactionWaitsAndIsNoError) {
  options_.l0_compaction_trigger = 2;
  auto db = OpenOrFail(options_, "/db");
  ASSERT_TRUE(db);
  SetAvailable(kLimit + 5000);
  const auto fill = [&](int round) {
    for (int i = 0; i < 40; ++i) {
      ASSERT_OK(db->Put("key" + std::to_string(i), std::string(100, static_cast<char>('a' + round))));
    }
    ASSERT_OK(db->Flush());
  };
  for (int round = 0; round < 4; ++round) fill(round);
  EXPECT_EQ(db->Stats().total_compactions, 0u);
  EXPECT_GT(db->Stats().disk_guard_delays, 0u);
  EXPECT_NE(lines_.find("compaction_put_off"), std::string::npos) << lines_;
  EXPECT_EQ(lines_.find("compaction_put_off"), lines_.rfind("compaction_put_off")) << "said once";
  ExpectRefused(db->CompactRange());
  EXPECT_OK(db->Put("writes", "go on"));
  SetAvailable(1000 * kMiB);
  fill(4);
  EXPECT_GT(db->Stats().total_compactions, 0u);
  EXPECT_OK(db->CompactRange());
  EXPECT_EQ(ReadAll(*db).size(), 41u);
  EXPECT_OK(db->Close());
}

// With threads, a timer tries again.
TEST_F(DiskGuardTest, CompactionIsRetriedByItself) {
  options_.clock = nullptr;
  options_.background_flush = options_.background_compaction = true;
  options_.l0_compaction_trigger = 2;
  options_.logger = nullptr;
  auto db = OpenOrFail(options_, "/db");
  ASSERT_TRUE(db);
  SetAvailable(kLimit + 4000);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 20; ++i) ASSERT_OK(db->Put("key" + std::to_string(i), std::string(100, 'v')));
    ASSERT_OK(db->Flush());
  }
  ASSERT_OK(db->WaitForCompaction());
  ASSERT_EQ(db->Stats().total_compactions, 0u);
  SetAvailable(1000 * kMiB);
  while (db->Stats().total_compactions == 0) SystemClock()->SleepMicros(10'000);
  EXPECT_OK(db->Close());
}

// A flush needs real space alone; without, it is want of space as from the file system.
TEST_F(DiskGuardTest, AFlushWithoutAnySpaceStopsWritesUntilThereIsSome) {
  auto db = OpenOrFail(options_, "/db");
  ASSERT_TRUE(db);
  EXPECT_OK(db->Put("a", std::string(2000, 'v')));
  SetAvailable(100);
  EXPECT_FALSE(db->Flush().ok());
  EXPECT_TRUE(db->Delete("x").IsNoSpace());
  SetAvailable(1000 * kMiB);
  EXPECT_OK(db->Resume());
  EXPECT_OK(db->Put("b", "2"));
  EXPECT_EQ(ReadAll(*db).size(), 2u);
}

TEST(DiskGuardOnFiles, AsksForTheDirectorysOwnVolume) {
  TempDirectory place;
  struct statvfs info;
  ASSERT_EQ(statvfs(place.path().c_str(), &info), 0);
  const uint64_t available = static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
  const auto space = PosixFileSystem()->GetSpaceInfo(place.path());
  ASSERT_TRUE(space.ok());
  // Others write meanwhile.
  EXPECT_NEAR(static_cast<double>(space->available_bytes), static_cast<double>(available),
              0.2 * static_cast<double>(available));
  Options options;
  options.min_disk_space_bytes = available * 2 + 1;
  auto db = OpenOrFail(options, place.path() + "/db");
  ASSERT_TRUE(db);
  EXPECT_EQ(db->Put("a", "1").detail(), StatusDetail::kDiskSpaceFull);
  EXPECT_OK(db->Close());
  options.min_disk_space_bytes = 1;
  db = OpenOrFail(options, place.path() + "/db");
  ASSERT_TRUE(db);
  EXPECT_OK(db->Put("a", "1"));
}

}  // namespace
}  // namespace seerdb::testing
