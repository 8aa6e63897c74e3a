// seerdb compact: moves a range of entries to the last level. Page: docs/cli/compact.md.
#include <optional>

#include "base/status_macros.h"
#include "byte_text.h"
#include "cli.h"
#include "key_arguments.h"
#include "level_picture.h"
#include "output.h"

namespace seerdb::cli {
namespace {

struct CompactArguments {
  DatabaseArguments database;
  std::string start;
  std::string end;
  bool hex = false;
};

Result<int> CompactDatabase(const CompactArguments& arguments, DB* db) {
  const auto bound = [](const std::string& key) {
    return key.empty() ? std::nullopt : std::optional<Slice>(key);
  };
  const DBStats before = db->Stats();
  SEERDB_RETURN_IF_ERROR(db->CompactRange(bound(arguments.start), bound(arguments.end)));
  const DBStats after = db->Stats();
  Print("compacted " + std::to_string(before.total_sstables) + " tables of " +
        HumanBytes(before.total_disk_bytes) + " to " + std::to_string(after.total_sstables) + " tables of " +
        HumanBytes(after.total_disk_bytes) + "\n");
  Print(LevelPicture(after));
  return int{kExitOk};
}

int RunCompact(CompactArguments* arguments) {
  const Status status = DecodeArguments(arguments->hex, {&arguments->start, &arguments->end});
  if (!status.ok()) return UsageError("compact: " + std::string(status.message()));
  return WithDatabase(arguments->database, MayCreate::kNo,
                      [&](DB* db) { return CompactDatabase(*arguments, db); });
}

}  // namespace

void AddCompactCommand(CLI::App* app, int* exit_code) {
  auto arguments = std::make_shared<CompactArguments>();
  CLI::App* command = app->add_subcommand("compact", "Move entries to the last level, dropping what is dead");
  AddDatabaseOptions(command, &arguments->database);
  command->add_option("--start", arguments->start, "First key of the range; without it, the first of all");
  command->add_option("--end", arguments->end,
                      "Last key of the range, inclusive; without it, the last of all");
  command->add_flag("--hex", arguments->hex, "The keys are given in hexadecimal");
  command->final_callback([=] { *exit_code = RunCompact(arguments.get()); });
}

}  // namespace seerdb::cli
