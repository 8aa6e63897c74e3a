#include "compaction/flushed_ranges.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "compaction/flush_job.h"

namespace seerdb {
namespace {

VersionPtr With(const std::vector<RangeTombstone>& ranges) {
  auto list = std::make_shared<std::vector<RangeTombstonePtr>>();
  for (const RangeTombstone& range : ranges) list->push_back(std::make_shared<const RangeTombstone>(range));
  RangeListPtr ptr = std::move(list);
  if (ptr->empty()) ptr = nullptr;
  return std::make_shared<const Version>(std::vector<Level>(2), ptr);
}

TEST(FlushedRanges, EachVersionAsksNoFurtherThanItself) {
  const auto account = std::make_shared<MemoryAccount>();
  const VersionPtr one = With({{"b", "d", 5, 0}});
  const VersionPtr two = With({{"b", "d", 5, 0}, {"c", "e", 9, 0}});
  const FlushedRanges first = FlushedRanges::Of(*one, account, 0);
  const FlushedRanges second = first.Next(*two, account);
  EXPECT_EQ(first.limit(), 5u);
  EXPECT_EQ(second.limit(), 9u);
  EXPECT_EQ(first.Find("c", kMaxSequence), 5u) << "the map has grown meanwhile";
  EXPECT_EQ(second.Find("c", kMaxSequence), 9u);
  EXPECT_EQ(second.Find("c", 8), 5u);
  EXPECT_EQ(second.Find("e", kMaxSequence), 0u);
  EXPECT_EQ(first.CoverAt(kMaxSequence).HiddenBelow("d"), 0u);
  EXPECT_GT(account->bytes(MemoryClass::kTableMetadata), 0u);
}

TEST(FlushedRanges, WhatIsForgottenGoesSoonerOrLater) {
  std::vector<RangeTombstone> listed;
  FlushedRanges ranges;
  const auto account = std::make_shared<MemoryAccount>();
  for (SequenceNumber s = 1; s <= 3'000; ++s) {
    listed.push_back({"a", "b", s, 0});
    if (listed.size() > 10) listed.erase(listed.begin());
    ranges = ranges.Next(*With(listed), account);
    ASSERT_EQ(ranges.Find("a", kMaxSequence), s);
  }
  EXPECT_LT(account->bytes(MemoryClass::kTableMetadata), uint64_t{600} << 10);
  ranges = ranges.Next(*With({}), account);
  EXPECT_TRUE(ranges.empty());
  EXPECT_EQ(ranges.limit(), 3'000u) << "what is written now need not be looked at for them";
  EXPECT_EQ(ranges.Find("a", kMaxSequence), 0u);
  EXPECT_EQ(account->bytes(MemoryClass::kTableMetadata), 0u);
}

TEST(FlushedRanges, AFlushListsWhatItsSnapshotsTellApart) {
  MemTable memtable;
  EXPECT_TRUE(RangesOf(memtable.range_tombstones(), {9}, 0).empty());
  memtable.AddRange(1, "a", "d");
  memtable.AddRange(2, "b", "c");
  memtable.AddRange(3, "a", "d");
  memtable.AddRange(4, "e", "f");
  const auto show = [&](std::vector<SequenceNumber> snapshots) {
    std::string out;
    for (const RangeTombstone& range : RangesOf(memtable.range_tombstones(), std::move(snapshots), 7)) {
      EXPECT_EQ(range.since_s, 7u);
      out += range.begin + "-" + range.end + "@" + std::to_string(range.sequence) + " ";
    }
    return out;
  };
  EXPECT_EQ(show({9}), "a-d@3 e-f@4 ");
  EXPECT_EQ(show({1, 9}), "a-d@1 a-d@3 e-f@4 ");
  EXPECT_EQ(show({2, 9}), "a-b@1 c-d@1 b-c@2 a-d@3 e-f@4 ");
  EXPECT_EQ(show({3, 9}), "a-d@3 e-f@4 ");
  EXPECT_EQ(show({4}), "a-d@3 e-f@4 ");
}

}  // namespace
}  // namespace seerdb
