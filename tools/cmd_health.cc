// seerdb health: says whether a database is well. Page: docs/cli/health.md.
#include "cli.h"
#include "output.h"

namespace seerdb::cli {
namespace {

int ExitCodeOf(CheckStatus worst) {
  switch (worst) {
    case CheckStatus::kHealthy:
      return kExitOk;
    case CheckStatus::kDegraded:
      return kExitDegraded;
    case CheckStatus::kUnhealthy:
      return kExitUnhealthy;
  }
  return kExitUnhealthy;
}

}  // namespace

void AddHealthCommand(CLI::App* app, int* exit_code) {
  auto arguments = std::make_shared<DatabaseArguments>();
  CLI::App* command = app->add_subcommand("health", "Print each check of health; the exit code is the worst");
  AddDatabaseOptions(command, arguments.get());
  command->final_callback([=] {
    *exit_code = WithDatabase(*arguments, MayCreate::kNo, [](DB* db) -> Result<int> {
      const HealthStatus health = db->Health();
      Print(health.ToString());
      return ExitCodeOf(health.worst());
    });
  });
}

}  // namespace seerdb::cli
