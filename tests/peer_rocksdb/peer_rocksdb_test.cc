// seerdb answers what RocksDB answers: one random script on both, for the API that they share. SEERDB_SEED
// repeats a run, SEERDB_PEER_OPS and SEERDB_PEER_SCRIPTS set its size. A failing script is shrunk and printed
// as a test.
#include "tests/metamorphic/metamorphic_check.h"
#include "tests/metamorphic/metamorphic_sets.h"
#include "tests/metamorphic/shrink.h"
#include "tests/peer_rocksdb/rocksdb_target.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

std::optional<WrongAnswer> WrongBesideRocksdb(const Script& script, const Settings& settings) {
  return FindWrongAnswer(script, RunScript(script, NewRocksdbTarget(true).get()),
                         NewSeerdbTarget(settings).get());
}

std::optional<size_t> DiffersFromRocksdb(const Script& script, const Settings& settings) {
  const auto wrong = WrongBesideRocksdb(script, settings);
  return wrong ? std::optional(wrong->at) : std::nullopt;
}

// For the printed tests too: the first difference in words, or "".
std::string DifferenceFromRocksdb(const Script& script, const Settings& settings) {
  const auto wrong = WrongBesideRocksdb(script, settings);
  return wrong ? DescribeDifference(script, *wrong, NewRocksdbTarget(true).get()) : "";
}

// RocksDB has no expiry of keys.
constexpr ScriptFeatures kShared = {.expiry = false, .range_deletes = true};

TEST(PeerRocksdb, BothGiveTheSameAnswers) {
  const uint64_t seed = TestSeed();
  const uint64_t operations = EnvNumber("SEERDB_PEER_OPS", 3000);
  const uint64_t scripts = EnvNumber("SEERDB_PEER_SCRIPTS", LongRun() ? 300 : 15);
  uint64_t answers = 0, found = 0;
  SeerdbCoverage seen;
  for (uint64_t i = 0; i < scripts; ++i) {
    const Script script = RandomScript(seed + i, operations, kShared);
    const Transcript want = RunScript(script, NewRocksdbTarget(i % 4 != 0).get());
    // Each script under the default and one more set, another for each script.
    const std::vector<MetamorphicSet>& sets = MetamorphicSets();
    for (const size_t index : {size_t{0}, 1 + (seed + i) % (sets.size() - 1)}) {
      const auto wrong = FindWrongAnswer(script, want, NewSeerdbTarget(sets[index].settings, &seen).get());
      answers += script.size();
      if (!wrong) continue;
      ADD_FAILURE() << "set " << sets[index].name << ", SEERDB_SEED=" << seed + i << ": "
                    << AsCode(script[wrong->at]) << " is answered by " << Printable(wrong->text, 2000);
      if (!DiffersFromRocksdb(script, sets[index].settings)) return;  // it depended on timing
      const Shrunk shrunk = Shrink(script, sets[index].settings, DiffersFromRocksdb, 1500);
      ADD_FAILURE() << DifferenceFromRocksdb(shrunk.script, shrunk.settings) << "\n\n"
                    << AsTest("Seed" + std::to_string(seed + i), shrunk, "DifferenceFromRocksdb");
      return;
    }
    for (const uint64_t answer : want) found += answer != want.front();
  }
  std::printf(
      "[ PEER     ] RocksDB: %llu scripts of %llu operations, %llu answers compared; seerdb: %llu flushes, "
      "%llu merges, %llu reopens\n",
      static_cast<unsigned long long>(scripts), static_cast<unsigned long long>(operations),
      static_cast<unsigned long long>(answers), static_cast<unsigned long long>(seen.flushes),
      static_cast<unsigned long long>(seen.merges), static_cast<unsigned long long>(seen.reopens));
  EXPECT_GT(found, answers / 8);  // the answers are not all one
}

// The comparison itself: an engine that loses a write is found out, and the script shrinks to it.
TEST(PeerRocksdb, ADifferenceIsSeen) {
  const Script script = {{.kind = ScriptKind::kPut, .key = "k", .value = {2, 5}},
                         {.kind = ScriptKind::kGet, .key = "k"}};
  EXPECT_EQ(DifferenceFromRocksdb(script, {}), "");
  const Script other = {{.kind = ScriptKind::kPut, .key = "k", .value = {4, 5}},
                        {.kind = ScriptKind::kGet, .key = "k"}};
  EXPECT_EQ(FirstDifference(RunScript(script, NewRocksdbTarget(true).get()),
                            RunScript(other, NewSeerdbTarget({}).get())),
            std::optional<size_t>(1));
}

}  // namespace
}  // namespace seerdb::testing
