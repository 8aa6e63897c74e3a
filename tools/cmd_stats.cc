// seerdb stats: prints a database's counters and shape. Page: docs/cli/stats.md.
#include <nlohmann/json.hpp>

#include "base/status_macros.h"
#include "cli.h"
#include "output.h"

namespace seerdb::cli {
namespace {

struct StatsArguments {
  DatabaseArguments database;
  bool json = false;
};

std::string StatsAsJson(const DBStats& stats) {
  nlohmann::ordered_json json;
#define SEERDB_COUNTER_TO_JSON(name, help) json[#name] = stats.name;
  SEERDB_COUNTER_LIST(SEERDB_COUNTER_TO_JSON)
#undef SEERDB_COUNTER_TO_JSON
  json["memtable_size_bytes"] = stats.memtable_size_bytes;
  json["memtable_capacity_bytes"] = stats.memtable_capacity_bytes;
  json["memtable_entries"] = stats.memtable_entries;
  json["immutable_memtables"] = stats.immutable_memtables;
  json["wal_size_bytes"] = stats.wal_size_bytes;
  json["total_disk_bytes"] = stats.total_disk_bytes;
  json["block_cache_size"] = stats.block_cache_size;
  json["block_cache_capacity"] = stats.block_cache_capacity;
  json["total_sstables"] = stats.total_sstables;
  json["last_sequence"] = stats.last_sequence;
  json["live_snapshots"] = stats.live_snapshots;
  json["uptime_us"] = stats.uptime_us;
  json["write_amplification"] = stats.write_amplification;
  json["levels"] = nlohmann::ordered_json::array();
  for (const LevelStats& level : stats.levels) {
    json["levels"].push_back({{"runs", level.runs},
                              {"files", level.files},
                              {"bytes", level.bytes},
                              {"entries", level.entries},
                              {"tombstones", level.tombstones}});
  }
  return json.dump(2) + "\n";
}

}  // namespace

void AddStatsCommand(CLI::App* app, int* exit_code) {
  auto arguments = std::make_shared<StatsArguments>();
  CLI::App* command = app->add_subcommand("stats", "Print counters and shape of the database");
  AddDatabaseOptions(command, &arguments->database);
  command->add_flag("--json", arguments->json, "Print one JSON object");
  command->final_callback([=] {
    *exit_code = WithDatabase(arguments->database, MayCreate::kNo, [&](DB* db) -> Result<int> {
      const DBStats stats = db->Stats();
      Print(arguments->json ? StatsAsJson(stats) : stats.ToString());
      return int{kExitOk};
    });
  });
}

}  // namespace seerdb::cli
