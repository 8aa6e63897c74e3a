#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "db/options_check.h"
#include "seerdb/options.h"

namespace seerdb {
namespace {

using ::testing::HasSubstr;

std::string Source(const std::string& path) {
  std::ifstream in(std::string(SEERDB_SOURCE_DIR) + "/" + path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// The names of the data members of a struct of options.h, in order.
std::vector<std::string> Fields(const std::string& of) {
  const std::string header = Source("include/seerdb/options.h");
  const size_t begin = header.find("struct SEERDB_EXPORT " + of + " {");
  std::istringstream body(header.substr(begin, header.find("\n};", begin) - begin));
  // A type, a name, perhaps a value; no parenthesis before the name but within a template's arguments.
  const std::regex field(R"(^  (?:const )?[\w:]+(?:<.*>)?[ *]+(\w+)(?: = [^;]*)?;)");
  std::vector<std::string> names;
  for (std::string line; std::getline(body, line);) {
    std::smatch match;
    if (std::regex_search(line, match, field)) names.push_back(match[1]);
  }
  return names;
}

std::vector<std::string> LineNames(const std::string& text) {
  std::vector<std::string> names;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) names.push_back(line.substr(0, line.find(' ')));
  return names;
}

TEST(OptionsText, HasEveryFieldInTheOrderOfTheHeader) {
  const std::vector<std::string> fields = Fields("Options");
  ASSERT_GE(fields.size(), 42u);
  ASSERT_EQ(fields.front(), "create_if_missing");
  ASSERT_EQ(fields.back(), "seed");
  EXPECT_EQ(LineNames(Options().ToString()), fields);
}

TEST(OptionsText, DocumentedIsEveryFieldOfTheHeader) {
  const std::string page = Source("docs/options.md");
  for (const char* of : {"Options", "ReadOptions"}) {
    const std::vector<std::string> fields = Fields(of);
    ASSERT_GE(fields.size(), 7u);
    // The row of a table begins with the name, or with several.
    for (const std::string& field : fields) {
      EXPECT_TRUE(std::regex_search(page, std::regex("\n\\|[^|]*`" + field + "`[^|]*\\|"))) << field;
    }
  }
}

std::string LineOf(const Options& options, const std::string& name) {
  const std::string text = "\n" + options.ToString();
  const size_t at = text.find("\n" + name + " ");
  if (at == std::string::npos) return "";
  return text.substr(at + 1, text.find('\n', at + 1) - at - 1);
}

TEST(OptionsText, Values) {
  struct Case {
    std::function<void(Options*)> set;
    std::string line;
  };
  const Case cases[] = {
      {[](Options*) {}, "memtable_capacity 64 MiB"},
      {[](Options* o) { o->memtable_capacity = (64 << 20) + 1; }, "memtable_capacity 67108865 B"},
      {[](Options* o) { o->memtable_capacity = 1536; }, "memtable_capacity 1536 B"},
      {[](Options* o) { o->base_level_size = uint64_t{3} << 40; }, "base_level_size 3 TiB"},
      {[](Options*) {}, "barrier_interval_us 100 ms"},
      {[](Options* o) { o->barrier_interval_us = 1'001; }, "barrier_interval_us 1001 us"},
      {[](Options*) {}, "tombstone_max_age_s 7 d"},
      {[](Options* o) { o->tombstone_max_age_s = 90; }, "tombstone_max_age_s 90 s"},
      {[](Options* o) { o->tombstone_max_age_s = 0; }, "tombstone_max_age_s 0 (never)"},
      {[](Options*) {}, "tombstone_density_trigger 0.5"},
      {[](Options*) {}, "space_amplification_target 0 (no target)"},
      {[](Options* o) { o->space_amplification_target = 1.3; }, "space_amplification_target 1.3"},
      {[](Options*) {}, "max_memory_bytes 0 (no limit)"},
      {[](Options* o) { o->max_memory_bytes = 1 << 30; }, "max_memory_bytes 1 GiB"},
      {[](Options* o) { o->compaction_bytes_per_second = 5 << 20; }, "compaction_bytes_per_second 5 MiB/s"},
      {[](Options*) {}, "max_open_files 0 (by the limit of the process)"},
      {[](Options* o) { o->max_open_files = 100; }, "max_open_files 100"},
      {[](Options* o) { o->bloom_bits_per_key = 0; }, "bloom_bits_per_key 0 (no filter)"},
      {[](Options*) {}, "prefix_filter_bytes 0 (no prefixes)"},
      {[](Options* o) { o->prefix_filter_bytes = 8; }, "prefix_filter_bytes 8"},
      {[](Options*) {}, "index_kind auto"},
      {[](Options* o) { o->index_kind = IndexKind::kRadixSpline; }, "index_kind radix_spline"},
      {[](Options*) {}, "learned_index_min_keys 2048"},
      {[](Options* o) { o->learned_index_min_keys = 0; }, "learned_index_min_keys 0 (no learned index)"},
      {[](Options*) {}, "compaction_policy lazy_leveling"},
      {[](Options*) {}, "wal_sync_policy sync_data"},
      {[](Options* o) { o->wal_sync_policy = SyncPolicy::kBarrier; }, "wal_sync_policy barrier"},
      {[](Options* o) { o->recovery_mode = RecoveryMode::kSalvage; }, "recovery_mode salvage"},
      {[](Options* o) { o->transaction_history_bytes = 1 << 20; }, "transaction_history_bytes 1 MiB"},
      {[](Options* o) { o->log_mode = LogMode::kDirect; }, "log_mode direct"},
      {[](Options* o) { o->compression = CompressionType::kZstd; }, "compression zstd"},
      {[](Options* o) { o->table_access = TableAccess::kPread; }, "table_access pread"},
      {[](Options* o) { o->metrics = false; }, "metrics false"},
      {[](Options*) {}, "logger none"},
      {[](Options* o) { o->logger = [](Slice) {}; }, "logger given"},
      {[](Options* o) { o->clock = SystemClock(); }, "clock given"},
      {[](Options* o) { o->seed = 7; }, "seed 7"},
  };
  for (const Case& c : cases) {
    Options options;
    c.set(&options);
    EXPECT_EQ(LineOf(options, c.line.substr(0, c.line.find(' '))), c.line);
  }
}

}  // namespace
}  // namespace seerdb
