// Merges where they are at their worst: chains that cannot be folded, and values that grow too large.
#include "db/merge_folder.h"
#include "env/manual_clock.h"
#include "env/memory_file_system.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

// Refuses everything, and counts how often it is asked.
class Refusing final : public MergeOperator {
 public:
  std::string Name() const override { return "test.refusing"; }
  bool FullMerge(Slice, std::optional<Slice>, std::span<const Slice> operands, std::string*) const override {
    operands_seen_ += operands.size();
    return false;
  }
  uint64_t operands_seen() const { return operands_seen_; }

 private:
  mutable std::atomic<uint64_t> operands_seen_{0};
};

Options LargeMemtable() {
  Options options = TinyOptions();
  options.memtable_capacity = 16 << 20;
  options.wal_segment_bytes = 16 << 20;
  options.wal_sync_policy = SyncPolicy::kNone;
  options.file_system = std::make_shared<MemoryFileSystem>();
  return options;
}

// Each try reads the whole chain: tried at every eighth merge, n merges would read n * n / 16 operands.
TEST(MergeLimits, AFoldThatCannotBeHadIsTriedLessAndLess) {
  constexpr uint64_t kMerges = 4'000;
  Options options = LargeMemtable();
  const auto refusing = std::make_shared<const Refusing>();
  options.merge_operator = refusing;
  const auto db = OpenOrFail(options, "/db");
  for (uint64_t i = 0; i < kMerges; ++i) ASSERT_OK(db->Merge("k", "operand"));
  EXPECT_LT(refusing->operands_seen(), 4 * kMerges);
  EXPECT_EQ(db->Get("k").status().detail(), StatusDetail::kMergeFailed);
}

TEST(MergeLimits, FoldsKeepToTheLimitOfValuesInAMemoryBudget) {
  Options options = LargeMemtable();
  options.memtable_capacity = 1 << 20;
  options.wal_segment_bytes = 1 << 20;
  options.max_memory_bytes = 8 << 20;
  options.separation_bytes = 0;
  options.merge_operator = StringAppend("");
  const auto db = OpenOrFail(options, "/db");
  ASSERT_TRUE(db);
  // Above what a put may have.
  const std::string operand(16 << 10, 'o');
  uint64_t largest = 0;
  for (uint64_t bytes = 1 << 10; db->Put("probe", std::string(bytes, 'v')).ok(); bytes *= 2) largest = bytes;
  uint64_t total = 0;
  for (; total <= 4 * largest; total += operand.size()) ASSERT_OK(db->Merge("k", operand));
  ASSERT_OK(db->CompactRange());
  // No entry of the tables is so large, and nothing is lost.
  uint64_t entries = 0;
  for (const LevelStats& level : db->Stats().levels) entries += level.entries;
  EXPECT_GT(entries, 2u) << "the operands became one value of " << total << " bytes";
  const auto got = db->Get("k");
  ASSERT_TRUE(got.ok()) << got.status().ToString();
  EXPECT_EQ((*got)->slice().size(), total);
}

// A chain longer than what is looked up one by one, over a table that is not there.
TEST(MergeDamage, AMissingTableUnderAChainIsAnErrorAndNeverABase) {
  Options options = LargeMemtable();
  options.merge_operator = StringAppend(",");
  const auto fs = options.file_system;
  auto db = OpenOrFail(options, "/db");
  ASSERT_OK(db->Put("k", "base"));
  ASSERT_OK(db->Close());
  db.reset();
  std::string table;
  const std::vector<std::string> names = *fs->ListDirectory("/db");
  for (const std::string& name : names) {
    if (name.ends_with(".sst")) table = "/db/" + name;
  }
  const Result<std::string> bytes = ReadFileToString(*fs, table);
  ASSERT_TRUE(bytes.ok());
  ASSERT_OK(fs->DeleteFile(table));
  db = OpenOrFail(options, "/db");
  ASSERT_TRUE(db);
  std::string want = "base";
  for (int i = 0; i < 60; ++i) {
    ASSERT_OK(db->Merge("k", std::to_string(i)));
    want += "," + std::to_string(i);
    EXPECT_TRUE(db->Get("k").status().IsCorruption()) << "after merge " << i;
    const auto it = db->NewIterator();
    it->SeekToFirst();
    EXPECT_FALSE(it->Valid());
    EXPECT_TRUE(it->status().IsCorruption());
  }
  EXPECT_OK(db->Flush());
  db.reset();
  const auto file = fs->NewWritableFile(table, CreateMode::kTruncate);
  ASSERT_OK((*file)->Append(*bytes));
  ASSERT_OK((*file)->SyncAll());
  db = OpenOrFail(options, "/db");
  ASSERT_TRUE(db);
  EXPECT_EQ(GetText(*db, "k"), "=" + want) << "the table is back: nothing was built on its absence";
}

// An iterator keeps the tables that a compaction has replaced, and then the manifest is lost.
TEST(MergeDamage, RepairCountsOperandsOnceOrSaysThatItCannotTell) {
  for (const bool combines : {true, false}) {
    SCOPED_TRACE(combines);
    Options options = LargeMemtable();
    options.l0_compaction_trigger = 100;
    options.l0_slowdown_writes_trigger = options.l0_stop_writes_trigger = 200;
    const auto memory = std::make_shared<MemoryFileSystem>();
    options.file_system = memory;
    if (combines) {
      options.merge_operator = U64Add();
    } else {
      options.merge_operator = std::make_shared<const Refusing>();
    }
    auto db = OpenOrFail(options, "/db");
    for (int i = 0; i < 2; ++i) {
      ASSERT_OK(db->Merge("n", U64Operand(1)));
      ASSERT_OK(db->Flush());
    }
    const auto held = db->NewIterator();
    ASSERT_OK(db->CompactRange());
    options.file_system = memory->CrashClone({1, CrashOptions::kProcessCrash, true});
    const std::vector<std::string> names = *options.file_system->ListDirectory("/db");
    for (const std::string& name : names) {
      if (name.starts_with("MANIFEST") || name == "CURRENT") {
        ASSERT_OK(options.file_system->DeleteFile("/db/" + name));
      }
    }
    const Result<RepairReport> report = DB::Repair(options, "/db");
    ASSERT_TRUE(report.ok()) << report.status().ToString();
    const auto repaired = OpenOrFail(options, "/db");
    ASSERT_TRUE(repaired);
    if (combines) {
      EXPECT_EQ(GetText(*repaired, "n"), "=" + U64Operand(2));
      EXPECT_EQ(ReadAll(*repaired), (Contents{{"n", U64Operand(2)}}));
    } else {
      EXPECT_EQ(repaired->Get("n").status().detail(), StatusDetail::kMergeFailed);
    }
  }
}

// What the options of an open give is in force without being kept; what OpenKeyspace gives is kept.
TEST(MergeLimits, ATimeToLiveOfTheDefaultKeyspaceIsKeptAlsoWhereTheOpenHasGivenTheSame) {
  Options options = LargeMemtable();
  options.default_ttl_us = 1'000'000;
  auto db = OpenOrFail(options, "/db");
  KeyspaceOptions keyspace;
  keyspace.default_ttl_us = 1'000'000;
  ASSERT_OK(db->OpenKeyspace("default", keyspace).status());
  db.reset();
  options.default_ttl_us = 0;
  db = OpenOrFail(options, "/db");
  EXPECT_EQ(db->OpenKeyspace("default")->options().default_ttl_us, 1'000'000u);
}

}  // namespace
}  // namespace seerdb::testing
