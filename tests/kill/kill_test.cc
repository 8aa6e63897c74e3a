// Real processes, real files, real kills: what was acknowledged is there, nothing else is, nothing is halved.
// SEERDB_KILLS sets the number of kills of each test, SEERDB_SEED repeats the aims, not the machine's timing.
#include "base/random.h"
#include "tests/kill/kill_life.h"
#include "tests/kill/kill_table.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

constexpr uint64_t kLivesOfADirectory = 12;
// From this many kills on, every state must have been hit.
constexpr uint64_t kKillsForCoverage = 200;

uint64_t Kills(uint64_t by_default) {
  return EnvNumber("SEERDB_KILLS", kSanitized ? by_default / 10 : LongRun() ? by_default * 5 : by_default);
}

// Half of the kills come at any moment, the others when something begins.
KillAim RandomAim(Random* random) {
  KillAim aim;
  aim.after_acknowledged = random->Uniform(300);
  aim.linger_us = random->Uniform(2'000);
  switch (random->Uniform(10)) {
    case 0:
      aim = {0, RunState::kRecovery, random->Uniform(15'000)};
      break;
    case 1:
      aim = {aim.after_acknowledged, RunState::kFlush, random->Uniform(3'000)};
      break;
    case 2:
      aim = {aim.after_acknowledged, RunState::kCompaction, random->Uniform(6'000)};
      break;
    case 3:
      aim = {aim.after_acknowledged, RunState::kRotation, random->Uniform(300)};
      break;
    case 4:
      aim = {aim.after_acknowledged, RunState::kManifest, random->Uniform(300)};
      break;
    default:
      break;
  }
  return aim;
}

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
  const uint64_t kills = Kills(520);
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
      ASSERT_EQ(outcome.error, "");
      if (random.OneIn(3)) continue;  // killed again before anybody else looked
      ASSERT_EQ(CheckAfterKill(path, setup, &known, random.OneIn(2)), "");
      table.AddOpened(setup);
    }
    ASSERT_EQ(CheckAfterKill(path, setup, &known, true), "");
    table.AddOpened(setup);
  }
  table.Print("SIGKILL, and opened again");
  ExpectEveryState(table);
}

}  // namespace
}  // namespace seerdb::testing
