#include "db/running_compactions.h"

#include <gtest/gtest.h>

namespace seerdb {
namespace {

CompactionPlan PlanOf(uint64_t number, uint64_t bytes) {
  auto meta = std::make_shared<TableMeta>();
  meta->number = number;
  meta->bytes = bytes;
  meta->smallest_key = "a";
  meta->largest_key = "m";
  CompactionPlan plan;
  plan.inputs = {{0, number, meta}};
  plan.output_level = 2;
  plan.output_run = 5;
  return plan;
}

TEST(RunningCompactions, ANewChoiceSeesWhatRuns) {
  RunningCompactions running;
  PickContext context;
  context.unavailable = {99};
  EXPECT_FALSE(running.Start(context, [](const PickContext&) { return std::nullopt; }).has_value());
  EXPECT_EQ(running.input_bytes(), 0);
  const auto first = running.Start(context, [](const PickContext& c) -> std::optional<CompactionPlan> {
    EXPECT_EQ(c.unavailable, TableNumberSet{99});
    EXPECT_TRUE(c.running.empty());
    return PlanOf(7, 100);
  });
  ASSERT_TRUE(first.has_value());
  const auto second = running.Start(context, [](const PickContext& c) -> std::optional<CompactionPlan> {
    EXPECT_EQ(c.unavailable, (TableNumberSet{7, 99}));
    EXPECT_EQ(c.running.size(), 1);
    EXPECT_EQ(c.running[0].level, 2);
    EXPECT_EQ(c.running[0].run, 5);
    EXPECT_EQ(c.running[0].hull, (KeyRange{"a", "m", false}));
    return PlanOf(8, 1000);
  });
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(running.input_bytes(), 1100);
  running.End(*first);
  EXPECT_EQ(running.input_bytes(), 1000);
  running.End(*second);
  EXPECT_EQ(running.input_bytes(), 0);
}

// What moves needs no room of its own.
TEST(RunningCompactions, MovesTakeNoSpace) {
  RunningCompactions running;
  CompactionPlan plan = PlanOf(7, 100);
  plan.kind = CompactionPlan::Kind::kMove;
  running.Start({}, [&](const PickContext&) { return plan; });
  EXPECT_EQ(running.input_bytes(), 0);
}

TEST(RunningCompactions, JobsThatTakeNothingFromL0AreCounted) {
  RunningCompactions running;
  size_t seen = 0;
  const auto start = [&](uint32_t level, uint64_t number) {
    CompactionPlan plan = PlanOf(number, 100);
    plan.inputs.front().level = level;
    return *running.Start({}, [&](const PickContext& context) {
      seen = context.running_below_l0;
      return std::optional<CompactionPlan>(plan);
    });
  };
  start(0, 7);
  EXPECT_EQ(seen, 0u);
  const CompactionPlan of_l1 = start(1, 8);
  EXPECT_EQ(seen, 0u) << "a job of L0 runs";
  start(2, 9);
  EXPECT_EQ(seen, 1u);
  running.End(of_l1);
  start(3, 10);
  EXPECT_EQ(seen, 1u);
}

}  // namespace
}  // namespace seerdb
