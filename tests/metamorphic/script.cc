#include "tests/metamorphic/script.h"

#include <algorithm>
#include <cstdio>

#include "base/random.h"

namespace seerdb::testing {
namespace {

const char* const kKindNames[] = {
    "kPut",      "kDelete",       "kBatch",        "kGet",          "kMultiGet",
    "kScan",     "kOpenIterator", "kMoveIterator", "kTakeSnapshot", "kReleaseSnapshot",
    "kFlush",    "kCompact",      "kVerify",       "kReopen",       "kCrash",
    "kBulkLoad", "kMerge",        "kDeleteRange",  "kPutFor",       "kAdvance"};
const char* const kWriteKindNames[] = {"kPut", "kDelete", "kMerge", "kDeleteRange"};
const char* const kMoveNames[] = {"kFirst", "kLast", "kSeek", "kSeekForPrev", "kNext", "kPrev"};
const char* const kSyncNames[] = {"kByPolicy", "kSync", "kNoSync"};

class ScriptWriter {
 public:
  ScriptWriter(uint64_t seed, ScriptFeatures features) : random_(seed), features_(features) {
    pool_ = {"", std::string(1, '\0'), "a", std::string("a\0", 2), "a\xff", "\xff\xff"};
    while (pool_.size() < 400) pool_.push_back(FreshKey());
  }

  ScriptOp Next() {
    static constexpr struct {
      uint64_t weight;
      ScriptKind kind;
    } kWeights[] = {{330, ScriptKind::kPut},         {90, ScriptKind::kDelete},
                    {60, ScriptKind::kBatch},        {200, ScriptKind::kGet},
                    {40, ScriptKind::kMultiGet},     {70, ScriptKind::kScan},
                    {25, ScriptKind::kOpenIterator}, {120, ScriptKind::kMoveIterator},
                    {15, ScriptKind::kTakeSnapshot}, {10, ScriptKind::kReleaseSnapshot},
                    {15, ScriptKind::kFlush},        {5, ScriptKind::kCompact},
                    {2, ScriptKind::kVerify},        {4, ScriptKind::kReopen},
                    {4, ScriptKind::kCrash},         {10, ScriptKind::kBulkLoad},
                    {60, ScriptKind::kMerge},        {8, ScriptKind::kDeleteRange},
                    {30, ScriptKind::kPutFor},       {10, ScriptKind::kAdvance}};
    uint64_t all = 0;
    for (const auto& entry : kWeights) all += entry.weight;
    uint64_t choice = random_.Uniform(all);
    ScriptOp op;
    for (const auto& entry : kWeights) {
      op.kind = entry.kind;
      if (choice < entry.weight) break;
      choice -= entry.weight;
    }
    const bool of_time = op.kind == ScriptKind::kPutFor || op.kind == ScriptKind::kAdvance;
    if (of_time && !features_.expiry) op.kind = ScriptKind::kMerge;
    if (op.kind == ScriptKind::kDeleteRange && !features_.range_deletes) op.kind = ScriptKind::kDelete;
    Fill(&op);
    return op;
  }

 private:
  void Fill(ScriptOp* op) {
    if (random_.OneIn(5)) op->keyspace = 1;
    switch (op->kind) {
      case ScriptKind::kPutFor:
        op->limit = static_cast<uint32_t>(1 + random_.Uniform(60));
        [[fallthrough]];
      case ScriptKind::kMerge:
      case ScriptKind::kPut:
        op->value = Value();
        if (op->kind == ScriptKind::kMerge) op->value.bytes %= 64;
        [[fallthrough]];
      case ScriptKind::kDelete:
        op->key = Key();
        op->sync = Sync();
        break;
      case ScriptKind::kDeleteRange:
        FillDeletedRange(&op->key, &op->end);
        op->sync = Sync();
        break;
      case ScriptKind::kAdvance:
        op->keyspace = 0;
        op->limit = static_cast<uint32_t>(random_.Uniform(20));
        break;
      case ScriptKind::kBatch:
        op->keyspace = 0;
        for (uint64_t n = random_.Uniform(12); n > 0; --n) op->writes.push_back(Write(op->writes));
        op->sync = Sync();
        break;
      case ScriptKind::kBulkLoad:
        for (uint64_t n = random_.Uniform(60); n > 0; --n) {
          op->writes.push_back({ScriptWriteKind::kPut, Key(), Value()});
        }
        op->sorted = random_.OneIn(2);
        op->limit = static_cast<uint32_t>(random_.Uniform(8));
        if (op->sorted) {
          std::stable_sort(op->writes.begin(), op->writes.end(),
                           [](const ScriptWrite& a, const ScriptWrite& b) { return a.key < b.key; });
        }
        break;
      case ScriptKind::kGet:
        op->key = Near();
        op->snapshot = Snapshot();
        break;
      case ScriptKind::kMultiGet:
        for (uint64_t n = random_.Uniform(10); n > 0; --n) op->keys.push_back(Near());
        op->snapshot = Snapshot();
        break;
      case ScriptKind::kOpenIterator:
        op->iterator = static_cast<int>(random_.Uniform(kScriptIterators));
        [[fallthrough]];
      case ScriptKind::kScan:
        FillRange(op);
        break;
      case ScriptKind::kMoveIterator:
        op->iterator = static_cast<int>(random_.Uniform(kScriptIterators));
        op->move = static_cast<ScriptMove>(random_.Uniform(6));
        if (op->move == ScriptMove::kSeek || op->move == ScriptMove::kSeekForPrev) op->key = Near();
        break;
      case ScriptKind::kTakeSnapshot:
      case ScriptKind::kReleaseSnapshot:
        op->snapshot = static_cast<int>(random_.Uniform(kScriptSnapshots));
        break;
      case ScriptKind::kCompact:
        if (random_.OneIn(2)) op->key = Near();
        if (random_.OneIn(2)) op->end = Near();
        if (!op->end.empty() && op->end < op->key) std::swap(op->key, op->end);
        break;
      case ScriptKind::kFlush:
      case ScriptKind::kVerify:
      case ScriptKind::kReopen:
      case ScriptKind::kCrash:
        break;
    }
  }

  ScriptWrite Write(const std::vector<ScriptWrite>& before) {
    ScriptWrite write;
    const bool again = !before.empty() && random_.OneIn(4);
    write.key = again ? before[random_.Uniform(before.size())].key : Key();
    write.keyspace = random_.OneIn(5) ? 1 : 0;
    const uint64_t choice = random_.Uniform(40);
    if (choice == 0 && features_.range_deletes) {
      write.kind = ScriptWriteKind::kDeleteRange;
      FillDeletedRange(&write.key, &write.end);
      return write;
    }
    if (choice < 10) write.kind = ScriptWriteKind::kDelete;
    if (choice >= 32) write.kind = ScriptWriteKind::kMerge;
    if (choice >= 10) write.value = Value();
    return write;
  }

  // Mostly of few keys.
  void FillDeletedRange(std::string* begin, std::string* end) {
    *begin = Key();
    if (random_.OneIn(40)) return;
    *end = *begin;
    if (random_.OneIn(3)) *end = Near();
    if (random_.OneIn(2)) *end += '\xff';
    if (*end < *begin) std::swap(*begin, *end);
    if (end->empty()) *end = std::string(1, '\0');
  }

  void FillRange(ScriptOp* op) {
    if (random_.OneIn(2)) op->key = Near();
    if (random_.OneIn(2)) op->end = Near();
    if (random_.OneIn(3)) op->prefix = Key().substr(0, 1 + random_.Uniform(4));
    if (!op->end.empty() && op->end < op->key && !random_.OneIn(16)) std::swap(op->key, op->end);
    op->keys_only = random_.OneIn(4);
    op->snapshot = Snapshot();
    if (op->kind != ScriptKind::kScan) return;
    op->reverse = random_.OneIn(2);
    if (!random_.OneIn(6)) op->limit = static_cast<uint32_t>(random_.Uniform(30));
  }

  std::string Bytes(size_t n) {
    std::string bytes(n, '\0');
    for (char& c : bytes) c = static_cast<char>(random_.Next());
    return bytes;
  }

  std::string FreshKey() {
    static const char kAlphabet[] = {'\0', 'a', 'b', '\x7f', '\x80', '\xff'};
    char text[32];
    std::string key;
    switch (random_.Uniform(5)) {
      case 0:
        for (uint64_t n = random_.Uniform(5); n > 0; --n) key += kAlphabet[random_.Uniform(sizeof kAlphabet)];
        return key;
      case 1:
        return Bytes(random_.Uniform(12));
      case 2:
        std::snprintf(text, sizeof text, "user/%06u", static_cast<unsigned>(random_.Uniform(1500)));
        return text;
      case 3:
        return "a/prefix/longer/than/a/word/" + Bytes(1 + random_.Uniform(3));
      default:
        key = pool_[random_.Uniform(pool_.size())].substr(0, 20);
        return key += Bytes(1);  // drawn second, with every compiler
    }
  }

  std::string Key() {
    if (random_.OneIn(3)) return pool_[random_.Uniform(40)];
    return random_.OneIn(40) ? FreshKey() : pool_[random_.Uniform(pool_.size())];
  }

  // A key, or one close to it.
  std::string Near() {
    std::string key = Key();
    switch (random_.Uniform(12)) {
      case 0:
        return key + '\0';
      case 1:
        return key.substr(0, key.size() / 2);
      case 2:
        if (!key.empty()) key.back() = static_cast<char>(key.back() + 1);
        return key;
      default:
        return key;
    }
  }

  ScriptValue Value() {
    const uint64_t choice = random_.Uniform(100);
    const auto seed = static_cast<uint32_t>(random_.Uniform(10000));
    if (choice < 8) return {seed, 0};
    if (choice < 80) return {seed, static_cast<uint32_t>(1 + random_.Uniform(60))};
    if (choice < 98) return {seed, static_cast<uint32_t>(100 + random_.Uniform(300))};
    return {seed, static_cast<uint32_t>(1024 + random_.Uniform(8000))};
  }

  WriteSync Sync() {
    const uint64_t choice = random_.Uniform(12);
    return choice == 0 ? WriteSync::kSync : choice == 1 ? WriteSync::kNoSync : WriteSync::kByPolicy;
  }

  int Snapshot() { return random_.OneIn(3) ? static_cast<int>(random_.Uniform(kScriptSnapshots)) : -1; }

  Random random_;
  const ScriptFeatures features_;
  std::vector<std::string> pool_;
};

std::string AsCode(const ScriptValue& value) {
  return "{" + std::to_string(value.seed) + ", " + std::to_string(value.bytes) + "}";
}

std::string AsCode(const ScriptWrite& write) {
  std::string out = std::string("{.kind = ScriptWriteKind::") +
                    kWriteKindNames[static_cast<int>(write.kind)] + ", .key = " + testing::AsCode(write.key);
  if (write.value.bytes != 0 || write.value.seed != 0) out += ", .value = " + AsCode(write.value);
  if (!write.end.empty()) out += ", .end = " + testing::AsCode(write.end);
  if (write.keyspace != 0) out += ", .keyspace = " + std::to_string(write.keyspace);
  return out + "}";
}

bool HasValue(ScriptKind kind) {
  return kind == ScriptKind::kPut || kind == ScriptKind::kMerge || kind == ScriptKind::kPutFor;
}

}  // namespace

std::string ScriptValue::Bytes() const {
  if (seed % 2 == 0) return std::string(bytes, static_cast<char>('a' + seed % 26));
  Random random(seed);
  std::string out(bytes, '\0');
  for (char& c : out) c = static_cast<char>(random.Next());
  return out;
}

Script RandomScript(uint64_t seed, size_t operations, ScriptFeatures features) {
  ScriptWriter writer(seed, features);
  Script script;
  while (script.size() < operations) script.push_back(writer.Next());
  return script;
}

std::string AsCode(const std::string& bytes) {
  std::string out = "\"";
  for (const char byte : bytes) {
    const auto c = static_cast<unsigned char>(byte);
    if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\' && c != '?') {
      out += byte;
    } else {
      char escaped[8];  // three octal digits: a digit that follows cannot join in
      std::snprintf(escaped, sizeof escaped, "\\%03o", c);
      out += escaped;
    }
  }
  return out + "\"s";
}

std::string AsCode(const ScriptOp& op) {
  std::string out = std::string("{.kind = ScriptKind::") + kKindNames[static_cast<int>(op.kind)];
  if (!op.key.empty()) out += ", .key = " + AsCode(op.key);
  if (!op.end.empty()) out += ", .end = " + AsCode(op.end);
  if (!op.prefix.empty()) out += ", .prefix = " + AsCode(op.prefix);
  if (op.keyspace != 0) out += ", .keyspace = " + std::to_string(op.keyspace);
  if (HasValue(op.kind)) out += ", .value = " + AsCode(op.value);
  if (op.sync != WriteSync::kByPolicy) {
    out += std::string(", .sync = WriteSync::") + kSyncNames[static_cast<int>(op.sync)];
  }
  if (!op.writes.empty()) {
    out += ", .writes = {";
    for (const ScriptWrite& write : op.writes) {
      if (out.back() != '{') out += ", ";
      out += AsCode(write);
    }
    out += "}";
  }
  if (!op.keys.empty()) {
    out += ", .keys = {";
    for (const std::string& key : op.keys) out += (out.back() == '{' ? "" : ", ") + AsCode(key);
    out += "}";
  }
  if (op.snapshot >= 0) out += ", .snapshot = " + std::to_string(op.snapshot);
  if (op.iterator > 0) out += ", .iterator = " + std::to_string(op.iterator);
  if (op.kind == ScriptKind::kMoveIterator) {
    out += std::string(", .move = ScriptMove::") + kMoveNames[static_cast<int>(op.move)];
  }
  if (op.reverse) out += ", .reverse = true";
  if (op.keys_only) out += ", .keys_only = true";
  if (op.sorted) out += ", .sorted = true";
  if (op.limit != UINT32_MAX) out += ", .limit = " + std::to_string(op.limit);
  return out + "}";
}

}  // namespace seerdb::testing
