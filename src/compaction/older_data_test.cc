#include "compaction/older_data.h"

#include <gtest/gtest.h>

namespace seerdb {
namespace {

TableMetaPtr RangeTable(uint64_t number, const char* smallest, const char* largest) {
  auto meta = std::make_shared<TableMeta>();
  meta->number = number;
  meta->smallest_key = smallest;
  meta->largest_key = largest;
  return meta;
}

class OlderDataTest : public ::testing::Test {
 protected:
  OlderDataTest() {
    levels_[0].runs = {{9, {RangeTable(9, "a", "z")}}, {8, {RangeTable(8, "a", "z")}}};
    levels_[1].runs = {{3, {RangeTable(31, "b", "d"), RangeTable(32, "m", "n")}},
                       {2, {RangeTable(21, "c", "e")}}};
    levels_[2].runs = {{1, {RangeTable(11, "f", "h"), RangeTable(12, "k", "k")}}};
  }
  CompactionPlan Plan(std::vector<CompactionPlan::Input> inputs, uint32_t level, uint64_t run) {
    CompactionPlan plan;
    plan.inputs = std::move(inputs);
    plan.output_level = level;
    plan.output_run = run;
    return plan;
  }
  // Which of a .. z may have older versions than the plan's output.
  std::string Held(const CompactionPlan& plan) {
    OlderData older(Version(levels_), plan);
    std::string held;
    for (char c = 'a'; c <= 'z'; ++c) {
      if (older.MayHold(std::string(1, c))) held += c;
    }
    return held;
  }

  std::vector<Level> levels_ = std::vector<Level>(4);
};

TEST_F(OlderDataTest, ANewRunHasAllOfItsLevelBelow) {
  EXPECT_EQ(Held(Plan({{0, 9, RangeTable(9, "a", "z")}, {0, 8, RangeTable(8, "a", "z")}}, 1, 4)),
            "bcdefghkmn");
}

TEST_F(OlderDataTest, WhatIsMergedIsNotBelow) {
  EXPECT_EQ(Held(Plan({{0, 9, RangeTable(9, "a", "z")},
                       {1, 3, RangeTable(31, "b", "d")},
                       {1, 2, RangeTable(21, "c", "e")}},
                      1, 2)),
            "fghk");
  EXPECT_EQ(Held(Plan({{2, 1, RangeTable(11, "f", "h")}}, 3, 1)), "");
}

TEST_F(OlderDataTest, OnlyOlderRunsOfTheOutputLevelCount) {
  EXPECT_EQ(Held(Plan({{1, 3, RangeTable(31, "b", "d")}}, 1, 3)), "cde");
  EXPECT_EQ(Held(Plan({{1, 2, RangeTable(21, "c", "e")}}, 1, 2)), "");
}

// Nothing may be dropped over what lies between the inputs and a deeper output.
TEST_F(OlderDataTest, SkippedLevelsCount) {
  EXPECT_EQ(Held(Plan({{0, 8, RangeTable(8, "a", "z")}}, 3, 1)), "bcdefghkmn");
}

}  // namespace
}  // namespace seerdb
