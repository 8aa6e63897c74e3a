// seerdb scan: prints or counts the entries of a range. Page: docs/cli/scan.md.
#include <optional>
#include <utility>

#include "base/status_macros.h"
#include "byte_text.h"
#include "cli.h"
#include "key_arguments.h"
#include "keyspace_argument.h"
#include "output.h"
#include "progress.h"

namespace seerdb::cli {
namespace {

struct ScanArguments {
  DatabaseArguments database;
  std::string prefix;
  std::string start;
  std::string end;
  std::string output = "text";
  std::string keyspace;
  uint64_t limit = UINT64_MAX;
  bool reverse = false;
  bool keys_only = false;
  bool hex = false;
  bool count = false;
  bool report = false;
};

seerdb::Scan BuildScan(const ScanArguments& arguments, const Keyspace& keyspace) {
  seerdb::Scan scan = keyspace.Scan();
  if (!arguments.start.empty() || !arguments.end.empty()) {
    scan = std::move(scan).Range(arguments.start, arguments.end);
  }
  if (!arguments.prefix.empty()) scan = std::move(scan).Prefix(arguments.prefix);
  if (arguments.keys_only) scan = std::move(scan).KeysOnly();
  if (arguments.reverse) scan = std::move(scan).Reverse();
  if (arguments.limit != UINT64_MAX) scan = std::move(scan).Limit(arguments.limit);
  return scan;
}

Result<int> ScanKeyspace(const ScanArguments& arguments, const Keyspace& keyspace) {
  const auto clock = SystemClock();
  const uint64_t start_us = clock->NowMicros();
  const OutputForm form = ParseOutputForm(arguments.output);
  uint64_t entries = 0;
  uint64_t bytes = 0;
  std::string line;
  auto scan = BuildScan(arguments, keyspace);
  for (const ScanEntry& entry : scan) {
    SEERDB_RETURN_IF_ERROR(entry.status());
    ++entries;
    bytes += entry.key().size() + entry.value().size();
    if (arguments.count) continue;
    line.clear();
    AppendEntryLine(&line, form, entry.key(),
                    arguments.keys_only ? std::nullopt : std::optional<Slice>(entry.value()));
    Print(line);
  }
  if (arguments.count) Print(std::to_string(entries) + "\n");
  SEERDB_RETURN_IF_ERROR(FlushOutput());
  if (arguments.report) {
    const auto seconds = static_cast<double>(clock->NowMicros() - start_us) / 1e6;
    PrintError(RateLine(entries, "entries", bytes, seconds) + "\n");
  }
  return int{kExitOk};
}

int RunScan(ScanArguments* arguments) {
  const Status status =
      DecodeArguments(arguments->hex, {&arguments->prefix, &arguments->start, &arguments->end});
  if (!status.ok()) return UsageError("scan: " + std::string(status.message()));
  return WithDatabase(arguments->database, MayCreate::kNo, [&](DB* db) -> Result<int> {
    SEERDB_ASSIGN_OR_RETURN(const Keyspace keyspace, FindKeyspace(db, arguments->keyspace));
    return ScanKeyspace(*arguments, keyspace);
  });
}

}  // namespace

void AddScanCommand(CLI::App* app, int* exit_code) {
  auto arguments = std::make_shared<ScanArguments>();
  CLI::App* command = app->add_subcommand("scan", "Print the entries of a range, in order of their keys");
  AddDatabaseOptions(command, &arguments->database);
  AddKeyspaceOptions(command, MayCreate::kNo, &arguments->keyspace);
  command->add_option("--prefix", arguments->prefix, "Only keys that begin with this");
  command->add_option("--start", arguments->start, "Only keys at or after this");
  command->add_option("--end", arguments->end, "Only keys before this");
  command->add_flag("--reverse", arguments->reverse, "From the last key to the first");
  command->add_option("--limit", arguments->limit, "At most this many entries")
      ->check(CLI::NonNegativeNumber);
  command->add_flag("--keys-only", arguments->keys_only, "Do not read or print values");
  CLI::Option* output =
      command->add_option("--output", arguments->output, "Form of the lines: text, hex, json or raw")
          ->check(CLI::IsMember({"text", "hex", "json", "raw"}))
          ->capture_default_str();
  command->add_flag("--hex", arguments->hex, "Bounds are given in hexadecimal; --output is hex by default");
  command->add_flag("--count", arguments->count, "Print only the number of entries");
  command->add_flag("--report", arguments->report, "Print number and rate of the entries to stderr");
  command->final_callback([=] {
    if (arguments->hex && output->count() == 0) arguments->output = "hex";
    *exit_code = RunScan(arguments.get());
  });
}

}  // namespace seerdb::cli
