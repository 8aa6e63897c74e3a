#include "tests/metamorphic/script_target.h"

#include <array>

#include "base/hash.h"
#include "tests/differential/model.h"

namespace seerdb::testing {
namespace {

class MapTarget final : public ScriptTarget {
 public:
  std::string Open() override { return "ok"; }

  std::string Run(const ScriptOp& op) override {
    switch (op.kind) {
      case ScriptKind::kPut:
        model_.Put(op.key, op.value.Bytes());
        return "ok";
      case ScriptKind::kDelete:
        model_.Delete(op.key);
        return "ok";
      case ScriptKind::kBatch:
      case ScriptKind::kBulkLoad:
        for (const ScriptWrite& write : op.writes) {
          write.is_delete ? model_.Delete(write.key) : model_.Put(write.key, write.value.Bytes());
        }
        return "ok";
      case ScriptKind::kGet:
        return Get(op.key, op.snapshot);
      case ScriptKind::kMultiGet: {
        std::string out;
        for (const std::string& key : op.keys) out += Get(key, op.snapshot) + "\n";
        return out;
      }
      case ScriptKind::kScan:
        return Scan(op);
      case ScriptKind::kOpenIterator: {
        const FrozenModel state = State(op.snapshot);
        iterators_[static_cast<size_t>(op.iterator)].emplace(
            HeldIterator{state, ModelCursor(*state, {op.key, op.end, op.prefix}), op.keys_only});
        return "ok";
      }
      case ScriptKind::kMoveIterator:
        return Move(op);
      case ScriptKind::kTakeSnapshot:
        snapshots_[static_cast<size_t>(op.snapshot)] = model_.Freeze();
        return "ok";
      case ScriptKind::kReleaseSnapshot:
        snapshots_[static_cast<size_t>(op.snapshot)] = nullptr;
        return "ok";
      case ScriptKind::kReopen:
      case ScriptKind::kCrash:
        iterators_ = {};
        snapshots_ = {};
        return "ok";
      case ScriptKind::kFlush:
      case ScriptKind::kCompact:
      case ScriptKind::kVerify:
        return "ok";
    }
    return "unknown operation";
  }

 private:
  struct HeldIterator {
    FrozenModel state;
    ModelCursor cursor;
    bool keys_only;
  };

  FrozenModel State(int snapshot) {
    const FrozenModel held = snapshot < 0 ? nullptr : snapshots_[static_cast<size_t>(snapshot)];
    return held ? held : model_.Freeze();
  }

  std::string Get(const std::string& key, int snapshot) {
    const FrozenModel held = snapshot < 0 ? nullptr : snapshots_[static_cast<size_t>(snapshot)];
    const ModelMap& map = held ? *held : model_.map();
    const auto found = map.find(key);
    return found == map.end() ? "none" : "=" + *found->second;
  }

  std::string Scan(const ScriptOp& op) {
    const FrozenModel state = State(op.snapshot);
    ModelCursor cursor(*state, {op.key, op.end, op.prefix});
    std::string out;
    uint32_t left = op.limit;
    for (op.reverse ? cursor.SeekToLast() : cursor.SeekToFirst(); cursor.Valid() && left > 0; --left) {
      out += cursor.key() + "=" + (op.keys_only ? "" : cursor.value()) + "\n";
      op.reverse ? cursor.Prev() : cursor.Next();
    }
    return out;
  }

  std::string Move(const ScriptOp& op) {
    std::optional<HeldIterator>& held = iterators_[static_cast<size_t>(op.iterator)];
    if (!held) return "none";
    ModelCursor& cursor = held->cursor;
    if (op.move == ScriptMove::kFirst) cursor.SeekToFirst();
    if (op.move == ScriptMove::kLast) cursor.SeekToLast();
    if (op.move == ScriptMove::kSeek) cursor.Seek(op.key);
    if (op.move == ScriptMove::kSeekForPrev) cursor.SeekForPrev(op.key);
    if (op.move == ScriptMove::kNext && cursor.Valid()) cursor.Next();
    if (op.move == ScriptMove::kPrev && cursor.Valid()) cursor.Prev();
    return cursor.Valid() ? cursor.key() + "=" + (held->keys_only ? "" : cursor.value()) : "end";
  }

  Model model_;
  std::array<FrozenModel, kScriptSnapshots> snapshots_;
  std::array<std::optional<HeldIterator>, kScriptIterators> iterators_;
};

}  // namespace

Transcript RunScript(const Script& script, ScriptTarget* target, std::optional<size_t> text_of,
                     std::string* text) {
  Transcript transcript;
  transcript.reserve(script.size());
  const std::string opened = target->Open();
  for (size_t i = 0; i < script.size(); ++i) {
    const std::string answer = opened == "ok" ? target->Run(script[i]) : opened;
    transcript.push_back(Hash64(answer));
    if (text_of == i) *text = answer;
  }
  return transcript;
}

std::optional<WrongAnswer> FindWrongAnswer(const Script& script, const Transcript& want,
                                           ScriptTarget* target) {
  const std::string opened = target->Open();
  for (size_t i = 0; i < script.size(); ++i) {
    std::string answer = opened == "ok" ? target->Run(script[i]) : opened;
    if (Hash64(answer) != want[i]) return WrongAnswer{i, std::move(answer)};
  }
  return std::nullopt;
}

std::optional<size_t> FirstDifference(const Transcript& a, const Transcript& b) {
  for (size_t i = 0; i < a.size() || i < b.size(); ++i) {
    if (i >= a.size() || i >= b.size() || a[i] != b[i]) return i;
  }
  return std::nullopt;
}

std::unique_ptr<ScriptTarget> NewMapTarget() { return std::make_unique<MapTarget>(); }

}  // namespace seerdb::testing
