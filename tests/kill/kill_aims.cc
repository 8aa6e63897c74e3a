#include "tests/kill/kill_aims.h"

#include <filesystem>

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
      aim = {0, RunState::kRecovery, random->Uniform(uint64_t{1} << (4 + random->Uniform(11)))};
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

std::string KeepDirectory(const std::string& path) {
  const std::filesystem::path kept =
      std::filesystem::temp_directory_path() / ("seerdb_failed_" + std::to_string(SystemSeed()));
  std::error_code error;
  std::filesystem::copy(path, kept, std::filesystem::copy_options::recursive, error);
  return error ? "the directory could not be kept: " + error.message()
               : "the directory is kept: " + kept.string();
}

}  // namespace seerdb::testing
