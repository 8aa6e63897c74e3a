#include "seerdb/prometheus.h"

#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>
#include <sstream>

namespace seerdb {
namespace {

struct Family {
  std::string type;
  std::map<std::string, double> samples;  // by what follows the family's name: suffix and labels
};

// Reads the text as a scraper would, line by line; whatever is not in the format fails the test.
std::map<std::string, Family> Parse(const std::string& text) {
  static const std::regex kHelp("# HELP ([a-z_][a-z0-9_]*) (\\S.*)");
  static const std::regex kType("# TYPE ([a-z_][a-z0-9_]*) (counter|gauge|summary)");
  static const std::regex kSample("([a-z_][a-z0-9_]*)(\\{[a-z]+=\"[^\"\\\\]*\"\\})? ([0-9.e+-]+)");
  std::map<std::string, Family> families;
  std::string name;
  std::set<std::string> helped;
  EXPECT_TRUE(text.ends_with("\n"));
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    std::smatch match;
    if (std::regex_match(line, match, kHelp)) {
      name = match[1];
      EXPECT_TRUE(helped.insert(name).second) << "HELP twice: " << name;
    } else if (std::regex_match(line, match, kType)) {
      EXPECT_EQ(match[1], name) << "TYPE does not follow its HELP";
      EXPECT_TRUE(families.emplace(name, Family{match[2], {}}).second) << "TYPE twice: " << name;
    } else if (std::regex_match(line, match, kSample)) {
      const std::string sample = match[1];
      if (!sample.starts_with(name) || !families.contains(name)) {
        ADD_FAILURE() << "outside of its family: " << line;
        continue;
      }
      const std::string suffix = sample.substr(name.size());
      EXPECT_TRUE(suffix.empty() ||
                  (families[name].type == "summary" && (suffix == "_sum" || suffix == "_count")))
          << line;
      EXPECT_TRUE(families[name].samples.emplace(suffix + match[2].str(), std::stod(match[3])).second)
          << "twice: " << line;
    } else {
      ADD_FAILURE() << "not in the format: " << line;
    }
  }
  return families;
}

// "total_puts" -> "puts", "write_stall_us" -> "write_stall_seconds".
std::string Exposed(std::string name) {
  if (name.starts_with("total_")) name.erase(0, 6);
  if (name.ends_with("_us")) name.replace(name.size() - 3, 3, "_seconds");
  return "seerdb_" + name;
}

DBStats NumberedStats() {
  DBStats stats;
  uint64_t next = 1;
#define SEERDB_NUMBER(name, help) stats.name = next++;
  SEERDB_COUNTER_LIST(SEERDB_NUMBER)
#undef SEERDB_NUMBER
#define SEERDB_NUMBER(type, name, help) stats.name = static_cast<type>(next++);
  SEERDB_GAUGE_LIST(SEERDB_NUMBER)
#undef SEERDB_NUMBER
#define SEERDB_NUMBER(name, help)                                                \
  stats.name = {next, 2e6, 1e6 * static_cast<double>(next), 3e6, 4e6, 5e6, 6e6}; \
  ++next;
  SEERDB_LATENCY_LIST(SEERDB_NUMBER)
#undef SEERDB_NUMBER
  stats.levels = {{1, 2, 3, 4, 5}, {6, 7, 8, 9, 10}};
  stats.recovery.records_replayed = 77;
  return stats;
}

TEST(Prometheus, HoldsEveryNumberInTheFormat) {
  const DBStats stats = NumberedStats();
  const HealthStatus health{false,
                            {{"wal_size", CheckStatus::kHealthy, "text \"is\" not exposed"},
                             {"write_stall", CheckStatus::kDegraded, ""},
                             {"worker_errors", CheckStatus::kUnhealthy, ""}}};
  std::map<std::string, Family> families = Parse(PrometheusText(stats, health));
  const auto take = [&](const std::string& name, const std::string& type) {
    EXPECT_TRUE(families.contains(name)) << name;
    const Family family = families[name];
    EXPECT_EQ(family.type, type) << name;
    families.erase(name);
    return family.samples;
  };
  const auto scale = [](const std::string& name) { return name.ends_with("_us") ? 1e6 : 1.0; };
#define SEERDB_EXPECT(name, help)                       \
  EXPECT_EQ(take(Exposed(#name) + "_total", "counter"), \
            (std::map<std::string, double>{{"", static_cast<double>(stats.name) / scale(#name)}}));
  SEERDB_COUNTER_LIST(SEERDB_EXPECT)
#undef SEERDB_EXPECT
#define SEERDB_EXPECT(type, name, help)                                               \
  EXPECT_EQ(take(std::string(#name) == "total_disk_bytes" ? "seerdb_total_disk_bytes" \
                 : std::string(#name) == "total_sstables" ? "seerdb_total_sstables"   \
                                                          : Exposed(#name),           \
                 "gauge"),                                                            \
            (std::map<std::string, double>{{"", static_cast<double>(stats.name) / scale(#name)}}));
  SEERDB_GAUGE_LIST(SEERDB_EXPECT)
#undef SEERDB_EXPECT
#define SEERDB_EXPECT(name, help)                                                               \
  EXPECT_EQ(take(std::string("seerdb_") + #name + "_seconds", "summary"),                       \
            (std::map<std::string, double>{{"{quantile=\"0.5\"}", stats.name.p50_us / 1e6},     \
                                           {"{quantile=\"0.95\"}", 3},                          \
                                           {"{quantile=\"0.99\"}", 4},                          \
                                           {"{quantile=\"0.999\"}", 5},                         \
                                           {"_sum", 2 * static_cast<double>(stats.name.count)}, \
                                           {"_count", static_cast<double>(stats.name.count)}}));
  SEERDB_LATENCY_LIST(SEERDB_EXPECT)
#undef SEERDB_EXPECT
  const char* per_level[] = {"runs", "files", "bytes", "entries", "tombstones"};
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(take(std::string("seerdb_level_") + per_level[i], "gauge"),
              (std::map<std::string, double>{{"{level=\"0\"}", 1 + i}, {"{level=\"1\"}", 6 + i}}));
  }
  EXPECT_EQ(take("seerdb_recovery_records_replayed", "gauge")[""], 77);
  EXPECT_EQ(take("seerdb_recovery_losses", "gauge")[""], 0);
  EXPECT_EQ(
      take("seerdb_health", "gauge"),
      (std::map<std::string, double>{
          {"{check=\"wal_size\"}", 0}, {"{check=\"write_stall\"}", 1}, {"{check=\"worker_errors\"}", 2}}));
  EXPECT_TRUE(families.empty()) << "not expected: " << families.begin()->first;
}

TEST(Prometheus, LargeNumbersKeepTheirDigits) {
  DBStats stats;
  stats.wal_bytes_written = 12'345'678'901'234'567u;
  EXPECT_NE(PrometheusText(stats, {}).find("\nseerdb_wal_bytes_written_total 12345678901234567\n"),
            std::string::npos);
}

}  // namespace
}  // namespace seerdb
