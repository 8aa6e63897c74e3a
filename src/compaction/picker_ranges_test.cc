// What the picker does about range tombstones.
#include <gtest/gtest.h>

#include <sstream>

#include "compaction/picker_test_util.h"

namespace seerdb {
namespace {

// The tree with range tombstones over single letters, "b-d@60"; and what an old one has been applied to.
VersionPtr WithRanges(const VersionPtr& tree, const std::string& text, uint64_t since_s = 0) {
  auto list = std::make_shared<std::vector<RangeTombstonePtr>>();
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    list->push_back(std::make_shared<const RangeTombstone>(
        RangeTombstone{word.substr(0, 1), word.substr(2, 1), std::stoull(word.substr(4)), since_s}));
  }
  return std::make_shared<const Version>(tree->levels(), list);
}

// Tables of Tree have sequences from 0 to 50.
TEST(CompactionPicker, TablesThatRangesHideWholly) {
  const PickerOptions options = Shaped(CompactionPolicy::kLeveled);
  struct Case {
    const char* name;
    std::vector<std::string> tree;
    const char* ranges;
    std::vector<SequenceNumber> snapshots;
    const char* want;
  };
  const Case cases[] = {
      {"inside", {"9:b-c", "3:b-d 4:f-g"}, "b-e@60", {70}, "drop L0:9 L1:3"},
      {"the end is not covered", {"", "3:b-d"}, "b-d@60", {70}, "none"},
      {"begins before", {"", "3:a-c"}, "b-d@60", {70}, "none"},
      {"not newer than all in it", {"", "3:b-c"}, "b-d@50", {70}, "none"},
      {"two side by side", {"", "3:b-d"}, "b-c@60 c-e@61", {70}, "drop L1:3"},
      {"a snapshot between", {"", "3:b-c"}, "b-d@60", {55, 70}, "none"},
      {"a snapshot inside the table", {"", "3:b-c"}, "b-d@60", {20, 70}, "none"},
      {"a snapshot behind", {"", "3:b-c"}, "b-d@60", {60, 70}, "drop L1:3"},
      {"not visible to all when the list was taken", {"", "3:b-c"}, "b-d@60", {59}, "none"},
      {"above an older table that is not covered", {"9:b-c", "3:a-d"}, "b-d@60", {70}, "drop L0:9"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const VersionPtr version = WithRanges(Tree(c.tree), c.ranges);
    PickContext context;
    context.snapshots = c.snapshots;
    context.oldest_snapshot = c.snapshots.front();
    context.ranges = FlushedRanges::Of(*version, nullptr, 0);
    EXPECT_EQ(Show(PickCompaction(options, *version, context)), c.want);
  }
}

TEST(CompactionPicker, WhatAnOldRangeCoversInPartIsWrittenAnew) {
  PickerOptions options = Shaped(CompactionPolicy::kLeveled);
  options.base_level_size = 1000;
  const VersionPtr version = WithRanges(Tree({"", "", "1:a-d 2:f-g"}), "c-g@60", 1000);
  PickContext context;
  context.snapshots = {70};
  context.oldest_snapshot = 70;
  context.ranges = FlushedRanges::Of(*version, nullptr, 0);
  context.now_us = 1'099'000'000;
  EXPECT_EQ(Show(PickCompaction(options, *version, context)), "none") << "no age is set";
  options.tombstone_max_age_s = 100;
  EXPECT_EQ(Show(PickCompaction(options, *version, context)), "none") << "not old enough";
  context.now_us = 1'100'000'000;
  EXPECT_EQ(Show(PickCompaction(options, *version, context)), "merge L2:1 -> L2");
  context.unavailable = {1};
  EXPECT_EQ(Show(PickCompaction(options, *version, context)), "merge L2:2 -> L2");
  context.unavailable = {1, 2};
  EXPECT_EQ(Show(PickCompaction(options, *version, context)), "none");
  context.unavailable = {};
  const VersionPtr in_l0 = WithRanges(Tree({"9:b-c", "", "1:e-m"}), "c-d@60", 1000);
  context.ranges = FlushedRanges::Of(*in_l0, nullptr, 0);
  EXPECT_EQ(Show(PickCompaction(options, *in_l0, context)), "move L0:9 -> L2");
  context.ranges = FlushedRanges::Of(*version, nullptr, 0);
  context.unavailable = {};
  options.tombstone_max_age_s = 0;
  options.max_range_tombstones = 0;
  EXPECT_EQ(Show(PickCompaction(options, *version, context)), "merge L2:1 -> L2") << "one too many";
  context.oldest_snapshot = 59;
  EXPECT_EQ(Show(PickCompaction(options, *version, context)), "none") << "a snapshot reads what it hides";
}

}  // namespace
}  // namespace seerdb
