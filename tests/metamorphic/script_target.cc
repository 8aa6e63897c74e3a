#include "tests/metamorphic/script_target.h"

#include <algorithm>
#include <array>

#include "base/hash.h"
#include "tests/data_model/version_model.h"
#include "tests/differential/model.h"

namespace seerdb::testing {
namespace {

std::string Append(std::optional<std::string> base, const std::vector<std::string>& operands) {
  std::string text = base.value_or("");
  bool first = !base.has_value();
  for (const std::string& operand : operands) {
    if (!first) text += kScriptDelimiter;
    first = false;
    text += operand;
  }
  return text;
}

class MapTarget final : public ScriptTarget {
 public:
  std::string Open() override { return "ok"; }

  std::string Run(const ScriptOp& op) override {
    switch (op.kind) {
      case ScriptKind::kPut:
      case ScriptKind::kDelete:
      case ScriptKind::kMerge:
      case ScriptKind::kDeleteRange:
      case ScriptKind::kPutFor:
      case ScriptKind::kBatch:
      case ScriptKind::kBulkLoad:
        Write(op);
        return "ok";
      case ScriptKind::kGet:
        return Get(op, op.key);
      case ScriptKind::kMultiGet: {
        std::string out;
        for (const std::string& key : op.keys) out += Get(op, key) + "\n";
        return out;
      }
      case ScriptKind::kScan:
        return Scan(op);
      case ScriptKind::kOpenIterator: {
        FrozenModel state = Shown(op);
        const ModelCursor cursor(*state, {op.key, op.end, op.prefix});
        iterators_[static_cast<size_t>(op.iterator)].emplace(
            HeldIterator{std::move(state), cursor, op.keys_only});
        return "ok";
      }
      case ScriptKind::kMoveIterator:
        return Move(op);
      case ScriptKind::kTakeSnapshot:
        snapshots_[static_cast<size_t>(op.snapshot)] = std::make_shared<const VersionModel>(model_);
        return "ok";
      case ScriptKind::kReleaseSnapshot:
        snapshots_[static_cast<size_t>(op.snapshot)] = nullptr;
        return "ok";
      case ScriptKind::kReopen:
      case ScriptKind::kCrash:
        iterators_ = {};
        snapshots_ = {};
        return "ok";
      case ScriptKind::kAdvance:
        now_s_ += op.limit;
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

  void Write(const ScriptOp& op) {
    const auto add = [&](int keyspace, const std::string& key, ModelVersion::Kind kind,
                         const ScriptValue& value, uint64_t expires_s = kForEver) {
      const std::string bytes = kind == ModelVersion::kDelete ? "" : value.Bytes();
      model_.Add({std::to_string(keyspace), key}, {kind, bytes, expires_s});
    };
    if (op.kind == ScriptKind::kPut) add(op.keyspace, op.key, ModelVersion::kPut, op.value);
    if (op.kind == ScriptKind::kDelete) add(op.keyspace, op.key, ModelVersion::kDelete, {});
    if (op.kind == ScriptKind::kMerge) add(op.keyspace, op.key, ModelVersion::kMerge, op.value);
    if (op.kind == ScriptKind::kPutFor) {
      add(op.keyspace, op.key, ModelVersion::kPut, op.value, now_s_ + op.limit);
    }
    if (op.kind == ScriptKind::kDeleteRange) {
      model_.DeleteRange(std::to_string(op.keyspace), op.key, op.end);
    }
    for (const ScriptWrite& write : op.writes) {
      const int keyspace = op.kind == ScriptKind::kBulkLoad ? op.keyspace : write.keyspace;
      if (write.kind == ScriptWriteKind::kPut) add(keyspace, write.key, ModelVersion::kPut, write.value);
      if (write.kind == ScriptWriteKind::kDelete) add(keyspace, write.key, ModelVersion::kDelete, {});
      if (write.kind == ScriptWriteKind::kMerge) add(keyspace, write.key, ModelVersion::kMerge, write.value);
      if (write.kind == ScriptWriteKind::kDeleteRange) {
        model_.DeleteRange(std::to_string(keyspace), write.key, write.end);
      }
    }
  }

  const VersionModel& State(const ScriptOp& op) const {
    const auto& held = snapshots_[static_cast<size_t>(std::max(op.snapshot, 0))];
    return op.snapshot < 0 || held == nullptr ? model_ : *held;
  }

  // What a reader finds now.
  FrozenModel Shown(const ScriptOp& op) const {
    auto shown = std::make_shared<ModelMap>();
    for (const auto& [key, value] : State(op).All(std::to_string(op.keyspace), now_s_, Append)) {
      shown->emplace(key, std::make_shared<const std::string>(value));
    }
    return shown;
  }

  std::string Get(const ScriptOp& op, const std::string& key) const {
    const auto found = State(op).Get({std::to_string(op.keyspace), key}, now_s_, Append);
    return found.has_value() ? "=" + *found : "none";
  }

  std::string Scan(const ScriptOp& op) const {
    const FrozenModel state = Shown(op);
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

  VersionModel model_;  // its times are seconds
  uint64_t now_s_ = 0;
  std::array<std::shared_ptr<const VersionModel>, kScriptSnapshots> snapshots_;
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
