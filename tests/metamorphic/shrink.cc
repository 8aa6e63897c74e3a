#include "tests/metamorphic/shrink.h"

#include <utility>

namespace seerdb::testing {
namespace {

class Shrinker {
 public:
  Shrinker(const FailsAt& fails, uint64_t max_runs) : fails_(fails), max_runs_(max_runs) {}

  Shrunk Run(Script script, Settings settings) {
    best_ = {std::move(script), std::move(settings), 0};
    CutBehindFailure();
    for (size_t before = SIZE_MAX; Size() < before && runs_ < max_runs_;) {
      before = Size();
      best_.settings =
          ShrinkList<Setting>(best_.settings, [this](const Settings& s) { return Fails(best_.script, s); });
      best_.script =
          ShrinkList<ScriptOp>(best_.script, [this](const Script& s) { return Fails(s, best_.settings); });
      for (size_t i = 0; i < best_.script.size(); ++i) Simplify(i);
    }
    best_.runs = runs_;
    return best_;
  }

 private:
  bool Fails(const Script& script, const Settings& settings) {
    if (runs_ >= max_runs_) return false;
    ++runs_;
    return fails_(script, settings).has_value();
  }

  void CutBehindFailure() {
    ++runs_;
    const auto at = fails_(best_.script, best_.settings);
    if (!at || *at + 1 >= best_.script.size()) return;
    const Script shorter(best_.script.begin(), best_.script.begin() + static_cast<std::ptrdiff_t>(*at) + 1);
    if (Fails(shorter, best_.settings)) best_.script = shorter;
  }

  // What is left, counted in everything that can shrink.
  size_t Size() const {
    size_t size = best_.settings.size();
    for (const ScriptOp& op : best_.script) {
      for (const ScriptWrite& write : op.writes) size += write.value.bytes;
      size += static_cast<size_t>(op.keyspace);
      size += 1 + op.writes.size() + op.keys.size() + op.key.size() + op.end.size() + op.prefix.size() +
              op.value.bytes;
    }
    return size;
  }

  bool Keep(size_t i, const ScriptOp& simpler) {
    Script script = best_.script;
    script[i] = simpler;
    if (!Fails(script, best_.settings)) return false;
    best_.script = std::move(script);
    return true;
  }

  // Tries `change` on operation `i`.
  template <class Change>
  void Try(size_t i, const Change& change) {
    ScriptOp simpler = best_.script[i];
    change(&simpler);
    Keep(i, simpler);
  }

  void Simplify(size_t i) {
    const ScriptOp op = best_.script[i];
    if (!op.writes.empty()) {
      ShrinkList<ScriptWrite>(op.writes, [&](const std::vector<ScriptWrite>& writes) {
        ScriptOp simpler = best_.script[i];
        simpler.writes = writes;
        return Keep(i, simpler);
      });
      for (size_t w = 0; w < best_.script[i].writes.size(); ++w) {
        Try(i, [w](ScriptOp* o) { o->writes[w].value = {0, 1}; });
      }
    }
    if (!op.keys.empty()) {
      ShrinkList<std::string>(op.keys, [&](const std::vector<std::string>& keys) {
        ScriptOp simpler = best_.script[i];
        simpler.keys = keys;
        return Keep(i, simpler);
      });
    }
    if (op.value.bytes > 1) Try(i, [](ScriptOp* o) { o->value = {0, 1}; });
    if (op.sync != WriteSync::kByPolicy) Try(i, [](ScriptOp* o) { o->sync = WriteSync::kByPolicy; });
    if (op.keyspace != 0) Try(i, [](ScriptOp* o) { o->keyspace = 0; });
    if (!op.end.empty() && op.kind != ScriptKind::kDeleteRange) Try(i, [](ScriptOp* o) { o->end.clear(); });
    if (!op.prefix.empty()) Try(i, [](ScriptOp* o) { o->prefix.clear(); });
    if (op.kind == ScriptKind::kScan || op.kind == ScriptKind::kOpenIterator) {
      if (!op.key.empty()) Try(i, [](ScriptOp* o) { o->key.clear(); });
      if (op.reverse) Try(i, [](ScriptOp* o) { o->reverse = false; });
      if (op.keys_only) Try(i, [](ScriptOp* o) { o->keys_only = false; });
      if (op.limit != UINT32_MAX) Try(i, [](ScriptOp* o) { o->limit = UINT32_MAX; });
    }
    const bool at_snapshot = op.kind != ScriptKind::kTakeSnapshot && op.kind != ScriptKind::kReleaseSnapshot;
    if (op.snapshot >= 0 && at_snapshot) Try(i, [](ScriptOp* o) { o->snapshot = -1; });
  }

  const FailsAt& fails_;
  const uint64_t max_runs_;
  uint64_t runs_ = 0;
  Shrunk best_;
};

}  // namespace

Shrunk Shrink(const Script& script, const Settings& settings, const FailsAt& fails, uint64_t max_runs) {
  return Shrinker(fails, max_runs).Run(script, settings);
}

std::string AsTest(const std::string& name, const Shrunk& shrunk, const std::string& checker) {
  std::string out = "TEST(Shrunk, " + name + ") {\n  const Script script = {\n";
  for (const ScriptOp& op : shrunk.script) out += "      " + AsCode(op) + ",\n";
  out += "  };\n  const Settings settings = {\n";
  for (const Setting& setting : shrunk.settings) out += "      SEERDB_SETTING(" + setting.code + "),\n";
  return out + "  };\n  EXPECT_EQ(" + checker + "(script, settings), \"\");\n}\n";
}

}  // namespace seerdb::testing
