// What every command of the `seerdb` tool shares: exit codes, how a database is named and opened, and how
// an error is shown.
//
// Thread safety: the tool runs on one thread; nothing here may be called concurrently.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>

#include "seerdb/db.h"

namespace seerdb::cli {

enum ExitCode : int {
  kExitOk = 0,
  kExitNotFound = 1,  // get: a key has no value
  kExitDegraded = 1,  // health: a check is degraded, none unhealthy
  kExitUsage = 2,     // the command line is wrong; nothing was done
  kExitError = 3,     // the message on stderr says what failed
  kExitUnhealthy = 4,
};

// The options that say which database to open and how. Text is kept as given and checked by the parser.
struct DatabaseArguments {
  std::string directory;
  std::string sync_policy = "data";
  std::string compression = "none";
  std::string table_access = "auto";
  std::string recovery_mode = "tolerate";
  bool no_create = false;
};

enum class MayCreate : bool { kNo, kYes };

void AddDatabaseOptions(CLI::App* command, DatabaseArguments* arguments);
// The options that the arguments name.
Options OptionsOf(const DatabaseArguments& arguments);
// Opens the database; a missing one is created only with MayCreate::kYes and without --no-create.
Result<std::unique_ptr<DB>> OpenDatabase(const DatabaseArguments& arguments, MayCreate may_create);

// Print "seerdb: <status>" to stderr and return the exit code.
int Fail(const Status& status);
int UsageError(const std::string& message);

// Opens the database, runs `body` on it and closes it. The first error of the three is shown, and makes the
// exit code kExitError; otherwise the code is what `body` returned.
int WithDatabase(const DatabaseArguments& arguments, MayCreate may_create,
                 const std::function<Result<int>(DB* db)>& body);

// Each adds one subcommand to `app`; running it stores its exit code in `exit_code`.
void AddLoadCommand(CLI::App* app, int* exit_code);
void AddGetCommand(CLI::App* app, int* exit_code);
void AddPutCommand(CLI::App* app, int* exit_code);
void AddMergeCommand(CLI::App* app, int* exit_code);
void AddDeleteCommand(CLI::App* app, int* exit_code);
void AddScanCommand(CLI::App* app, int* exit_code);
void AddKeyspaceCommand(CLI::App* app, int* exit_code);
void AddStatsCommand(CLI::App* app, int* exit_code);
void AddHealthCommand(CLI::App* app, int* exit_code);
void AddVerifyCommand(CLI::App* app, int* exit_code);
void AddRepairCommand(CLI::App* app, int* exit_code);
void AddCompactCommand(CLI::App* app, int* exit_code);
void AddDumpCommand(CLI::App* app, int* exit_code);
void AddTreeCommand(CLI::App* app, int* exit_code);
void AddConfigCommand(CLI::App* app, int* exit_code);

}  // namespace seerdb::cli
