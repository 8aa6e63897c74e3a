// Real processes, real files, real kills: what was acknowledged is there, nothing else is, nothing is halved.
// SEERDB_KILLS sets the number of kills of each test, SEERDB_SEED repeats the aims, not the machine's timing.
#include "env/memory_file_system.h"
#include "tests/kill/kill_aims.h"
#include "tests/kill/kill_table.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

// From this many kills on, every state must have been hit.
constexpr uint64_t kKillsForCoverage = 200;

void ExpectEveryState(const KillTable& table) {
  if (table.kills() < kKillsForCoverage) return;
  for (const RunState state : {RunState::kRecovery, RunState::kFlush, RunState::kCompaction,
                               RunState::kRotation, RunState::kManifest}) {
    EXPECT_GT(table.in(state), 0u) << "no kill during " << kRunStateNames[static_cast<size_t>(state)];
  }
}

// Opens what is left and checks it; what is found is the least from then on. "" or what is wrong.
std::string CheckAfterKill(const std::string& path, size_t setup, KillKnowledge* known, bool close) {
  auto opened = DB::Open(KillOptions(KillSetups()[setup]), path);
  if (!opened.ok()) return "open: " + opened.status().ToString();
  std::vector<uint64_t> last;
  const std::string wrong = CheckUnits(**opened, known->bounds, &last);
  if (!wrong.empty()) return wrong;
  known->bounds.least = known->bounds.most = last;
  if (!close) return "";
  const Status closed = (*opened)->Close();
  return closed.ok() ? "" : "close: " + closed.ToString();
}

TEST(Kill, AcknowledgedWritesSurviveTheProcess) {
  Random random(TestSeed());
  const uint64_t kills = Kills(544);
  KillTable table;
  for (uint64_t directory_number = 0; table.kills() < kills; ++directory_number) {
    const size_t setup = directory_number % KillSetups().size();
    TempDirectory directory;
    const std::string path = directory.path() + "/db";
    KillKnowledge known;
    for (uint64_t life = 0; life < kLivesOfADirectory && table.kills() < kills; ++life) {
      SCOPED_TRACE("setup " + KillSetups()[setup].name + ", life " + std::to_string(life));
      const KillOutcome outcome = RunAndKill(path, setup, RandomAim(&random), {}, &known);
      table.Add(setup, outcome);
      ASSERT_EQ(outcome.error, "") << KeepDirectory(path);
      if (random.OneIn(3)) continue;  // killed again before anybody else looked
      ASSERT_EQ(CheckAfterKill(path, setup, &known, random.OneIn(2)), "") << KeepDirectory(path);
      table.AddOpened(setup);
    }
    ASSERT_EQ(CheckAfterKill(path, setup, &known, true), "") << KeepDirectory(path);
    table.AddOpened(setup);
  }
  table.Print("SIGKILL; what a thread was in; opened: and found right");
  std::printf("kills: %llu, of which flush %llu, compaction %llu, rotation %llu\n",
              static_cast<unsigned long long>(table.kills()),
              static_cast<unsigned long long>(table.in(RunState::kFlush)),
              static_cast<unsigned long long>(table.in(RunState::kCompaction)),
              static_cast<unsigned long long>(table.in(RunState::kRotation)));
  ExpectEveryState(table);
}

// The oracle: writes units 1 .. 40 of each writer, and asks about states that differ from that in one thing.
class KillOracle : public ::testing::Test {
 protected:
  void SetUp() override {
    options_ = KillOptions(KillSetups()[0]);
    options_.file_system = std::make_shared<MemoryFileSystem>();
    db_ = OpenOrFail(options_, "/db");
    ASSERT_TRUE(db_);
    for (int w = 0; w < kKillWriters; ++w) {
      for (uint64_t unit = 1; unit <= 40; ++unit) ASSERT_OK(WriteUnit(*db_, w, unit));
    }
    bounds_.least = bounds_.most = std::vector<uint64_t>(kKillWriters, 40);
  }
  std::string Check() {
    std::vector<uint64_t> last;
    return CheckUnits(*db_, bounds_, &last);
  }

  Options options_;
  std::unique_ptr<DB> db_;
  UnitBounds bounds_;
};

TEST_F(KillOracle, AcceptsWhatIsRight) {
  EXPECT_EQ(Check(), "");
  bounds_.most[2] = 41;
  EXPECT_EQ(Check(), "");
  ASSERT_OK(WriteUnit(*db_, 2, 41));
  EXPECT_EQ(Check(), "");
}

TEST_F(KillOracle, NoticesWhatIsLost) {
  bounds_.least[1] = bounds_.most[1] = 41;
  EXPECT_NE(Check().find("are gone"), std::string::npos) << Check();
}

TEST_F(KillOracle, NoticesWhatNobodyWrote) {
  ASSERT_OK(WriteUnit(*db_, 3, 41));
  EXPECT_NE(Check().find("only 40 were submitted"), std::string::npos) << Check();
  bounds_.most[3] = 41;
  ASSERT_OK(db_->Put("stranger", ""));
  EXPECT_NE(Check().find("never written"), std::string::npos) << Check();
}

TEST_F(KillOracle, NoticesHalfABatchAndAGap) {
  bounds_.most[0] = 60;
  ASSERT_OK(WriteUnit(*db_, 0, 42));  // without 41
  EXPECT_NE(Check(), "");
  ASSERT_OK(WriteUnit(*db_, 0, 41));
  ASSERT_OK(WriteUnit(*db_, 0, 42));
  EXPECT_EQ(Check(), "");
  // Of the next batch only the counter.
  ASSERT_OK(db_->Put("counter/0", "0/43/"));
  EXPECT_NE(Check(), "");
}

}  // namespace
}  // namespace seerdb::testing
