// seerdb verify: reads every block of every table and checks it. Page: docs/cli/verify.md.
#include "base/status_macros.h"
#include "cli.h"
#include "output.h"
#include "progress.h"

namespace seerdb::cli {
namespace {

Result<int> VerifyDatabase(DB* db) {
  const auto clock = SystemClock();
  const uint64_t start_us = clock->NowMicros();
  SEERDB_ASSIGN_OR_RETURN(const VerifyResult result, db->Verify());
  const auto seconds = static_cast<double>(clock->NowMicros() - start_us) / 1e6;
  Print("verified " + RateLine(result.blocks_verified, "blocks", result.sstable_bytes_verified, seconds) +
        "\n");
  const auto line = [](const char* name, uint64_t value) {
    Print(std::string(name) + " " + std::to_string(value) + "\n");
  };
  line("sstables_verified", result.sstables_verified);
  line("blocks_verified", result.blocks_verified);
  line("sstable_bytes_verified", result.sstable_bytes_verified);
  line("vlog_verified", result.vlog_verified);
  line("vlog_records_verified", result.vlog_records_verified);
  line("vlog_bytes_verified", result.vlog_bytes_verified);
  return int{kExitOk};
}

}  // namespace

void AddVerifyCommand(CLI::App* app, int* exit_code) {
  auto arguments = std::make_shared<DatabaseArguments>();
  CLI::App* command = app->add_subcommand("verify", "Check every checksum of every table");
  AddDatabaseOptions(command, arguments.get());
  command->final_callback([=] { *exit_code = WithDatabase(*arguments, MayCreate::kNo, VerifyDatabase); });
}

}  // namespace seerdb::cli
