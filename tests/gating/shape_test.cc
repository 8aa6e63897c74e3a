// The tree's shape, as a whole database shows it: space, tombstones, snapshots, each under every policy.
#include "env/manual_clock.h"
#include "env/memory_file_system.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

Options ShapedOptions(CompactionPolicy policy, const std::shared_ptr<FileSystem>& fs) {
  Options options = TinyOptions();
  options.file_system = fs;
  options.wal_sync_policy = SyncPolicy::kNone;
  options.adaptive_compaction = false;
  options.compaction_policy = policy;
  options.size_ratio = 4;
  options.block_bytes = 1024;
  return options;
}

std::string KeyOf(uint64_t i) {
  std::string digits = std::to_string(i);
  return "key" + std::string(8 - digits.size(), '0') + digits;
}

constexpr CompactionPolicy kPolicies[] = {CompactionPolicy::kLeveled, CompactionPolicy::kTiered,
                                          CompactionPolicy::kLazyLeveling};

uint64_t BytesOfTables(FileSystem& fs) {
  uint64_t bytes = 0;
  const Result<std::vector<std::string>> names = fs.ListDirectory("/db");
  EXPECT_TRUE(names.ok());
  for (const std::string& name : *names) {
    if (name.ends_with(".sst")) bytes += fs.GetFileInfo("/db/" + name)->bytes;
  }
  return bytes;
}

// Overwrites the keys in a scattered order; `*worst`: most bytes of tables for each live one, from put `from`
// on.
void Overwrite(DB* db, FileSystem& fs, uint64_t keys, const std::string& value, uint64_t puts, uint64_t from,
               double* worst) {
  const double live = static_cast<double>(keys) * static_cast<double>(11 + value.size());
  for (uint64_t i = 0; i < puts; ++i) {
    ASSERT_OK(db->Put(KeyOf(i * 7919 % keys), value));
    if (i >= from && i % 1000 == 0) *worst = std::max(*worst, static_cast<double>(BytesOfTables(fs)) / live);
  }
}

// Overwrites and deletes for ever in the same keys: with a target the tables stay below it.
TEST(Shape, ASpaceTargetIsKept) {
  for (const CompactionPolicy policy : kPolicies) {
    SCOPED_TRACE(CompactionPolicyName(policy));
    const auto fs = std::make_shared<MemoryFileSystem>();
    Options options = ShapedOptions(policy, fs);
    options.memtable_capacity = 32 << 10;
    options.wal_segment_bytes = 32 << 10;
    options.target_file_size = 64 << 10;
    options.base_level_size = 128 << 10;
    options.space_amplification_target = 1.4;
    const auto db = OpenOrFail(options, "/db");
    ASSERT_NE(db, nullptr);
    constexpr uint64_t kKeys = kSanitized ? 5'000 : 20'000;
    const std::string value(180, 'v');
    for (uint64_t i = 0; i < kKeys; ++i) ASSERT_OK(db->Put(KeyOf(i), value));
    double worst = 0;
    ASSERT_NO_FATAL_FAILURE(Overwrite(db.get(), *fs, kKeys, value, 6 * kKeys, kKeys + 1, &worst));
    EXPECT_LT(worst, 1.4) << db->Stats().ToString();
    EXPECT_EQ(GetText(*db, KeyOf(7)), "=" + value);
    ASSERT_OK(db->Close());
  }
}

// Without a target, too, what is dead does not pile up, however many runs the shape allows; keys that are all
// different are not merged for the sake of space.
TEST(Shape, WithoutATargetDeadDataIsBounded) {
  for (const CompactionPolicy policy : kPolicies) {
    SCOPED_TRACE(CompactionPolicyName(policy));
    const auto fs = std::make_shared<MemoryFileSystem>();
    Options options = ShapedOptions(policy, fs);
    options.memtable_capacity = 64 << 10;
    options.target_file_size = 64 << 10;
    options.base_level_size = 128 << 10;
    options.size_ratio = 20;
    std::string dead_data;
    options.logger = [&dead_data](Slice line) {
      if (std::string_view(line).find("dead data") != std::string_view::npos) dead_data = line;
    };
    const auto db = OpenOrFail(options, "/db");
    ASSERT_NE(db, nullptr);
    constexpr uint64_t kKeys = kSanitized ? 5'000 : 10'000;
    const std::string value(180, 'v');
    for (uint64_t i = 0; i < kKeys; ++i) ASSERT_OK(db->Put(KeyOf(i * 7919 % kKeys), value));
    EXPECT_EQ(dead_data, "");
    double worst = 0;
    ASSERT_NO_FATAL_FAILURE(Overwrite(db.get(), *fs, kKeys, value, 12 * kKeys, 0, &worst));
    // Three times, and what comes in before the next look, and the inputs of a merge beside its output.
    EXPECT_LT(worst, 4.5) << db->Stats().ToString();
    EXPECT_EQ(dead_data.empty(), policy != CompactionPolicy::kTiered) << dead_data;
    EXPECT_EQ(GetText(*db, KeyOf(7)), "=" + value);
    ASSERT_OK(db->Close());
  }
}

// Nothing but a key is left of what was deleted, under whatever policy, and whatever the number of levels.
TEST(Shape, TombstonesGoToTheBottomAndVanish) {
  for (const CompactionPolicy policy : kPolicies) {
    SCOPED_TRACE(CompactionPolicyName(policy));
    const auto fs = std::make_shared<MemoryFileSystem>();
    const auto clock = std::make_shared<ManualClock>();
    Options options = ShapedOptions(policy, fs);
    options.clock = clock;
    options.tombstone_max_age_s = 1000;
    const auto db = OpenOrFail(options, "/db");
    ASSERT_NE(db, nullptr);
    for (uint64_t i = 0; i < 4000; ++i) ASSERT_OK(db->Put(KeyOf(i), std::string(50, 'v')));
    for (uint64_t i = 0; i < 4000; ++i) ASSERT_OK(db->Delete(KeyOf(i)));
    ASSERT_OK(db->Put("kept", "1"));
    ASSERT_OK(db->Flush());
    clock->Advance(uint64_t{2000} * 1'000'000);
    ASSERT_OK(db->WaitForCompaction());
    uint64_t tombstones = 0;
    uint64_t entries = 0;
    for (const LevelStats& level : db->Stats().levels) {
      tombstones += level.tombstones;
      entries += level.entries;
    }
    EXPECT_EQ(tombstones, 0u);
    EXPECT_EQ(entries, 1u);
    EXPECT_EQ(ReadAll(*db), (Contents{{"kept", "1"}}));
    ASSERT_OK(db->Close());
  }
}

// A level that may have several runs has them, and a change to a shape with one merges them.
TEST(Shape, AReopenWithAnotherPolicyReshapesTheTree) {
  const auto fs = std::make_shared<MemoryFileSystem>();
  Contents model;
  uint64_t most_runs = 0;
  for (const CompactionPolicy policy : {CompactionPolicy::kTiered, CompactionPolicy::kLeveled,
                                        CompactionPolicy::kTiered, CompactionPolicy::kLazyLeveling}) {
    SCOPED_TRACE(CompactionPolicyName(policy));
    const auto db = OpenOrFail(ShapedOptions(policy, fs), "/db");
    ASSERT_NE(db, nullptr);
    for (uint64_t i = 0; i < 3000; ++i) {
      const std::string key = KeyOf(i * 7919 % 2000);
      const std::string value = CompactionPolicyName(policy) + std::to_string(i) + std::string(40, 'v');
      ASSERT_OK(db->Put(key, value));
      model[key] = value;
    }
    ASSERT_OK(db->Flush());
    ASSERT_OK(db->WaitForCompaction());
    const std::vector<LevelStats> levels = db->Stats().levels;
    for (size_t level = 1; level < levels.size(); ++level) {
      if (policy == CompactionPolicy::kTiered) most_runs = std::max<uint64_t>(most_runs, levels[level].runs);
      if (policy == CompactionPolicy::kLeveled) {
        EXPECT_LE(levels[level].runs, 1u);
      }
    }
    EXPECT_EQ(Difference(model, ReadAll(*db)), "");
    ASSERT_OK(db->Close());
  }
  EXPECT_GT(most_runs, 1u);
}

}  // namespace
}  // namespace seerdb::testing
