// The shrinker finds what a broken engine does wrong, and what it prints compiles.
#include "tests/metamorphic/shrink.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/metamorphic/metamorphic_check.h"
#include "tests/metamorphic/metamorphic_sets.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

using std::string_literals::operator""s;

// Any engine with a fault: with 64-byte blocks, a flush forgets every deletion since the one before.
class ForgetsDeletions final : public ScriptTarget {
 public:
  explicit ForgetsDeletions(const Settings& settings) : engine_(NewMapTarget()) {
    SeerdbConfig config;
    for (const Setting& setting : settings) setting.apply(config);
    broken_ = config.options.block_bytes == 64;
  }
  std::string Open() override { return engine_->Open(); }
  std::string Run(const ScriptOp& op) override {
    if (broken_ && op.kind == ScriptKind::kDelete) {
      ScriptOp get;
      get.kind = ScriptKind::kGet;
      get.key = op.key;
      get.keyspace = op.keyspace;
      const std::string before = engine_->Run(get);
      if (before != "none") forgotten_[NameOf(op)] = before.substr(1);
    }
    if (op.kind == ScriptKind::kPut) forgotten_.erase(NameOf(op));
    if (op.kind == ScriptKind::kFlush) resurrected_.insert(forgotten_.begin(), forgotten_.end());
    if (op.kind == ScriptKind::kFlush) forgotten_.clear();
    if (op.kind == ScriptKind::kPut || op.kind == ScriptKind::kDelete) resurrected_.erase(NameOf(op));
    if (op.kind == ScriptKind::kGet && op.snapshot < 0 && resurrected_.count(NameOf(op)) != 0) {
      return "=" + resurrected_[NameOf(op)];
    }
    return engine_->Run(op);
  }

 private:
  static std::string NameOf(const ScriptOp& op) { return std::to_string(op.keyspace) + op.key; }

  const std::unique_ptr<ScriptTarget> engine_;
  bool broken_ = false;
  Contents forgotten_, resurrected_;
};

std::optional<size_t> BrokenDiffersAt(const Script& script, const Settings& settings) {
  ForgetsDeletions broken(settings);
  return FirstDifference(RunScript(script, NewMapTarget().get()), RunScript(script, &broken));
}

std::string BrokenDifference(const Script& script, const Settings& settings) {
  const auto at = BrokenDiffersAt(script, settings);
  return at ? "operation " + std::to_string(*at) : "";
}

constexpr uint64_t kSeed = 7;
constexpr size_t kOperations = 700;

Shrunk ShrinkBroken() {
  for (const MetamorphicSet& set : MetamorphicSets()) {
    const Script script = RandomScript(kSeed, kOperations);
    if (BrokenDiffersAt(script, set.settings)) return Shrink(script, set.settings, BrokenDiffersAt);
  }
  ADD_FAILURE() << "the fault did not show under any set";
  return {};
}

TEST(Shrink, FindsTheFourOperationsAndTheOneSettingThatMatter) {
  const Shrunk shrunk = ShrinkBroken();
  ASSERT_EQ(shrunk.script.size(), 4u) << AsTest("Failed", shrunk, "BrokenDifference");
  EXPECT_EQ(shrunk.script[1].kind, ScriptKind::kDelete);
  EXPECT_EQ(shrunk.script[2].kind, ScriptKind::kFlush);
  EXPECT_EQ(shrunk.script[3].kind, ScriptKind::kGet);
  EXPECT_EQ(shrunk.script[3].key, shrunk.script[1].key);
  ASSERT_EQ(shrunk.settings.size(), 1u);
  EXPECT_EQ(shrunk.settings[0].code, "c.options.block_bytes = 64");
  EXPECT_LT(shrunk.runs, 4000u);
  EXPECT_TRUE(BrokenDiffersAt(shrunk.script, shrunk.settings));
}

TEST(Shrink, KeepsTheFailureWhenRunsAreFew) {
  for (const MetamorphicSet& set : MetamorphicSets()) {
    const Script script = RandomScript(kSeed, kOperations);
    if (!BrokenDiffersAt(script, set.settings)) continue;
    const Shrunk shrunk = Shrink(script, set.settings, BrokenDiffersAt, 20);
    EXPECT_LE(shrunk.runs, 22u);
    EXPECT_LT(shrunk.script.size(), script.size());
    EXPECT_TRUE(BrokenDiffersAt(shrunk.script, shrunk.settings));
    return;
  }
}

TEST(Shrink, ListsShrinkToWhatIsNeeded) {
  std::vector<int> numbers(1000);
  for (int i = 0; i < 1000; ++i) numbers[static_cast<size_t>(i)] = i;
  const auto needs = [](const std::vector<int>& list) {
    const auto has = [&](int n) { return std::count(list.begin(), list.end(), n) > 0; };
    return has(3) && has(500) && has(999);
  };
  EXPECT_EQ(ShrinkList<int>(numbers, needs), (std::vector<int>{3, 500, 999}));
  EXPECT_EQ(ShrinkList<int>(numbers, [](const std::vector<int>&) { return true; }), std::vector<int>());
  EXPECT_EQ(ShrinkList<int>(numbers, [](const std::vector<int>&) { return false; }), numbers);
}

TEST(Shrink, OperationsArePrintedAsTheCodeThatMakesThem) {
  EXPECT_EQ(AsCode("a\0007\xff\"\\"s), R"("a\0007\377\042\134"s)");
  const Script script = RandomScript(kSeed, 5000);
  std::string all;
  for (const ScriptOp& op : script) all += AsCode(op);
  for (const char* part : {"kPut", "kBatch", "kCompact", "kCrash", ".sync = WriteSync::kNoSync", ".limit = ",
                           ".writes = {", ".reverse = true", ".move = ScriptMove::kSeekForPrev"}) {
    EXPECT_NE(all.find(part), std::string::npos) << part;
  }
}

// The file is included below, where it compiles; here it must be what is printed today.
TEST(Shrink, ThePrintedTestIsTheOneCompiledHere) {
  const std::string path = SEERDB_SOURCE_DIR "/tests/metamorphic/shrunk_example.inc";
  std::string printed = AsTest("Example", ShrinkBroken(), "BrokenDifference");
  // The example's engine is broken: there the test states that the difference is found.
  printed.replace(printed.find("EXPECT_EQ"), 9, "EXPECT_NE");
  if (EnvNumber("SEERDB_REWRITE", 0) != 0) std::ofstream(path) << printed;
  std::stringstream there;
  there << std::ifstream(path).rdbuf();
  EXPECT_EQ(there.str(), printed) << "SEERDB_REWRITE=1 writes it anew";
}

#include "tests/metamorphic/shrunk_example.inc"

}  // namespace
}  // namespace seerdb::testing
