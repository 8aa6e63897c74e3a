#include "compaction/compaction_picker.h"

#include <gtest/gtest.h>

#include "compaction/picker_test_util.h"

namespace seerdb {
namespace {

struct LeveledCase {
  const char* name;
  std::vector<std::string> tree;
  TableNumberSet unavailable;
  const char* want;
};

const std::vector<LeveledCase>& LeveledCases() {
  static const std::vector<LeveledCase> cases = {
      {"empty", {}, {}, "none"},
      {"L0 below its trigger", {"5:a-m"}, {}, "none"},
      {"overlapping L0 merges with its overlap in L1",
       {"5:a-m 6:b-c", "3:a-d"},
       {},
       "merge L0:6 L0:5 L1:3 -> L1"},
      {"disjoint L0 moves", {"5:a-c 6:d-f"}, {}, "move L0:5 L0:6 -> L1"},
      {"only the oldest row that overlaps nothing moves", {"5:a-c 6:d-f 7:b-d"}, {}, "move L0:5 L0:6 -> L1"},
      {"no move over an older table in the way", {"5:a-m 6:n-z", "3:a-b"}, {}, "merge L0:6 L0:5 L1:3 -> L1"},
      {"busy L0 is left alone", {"5:a-m 6:b-c"}, {5}, "none"},
      {"L0 merges around a damaged table and what must not pass it",
       {"5:a-c 6:b-d 7:m-p 8:n-o 9:c-e", "3:a-b"},
       {7},
       "merge L0:9 L0:6 L0:5 L1:3 -> L1"},
      {"L0 merges where no damaged table of L1 is met",
       {"5:a-c 6:a-c 7:m-p 8:m-p", "3:a-b 4:m-n"},
       {3},
       "merge L0:8 L0:7 L1:4 -> L1"},
      {"L1 over its limit moves a table with no overlap",
       {"", "3:a-d 4:e-h", "9:a-c 8:o-p 7:r-s 6:x-y"},
       {},
       "move L1:4 -> L2"},
      {"L1 takes the table with least overlap",
       {"", "3:a-d 4:e-h", "7:a-b 8:c-d 9:e-h"},
       {},
       "merge L1:4 L2:9 -> L2"},
      {"a busy table below rules its upper one out",
       {"", "3:a-d 4:e-h", "7:a-b 8:c-d 9:e-h"},
       {9},
       "merge L1:3 L2:7 L2:8 -> L2"},
      {"a last level over its limit moves down as it is", {"", "3:a-d 4:e-h"}, {}, "move L1:3 L1:4 -> L2"},
      {"L0 skips levels that are too small beside the last",
       {"5:a-m 6:b-c", "", "", "3:a-d"},
       {},
       "merge L0:6 L0:5 L3:3 -> L3"},
      {"and what is left in such a level leaves it",
       {"5:a-m 6:b-c", "4:a-b", "", "3:a-d"},
       {},
       "merge L1:4 L3:3 -> L3"},
      {"L0 does not skip data that it meets",
       {"5:a-m 6:b-c", "4:a-b", "", "3:a-d"},
       {3},
       "merge L0:6 L0:5 L1:4 -> L1"},
      {"the bottom level is never due",
       {"", "", "", "1:a-b 2:c-d 3:e-f 4:g-h 5:i-j 6:k-l 7:m-n 8:o-p 9:q-r"},
       {},
       "none"},
      {"several runs become one, a part at a time",
       {"", "", "", "1:a-c 2:d-f | 3:a-b 4:e-f"},
       {},
       "merge L3:3 L3:1 -> L3"},
      {"a part of a run that nothing meets moves to the oldest",
       {"", "", "", "1:a-c | 3:m-n"},
       {},
       "move L3:3 -> L3"},
  };
  return cases;
}

TEST(CompactionPicker, Leveled) {
  for (const LeveledCase& c : LeveledCases()) {
    SCOPED_TRACE(c.name);
    PickContext context;
    context.unavailable = c.unavailable;
    EXPECT_EQ(Show(PickCompaction(Shaped(CompactionPolicy::kLeveled), *Tree(c.tree), context)), c.want);
  }
}

TEST(CompactionPicker, TieredAndLazyLeveling) {
  struct Case {
    const char* name;
    CompactionPolicy policy;
    std::vector<std::string> tree;
    const char* want;
  };
  const Case cases[] = {
      {"tiered: L0 becomes a run of its own",
       CompactionPolicy::kTiered,
       {"5:a-m 6:b-c", "3:a-d"},
       "merge L0:6 L0:5 -> L1 run 2"},
      {"tiered: rows move into the newest run",
       CompactionPolicy::kTiered,
       {"5:e-f 6:g-h", "3:a-z | 4:a-d"},
       "move L0:5 L0:6 -> L1 run 2"},
      {"tiered: two runs are allowed", CompactionPolicy::kTiered, {"", "3:a-d | 4:a-d"}, "none"},
      {"tiered: three become one below",
       CompactionPolicy::kTiered,
       {"", "3:a-d | 4:a-d | 5:b-c", "1:a-z"},
       "merge L1:5 L1:4 L1:3 -> L2 run 2"},
      {"tiered: at the bottom they become one there",
       CompactionPolicy::kTiered,
       {"", "", "", "3:a-d | 4:a-d | 5:b-c"},
       "merge L3:5 L3:4 L3:3 -> L3"},
      {"lazy: upper levels have runs",
       CompactionPolicy::kLazyLeveling,
       {"5:a-m 6:b-c", "3:a-d", "1:a-b 2:c-d 7:e-f 8:g-h"},
       "merge L0:6 L0:5 -> L1 run 2"},
      {"lazy: which merge into the one of the last level",
       CompactionPolicy::kLazyLeveling,
       {"", "3:a-d | 4:a-d | 5:b-c", "1:a-b 2:c-d 7:e-f 8:g-h"},
       "merge L1:5 L1:4 L1:3 L2:1 L2:2 -> L2"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(Show(PickCompaction(Shaped(c.policy), *Tree(c.tree), {})), c.want);
  }
}

// Where others are moved.
TEST(CompactionPicker, LargeTablesAreWrittenAnewInsteadOfMoved) {
  struct Case {
    const char* name;
    std::vector<std::string> tree;  // tables have 100 bytes
    const char* moves;
    const char* rewrites;
  };
  const Case cases[] = {
      {"from L0", {"5:a-c 6:d-f"}, "move L0:5 L0:6 -> L1", "merge L0:6 L0:5 -> L1"},
      {"of a level over its limit",
       {"", "3:a-d 4:e-h", "9:a-c 8:o-p 7:r-s 6:x-y"},
       "move L1:4 -> L2",
       "merge L1:4 -> L2"},
      {"the last level", {"", "3:a-d 4:e-h"}, "move L1:3 L1:4 -> L2", "merge L1:3 -> L2"},
      {"within a level", {"", "", "", "1:a-c | 3:m-n"}, "move L3:3 -> L3", "merge L3:3 -> L3"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    PickerOptions options = Shaped(CompactionPolicy::kLeveled);
    options.largest_move_bytes = 100;
    EXPECT_EQ(Show(PickCompaction(options, *Tree(c.tree), {})), c.moves);
    options.largest_move_bytes = 99;
    EXPECT_EQ(Show(PickCompaction(options, *Tree(c.tree), {})), c.rewrites);
    options.room_bytes = 99;
    EXPECT_EQ(Show(PickCompaction(options, *Tree(c.tree), {})), c.moves) << "there is no room for another";
  }
  PickerOptions options = Shaped(CompactionPolicy::kTiered);
  const VersionPtr rows = Tree({"5:e-f 6:g-h", "3:a-z | 4:a-d"});
  EXPECT_EQ(Show(PickCompaction(options, *rows, {})), "move L0:5 L0:6 -> L1 run 2");
  options.largest_move_bytes = 99;
  EXPECT_EQ(Show(PickCompaction(options, *rows, {})), "merge L0:6 L0:5 -> L1 run 2") << "a new run";
}

TEST(CompactionPicker, JobsThatRunAreLeftAlone) {
  const VersionPtr tree = Tree({"5:a-c 6:b-c 7:m-n 8:m-n", "1:a-b 2:m-p"});
  PickContext context;
  const auto first = PickCompaction(Shaped(CompactionPolicy::kLeveled), *tree, context);
  EXPECT_EQ(Show(first), "merge L0:8 L0:7 L0:6 L0:5 L1:1 L1:2 -> L1");
  // Where a job will write, no other writes into the same run, though it uses other tables.
  context.unavailable = {5, 6, 1};
  context.running = {{1, kFirstRun, {"a", "d", false}}};
  EXPECT_EQ(Show(PickCompaction(Shaped(CompactionPolicy::kLeveled), *tree, context)),
            "merge L0:8 L0:7 L1:2 -> L1");
  context.running = {{1, kFirstRun, {"a", "n", false}}};
  EXPECT_EQ(Show(PickCompaction(Shaped(CompactionPolicy::kLeveled), *tree, context)), "none");
}

TEST(CompactionPicker, Tombstones) {
  struct Case {
    const char* name;
    std::vector<std::string> tree;
    SequenceNumber oldest_snapshot;
    const char* want;
  };
  PickerOptions options = Shaped(CompactionPolicy::kLeveled);
  options.tombstone_density_trigger = 0.5;
  const Case cases[] = {
      {"dense: down", {"", "3:a-dt", "1:a-b 2:m-p"}, kMaxSequence, "merge L1:3 L2:1 -> L2"},
      {"at the bottom: rewritten", {"", "", "1:a-bt"}, kMaxSequence, "merge L2:1 -> L2"},
      {"not while a snapshot may need them", {"", "", "1:a-bt"}, 49, "none"},
      {"nothing but tombstones: dropped", {"", "3:a-dT", "1:m-p"}, kMaxSequence, "drop L1:3"},
      {"not over older data", {"", "3:a-dT", "1:d-p"}, kMaxSequence, "merge L1:3 L2:1 -> L2"},
      {"fresh ones in L0 wait", {"5:a-mt"}, kMaxSequence, "none"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    PickContext context;
    context.oldest_snapshot = c.oldest_snapshot;
    EXPECT_EQ(Show(PickCompaction(options, *Tree(c.tree), context)), c.want);
  }
  options.tombstone_density_trigger = 0;
  options.tombstone_max_age_s = 100;
  PickContext context;
  context.now_us = 1'099'000'000;
  EXPECT_EQ(Show(PickCompaction(options, *Tree({"5:a-mt"}), context)), "none");
  context.now_us = 1'100'000'000;
  EXPECT_EQ(Show(PickCompaction(options, *Tree({"5:a-mt"}), context)), "move L0:5 -> L1");
}

// What has expired is a tombstone, for snapshots too.
TEST(CompactionPicker, WhatHasExpiredAsAWhole) {
  struct Case {
    const char* name;
    std::vector<std::string> tree;
    uint64_t now_us;
    const char* want;
  };
  const Case cases[] = {
      {"not yet", {"", "3:a-de", "1:m-p"}, 1'999'999, "move L1:3 -> L2"},
      {"dropped", {"", "3:a-de", "1:m-p"}, 2'000'000, "drop L1:3"},
      {"in L0 too", {"5:a-de", "", "1:m-p"}, 2'000'000, "drop L0:5"},
      {"at the bottom", {"", "", "1:a-be 2:c-d"}, 2'000'000, "drop L2:1"},
      {"not over older data", {"", "3:a-de", "1:d-p"}, 2'000'000, "merge L1:3 L2:1 -> L2"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    PickContext context;
    context.oldest_snapshot = 10;
    context.now_us = c.now_us;
    EXPECT_EQ(Show(PickCompaction(Shaped(CompactionPolicy::kLeveled), *Tree(c.tree), context)), c.want);
  }
}

// The expired table could pass L1, but not with what must go along.
TEST(CompactionPicker, WhatMustGoAlongPassesNoTableThatItMeets) {
  PickContext context;
  context.oldest_snapshot = 10;
  context.now_us = 2'000'000;
  context.unavailable = {3};
  const PickerOptions options = Shaped(CompactionPolicy::kLeveled);
  const auto pick = [&](const char* below) {
    return Show(PickCompaction(options, *Tree({"4:a-m 5:a-be", below, "1:a-b"}), context));
  };
  EXPECT_EQ(pick("3:n-p"), "merge L0:5 L0:4 L2:1 -> L2");
  EXPECT_EQ(pick("3:k-p"), "none");
}

TEST(CompactionPicker, TablesOfDroppedKeyspacesAlone) {
  // Keyspaces 'a' and 'm' and what lies above are there; every other below 'p' was dropped.
  std::vector<KeyspaceStatePtr> states;
  for (const char id : {'\0', 'a', 'm'}) {
    states.push_back(std::make_shared<const KeyspaceState>(0, static_cast<uint32_t>(id), std::string(1, id),
                                                           KeyspaceOptions()));
  }
  PickContext context;
  context.oldest_snapshot = 10;
  context.keyspaces = std::make_shared<const KeyspaceTable>(std::move(states), 'p');
  const PickerOptions options = Shaped(CompactionPolicy::kLeveled);
  EXPECT_EQ(Show(PickCompaction(options, *Tree({"9:b-c", "3:b-l 4:n-o", "1:a-l 2:m-o"}), context)),
            "drop L0:9 L1:3 L1:4");
  EXPECT_EQ(Show(PickCompaction(options, *Tree({"", "3:b-l"}, 4), PickContext())), "none");
  context.unavailable = {3};
  EXPECT_EQ(Show(PickCompaction(options, *Tree({"", "3:b-l"}), context)), "none");
}

TEST(CompactionPicker, SpaceTakesWhatIsDeepestFirst) {
  PickerOptions options = Shaped(CompactionPolicy::kLeveled);
  options.base_level_size = 1000;
  PickContext context;
  context.too_much_space = true;
  const VersionPtr tree = Tree({"5:a-m", "3:a-d", "1:a-b 2:m-p"});
  EXPECT_EQ(Show(PickCompaction(options, *tree, context)), "merge L1:3 L2:1 -> L2");
  EXPECT_EQ(Show(PickCompaction(options, *Tree({"5:a-m", "", "1:a-b 2:m-p"}), context)),
            "merge L0:5 L2:1 L2:2 -> L2");
  EXPECT_EQ(Show(PickCompaction(options, *Tree({"", "", "1:a-b 2:m-p"}), context)), "none");
  context.too_much_space = false;
  EXPECT_EQ(Show(PickCompaction(options, *Tree({"5:a-m", "", "1:a-b 2:m-p"}), context)), "none");
}

TEST(CompactionPicker, TheLastSlotIsKeptForL0) {
  PickerOptions options = Shaped(CompactionPolicy::kLeveled);
  options.base_level_size = 150;
  const VersionPtr full = Tree({"5:a-m 6:a-m 7:a-m 8:a-m", "3:a-d 4:e-f", "1:a-b 2:m-p"});
  const VersionPtr full_below = Tree({"5:a-m", "3:a-d 4:e-f", "1:a-b 2:m-p"});
  PickContext context;
  context.too_much_space = true;
  EXPECT_NE(Show(PickCompaction(options, *full_below, context)), "none");
  context.last_slot = true;
  EXPECT_EQ(Show(PickCompaction(options, *full, context)), "merge L0:8 L0:7 L0:6 L0:5 L1:3 L1:4 -> L1");
  EXPECT_EQ(Show(PickCompaction(options, *full_below, context)), "none");
  options.base_level_size = 50;
  EXPECT_EQ(Show(PickCompaction(options, *full, context)), "merge L0:8 L0:7 L0:6 L0:5 L1:3 L1:4 -> L1");
  EXPECT_NE(Show(PickCompaction(options, *full_below, context)), "none") << "a level at twice its limit";
}

TEST(CompactionPicker, DeadDataIsMergedWhereItIsDeepestAndNowhereElse) {
  PickerOptions options = Shaped(CompactionPolicy::kTiered);
  options.base_level_size = 1000;
  PickContext context;
  context.too_much_dead = true;
  const VersionPtr several = Tree({"9:a-m", "7:a-d", "2:a-b 3:m-p | 1:a-p"});
  EXPECT_EQ(Show(PickCompaction(options, *several, context)), "merge L2:1 L2:2 L2:3 -> L2");
  context.unavailable = {1};
  EXPECT_EQ(Show(PickCompaction(options, *several, context)), "none");
  context.unavailable.clear();
  EXPECT_EQ(Show(PickCompaction(options, *Tree({"9:a-m", "7:a-d", "1:a-p"}), context)),
            "merge L1:7 L2:1 -> L2");
  EXPECT_EQ(Show(PickCompaction(options, *Tree({"9:a-m", "", "1:a-p"}), context)), "none") << "not L0";
  context.last_slot = true;
  EXPECT_EQ(Show(PickCompaction(options, *several, context)), "none");
}

TEST(CompactionPicker, DebtIsWhatIsAboveTheLimits) {
  const PickerOptions options = Shaped(CompactionPolicy::kLeveled);
  EXPECT_EQ(DebtBytes(options, *Tree({"", "3:a-d", "1:a-b 2:m-p"})), 0);
  EXPECT_EQ(DebtBytes(options, *Tree({"", "3:a-d 4:e-f 5:g-h", "1:a-b 2:m-p"})), 100);
  EXPECT_EQ(DebtBytes(options, *Tree({"", "3:a-d 4:e-f 5:g-h 6:i-j", "1:a-b 2:m-p"})), 200);
}

KeyRange Wanted(std::string smallest, std::string largest) { return {smallest, largest, false}; }

TEST(CompactionPicker, ManualRangeTakesOlderOverlappingTablesAlong) {
  const VersionPtr tree = Tree({"5:a-d 6:c-k 7:j-z 8:a-b", "1:a-b 2:k-l 3:x-z"});
  // 6 is wanted; 5 is older and overlaps it, 7 and 8 are newer and may stay.
  EXPECT_EQ(Show(PlanRangeCompaction(*tree, 0, Wanted("e", "f"), {})), "merge L0:6 L0:5 L1:1 L1:2 -> L1");
  EXPECT_EQ(Show(PlanRangeCompaction(*tree, 1, Wanted("k", "k"), {})), "move L1:2 -> L2");
  EXPECT_EQ(Show(PlanRangeCompaction(*tree, 1, Wanted("m", "n"), {})), "none");
}

TEST(CompactionPicker, RewritesTakeStretchesOfNeighbours) {
  const VersionPtr tree = Tree({"", "1:a-b 2:c-d 3:e-f 4:g-h 5:i-j"});
  const auto stale = [](const TableMetaPtr& table) { return table->number != 3; };
  std::string shown;
  for (const CompactionPlan& plan : PlanRewrites(*tree, 1, Wanted("a", "z"), stale, {5}))
    shown += Show(plan) + "; ";
  EXPECT_EQ(shown, "merge L1:1 L1:2 -> L1; merge L1:4 -> L1; ");
}

}  // namespace
}  // namespace seerdb
