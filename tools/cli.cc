#include "cli.h"

#include <cstdio>
#include <utility>

#include "compression_name.h"
#include "output.h"

namespace seerdb::cli {
namespace {

SyncPolicy ParseSyncPolicy(const std::string& name) {
  if (name == "none") return SyncPolicy::kNone;
  if (name == "barrier") return SyncPolicy::kBarrier;
  if (name == "all") return SyncPolicy::kSyncAll;
  return SyncPolicy::kSyncData;
}

TableAccess ParseTableAccess(const std::string& name) {
  if (name == "mapped") return TableAccess::kMapped;
  if (name == "pread") return TableAccess::kPread;
  return TableAccess::kAuto;
}

RecoveryMode ParseRecoveryMode(const std::string& name) {
  if (name == "absolute") return RecoveryMode::kAbsoluteConsistency;
  if (name == "point-in-time") return RecoveryMode::kPointInTime;
  if (name == "salvage") return RecoveryMode::kSalvage;
  return RecoveryMode::kTolerateTornTail;
}

}  // namespace

void AddDatabaseOptions(CLI::App* command, DatabaseArguments* arguments) {
  const std::string group = "Database";
  command->add_option("--db", arguments->directory, "Directory of the database")
      ->envname("SEERDB_DB")
      ->required()
      ->group(group);
  command->add_option("--sync-policy", arguments->sync_policy, "What an acknowledged write survives")
      ->check(CLI::IsMember({"none", "barrier", "data", "all"}))
      ->capture_default_str()
      ->group(group);
  command->add_option("--compression", arguments->compression, "Compression of tables written")
      ->check(CLI::IsMember({"none", "lz4", "zstd"}))
      ->capture_default_str()
      ->group(group);
  command->add_option("--table-access", arguments->table_access, "How tables are read")
      ->check(CLI::IsMember({"auto", "mapped", "pread"}))
      ->capture_default_str()
      ->group(group);
  command->add_option("--recovery-mode", arguments->recovery_mode, "What is done with a damaged log")
      ->check(CLI::IsMember({"tolerate", "absolute", "point-in-time", "salvage"}))
      ->capture_default_str()
      ->group(group);
  command->add_flag("--no-create", arguments->no_create, "Fail if the database does not exist")->group(group);
}

Options OptionsOf(const DatabaseArguments& arguments) {
  Options options;
  options.wal_sync_policy = ParseSyncPolicy(arguments.sync_policy);
  options.compression = ParseCompression(arguments.compression);
  options.table_access = ParseTableAccess(arguments.table_access);
  options.recovery_mode = ParseRecoveryMode(arguments.recovery_mode);
  return options;
}

Result<std::unique_ptr<DB>> OpenDatabase(const DatabaseArguments& arguments, MayCreate may_create) {
  Options options = OptionsOf(arguments);
  options.create_if_missing = may_create == MayCreate::kYes && !arguments.no_create;
  return DB::Open(options, arguments.directory);
}

int Fail(const Status& status) {
  // Output first, so that on a terminal what was readable stands above the error.
  FlushOutput().IgnoreError("the first error is the one to show");
  PrintError("seerdb: " + status.ToString() + "\n");
  return kExitError;
}

int UsageError(const std::string& message) {
  PrintError("seerdb: " + message + "\n");
  return kExitUsage;
}

int WithDatabase(const DatabaseArguments& arguments, MayCreate may_create,
                 const std::function<Result<int>(DB* db)>& body) {
  auto db = OpenDatabase(arguments, may_create);
  if (!db.ok()) return Fail(db.status());
  const Result<int> outcome = body(db->get());
  const Status closed = (*db)->Close();
  if (!outcome.ok()) return Fail(outcome.status());
  if (!closed.ok()) return Fail(closed);
  if (Status status = FlushOutput(); !status.ok()) return Fail(status);
  return *outcome;
}

}  // namespace seerdb::cli
