// seerdb stats: prints a database's counters, latencies and shape. Page: docs/cli/stats.md.
#include <nlohmann/json.hpp>

#include "cli.h"
#include "output.h"
#include "seerdb/prometheus.h"

namespace seerdb::cli {
namespace {

struct StatsArguments {
  DatabaseArguments database;
  std::string output = "text";
};

nlohmann::ordered_json AsJson(const LatencySummary& latency) {
  return {{"count", latency.count},   {"mean_us", latency.mean_us}, {"p50_us", latency.p50_us},
          {"p95_us", latency.p95_us}, {"p99_us", latency.p99_us},   {"p999_us", latency.p999_us},
          {"max_us", latency.max_us}};
}

nlohmann::ordered_json AsJson(const HealthStatus& health) {
  nlohmann::ordered_json json;
  for (const HealthCheck& check : health.checks) {
    json[check.name] = {{"status", CheckStatusName(check.status)}, {"message", check.message}};
  }
  return json;
}

std::string StatsAsJson(const DBStats& stats, const HealthStatus& health) {
  nlohmann::ordered_json json;
#define SEERDB_NUMBER_TO_JSON(name, help) json[#name] = stats.name;
  SEERDB_COUNTER_LIST(SEERDB_NUMBER_TO_JSON)
#undef SEERDB_NUMBER_TO_JSON
#define SEERDB_GAUGE_TO_JSON(type, name, help) json[#name] = stats.name;
  SEERDB_GAUGE_LIST(SEERDB_GAUGE_TO_JSON)
#undef SEERDB_GAUGE_TO_JSON
#define SEERDB_LATENCY_TO_JSON(name, help) json[#name] = AsJson(stats.name);
  SEERDB_LATENCY_LIST(SEERDB_LATENCY_TO_JSON)
#undef SEERDB_LATENCY_TO_JSON
  json["recovery_records_replayed"] = stats.recovery.records_replayed;
  json["recovery_losses"] = stats.recovery.losses.size();
  json["levels"] = nlohmann::ordered_json::array();
  for (const LevelStats& level : stats.levels) {
    json["levels"].push_back({{"runs", level.runs},
                              {"files", level.files},
                              {"bytes", level.bytes},
                              {"entries", level.entries},
                              {"tombstones", level.tombstones}});
  }
  json["health"] = AsJson(health);
  return json.dump(2) + "\n";
}

std::string StatsAs(const std::string& output, const DBStats& stats, const HealthStatus& health) {
  if (output == "json") return StatsAsJson(stats, health);
  if (output == "prometheus") return PrometheusText(stats, health);
  return stats.ToString() + health.ToString();
}

}  // namespace

void AddStatsCommand(CLI::App* app, int* exit_code) {
  auto arguments = std::make_shared<StatsArguments>();
  CLI::App* command = app->add_subcommand("stats", "Print counters, latencies and shape of the database");
  AddDatabaseOptions(command, &arguments->database);
  command->add_option("--output", arguments->output, "Form: text, json or prometheus")
      ->check(CLI::IsMember({"text", "json", "prometheus"}))
      ->capture_default_str();
  command->final_callback([=] {
    *exit_code = WithDatabase(arguments->database, MayCreate::kNo, [&](DB* db) -> Result<int> {
      Print(StatsAs(arguments->output, db->Stats(), db->Health()));
      return int{kExitOk};
    });
  });
}

}  // namespace seerdb::cli
