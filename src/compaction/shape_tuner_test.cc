#include "compaction/shape_tuner.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/units.h"

namespace seerdb {
namespace {

VersionPtr TreeOfRuns(uint32_t runs, uint64_t run_bytes) {
  std::vector<Level> levels(7);
  for (uint32_t i = 0; i < runs; ++i) {
    auto meta = std::make_shared<TableMeta>();
    meta->number = i + 1;
    meta->bytes = run_bytes;
    levels[1].runs.insert(levels[1].runs.begin(), Run{i + 1, {meta}});
  }
  return std::make_shared<const Version>(std::move(levels));
}

TreeFacts Facts(double bytes) {
  TreeFacts facts;
  facts.bytes = bytes;
  facts.base_bytes = 256.0 * kMiB;
  return facts;
}

WorkloadSample Puts(double count) { return {.puts = count, .put_bytes = 116 * count, .entry_bytes = 130}; }
WorkloadSample Gets(double count) {
  return {.gets_found = count / 2, .gets_missing = count / 2, .entry_bytes = 130};
}
WorkloadSample Scans(double count) {
  return {.scans = count, .scanned_entries = 50 * count, .entry_bytes = 130};
}

TreeShape BestFor(const WorkloadSample& work, const TreeFacts& facts) {
  TreeShape best;
  double best_cost = -1;
  for (const TreeShape& shape : CandidateShapes(facts.bounded_space)) {
    const double cost = CostOf(shape, work, facts);
    if (best_cost < 0 || cost < best_cost) {
      best = shape;
      best_cost = cost;
    }
  }
  return best;
}

TEST(ShapeTuner, WritesWantManyRunsAndReadsFew) {
  const TreeFacts facts = Facts(10'000.0 * kMiB);
  EXPECT_GT(BestFor(Puts(1e6), facts).last_runs, 1);
  EXPECT_EQ(BestFor(Gets(1e6), facts).upper_runs, 1);
  EXPECT_EQ(BestFor(Scans(1e6), facts).upper_runs, 1);
  EXPECT_EQ(BestFor(Scans(1e6), facts).last_runs, 1);
}

TEST(ShapeTuner, ASpaceTargetRulesOutSeveralRunsInTheLastLevel) {
  TreeFacts facts = Facts(10'000.0 * kMiB);
  facts.bounded_space = true;
  EXPECT_EQ(BestFor(Puts(1e6), facts).last_runs, 1);
  TunerState state{ShapeOf(CompactionPolicy::kTiered, 10), {}, 0};
  state = NextState(state, Puts(10), *TreeOfRuns(1, kMiB), facts);
  EXPECT_EQ(state.shape.last_runs, 1);
}

TEST(ShapeTuner, RatiosStayWithinFourToTwenty) {
  for (const TreeShape& shape : CandidateShapes(false)) {
    EXPECT_GE(shape.size_ratio, 4);
    EXPECT_LE(shape.size_ratio, 20);
  }
}

// Runs of L0 that are small beside the level fill it by their number: more of them spare a rewrite.
TEST(ShapeTuner, WritesWantRoomForTheRunsThatL0Makes) {
  TreeFacts facts = Facts(2000.0 * kMiB);
  EXPECT_EQ(CostOf(ShapeOf(CompactionPolicy::kTiered, 10), Puts(1e6), facts),
            CostOf(ShapeOf(CompactionPolicy::kTiered, 16), Puts(1e6), facts));
  facts.run_bytes = 170.0 * kMiB;
  EXPECT_EQ(CostOf(ShapeOf(CompactionPolicy::kTiered, 10), Puts(1e6), facts),
            2 * CostOf(ShapeOf(CompactionPolicy::kTiered, 16), Puts(1e6), facts));
  EXPECT_GT(BestFor(Puts(1e6), facts).last_runs, 11);
}

// Costs what it says: a change waits until the regret pays for it, at the price of work in the background.
TEST(ShapeTuner, ChangesWhenRegretHasPaidForIt) {
  const VersionPtr tree = TreeOfRuns(9, 256 * kMiB);
  const TreeFacts facts = Facts(9 * 256.0 * kMiB);
  TunerState state{ShapeOf(CompactionPolicy::kTiered, 10), {}, 0};
  const double price = TransitionCost(ShapeOf(CompactionPolicy::kLeveled, 10), *tree, facts);
  EXPECT_GT(price, 500'000);
  uint64_t scans = 0;
  while (state.shape.last_runs > 1) {
    state = NextState(state, Scans(1000), *tree, facts);
    scans += 1000;
    ASSERT_LT(scans, 10'000'000);
  }
  const double saved_a_scan =
      CostOf(ShapeOf(CompactionPolicy::kTiered, 10), Scans(1), facts) - CostOf(state.shape, Scans(1), facts);
  EXPECT_NEAR(static_cast<double>(scans) * saved_a_scan, price / 2, 0.3 * price);
  // And a few writes do not change it back and forth.
  const TreeShape shape = state.shape;
  for (int i = 0; i < 20; ++i) {
    state = NextState(state, Puts(100), *tree, facts);
    state = NextState(state, Scans(1000), *tree, facts);
    EXPECT_EQ(state.shape, shape);
  }
}

// Reads of two runs in L0 are borne until they have cost what the merge will.
TEST(ShapeTuner, RunsOfL0AreDueWhenReadsHavePaidForTheirMerge) {
  std::vector<Level> levels(7);
  const auto table = [](uint64_t number, uint64_t bytes) {
    auto meta = std::make_shared<TableMeta>();
    meta->number = number;
    meta->bytes = bytes;
    return std::vector<TableMetaPtr>{std::move(meta)};
  };
  levels[1].runs.push_back({1, table(1, 40 * kMiB)});
  levels[0].runs.push_back({3, table(3, kMiB)});
  levels[0].runs.push_back({2, table(2, kMiB)});
  const Version two(levels);
  levels[0].runs.erase(levels[0].runs.begin());
  levels[0].runs[0] = {4, table(4, kMiB)};
  const Version other(levels);
  const TreeFacts facts = Facts(42.0 * kMiB);
  TunerState state{ShapeOf(CompactionPolicy::kLeveled, 10), {}, 0};
  uint64_t scans = 0;
  for (; !state.merge_l0; scans += 100) {
    ASSERT_LT(scans, 1'000'000);
    state = NextState(state, Scans(100), two, facts);
  }
  // Two runs to ask, and in each of fifty steps the games of three runs.
  const double paid_by_scan = 2 + 50 * 0.002 * std::log2(3);
  EXPECT_NEAR(static_cast<double>(scans) * paid_by_scan, 42.0 * kMiB / 4096, 300);
  state = NextState(state, Scans(100), other, facts);
  EXPECT_FALSE(state.merge_l0) << "others have cost nothing yet";
  state = NextState(state, {}, two, facts);
  state = NextState(state, Scans(1'000'000), other, facts);
  EXPECT_FALSE(state.merge_l0) << "scans of before they were there";
  for (int i = 0; i < 1000; ++i) state = NextState(state, Puts(1000), other, facts);
  EXPECT_FALSE(state.merge_l0) << "writes do not ask runs";
}

// A scan from end to end asks each run once, and merges them in every step.
TEST(ShapeTuner, RunsOfL0AreDueWhenAFewLongScansHaveMergedThem) {
  std::vector<Level> levels(7);
  for (const uint64_t number : {1, 2, 3, 4}) {
    auto meta = std::make_shared<TableMeta>();
    meta->number = number;
    meta->bytes = number == 1 ? 46'000'000 : 14'000'000;
    Level& level = levels[number == 1 ? 1 : 0];
    level.runs.insert(level.runs.begin(), {number, {meta}});
  }
  const Version tree(levels);
  TunerState state{ShapeOf(CompactionPolicy::kLeveled, 10), {}, 0};
  const WorkloadSample scan{.scans = 1, .scanned_entries = 400'000, .passed_entries = 375'000};
  state = NextState(state, {}, tree, Facts(88e6));
  int scans = 0;
  for (; !state.merge_l0; ++scans) {
    ASSERT_LT(scans, 100);
    state = NextState(state, scan, tree, Facts(88e6));
  }
  EXPECT_EQ(scans, 7) << "3,100 blocks for each, and 21,500 to be merged";
}

TEST(ShapeTuner, ASteadyLoadSettles) {
  const VersionPtr tree = TreeOfRuns(1, 256 * kMiB);
  TunerState state{ShapeOf(CompactionPolicy::kLazyLeveling, 10), {}, 0};
  int changes = 0;
  for (int i = 0; i < 500; ++i) {
    const TreeShape before = state.shape;
    WorkloadSample mixed = Puts(500);
    mixed.gets_found = 500;
    mixed.scans = 20;
    state = NextState(state, mixed, *tree, Facts(2560.0 * kMiB));
    changes += state.shape == before ? 0 : 1;
  }
  EXPECT_LE(changes, 1);
}

TEST(ShapeTuner, NothingDoneChangesNothing) {
  const TunerState state{ShapeOf(CompactionPolicy::kTiered, 10), Puts(5), 7};
  const TunerState next = NextState(state, {}, *TreeOfRuns(1, kMiB), Facts(kMiB));
  EXPECT_EQ(next.shape, state.shape);
  EXPECT_EQ(next.regret, 7);
}

}  // namespace
}  // namespace seerdb
