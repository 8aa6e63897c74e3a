// Every feature of the data model with every other one, on the same keys, against a model.
#include "tests/data_model/model_run.h"

namespace seerdb::testing {
namespace {

struct OptionSet {
  const char* name;
  Options options;
};

std::vector<OptionSet> Sets() {
  Options leveled = TinyOptions();
  leveled.adaptive_compaction = false;
  leveled.compaction_policy = CompactionPolicy::kLeveled;
  leveled.wal_sync_policy = SyncPolicy::kNone;
  Options tiered = leveled;
  tiered.compaction_policy = CompactionPolicy::kTiered;
  tiered.compression = CompressionType::kLz4;
  tiered.background_flush = tiered.background_compaction = true;
  tiered.table_access = TableAccess::kPread;
  Options lazy = leveled;
  lazy.compaction_policy = CompactionPolicy::kLazyLeveling;
  lazy.num_levels = 3;
  lazy.block_bytes = 64;
  lazy.bloom_bits_per_key = 0;
  // Everything stays in memory until it is flushed.
  Options large = leveled;
  large.memtable_capacity = 4 << 20;
  large.wal_segment_bytes = 1 << 20;
  return {{"leveled", leveled}, {"tiered", tiered}, {"lazy", lazy}, {"large memtable", large}};
}

// What is missing from `all`, a line each: pairs of features that met less than `least` times, or not with a
// flush, a compaction and an open between them.
std::string MissingPairs(const FeatureTable& all, uint64_t least) {
  std::string missing;
  for (int earlier = 0; earlier < kFeatures; ++earlier) {
    for (int later = 0; later < kFeatures; ++later) {
      const FeatureTable::Cell& cell = all.cell(earlier, later);
      const bool met = cell.operations >= least && cell.between[kFlushed] > 0 &&
                       cell.between[kCompacted] > 0 && cell.between[kReopened] > 0;
      if (!met) missing += std::string(kFeatureNames[earlier]) + ", then " + kFeatureNames[later] + "\n";
    }
  }
  return missing;
}

TEST(DataModel, AgreesWithTheModelAndEveryPairOfFeaturesMeets) {
  const uint64_t operations = EnvNumber("SEERDB_DATA_MODEL_OPS", kSanitized  ? 4'000
                                                                 : LongRun() ? 60'000
                                                                             : 15'000);
  // A shorter run, as under a sanitizer, is too short for the rarest pairs.
  const bool wants_pairs = operations >= 15'000;
  const uint64_t least = operations >= 60'000 ? 1'000 : 1;
  const uint64_t seed = TestSeed();
  FeatureTable all;
  uint64_t crashes = 0;
  // With one seed in some hundreds a pair does not meet in the first round.
  for (uint64_t round = 0; round < 3 && (round == 0 || (wants_pairs && !MissingPairs(all, least).empty()));
       ++round) {
    for (const OptionSet& set : Sets()) {
      ModelRun run(set.name, set.options, seed + round, operations);
      if (!run.Run()) return;
      all.Add(run.features());
      crashes += run.crashes();
    }
  }
  all.Print();
  EXPECT_GT(crashes, 0u);
  if (wants_pairs) {
    EXPECT_EQ(MissingPairs(all, least), "");
  }
}

}  // namespace
}  // namespace seerdb::testing
