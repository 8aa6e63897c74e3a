#include "tests/kill/kill_aims.h"

#include "tests/support/test_support.h"

namespace seerdb::testing {

uint64_t Kills(uint64_t by_default) {
  return EnvNumber("SEERDB_KILLS", kSanitized ? by_default / 10 : LongRun() ? by_default * 5 : by_default);
}

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

}  // namespace seerdb::testing
