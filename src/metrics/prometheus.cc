#include "seerdb/prometheus.h"

#include <cinttypes>
#include <cstdio>

#include "base/mutant.h"
#include "base/units.h"

namespace seerdb {
namespace {

bool TakeSuffix(std::string* text, Slice suffix) {
  if (!Slice(*text).ends_with(suffix)) return false;
  text->resize(text->size() - suffix.size());
  return true;
}

std::string Number(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.9g", value);
  return text;
}
std::string Number(uint64_t value) { return std::to_string(value); }

// One name with its samples, in the order of the format: HELP, TYPE, then the values.
class Exposition {
 public:
  void Begin(const std::string& name, const char* type, Slice help) {
    name_ = name;
    out_ += "# HELP " + name + " ";
    out_ += help;
    out_ += "\n# TYPE " + name + " " + type + "\n";
  }
  // `labels` with braces, or empty.
  void Sample(const std::string& labels, const std::string& value) { SampleOf("", labels, value); }
  void SampleOf(const char* suffix, const std::string& labels, const std::string& value) {
    out_ += name_ + suffix + labels + " " + value + "\n";
  }

  void AddCounter(std::string name, Slice help, uint64_t value) {
    if (name.starts_with("total_")) name.erase(0, 6);
    const bool time = TakeSuffix(&name, "_us");
    Begin("seerdb_" + name + (time ? "_seconds" : "") + "_total", "counter", help);
    Sample("", time ? Number(static_cast<double>(value) / kMicrosPerSecond) : Number(value));
  }
  template <typename T>
  void AddGauge(std::string name, Slice help, T value) {
    if (TakeSuffix(&name, "_us")) {
      Begin("seerdb_" + name + "_seconds", "gauge", help);
      Sample("", Number(static_cast<double>(value) / kMicrosPerSecond));
    } else {
      Begin("seerdb_" + name, "gauge", help);
      Sample("", Number(value));
    }
  }
  void AddLatency(const std::string& name, Slice help, const LatencySummary& latency) {
    Begin("seerdb_" + name + "_seconds", "summary", help);
    const auto quantile = [&](const char* label, double us) {
      Sample(std::string("{quantile=\"") + label + "\"}", Number(us / kMicrosPerSecond));
    };
    quantile("0.5", latency.p50_us);
    quantile("0.95", latency.p95_us);
    quantile("0.99", latency.p99_us);
    quantile("0.999", latency.p999_us);
    SampleOf("_sum", "", Number(latency.mean_us * static_cast<double>(latency.count) / kMicrosPerSecond));
    SampleOf("_count", "", Number(latency.count));
  }
  template <typename Value>
  void AddPerLevel(const char* name, Slice help, const std::vector<LevelStats>& levels, Value value) {
    Begin(std::string("seerdb_level_") + name, "gauge", help);
    for (size_t i = 0; i < levels.size(); ++i) {
      Sample("{level=\"" + std::to_string(i) + "\"}", std::to_string(value(levels[i])));
    }
  }

  std::string Take() { return std::move(out_); }

 private:
  std::string out_;
  std::string name_;
};

}  // namespace

std::string PrometheusText(const DBStats& stats, const HealthStatus& health) {
  Exposition out;
#define SEERDB_EXPOSE_COUNTER(name, help) out.AddCounter(#name, help, stats.name);
  SEERDB_COUNTER_LIST(SEERDB_EXPOSE_COUNTER)
#undef SEERDB_EXPOSE_COUNTER
#define SEERDB_EXPOSE_GAUGE(type, name, help) out.AddGauge(#name, help, stats.name);
  SEERDB_GAUGE_LIST(SEERDB_EXPOSE_GAUGE)
#undef SEERDB_EXPOSE_GAUGE
#define SEERDB_EXPOSE_LATENCY(name, help) out.AddLatency(#name, help, stats.name);
  SEERDB_LATENCY_LIST(SEERDB_EXPOSE_LATENCY)
#undef SEERDB_EXPOSE_LATENCY
  const std::vector<LevelStats>& levels = stats.levels;
  out.AddPerLevel("runs", "sorted runs of the level", levels, [](const LevelStats& l) { return l.runs; });
  out.AddPerLevel("files", "tables of the level", levels, [](const LevelStats& l) { return l.files; });
  out.AddPerLevel("bytes", "bytes of the level's tables", levels,
                  [](const LevelStats& l) { return l.bytes; });
  out.AddPerLevel("entries", "entries of the level", levels, [](const LevelStats& l) { return l.entries; });
  out.AddPerLevel("tombstones", "tombstones of the level", levels,
                  [](const LevelStats& l) { return l.tombstones; });
  out.AddGauge("recovery_records_replayed", "records of the log that the open replayed",
               stats.recovery.records_replayed);
  out.AddGauge("recovery_losses", "places in the log whose records the open did not apply",
               uint64_t{stats.recovery.losses.size()});
  out.Begin("seerdb_health", "gauge", "checks of health: 0 healthy, 1 degraded, 2 unhealthy");
  for (const HealthCheck& check : health.checks) {
    const int status = SEERDB_MUTANT("prometheus-hides-degraded") ? 0 : static_cast<int>(check.status);
    out.Sample("{check=\"" + check.name + "\"}", std::to_string(status));
  }
  return out.Take();
}

}  // namespace seerdb
