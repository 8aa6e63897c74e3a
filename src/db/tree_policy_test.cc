#include "db/tree_policy.h"

#include <gtest/gtest.h>

#include "env/memory_file_system.h"

namespace seerdb {
namespace {

class TreePolicyTest : public ::testing::Test {
 protected:
  // A tree of `bytes` in one table that does not exist: only its size counts.
  TreeView TreeOf(uint64_t bytes) {
    auto meta = std::make_shared<TableMeta>();
    meta->number = 1;
    meta->bytes = bytes;
    meta->entries = bytes / 130;
    std::vector<Level> levels(7);
    levels[1].runs = {{1, {meta}}};
    return TreeView(std::make_shared<const Version>(std::move(levels)), &files_);
  }
  TreePolicy Policy(const Options& options) {
    return TreePolicy(options, options.max_memory_bytes, statistics_);
  }
  void Put(uint64_t count) {
    statistics_->Add(Counter::total_puts, count);
    statistics_->Add(Counter::logical_bytes_written, 116 * count);
  }
  void Scan(uint64_t count) {
    statistics_->Add(Counter::total_seeks, count);
    statistics_->Add(Counter::total_scan_entries, 50 * count);
  }

  std::shared_ptr<Statistics> statistics_ = std::make_shared<Statistics>(true);
  TableFiles files_{std::make_shared<MemoryFileSystem>(), "/db", TableOpenOptions{}, nullptr,
                    FileRemover::Pace::kAtOnce};
};

TEST_F(TreePolicyTest, AFixedPolicyStays) {
  Options options;
  options.adaptive_compaction = false;
  options.size_ratio = 7;
  for (const CompactionPolicy policy :
       {CompactionPolicy::kLeveled, CompactionPolicy::kTiered, CompactionPolicy::kLazyLeveling}) {
    options.compaction_policy = policy;
    TreePolicy fixed = Policy(options);
    Put(1'000'000);
    EXPECT_EQ(fixed.Decide(TreeOf(1 << 30), 1 << 30).picker.shape, ShapeOf(policy, 7));
    Scan(1'000'000);
    EXPECT_EQ(fixed.Decide(TreeOf(1 << 30), 1 << 30).picker.shape, ShapeOf(policy, 7));
  }
  EXPECT_EQ(statistics_->Get(Counter::total_shape_changes), 0);
}

TEST_F(TreePolicyTest, TheShapeFollowsTheWorkload) {
  TreePolicy policy = Policy(Options());
  const TreeView tree = TreeOf(uint64_t{8} << 30);
  EXPECT_EQ(policy.shape(), ShapeOf(CompactionPolicy::kLazyLeveling, 10));
  for (int i = 0; i < 100; ++i) {
    Put(100'000);
    policy.Decide(tree, 0);
  }
  EXPECT_GT(policy.shape().last_runs, 1);
  for (int i = 0; i < 100; ++i) {
    Scan(100'000);
    policy.Decide(tree, 0);
  }
  EXPECT_EQ(policy.shape().upper_runs, 1);
  EXPECT_EQ(policy.shape().last_runs, 1);
  EXPECT_GE(statistics_->Get(Counter::total_shape_changes), 2);
}

TEST_F(TreePolicyTest, ASpaceTargetKeepsOneRunInTheLastLevel) {
  Options options;
  options.compaction_policy = CompactionPolicy::kTiered;
  options.adaptive_compaction = false;
  options.size_ratio = 4;
  options.space_amplification_target = 1.3;
  TreePolicy policy = Policy(options);
  const TreePolicy::Settings settings = policy.Decide(TreeOf(1 << 30), 1 << 30);
  EXPECT_EQ(settings.picker.shape.last_runs, 1);
  EXPECT_GE(settings.picker.shape.size_ratio, 8);
  EXPECT_TRUE(settings.space.limited);
}

TEST_F(TreePolicyTest, OnlyWithASpaceTargetAreTablesTooLargeToBeMoved) {
  Options options;
  EXPECT_EQ(Policy(options).Decide(TreeOf(1 << 30), 1 << 30).picker.largest_move_bytes, UINT64_MAX);
  options.space_amplification_target = 1.3;
  const TreePolicy::Settings settings = Policy(options).Decide(TreeOf(1 << 30), 1 << 30);
  EXPECT_GE(settings.picker.largest_move_bytes, settings.picker.merge_bytes);
  EXPECT_GE(settings.picker.largest_move_bytes, 2 * settings.target_file_size)
      << "what is written anew may be moved then";
  EXPECT_LE(settings.picker.largest_move_bytes,
            4 * std::max(settings.picker.merge_bytes, uint64_t{64} << 10));
}

TEST_F(TreePolicyTest, WithoutATargetTheOldestRunSaysWhatMayBeDead) {
  Options options;
  options.base_level_size = 1 << 20;
  TreePolicy policy = Policy(options);
  const auto decide = [&](std::vector<uint64_t> run_mib) {  // newest first
    std::vector<Level> levels(7);
    uint64_t id = run_mib.size();
    for (const uint64_t mib : run_mib) {
      auto meta = std::make_shared<TableMeta>();
      meta->number = 100 + id;
      meta->bytes = mib << 20;
      meta->entries = 1;
      levels[1].runs.push_back({id--, {meta}});
    }
    return policy.Decide(TreeView(std::make_shared<const Version>(std::move(levels)), &files_), 0).space;
  };
  EXPECT_FALSE(decide({20, 20, 20}).too_much);
  EXPECT_EQ(policy.dead_urgency(), 0);
  EXPECT_TRUE(decide({20, 30, 20}).too_much);
  EXPECT_TRUE(decide({80, 20, 20}).too_much);
  EXPECT_NEAR(policy.dead_urgency(), 1, 1e-9);
  EXPECT_FALSE(decide({2, 1, 1}).too_much) << "so little is not worth a merge";
  EXPECT_EQ(policy.dead_urgency(), 0);
}

TEST_F(TreePolicyTest, WithoutATargetTheOptionsHold) {
  Options options;
  options.target_file_size = 1 << 20;
  options.base_level_size = 5 << 20;
  options.l0_compaction_trigger = 6;
  TreePolicy policy = Policy(options);
  const TreePolicy::Settings settings = policy.Decide(TreeOf(1 << 30), 1 << 30);
  EXPECT_EQ(settings.target_file_size, 1 << 20);
  EXPECT_EQ(settings.picker.base_level_size, 5 << 20);
  EXPECT_EQ(settings.picker.l0_compaction_trigger, 6);
  EXPECT_EQ(settings.picker.merge_bytes, 16 << 20);
  EXPECT_EQ(policy.space_pressure(), 0);
}

}  // namespace
}  // namespace seerdb
