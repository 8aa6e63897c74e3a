#include "compaction/tree_shape.h"

#include <gtest/gtest.h>

namespace seerdb {
namespace {

VersionPtr TreeOf(std::vector<uint64_t> level_bytes) {
  std::vector<Level> levels(level_bytes.size());
  for (size_t i = 0; i < level_bytes.size(); ++i) {
    if (level_bytes[i] == 0) continue;
    auto meta = std::make_shared<TableMeta>();
    meta->number = i + 1;
    meta->bytes = level_bytes[i];
    levels[i].runs.push_back({1, {meta}});
  }
  return std::make_shared<const Version>(std::move(levels));
}

TEST(TreeShape, Policies) {
  EXPECT_EQ(ShapeOf(CompactionPolicy::kLeveled, 10), (TreeShape{10, 1, 1}));
  EXPECT_EQ(ShapeOf(CompactionPolicy::kTiered, 10), (TreeShape{10, 9, 9}));
  EXPECT_EQ(ShapeOf(CompactionPolicy::kLazyLeveling, 4), (TreeShape{4, 3, 1}));
  EXPECT_EQ(ShapeOf(CompactionPolicy::kTiered, 2), (TreeShape{2, 1, 1}));
  EXPECT_EQ(ShapeOf(CompactionPolicy::kLazyLeveling, 20).ToString(), "lazy_leveling ratio 20");
  EXPECT_EQ(ShapeOf(CompactionPolicy::kLeveled, 5).ToString(), "leveled ratio 5");
  EXPECT_EQ(ShapeOf(CompactionPolicy::kTiered, 6).ToString(), "tiered ratio 6");
}

std::string Show(const TreeLimits& limits) {
  std::string out = "first L" + std::to_string(limits.first) + " last L" + std::to_string(limits.last) + ":";
  for (uint32_t level = 1; level < limits.levels.size(); ++level) {
    const LevelLimit& limit = limits.levels[level];
    out += " " + std::to_string(limit.runs) + "x";
    out += limit.bytes == UINT64_MAX ? "any" : std::to_string(limit.bytes);
  }
  return out;
}

TEST(TreeShape, Limits) {
  struct Case {
    const char* name;
    CompactionPolicy policy;
    std::vector<uint64_t> bytes;
    const char* want;
  };
  const Case cases[] = {
      {"an empty tree", CompactionPolicy::kLeveled, {0, 0, 0, 0}, "first L1 last L1: 1x100 1x1000 1xany"},
      {"leveled", CompactionPolicy::kLeveled, {5, 90, 900, 0}, "first L1 last L2: 1x100 1x1000 1xany"},
      {"upper levels are small beside a small last one",
       CompactionPolicy::kLeveled,
       {5, 0, 0, 800},
       "first L2 last L3: 1x0 1x100 1xany"},
      {"or of no use at all", CompactionPolicy::kLeveled, {5, 0, 0, 90}, "first L3 last L3: 1x0 1x0 1xany"},
      {"a large last one gives them room",
       CompactionPolicy::kLeveled,
       {5, 0, 0, 8000},
       "first L1 last L3: 1x100 1x800 1xany"},
      {"lazy leveling",
       CompactionPolicy::kLazyLeveling,
       {5, 0, 0, 8000},
       "first L1 last L3: 9x100 9x800 1xany"},
      {"tiered", CompactionPolicy::kTiered, {5, 90, 900, 0}, "first L1 last L2: 9x900 9x9000 9xany"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(Show(LimitsOf(ShapeOf(c.policy, 10), 100, *TreeOf(c.bytes))), c.want);
  }
}

TEST(TreeShape, LimitsSaturate) {
  const TreeLimits limits =
      LimitsOf(ShapeOf(CompactionPolicy::kTiered, 100), uint64_t{1} << 60, *TreeOf({0, 1, 0, 0, 0}));
  EXPECT_EQ(limits.levels[1].bytes, UINT64_MAX);
  EXPECT_EQ(limits.levels[3].bytes, UINT64_MAX);
}

}  // namespace
}  // namespace seerdb
