// One random script gives the same answers under every option set. SEERDB_SEED repeats a run, and
// SEERDB_METAMORPHIC_OPS and SEERDB_METAMORPHIC_SCRIPTS set its size. A failing script is shrunk and printed
// as a test. What it proves: docs/testing.md.
#include "tests/metamorphic/metamorphic_check.h"
#include "tests/metamorphic/metamorphic_sets.h"
#include "tests/metamorphic/shrink.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

// A failure that depends on timing has several chances to show itself.
std::optional<WrongAnswer> DiffersInAnyOf(int runs, const Script& script, const Settings& settings) {
  std::optional<WrongAnswer> wrong;
  while (!wrong && runs-- > 0) wrong = DiffersFromMap(script, settings);
  return wrong;
}

// The answers stand at the end, where whoever shows a part of the output shows them.
void ReportShrunk(const MetamorphicSet& set, uint64_t seed, const Script& script) {
  std::string last_seen;
  const FailsAt fails = [&last_seen](const Script& s, const Settings& settings) -> std::optional<size_t> {
    const auto wrong = DiffersInAnyOf(2, s, settings);
    if (!wrong) return std::nullopt;
    last_seen = "operation " + std::to_string(wrong->at) + ": " + Printable(wrong->text, 2000);
    return wrong->at;
  };
  const std::string where = "set " + set.name + ", SEERDB_SEED=" + std::to_string(seed);
  if (!fails(script, set.settings)) {
    ADD_FAILURE() << where << ": a difference that did not come back, so it depends on timing";
    return;
  }
  const Shrunk shrunk = Shrink(script, set.settings, fails);
  ADD_FAILURE() << AsTest("Seed" + std::to_string(seed) + set.name, shrunk, "DifferenceFromMap") << "\n"
                << where << ", shrunk to " << shrunk.script.size() << " operations in " << shrunk.runs
                << " runs, the last wrong answer: " << last_seen << "\n"
                << DifferenceFromMap(shrunk.script, shrunk.settings);
}

TEST(Metamorphic, EveryOptionSetGivesTheSameAnswers) {
  const uint64_t seed = TestSeed();
  const uint64_t operations = EnvNumber("SEERDB_METAMORPHIC_OPS", 2000);
  const uint64_t scripts = EnvNumber("SEERDB_METAMORPHIC_SCRIPTS", kSanitized ? 1 : LongRun() ? 100 : 5);
  ASSERT_GE(MetamorphicSets().size(), 30u);
  uint64_t answers = 0, digest = 0;
  SeerdbCoverage seen;
  for (uint64_t i = 0; i < scripts; ++i) {
    const Script script = RandomScript(seed + i, operations);
    const Transcript want = RunScript(script, NewMapTarget().get());
    for (const uint64_t answer : want) digest = digest * 1000003 + answer;
    for (const MetamorphicSet& set : MetamorphicSets()) {
      const auto wrong = FindWrongAnswer(script, want, NewSeerdbTarget(set.settings, &seen).get());
      answers += script.size();
      if (!wrong) continue;
      ReportShrunk(set, seed + i, script);
      ADD_FAILURE() << "set " << set.name << ", SEERDB_SEED=" << seed + i << ", operation " << wrong->at
                    << ": " << AsCode(script[wrong->at]) << " is answered by "
                    << Printable(wrong->text, 2000);
      return;
    }
  }
  std::printf(
      "[ METAMORPH ] %zu option sets, %llu scripts of %llu operations, %llu answers, digest %016llx; "
      "%llu flushes, %llu merges, %llu reopens, down to L%llu\n",
      MetamorphicSets().size(), static_cast<unsigned long long>(scripts),
      static_cast<unsigned long long>(operations), static_cast<unsigned long long>(answers),
      static_cast<unsigned long long>(digest), static_cast<unsigned long long>(seen.flushes),
      static_cast<unsigned long long>(seen.merges), static_cast<unsigned long long>(seen.reopens),
      static_cast<unsigned long long>(seen.deepest_level));
  if (operations < 2000) return;  // a shorter run promises no coverage
  EXPECT_GE(seen.flushes, scripts * 500);
  EXPECT_GE(seen.merges, scripts * 200);
  EXPECT_GE(seen.deepest_level, 3u);
}

}  // namespace
}  // namespace seerdb::testing
