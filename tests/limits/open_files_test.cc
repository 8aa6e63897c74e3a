// A database of more tables than the process may have descriptors.
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>

#include "tests/limits/process_memory.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

std::string FileKey(int i) { return "key" + std::to_string(100'000 + i); }
std::string ValueOf(int i) { return std::string(400, static_cast<char>('a' + i % 26)) + std::to_string(i); }

size_t OpenDescriptors() {
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count - 1;  // but that of the listing
}

void ReadEverything(DB& db, int entries) {
  for (int step = 0; step < entries; ++step) {
    const int i = static_cast<int>((uint64_t{7919} * step) % entries);
    ASSERT_EQ(GetText(db, FileKey(i)), "=" + ValueOf(i));
  }
  EXPECT_EQ(ReadAll(db).size(), static_cast<size_t>(entries));
}

void ManyTablesFewDescriptors(const std::string& path, uint32_t max_open_files) {
  const size_t before = OpenDescriptors();
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = before + 64;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  Options options;
  options.table_access = TableAccess::kPread;
  options.max_open_files = max_open_files;
  options.memtable_capacity = 16 << 10;
  options.target_file_size = 8 << 10;
  options.base_level_size = 32 << 10;
  options.block_cache_capacity = 64 << 10;
  options.wal_segment_bytes = 32 << 10;
  options.wal_sync_policy = SyncPolicy::kNone;
  auto db = OpenOrFail(options, path);
  ASSERT_TRUE(db);
  const int entries = 10'000;
  for (int i = 0; i < entries; ++i) ASSERT_OK(db->Put(FileKey(i), ValueOf(i)));
  ASSERT_OK(db->CompactRange());
  ASSERT_GE(db->Stats().total_sstables, 250u);
  // Held across everything that follows.
  auto held = db->NewIterator();
  held->SeekToFirst();
  ReadEverything(*db, entries);
  const size_t cap = max_open_files != 0 ? max_open_files : limit.rlim_cur / 4 * 3;
  EXPECT_LE(OpenDescriptors(), before + cap + 8);  // log, manifest, lock
  EXPECT_OK(db->Verify().status());
  for (int i = 0; i < entries; ++i) ASSERT_OK(db->Delete(FileKey(i)));
  ASSERT_OK(db->CompactRange());
  EXPECT_EQ(ReadAll(*db).size(), 0u);
  // Its tables are no longer in the tree, and most of them without a descriptor.
  int walked = 0;
  for (; held->Valid(); held->Next(), ++walked) {
    ASSERT_EQ(held->key(), FileKey(walked));
    ASSERT_EQ(held->value(), ValueOf(walked));
  }
  EXPECT_OK(held->status());
  EXPECT_EQ(walked, entries);
  held.reset();
  const DBStats stats = db->Stats();
  EXPECT_GT(stats.table_files_evicted, 200u);
  EXPECT_GT(stats.table_files_opened, stats.table_files_evicted);
  for (int i = 0; i < entries; ++i) ASSERT_OK(db->Put(FileKey(i), ValueOf(i)));
  ASSERT_OK(db->Close());
  db = OpenOrFail(options, path);
  ASSERT_TRUE(db);
  ReadEverything(*db, entries);
  EXPECT_OK(db->Close());
}

TEST(OpenFiles, MoreTablesThanDescriptors) {
  for (const uint32_t max_open_files : {16u, 0u}) {
    SCOPED_TRACE(max_open_files);
    TempDirectory place;
    EXPECT_EQ(RunInChild([&] { ManyTablesFewDescriptors(place.path() + "/db", max_open_files); }), 0);
  }
}

// A mapped table holds none.
TEST(OpenFiles, MappedTablesHoldNoDescriptor) {
  TempDirectory place;
  Options options;
  options.memtable_capacity = 16 << 10;
  options.target_file_size = 8 << 10;
  options.wal_sync_policy = SyncPolicy::kNone;
  auto db = OpenOrFail(options, place.path() + "/db");
  ASSERT_TRUE(db);
  const size_t before = OpenDescriptors();
  for (int i = 0; i < 2000; ++i) ASSERT_OK(db->Put(FileKey(i), ValueOf(i)));
  ASSERT_OK(db->CompactRange());
  EXPECT_GT(db->Stats().total_sstables, 50u);
  EXPECT_LE(OpenDescriptors(), before + 8);
  EXPECT_EQ(db->Stats().table_files_evicted, 0u);
}

// Recovery and repair look at each value that the log, or a table, points to.
void ManySegmentsFewDescriptors(const std::string& path) {
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = OpenDescriptors() + 64;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  Options options;
  options.separation_bytes = 1000;
  options.value_segment_bytes = 64 << 10;
  options.wal_sync_policy = SyncPolicy::kSyncData;  // a segment that is not synced holds one
  const int entries = 200;
  const auto value = [](int i) { return std::string(70'000, static_cast<char>('a' + i % 26)); };
  {
    auto db = OpenOrFail(options, path);
    ASSERT_TRUE(db);
    for (int i = 0; i < entries; ++i) ASSERT_OK(db->Put(FileKey(i), value(i)));
    // What a kill leaves: the log has all of it.
    std::filesystem::copy(path, path + ".copy", std::filesystem::copy_options::recursive);
  }
  auto db = OpenOrFail(options, path + ".copy");
  ASSERT_TRUE(db);
  EXPECT_GT(db->Stats().recovery.records_replayed, 100u);
  for (int i = 0; i < entries; ++i) ASSERT_EQ(GetText(*db, FileKey(i)), "=" + value(i));
  ASSERT_OK(db->Close());
}

TEST(OpenFiles, MoreValueSegmentsThanDescriptors) {
  TempDirectory place;
  EXPECT_EQ(RunInChild([&] { ManySegmentsFewDescriptors(place.path() + "/db"); }), 0);
}

}  // namespace
}  // namespace seerdb::testing
