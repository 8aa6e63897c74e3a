// The database against std::map, under every option set. SEERDB_DIFFERENTIAL_OPS sets the operations of all
// sets together, SEERDB_SEED repeats a run. What each suite proves: docs/testing.md.
#include <cinttypes>
#include <cstdio>

#include "tests/differential/differential_run.h"

namespace seerdb::testing {
namespace {

constexpr uint64_t kOperations = 1'050'000;
constexpr uint64_t kOperationsSanitized = 60'000;
constexpr uint64_t kOperationsForCoverage = 8'000;  // a shorter run of a set promises no coverage

class OptionSetTest : public ::testing::TestWithParam<OptionSet> {};

void ExpectCoverage(const OptionSet& set, const Coverage& seen) {
  EXPECT_GE(seen.flushes, 100u);
  EXPECT_GE(seen.compactions, 20u);
  EXPECT_GE(seen.merges, 20u);
  // Every level that a set of two levels has; else three.
  EXPECT_GE(seen.levels.size(), set.options.num_levels == 2 ? 1u : 3u);
  EXPECT_GE(seen.reopens, 50u);
  if (!set.real_files) {
    EXPECT_GE(seen.crash_reopens, 10u);
  }
  EXPECT_GE(seen.snapshots_across_compaction, 10u);
  EXPECT_GE(seen.memtable_hits, 50u);
  EXPECT_GE(seen.l0_hits, 10u);
  EXPECT_GE(seen.bottom_hits, 50u);
}

TEST_P(OptionSetTest, MatchesMap) {
  const OptionSet& set = GetParam();
  const uint64_t all = EnvNumber("SEERDB_DIFFERENTIAL_OPS", kSanitized ? kOperationsSanitized : kOperations);
  const uint64_t operations = all / OptionSets().size();
  DifferentialRun run(set, TestSeed(), operations);
  const bool same = run.Run();
  const Coverage& seen = run.coverage();
  std::printf("[ COVERAGE ] %s: %" PRIu64 " operations, %" PRIu64 " flushes, %" PRIu64 " merges, %" PRIu64
              " merges and moves, %zu levels below L0, %" PRIu64 " reopens (%" PRIu64
              " after a crash), %" PRIu64 " snapshot reads across compaction, hits: memtable %" PRIu64
              ", L0 %" PRIu64 ", bottom %" PRIu64 "\n",
              set.name.c_str(), seen.operations, seen.flushes, seen.merges, seen.compactions,
              seen.levels.size(), seen.reopens, seen.crash_reopens, seen.snapshots_across_compaction,
              seen.memtable_hits, seen.l0_hits, seen.bottom_hits);
  if (same && operations >= kOperationsForCoverage) ExpectCoverage(set, seen);
}

INSTANTIATE_TEST_SUITE_P(Differential, OptionSetTest, ::testing::ValuesIn(OptionSets()),
                         [](const auto& tested) { return tested.param.name; });

// With the cooperative executor, a clock that stands still and one seed, two runs leave the same bytes.
TEST(Differential, CooperativeRunIsDeterministic) {
  const uint64_t seed = TestSeed();
  uint64_t digests[2] = {};
  for (uint64_t& digest : digests) {
    for (const OptionSet& set : OptionSets()) {
      if (!set.cooperative) continue;
      DifferentialRun run(set, seed, 4000);
      ASSERT_TRUE(run.Run());
      digest = run.FilesDigest();
    }
  }
  EXPECT_NE(digests[0], 0u);
  EXPECT_EQ(digests[0], digests[1]);
}

}  // namespace
}  // namespace seerdb::testing
