// seerdb repair: makes a damaged database open again. Page: docs/cli/repair.md.
#include "cli.h"
#include "output.h"

namespace seerdb::cli {
namespace {

int RunRepair(const DatabaseArguments& arguments) {
  const Result<RepairReport> report = DB::Repair(OptionsOf(arguments), arguments.directory);
  if (!report.ok()) return Fail(report.status());
  Print(report->ToString());
  if (!report->moved.empty()) {
    Print("moved " + std::to_string(report->moved.size()) + " files to " + arguments.directory + "/lost\n");
  }
  if (Status status = FlushOutput(); !status.ok()) return Fail(status);
  return kExitOk;
}

}  // namespace

void AddRepairCommand(CLI::App* app, int* exit_code) {
  auto arguments = std::make_shared<DatabaseArguments>();
  CLI::App* command = app->add_subcommand("repair", "Make a damaged database open again");
  AddDatabaseOptions(command, arguments.get());
  command->final_callback([=] { *exit_code = RunRepair(*arguments); });
}

}  // namespace seerdb::cli
