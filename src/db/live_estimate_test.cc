#include "db/live_estimate.h"

#include <gtest/gtest.h>

#include "compaction/table_output.h"
#include "env/memory_file_system.h"
#include "format/internal_key.h"

namespace seerdb {
namespace {

using RunOf = Run;  // a test fixture has a Run of its own
constexpr uint64_t kValueBytes = 50;

std::string KeyOf(uint64_t key) {
  char text[32];  // 12 bytes
  std::snprintf(text, sizeof text, "key%09llu", static_cast<unsigned long long>(key));
  return text;
}

// A tree of real tables; each run holds every `step`-th key of [begin, end).
class LiveEstimateTest : public ::testing::Test {
 protected:
  LiveEstimateTest() { EXPECT_TRUE(fs_->CreateDirectory("/db").ok()); }

  RunOf MakeRun(uint64_t begin, uint64_t end, uint64_t step, ValueType type = ValueType::kValue) {
    TableOutputOptions options;
    options.directory = "/db";
    options.target_file_size = 1 << 20;
    options.new_file_number = [this]() -> Result<uint64_t> { return ++number_; };
    TableOutput output(*fs_, std::move(options));
    const std::string value(type == ValueType::kValue ? value_bytes_ : 0, 'v');
    for (uint64_t key = begin; key < end; key += step) {
      EXPECT_TRUE(output.Add(KeyOf(key), PackTrailer(++sequence_, type), value, true).ok());
    }
    Result<std::vector<TableMeta>> tables = output.Finish();
    EXPECT_TRUE(tables.ok());
    RunOf run;
    run.id = ++run_;
    for (TableMeta& meta : *tables) run.tables.push_back(std::make_shared<const TableMeta>(std::move(meta)));
    return run;
  }
  LiveEstimate Estimate(std::vector<RunOf> runs) {
    std::vector<Level> levels(3);
    for (RunOf& run : runs) levels[1].runs.insert(levels[1].runs.begin(), std::move(run));
    return EstimateLive(TreeView(std::make_shared<const Version>(std::move(levels)), &files_));
  }

  std::shared_ptr<MemoryFileSystem> fs_ = std::make_shared<MemoryFileSystem>();
  TableFiles files_{fs_, "/db", TableOpenOptions{}, nullptr, FileRemover::Pace::kAtOnce};
  uint64_t value_bytes_ = kValueBytes;
  uint64_t number_ = 0;
  uint64_t run_ = 0;
  SequenceNumber sequence_ = 0;
};

TEST_F(LiveEstimateTest, AnEmptyTree) {
  EXPECT_EQ(Estimate({}).keys, 0);
  EXPECT_EQ(Estimate({}).disk_bytes, 0);
}

TEST_F(LiveEstimateTest, OneRunIsExact) {
  const LiveEstimate live = Estimate({MakeRun(0, 50'000, 1)});
  EXPECT_EQ(live.keys, 50'000);
  EXPECT_EQ(live.raw_bytes, 50'000 * (12 + kValueBytes));
  EXPECT_NEAR(live.disk_bytes, live.raw_bytes, 0.1 * live.raw_bytes);
}

TEST_F(LiveEstimateTest, RunsOfDifferentKeysAddUp) {
  const LiveEstimate live = Estimate({MakeRun(0, 30'000, 1), MakeRun(30'000, 60'000, 1)});
  EXPECT_NEAR(live.keys, 60'000, 0.1 * 60'000);
}

TEST_F(LiveEstimateTest, RunsOfTheSameKeysDoNot) {
  std::vector<RunOf> runs;
  for (int i = 0; i < 4; ++i) runs.push_back(MakeRun(0, 30'000, 1));
  const LiveEstimate live = Estimate(std::move(runs));
  EXPECT_NEAR(live.keys, 30'000, 1);
  EXPECT_NEAR(live.raw_bytes, 30'000 * (12 + kValueBytes), 12 + kValueBytes);
}

// However the sketches err: 2.3 % as a rule.
TEST_F(LiveEstimateTest, WithOverwritesTheLargestRunSaysHowManyKeysThereAre) {
  for (uint64_t begin = 0; begin < 1'000'000; begin += 50'000) {
    const LiveEstimate live = Estimate({MakeRun(begin, begin + 30'000, 1), MakeRun(begin, begin + 30'000, 4),
                                        MakeRun(begin + 10'000, begin + 30'600, 3)});
    EXPECT_NEAR(live.keys, 30'200, 0.01 * 30'200);
  }
}

TEST_F(LiveEstimateTest, SmallValuesThatAreWrittenOftenSayNothingOfLargeOnes) {
  value_bytes_ = 500;
  std::vector<RunOf> runs = {MakeRun(0, 20'000, 1)};
  value_bytes_ = 10;
  for (int i = 0; i < 20; ++i) runs.push_back(MakeRun(0, 1'000, 1));
  const double want = 19'000 * (12 + 500) + 1'000 * (12 + 10);
  EXPECT_NEAR(Estimate(std::move(runs)).raw_bytes, want, 0.06 * want);
}

// The keys that nobody had before have the size of their own values.
TEST_F(LiveEstimateTest, NewKeysCountWithTheirOwnValues) {
  std::vector<RunOf> runs = {MakeRun(0, 30'000, 1)};
  value_bytes_ = 500;
  runs.push_back(MakeRun(30'000, 40'000, 1));
  const double want = 30'000 * (12 + kValueBytes) + 10'000 * (12 + 500);
  EXPECT_NEAR(Estimate(std::move(runs)).raw_bytes, want, 0.1 * want);
}

TEST_F(LiveEstimateTest, DeletedKeysAreNotLive) {
  const LiveEstimate live = Estimate({MakeRun(0, 40'000, 1), MakeRun(0, 40'000, 2, ValueType::kDeletion)});
  EXPECT_NEAR(live.keys, 20'000, 1);
  EXPECT_NEAR(live.raw_bytes, 20'000 * (12 + kValueBytes), 12 + kValueBytes) << "tombstones have no share";
}

// They would be taken for new keys if every one counted.
TEST_F(LiveEstimateTest, TablesWithoutASketchAreTakenForNewVersions) {
  std::vector<RunOf> runs = {MakeRun(0, 40'000, 1)};
  for (uint64_t i = 0; i < 500; ++i) runs.push_back(MakeRun(80 * i, 80 * i + 1, 1));
  EXPECT_NEAR(Estimate(std::move(runs)).keys, 40'000, 1);
}

TEST_F(LiveEstimateTest, ATableThatCannotBeReadIsLeftOut) {
  const RunOf lost = MakeRun(0, 10'000, 1);
  for (const TableMetaPtr& table : lost.tables) {
    char name[32];
    std::snprintf(name, sizeof name, "/db/%06llu.sst", static_cast<unsigned long long>(table->number));
    ASSERT_TRUE(fs_->DeleteFile(name).ok());
  }
  EXPECT_EQ(Estimate({lost, MakeRun(20'000, 30'000, 1)}).keys, 10'000);
}

}  // namespace
}  // namespace seerdb
