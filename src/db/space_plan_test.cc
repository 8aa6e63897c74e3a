#include "db/space_plan.h"

#include <gtest/gtest.h>

#include "base/units.h"

namespace seerdb {
namespace {

SpaceFacts Facts(double target, uint64_t disk_mib, double live_mib, double live_disk_mib) {
  SpaceFacts facts;
  facts.target = target;
  facts.disk_bytes = disk_mib * kMiB;
  facts.live = {1e6, live_mib * kMiB, live_disk_mib * kMiB};
  facts.l0_run_bytes = kMiB;
  return facts;
}

TEST(SpacePlan, WithoutATargetNothingIsLimited) {
  const SpacePlan plan = PlanSpace(Facts(0, 1000, 100, 100));
  EXPECT_FALSE(plan.limited);
  EXPECT_FALSE(plan.too_much);
  EXPECT_EQ(plan.pressure, 0);
  EXPECT_EQ(plan.merge_bytes, UINT64_MAX);
}

TEST(SpacePlan, WithoutATargetTablesTakeThreeTimesWhatIsLive) {
  struct Case {
    uint64_t table_mib, oldest_run_mib;
    double live_mib;
    bool too_much;
  };
  for (const Case& c :
       {Case{1200, 100, 400, false}, Case{1201, 100, 400, true},
        // Of keys that are all different nothing is dead, however many runs there are.
        Case{10000, 100, 9900, false},
        // The estimate is low where keys are deleted and written again; the oldest run is not.
        Case{1200, 400, 10, false}, Case{1201, 400, 10, true}, Case{40, 1, 1, false}, Case{41, 1, 1, true}}) {
    SpaceFacts facts = Facts(0, 1'000'000, c.live_mib, c.live_mib);
    facts.table_bytes = c.table_mib * kMiB;
    facts.oldest_run_bytes = c.oldest_run_mib * kMiB;
    facts.tolerated_bytes = 40 * kMiB;
    const SpacePlan plan = PlanSpace(facts);
    EXPECT_EQ(plan.too_much, c.too_much) << c.table_mib;
    EXPECT_FALSE(plan.limited);
    EXPECT_EQ(plan.pressure, 0);
    EXPECT_EQ(plan.base_level_size, UINT64_MAX);
  }
}

TEST(SpacePlan, StartsAtHalfTheSlackAndPressesUpToTheTargetLessAMargin) {
  // 400 MiB live, 410 in tables; of 1.3 a quarter is margin, 490 is allowed, so the slack is 80.
  struct Case {
    uint64_t disk_mib;
    bool too_much;
    double pressure;
  };
  for (const Case& c : {Case{410, false, 0}, Case{449, false, 0}, Case{451, true, 0.02}, Case{470, true, 0.5},
                        Case{490, true, 1}, Case{900, true, 1}}) {
    const SpacePlan plan = PlanSpace(Facts(1.3, c.disk_mib, 400, 410));
    EXPECT_EQ(plan.too_much, c.too_much) << c.disk_mib;
    EXPECT_NEAR(plan.pressure, c.pressure, 0.01) << c.disk_mib;
  }
}

TEST(SpacePlan, WhatMayBeWrittenAtOnceFitsIntoTheSlack) {
  const SpacePlan plan = PlanSpace(Facts(1.3, 410, 400, 410));
  EXPECT_TRUE(plan.limited);
  EXPECT_TRUE(plan.one_run_a_level);
  EXPECT_LE(plan.merge_bytes, 12 * kMiB);
  EXPECT_LE(plan.base_level_size, 4 * kMiB);
  EXPECT_LE(plan.target_file_size, plan.merge_bytes / 8) << "merges come in parts";
  EXPECT_EQ(plan.l0_compaction_trigger, 5);
  EXPECT_FALSE(PlanSpace(Facts(2, 410, 400, 410)).one_run_a_level);
}

TEST(SpacePlan, MergesShrinkWithWhatIsLeft) {
  EXPECT_EQ(PlanSpace(Facts(1.3, 474, 400, 410)).merge_bytes, 8 * kMiB);
  EXPECT_EQ(PlanSpace(Facts(1.3, 600, 400, 410)).merge_bytes, kMiB / 4);
}

TEST(SpacePlan, ATightTargetWantsALargeRatio) {
  EXPECT_EQ(PlanSpace(Facts(1.1, 1, 1, 1)).least_size_ratio, 20);
  EXPECT_EQ(PlanSpace(Facts(1.3, 1, 1, 1)).least_size_ratio, 11);
  EXPECT_EQ(PlanSpace(Facts(5, 1, 1, 1)).least_size_ratio, 4);
}

// Overhead alone may exceed the target: then all is merged that can be, and writers are not stopped for it.
TEST(SpacePlan, ATargetBelowTheOverheadIsApproached) {
  const SpacePlan plan = PlanSpace(Facts(1.1, 130, 100, 120));
  EXPECT_TRUE(plan.too_much);
  EXPECT_EQ(plan.pressure, 0);
  EXPECT_GT(plan.merge_bytes, 0);
  EXPECT_EQ(plan.l0_compaction_trigger, 1);
}

TEST(SpacePlan, AnEmptyTreeIsNotPressed) {
  const SpacePlan plan = PlanSpace(Facts(1.3, 0, 0, 0));
  EXPECT_FALSE(plan.too_much);
  EXPECT_EQ(plan.pressure, 0);
}

}  // namespace
}  // namespace seerdb
