// What the engine says that it read, wrote and occupies is what the operating system says.
//
// Compared with /proc/self/io: `wchar` and `rchar`, the bytes that went through write and read calls of this
// process. `write_bytes` counts pages as they are dirtied or written back: it rounds each small write up to
// pages, counts a rewritten page once, and nothing at all on file systems in memory; so it says what the page
// cache does, and not what was handed to it. For space: the blocks that the files have (st_blocks).
#include <dirent.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <optional>

#include "base/random.h"
#include "seerdb/db.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

constexpr int kKeys = 60'000;
constexpr size_t kValueBytes = 200;

struct IoCounts {
  uint64_t rchar = 0;
  uint64_t wchar = 0;
};

std::optional<IoCounts> ReadIoCounts() {
  std::ifstream file("/proc/self/io");
  IoCounts counts;
  int found = 0;
  std::string name;
  uint64_t value = 0;
  while (file >> name >> value) {
    if (name == "rchar:") counts.rchar = value, ++found;
    if (name == "wchar:") counts.wchar = value, ++found;
  }
  if (found != 2) return std::nullopt;
  return counts;
}

uint64_t AllocatedBytes(const std::string& directory, const std::string& suffix) {
  uint64_t bytes = 0;
  DIR* const dir = ::opendir(directory.c_str());
  EXPECT_NE(dir, nullptr);
  if (dir == nullptr) return 0;
  while (const dirent* entry = ::readdir(dir)) {
    const std::string name = entry->d_name;
    struct stat info;
    if (name.ends_with(suffix) && ::stat((directory + "/" + name).c_str(), &info) == 0 &&
        S_ISREG(info.st_mode)) {
      bytes += static_cast<uint64_t>(info.st_blocks) * 512;
    }
  }
  ::closedir(dir);
  return bytes;
}

#define SKIP_WITHOUT_PROC_IO()                                                                  \
  do {                                                                                          \
    if (!ReadIoCounts().has_value()) {                                                          \
      GTEST_SKIP() << "/proc/self/io cannot be read here: nothing is compared with the system"; \
    }                                                                                           \
  } while (false)

void ExpectWithin5Percent(const char* what, uint64_t engine, uint64_t system) {
  std::printf("%-40s engine %12llu  system %12llu  %+.2f %%\n", what, static_cast<unsigned long long>(engine),
              static_cast<unsigned long long>(system),
              100 * (static_cast<double>(engine) / static_cast<double>(system) - 1));
  EXPECT_NEAR(static_cast<double>(engine), static_cast<double>(system), 0.05 * static_cast<double>(system))
      << what;
}

std::string KeyOf(uint64_t number) {
  char key[24];
  std::snprintf(key, sizeof key, "key%012llu", static_cast<unsigned long long>(number));
  return key;
}

Options SmallTree() {
  Options options;
  options.memtable_capacity = 1 << 20;
  options.base_level_size = 2 << 20;
  options.size_ratio = 4;
  options.target_file_size = 1 << 20;
  options.wal_segment_bytes = 1 << 20;
  options.block_cache_capacity = 0;
  options.table_access = TableAccess::kPread;
  options.background_flush = options.background_compaction = false;  // nothing is cut short by a reading
  return options;
}

// Writes each key about twice, in random order.
void Load(DB* db, int puts) {
  Random random(5);
  const std::string value(kValueBytes, 'v');
  for (int i = 0; i < puts; ++i) ASSERT_OK(db->Put(KeyOf(random.Uniform(kKeys)), value));
}

// A mapped log is written without calls, which the system cannot count.
TEST(OsCounts, BytesWritten) {
  SKIP_WITHOUT_PROC_IO();
  struct Case {
    LogMode mode;
    SyncPolicy policy;
    int puts;
  };
  for (const Case& c : {Case{LogMode::kBuffered, SyncPolicy::kNone, 2 * kKeys},
                        Case{LogMode::kDirect, SyncPolicy::kNone, kKeys},
                        Case{LogMode::kDirect, SyncPolicy::kSyncData, 3000}}) {
    const TempDirectory directory;
    Options options = SmallTree();
    options.log_mode = c.mode;
    options.wal_sync_policy = c.policy;
    const IoCounts before = *ReadIoCounts();
    auto db = OpenOrFail(options, directory.path());
    ASSERT_TRUE(db);
    Load(db.get(), c.puts);
    const IoCounts after = *ReadIoCounts();
    const DBStats stats = db->Stats();
    const std::string what = std::string("bytes written, ") +
                             (c.mode == LogMode::kDirect ? "direct" : "buffered") +
                             (c.policy == SyncPolicy::kNone ? "" : ", synced");
    ExpectWithin5Percent(what.c_str(), stats.physical_bytes_written, after.wchar - before.wchar);
    EXPECT_DOUBLE_EQ(stats.write_amplification, static_cast<double>(stats.physical_bytes_written) /
                                                    static_cast<double>(stats.logical_bytes_written));
    if (c.policy == SyncPolicy::kNone) {
      EXPECT_GT(stats.compaction_bytes_written, stats.flush_bytes_written / 2);
    }
  }
}

// Tables and the runs sorted for them.
TEST(OsCounts, BytesWrittenByBulkLoads) {
  SKIP_WITHOUT_PROC_IO();
  for (const bool sorted : {true, false}) {
    const TempDirectory directory;
    auto db = OpenOrFail(SmallTree(), directory.path());
    ASSERT_TRUE(db);
    std::vector<std::pair<std::string, std::string>> entries;
    for (uint64_t i = 0; i < kKeys; ++i) entries.emplace_back(KeyOf(i), std::string(kValueBytes, 'v'));
    if (!sorted) std::reverse(entries.begin(), entries.end());
    BulkLoadOptions load = BulkLoadOptions().AlreadySorted(sorted);
    load.memory_bytes = 4 << 20;
    const IoCounts before = *ReadIoCounts();
    ASSERT_OK(db->BulkLoad(load, entries).status());
    const IoCounts after = *ReadIoCounts();
    const DBStats stats = db->Stats();
    ExpectWithin5Percent(sorted ? "bytes written by a sorted load" : "bytes written by an unsorted load",
                         stats.bulk_load_bytes_written, after.wchar - before.wchar);
    EXPECT_GE(stats.physical_bytes_written, stats.bulk_load_bytes_written);
  }
}

TEST(OsCounts, BytesReadByReadsAndByCompaction) {
  SKIP_WITHOUT_PROC_IO();
  const TempDirectory directory;
  Options options = SmallTree();
  options.wal_sync_policy = SyncPolicy::kNone;
  IoCounts before = *ReadIoCounts();
  auto db = OpenOrFail(options, directory.path());
  ASSERT_TRUE(db);
  Load(db.get(), kKeys);
  ASSERT_OK(db->Flush());
  IoCounts after = *ReadIoCounts();
  DBStats stats = db->Stats();
  // Tables are read by compaction, and opened once each.
  ExpectWithin5Percent("bytes read by compaction", stats.compaction_bytes_read + stats.table_bytes_read,
                       after.rchar - before.rchar);
  before = after;
  const DBStats settled = stats;
  Random random(9);
  for (int i = 0; i < 20'000; ++i) ASSERT_TRUE(db->Get(KeyOf(random.Uniform(kKeys))).ok());
  after = *ReadIoCounts();
  stats = db->Stats();
  ExpectWithin5Percent("bytes read by gets", stats.table_bytes_read - settled.table_bytes_read,
                       after.rchar - before.rchar);
  // Without a cache each block looked into is a read call: that is what read_amplification counts.
  const uint64_t blocks = stats.blocks_read - settled.blocks_read;
  EXPECT_NEAR(stats.read_amplification, static_cast<double>(stats.blocks_read) / 20'000, 1e-9);
  EXPECT_NEAR(static_cast<double>(after.rchar - before.rchar) / static_cast<double>(blocks),
              options.block_bytes, 0.1 * options.block_bytes);
  before = after;
  const DBStats looked_up = stats;
  const auto it = db->NewIterator();
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
  }
  ASSERT_OK(it->status());
  after = *ReadIoCounts();
  ExpectWithin5Percent("bytes read by a scan", db->Stats().table_bytes_read - looked_up.table_bytes_read,
                       after.rchar - before.rchar);
}

TEST(OsCounts, BytesOnDisk) {
  for (const LogMode mode : {LogMode::kBuffered, LogMode::kMapped, LogMode::kDirect}) {
    const TempDirectory directory;
    Options options = SmallTree();
    options.log_mode = mode;
    options.wal_sync_policy = SyncPolicy::kNone;
    auto db = OpenOrFail(options, directory.path());
    ASSERT_TRUE(db);
    Load(db.get(), kKeys);
    const DBStats stats = db->Stats();
    ExpectWithin5Percent("bytes of tables on disk", stats.total_disk_bytes,
                         AllocatedBytes(directory.path(), ".sst"));
    ExpectWithin5Percent("bytes of the directory on disk", stats.directory_bytes,
                         AllocatedBytes(directory.path(), ""));
    EXPECT_GT(stats.space_amplification, 1.0);
    // Pinned by an iterator, replaced tables stay; then they go.
    auto it = db->NewIterator();
    ASSERT_OK(db->CompactRange());
    const DBStats pinned = db->Stats();
    EXPECT_GT(pinned.obsolete_table_bytes, 0u);
    ExpectWithin5Percent("with tables that a reader holds", pinned.directory_bytes,
                         AllocatedBytes(directory.path(), ""));
    it.reset();
    ASSERT_OK(db->WaitForCompaction());  // also removes what is to go
    EXPECT_EQ(db->Stats().obsolete_table_bytes, 0u);
  }
}

// What the estimate of live bytes is measured by: a database that holds nothing else.
TEST(OsCounts, SpaceAmplification) {
  const TempDirectory directory;
  Options options = SmallTree();
  options.wal_sync_policy = SyncPolicy::kNone;
  options.wal_segment_bytes = 64 << 10;
  auto db = OpenOrFail(options, directory.path());
  ASSERT_TRUE(db);
  const std::string value(kValueBytes, 'v');
  uint64_t live_bytes = 0;
  for (int i = 0; i < kKeys; ++i) {
    ASSERT_OK(db->Put(KeyOf(static_cast<uint64_t>(i)), value));
    live_bytes += KeyOf(0).size() + value.size();
  }
  ASSERT_OK(db->CompactRange());
  const DBStats stats = db->Stats();
  ExpectWithin5Percent("live bytes", stats.live_bytes_estimate, live_bytes);
  const double system =
      static_cast<double>(AllocatedBytes(directory.path(), "")) / static_cast<double>(live_bytes);
  EXPECT_NEAR(stats.space_amplification, system, 0.05 * system);
}

}  // namespace
}  // namespace seerdb::testing
