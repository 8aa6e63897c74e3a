// Every option outside its range is refused with a message that names field, value and range.
#include <functional>

#include "base/units.h"
#include "env/memory_file_system.h"
#include "seerdb/db.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

struct Case {
  const char* field;
  std::string value;
  std::function<void(Options*)> set;
};

#define BAD(field, number)                                                 \
  Case {                                                                   \
#field, std::to_string(number), [](Options * o) { o->field = number; } \
  }

std::vector<Case> BadOptions() {
  return {
      BAD(memtable_capacity, 0),
      BAD(memtable_capacity, 4095),
      BAD(memtable_capacity, 64 * kGiB + 1),
      BAD(max_immutable_memtables, 0),
      BAD(max_immutable_memtables, 65),
      BAD(barrier_interval_us, 999),
      BAD(barrier_interval_us, 60'000'001),
      BAD(group_commit_delay_us, 1'000'001),
      BAD(group_commit_max_batch_size, 0),
      BAD(group_commit_max_batch_size, 100'001),
      BAD(transaction_history_bytes, 64 * 1024 - 1),
      BAD(transaction_history_bytes, 64 * kGiB + 1),
      BAD(wal_segment_bytes, 0),
      BAD(wal_segment_bytes, 4095),
      BAD(wal_segment_bytes, 4 * kGiB + 1),
      BAD(num_levels, 0),
      BAD(num_levels, 1),
      BAD(num_levels, 17),
      BAD(base_level_size, 4095),
      BAD(base_level_size, 16 * kTiB + 1),
      BAD(size_ratio, 0),
      BAD(size_ratio, 1),
      BAD(size_ratio, 101),
      BAD(target_file_size, 4095),
      BAD(target_file_size, 16 * kGiB + 1),
      BAD(l0_compaction_trigger, 0),
      BAD(l0_compaction_trigger, 1001),
      BAD(l0_slowdown_writes_trigger, 3),
      BAD(l0_stop_writes_trigger, 19),
      BAD(l0_stop_writes_trigger, 100'001),
      BAD(block_bytes, 0),
      BAD(block_bytes, 63),
      BAD(block_bytes, kMiB + 1),
      BAD(bloom_bits_per_key, 33),
      BAD(prefix_filter_bytes, 256),
      BAD(learned_index_min_keys, (1 << 30) + 1),
      BAD(block_cache_capacity, 16 * kTiB + 1),
      {"wal_sync_policy", "9", [](Options* o) { o->wal_sync_policy = static_cast<SyncPolicy>(9); }},
      {"recovery_mode", "4", [](Options* o) { o->recovery_mode = static_cast<RecoveryMode>(4); }},
      {"compression", "7", [](Options* o) { o->compression = static_cast<CompressionType>(7); }},
      {"index_kind", "6", [](Options* o) { o->index_kind = static_cast<IndexKind>(6); }},
      {"table_access", "5", [](Options* o) { o->table_access = static_cast<TableAccess>(5); }},
  };
}

TEST(BadInput, OptionsOutOfRange) {
  for (const Case& c : BadOptions()) {
    SCOPED_TRACE(std::string(c.field) + " = " + c.value);
    const auto fs = std::make_shared<MemoryFileSystem>();
    Options options;
    options.file_system = fs;
    c.set(&options);
    const auto opened = DB::Open(options, "/db");
    ASSERT_FALSE(opened.ok());
    EXPECT_TRUE(opened.status().IsInvalidArgument()) << opened.status().ToString();
    const std::string message(opened.status().message());
    EXPECT_NE(message.find(c.field), std::string::npos) << message;
    EXPECT_NE(message.find(c.value), std::string::npos) << message;
    EXPECT_FALSE(fs->GetFileInfo("/db").ok()) << "a refused open made the directory";
  }
}

TEST(BadInput, OptionsAtTheirLimitsAreAccepted) {
  const std::function<void(Options*)> sets[] = {
      [](Options* o) { o->memtable_capacity = 4096; },
      [](Options* o) { o->transaction_history_bytes = 64 << 10; },
      [](Options* o) { o->wal_segment_bytes = 4096; },
      [](Options* o) { o->num_levels = 2; },
      [](Options* o) { o->num_levels = 16; },
      [](Options* o) { o->size_ratio = 2; },
      [](Options* o) { o->size_ratio = 100; },
      [](Options* o) { o->base_level_size = o->target_file_size = 4096; },
      [](Options* o) { o->base_level_size = uint64_t{16} << 40; },
      [](Options* o) { o->block_bytes = 64; },
      [](Options* o) { o->block_bytes = 1 << 20; },
      [](Options* o) { o->bloom_bits_per_key = 0; },
      [](Options* o) { o->bloom_bits_per_key = 32; },
      [](Options* o) { o->prefix_filter_bytes = 255; },
      [](Options* o) { o->learned_index_min_keys = 1; },
      [](Options* o) { o->learned_index_min_keys = 1 << 30; },
      [](Options* o) { o->block_cache_capacity = 0; },
      [](Options* o) { o->max_immutable_memtables = 1; },
      [](Options* o) { o->group_commit_max_batch_size = 1; },
      [](Options* o) { o->group_commit_delay_us = 1; },
      [](Options* o) {
        o->l0_compaction_trigger = o->l0_slowdown_writes_trigger = o->l0_stop_writes_trigger = 1;
      },
  };
  for (const auto& set : sets) {
    Options options;
    options.file_system = std::make_shared<MemoryFileSystem>();
    options.wal_segment_bytes = 64 << 10;
    set(&options);
    const auto db = OpenOrFail(options, "/db");
    ASSERT_TRUE(db);
    for (int i = 0; i < 100; ++i) ASSERT_OK(db->Put("key" + std::to_string(i), std::string(100, 'v')));
    ASSERT_OK(db->Flush());
    EXPECT_EQ(GetText(*db, "key42"), "=" + std::string(100, 'v'));
    ASSERT_OK(db->Close());
  }
}

// What a database was made with and cannot change, and what it can.
TEST(BadInput, ReopenWithOtherOptions) {
  Options options = TinyOptions();
  options.file_system = std::make_shared<MemoryFileSystem>();
  Contents contents;
  for (const uint32_t num_levels : {5u, 7u, 5u, 3u}) {
    options.num_levels = num_levels;
    options.compression = num_levels == 7 ? CompressionType::kZstd : CompressionType::kNone;
    options.bloom_bits_per_key = num_levels;
    options.block_bytes = 64 * num_levels;
    auto opened = DB::Open(options, "/db");
    if (!opened.ok()) {  // fewer levels than hold data may be refused, by name
      EXPECT_TRUE(opened.status().IsInvalidArgument()) << opened.status().ToString();
      EXPECT_NE(opened.status().message().find("num_levels"), Slice::npos) << opened.status().ToString();
      continue;
    }
    const auto db = *std::move(opened);
    EXPECT_EQ(Difference(contents, ReadAll(*db)), "");
    for (int i = 0; i < 300; ++i) {
      const std::string key = std::to_string(num_levels) + "/" + std::to_string(i);
      ASSERT_OK(db->Put(key, std::string(60, 'x')));
      contents[key] = std::string(60, 'x');
    }
    EXPECT_EQ(Difference(contents, ReadAll(*db)), "");
    ASSERT_OK(db->Close());
  }
}

TEST(BadInput, ReadAndWriteOptions) {
  Options options = TinyOptions();
  options.file_system = std::make_shared<MemoryFileSystem>();
  const auto db = OpenOrFail(options, "/db");
  ASSERT_TRUE(db);
  EXPECT_TRUE(db->Put({WriteSync::kSync, true}, "k", "v").IsInvalidArgument());
  EXPECT_TRUE(db->Delete({WriteSync::kSync, true}, "k").IsInvalidArgument());
  EXPECT_EQ(GetText(*db, "k"), "none");
  ReadOptions far;
  far.read_ahead_bytes = (uint64_t{16} << 20) + 1;
  const auto it = db->NewIterator(far);
  it->SeekToFirst();
  EXPECT_FALSE(it->Valid());
  EXPECT_TRUE(it->status().IsInvalidArgument()) << it->status().ToString();
}

}  // namespace
}  // namespace seerdb::testing
