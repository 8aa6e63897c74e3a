#include "tests/counted/load_bytes.h"

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <optional>
#include <string>

#include "base/random.h"
#include "env/manual_clock.h"
#include "seerdb/db.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

constexpr uint64_t kKeys = 200'000;
constexpr uint64_t kPuts = 2 * kKeys;
constexpr size_t kValueBytes = 100;

// The tree of a larger database in small: three levels below L0. A log that is written by calls, so that the
// system counts it too.
Options LoadOptions() {
  Options options;
  options.memtable_capacity = 1 << 20;
  options.base_level_size = 2 << 20;
  options.size_ratio = 4;
  options.target_file_size = 1 << 20;
  options.wal_segment_bytes = 1 << 20;
  options.log_mode = LogMode::kBuffered;
  options.wal_sync_policy = SyncPolicy::kNone;
  options.background_flush = options.background_compaction = false;
  options.clock = std::make_shared<ManualClock>();
  options.seed = 1;
  return options;
}

// Bytes that went through write calls of this process.
std::optional<uint64_t> WrittenBytes() {
  std::ifstream file("/proc/self/io");
  std::string name;
  uint64_t value = 0;
  while (file >> name >> value) {
    if (name == "wchar:") return value;
  }
  return std::nullopt;
}

void Print(const char* name, uint64_t bytes, uint64_t logical_bytes) {
  std::printf("%s %.5f\n", name, static_cast<double>(bytes) / static_cast<double>(logical_bytes));
}

}  // namespace

Status PrintLoadBytes() {
  const TempDirectory directory;
  const std::optional<uint64_t> before = WrittenBytes();
  auto opened = DB::Open(LoadOptions(), directory.path());
  if (!opened.ok()) return opened.status();
  DB& db = **opened;
  Random random(5);
  const std::string value(kValueBytes, 'v');
  for (uint64_t i = 0; i < kPuts; ++i) {
    char key[20];
    std::snprintf(key, sizeof key, "user%012llu", static_cast<unsigned long long>(random.Uniform(kKeys)));
    if (Status status = db.Put(key, value); !status.ok()) return status;
  }
  if (Status status = db.Flush(); !status.ok()) return status;
  const std::optional<uint64_t> after = WrittenBytes();
  const DBStats stats = db.Stats();
  const uint64_t logical = stats.logical_bytes_written;
  Print("log", stats.wal_bytes_written, logical);
  Print("flush", stats.flush_bytes_written, logical);
  Print("compaction", stats.compaction_bytes_written, logical);
  Print("all", stats.physical_bytes_written, logical);
  if (before.has_value() && after.has_value()) Print("system", *after - *before, logical);
  return db.Close();
}

}  // namespace seerdb::testing
