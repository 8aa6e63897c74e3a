#include "compaction/leveled_picker.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace seerdb {
namespace {

// A tree in text: one string a level, "5:a-m 6:n-z" = tables by number with their ranges, 100 bytes each.
// In L0 each table is a run, the last one newest.
VersionPtr Tree(const std::vector<std::string>& texts, uint32_t num_levels = 4) {
  std::vector<Level> levels(num_levels);
  for (size_t i = 0; i < texts.size(); ++i) {
    Run run{1, {}};
    size_t p = 0;
    while (p < texts[i].size()) {
      auto meta = std::make_shared<TableMeta>();
      size_t used = 0;
      meta->number = std::stoull(texts[i].substr(p), &used);
      p += used + 1;
      meta->smallest_key = texts[i][p];
      meta->largest_key = texts[i][p + 2];
      meta->bytes = 100;
      meta->entries = 10;
      p += 4;
      if (i == 0) {
        levels[0].runs.insert(levels[0].runs.begin(), Run{meta->number, {meta}});
      } else {
        run.tables.push_back(meta);
      }
    }
    if (!run.tables.empty()) levels[i].runs.push_back(run);
  }
  return std::make_shared<const Version>(std::move(levels));
}

std::string Show(const std::optional<CompactionPlan>& plan) {
  if (!plan.has_value()) return "none";
  std::string out = plan->kind == CompactionPlan::Kind::kMove ? "move" : "merge";
  for (const CompactionPlan::Input& input : plan->inputs) {
    out += " L" + std::to_string(input.level) + ":" + std::to_string(input.table->number);
  }
  return out + " -> L" + std::to_string(plan->output_level);
}

const LeveledPickerOptions kOptions{2, 200, 2};

TEST(LeveledPicker, Picks) {
  struct Case {
    const char* name;
    std::vector<std::string> tree;
    TableNumberSet unavailable;
    const char* want;
  };
  const Case cases[] = {
      {"empty", {}, {}, "none"},
      {"L0 below its trigger", {"5:a-m"}, {}, "none"},
      {"overlapping L0 merges with its overlap in L1",
       {"5:a-m 6:b-c", "3:a-d 4:n-z"},
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
      {"L1 over its target moves a table with no overlap",
       {"", "3:a-d 4:e-h", "9:a-c"},
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
      {"the last level is never due",
       {"", "", "", "1:a-b 2:c-d 3:e-f 4:g-h 5:i-j 6:k-l 7:m-n 8:o-p 9:q-r"},
       {},
       "none"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(Show(PickLeveledCompaction(kOptions, *Tree(c.tree), c.unavailable)), c.want);
  }
}

TEST(LeveledPicker, ManualRangeTakesOlderOverlappingTablesAlong) {
  const VersionPtr tree = Tree({"5:a-d 6:c-k 7:j-z 8:a-b", "1:a-b 2:k-l 3:x-z"});
  // 6 is wanted; 5 is older and overlaps it, 7 and 8 are newer and may stay.
  EXPECT_EQ(Show(PlanRangeCompaction(*tree, 0, "e", "f", {})), "merge L0:6 L0:5 L1:1 L1:2 -> L1");
  EXPECT_EQ(Show(PlanRangeCompaction(*tree, 1, "k", "k", {})), "merge L1:2 -> L2");
  EXPECT_EQ(Show(PlanRangeCompaction(*tree, 1, "m", "n", {})), "none");
  EXPECT_EQ(Show(PlanRangeCompaction(*Tree({"", "1:a-b"}, 2), 1, "a", "b", {})), "merge L1:1 -> L1");
}

TEST(LeveledPicker, RewritesTakeStretchesOfNeighbours) {
  const VersionPtr tree = Tree({"", "1:a-b 2:c-d 3:e-f 4:g-h 5:i-j"});
  const auto stale = [](const TableMetaPtr& table) { return table->number != 3; };
  std::string shown;
  for (const CompactionPlan& plan : PlanRewrites(*tree, 1, "a", "z", stale, {5})) shown += Show(plan) + "; ";
  EXPECT_EQ(shown, "merge L1:1 L1:2 -> L1; merge L1:4 -> L1; ");
}

TEST(LeveledPicker, TargetsSaturate) {
  const LeveledPickerOptions huge{4, uint64_t{1} << 60, 100};
  EXPECT_EQ(LevelTargetBytes(huge, 1), uint64_t{1} << 60);
  EXPECT_EQ(LevelTargetBytes(huge, 3), UINT64_MAX);
}

}  // namespace
}  // namespace seerdb
