// The `seerdb` command line tool. A page for each command: docs/cli/.
#include "cli.h"
#include "output.h"
#include "seerdb/version.h"

namespace seerdb::cli {
namespace {

int Run(int argc, char** argv) {
  CLI::App app("Loads, reads, checks and shows seerdb databases.", "seerdb");
  app.set_version_flag("--version", std::string("seerdb ") + VersionString());
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 done, 1 a key was not found (get) or a check is degraded (health), 2 wrong use, 3 "
      "error,\n"
      "4 a check is unhealthy (health).\n"
      "`seerdb COMMAND --help` explains one command.");
  int exit_code = kExitOk;
  AddLoadCommand(&app, &exit_code);
  AddGetCommand(&app, &exit_code);
  AddPutCommand(&app, &exit_code);
  AddMergeCommand(&app, &exit_code);
  AddDeleteCommand(&app, &exit_code);
  AddScanCommand(&app, &exit_code);
  AddKeyspaceCommand(&app, &exit_code);
  AddStatsCommand(&app, &exit_code);
  AddHealthCommand(&app, &exit_code);
  AddVerifyCommand(&app, &exit_code);
  AddRepairCommand(&app, &exit_code);
  AddCompactCommand(&app, &exit_code);
  AddTreeCommand(&app, &exit_code);
  AddDumpCommand(&app, &exit_code);
  AddConfigCommand(&app, &exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help, --version
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    return UsageError(error.what());
  }
  return exit_code;
}

}  // namespace
}  // namespace seerdb::cli

int main(int argc, char** argv) {
  try {
    return seerdb::cli::Run(argc, argv);
  } catch (const std::bad_alloc&) {
    seerdb::cli::PrintError("seerdb: out of memory\n");
    return seerdb::cli::kExitError;
  }
}
