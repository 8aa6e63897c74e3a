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

TEST(DataModel, AgreesWithTheModelAndEveryPairOfFeaturesMeets) {
  const uint64_t operations = EnvNumber("SEERDB_DATA_MODEL_OPS", kSanitized  ? 4'000
                                                                 : LongRun() ? 60'000
                                                                             : 15'000);
  const uint64_t seed = TestSeed();
  FeatureTable all;
  uint64_t crashes = 0;
  for (const OptionSet& set : Sets()) {
    ModelRun run(set.name, set.options, seed, operations);
    if (!run.Run()) return;
    all.Add(run.features());
    crashes += run.crashes();
  }
  all.Print();
  EXPECT_GT(crashes, 0u);
  // A shorter run, as under a sanitizer, is too short for the rarest pairs.
  if (operations < 15'000) return;
  const uint64_t least = operations >= 60'000 ? 1'000 : 1;
  for (int earlier = 0; earlier < kFeatures; ++earlier) {
    for (int later = 0; later < kFeatures; ++later) {
      const FeatureTable::Cell& cell = all.cell(earlier, later);
      const std::string pair = std::string(kFeatureNames[earlier]) + ", then " + kFeatureNames[later];
      EXPECT_GE(cell.operations, least) << pair;
      EXPECT_GT(cell.between[kFlushed], 0u) << pair;
      EXPECT_GT(cell.between[kCompacted], 0u) << pair;
      EXPECT_GT(cell.between[kReopened], 0u) << pair;
    }
  }
}

}  // namespace
}  // namespace seerdb::testing
