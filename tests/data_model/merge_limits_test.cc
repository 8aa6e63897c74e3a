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
