#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "base/assert.h"
#include "fuzz/input.h"
#include "fuzz/targets.h"
#include "learned/alex_string_map.h"
#include "learned/alex_tree.h"

namespace seerdb::fuzz {
namespace {

constexpr uint64_t kChecks = 256;  // operations between two looks at the invariants

// Keys that lie close together, far apart, in order, and at the ends.
class TreeScript {
 public:
  explicit TreeScript(Input* input)
      : input_(*input),
        tree_({.max_leaf_keys = 16u << (input->Byte() % 4), .max_fanout_bits = 1u + input->Byte() % 6}) {}

  void Run() {
    for (uint64_t i = 1; !input_.empty(); ++i) {
      Step();
      SEERDB_ASSERT(tree_.size() == map_.size());
      if (i % kChecks == 0) SEERDB_ASSERT(tree_.Broken().empty());
    }
    SEERDB_ASSERT(tree_.Broken().empty());
    CompareFrom(0, map_.size() + 1);
    SEERDB_ASSERT(tree_.memory_bytes() >= tree_.size() * sizeof(AlexEntry));
  }

 private:
  uint64_t Key(uint8_t form) {
    switch (form % 8) {
      case 0:
        return last_ += 1 + input_.Byte();
      case 1:
        return last_ -= 1 + input_.Byte();
      case 2:
        return last_ = uint64_t{input_.Word()} << (input_.Byte() % 64);
      case 3:
        return last_ = ~(uint64_t{input_.Word()} << (input_.Byte() % 64));
      case 4:
        return input_.Byte();
      case 5:
        return UINT64_MAX - input_.Byte() % 4;
      case 6:
        return last_ += uint64_t{1} << (input_.Byte() % 64);
      default:
        break;
    }
    const auto at = map_.lower_bound(uint64_t{input_.Byte()} << 56);
    return at == map_.end() ? 0 : at->first;
  }

  void Step() {
    const uint8_t choice = input_.Byte();
    const uint8_t form = choice >> 4;
    const uint64_t payload = map_.size() * 3;
    switch (choice % 16) {
      case 0:
      case 1:
      case 2: {
        const uint64_t key = Key(form);
        SEERDB_ASSERT(tree_.InsertOrAssign(key, payload) == map_.insert_or_assign(key, payload).second);
        return;
      }
      case 3: {
        const uint64_t key = Key(form);
        SEERDB_ASSERT(tree_.Insert(key, payload) == map_.emplace(key, payload).second);
        return;
      }
      case 4:
      case 5:
        return Erase(Key(form));
      case 6:
        return EraseFrom(Key(form), input_.Byte());
      case 7:
      case 8:
        return InsertRow(Key(form), input_.Byte() % 128, input_.Byte());
      case 9:
        return InsertBatch(Key(form), input_.Byte(), input_.Byte());
      case 10:
        return tree_.BulkLoad(Entries(map_));
      case 11:
        return CompareFrom(Key(form), input_.Byte() % 16);
      default:
        return Find(Key(form));
    }
  }

  static std::vector<AlexEntry> Entries(const std::map<uint64_t, uint64_t>& map) {
    std::vector<AlexEntry> entries;
    for (const auto& [key, payload] : map) entries.push_back({key, payload});
    return entries;
  }
  // One by one: up, down, or between two of its own.
  void InsertRow(uint64_t first, uint8_t count, uint8_t step) {
    for (uint64_t i = 0; i < count; ++i) {
      const uint64_t away = i * (step / 4 + 1);
      const uint64_t key = step % 4 == 0 ? first - away : step % 4 == 1 ? first + away * away : first + away;
      SEERDB_ASSERT(tree_.InsertOrAssign(key, i) == map_.insert_or_assign(key, i).second);
    }
    last_ = first + uint64_t{count} * (step / 4 + 1);
  }
  void InsertBatch(uint64_t first, uint8_t count, uint8_t step) {
    std::map<uint64_t, uint64_t> batch;
    for (uint64_t i = 0; i < uint64_t{count} * 2; ++i) batch[first + (i * step << (step % 32))] = i;
    const size_t before = map_.size();
    for (const auto& [key, payload] : batch) map_[key] = payload;
    SEERDB_ASSERT(tree_.InsertBatch(Entries(batch)) == map_.size() - before);
  }
  void Erase(uint64_t key) { SEERDB_ASSERT(tree_.Erase(key) == (map_.erase(key) == 1)); }
  void EraseFrom(uint64_t first, uint8_t count) {
    auto at = map_.lower_bound(first);
    for (; count > 0 && at != map_.end(); --count) {
      SEERDB_ASSERT(tree_.Erase(at->first));
      at = map_.erase(at);
    }
  }
  void Find(uint64_t key) const {
    const auto found = map_.find(key);
    SEERDB_ASSERT(tree_.Find(key) == (found == map_.end() ? std::nullopt : std::optional(found->second)));
  }
  void CompareFrom(uint64_t first, size_t count) const {
    AlexTree::Cursor cursor = tree_.LowerBound(first);
    for (auto at = map_.lower_bound(first); at != map_.end() && count > 0; ++at, --count, cursor.Next()) {
      SEERDB_ASSERT(cursor.Valid() && cursor.key() == at->first && cursor.payload() == at->second);
    }
    SEERDB_ASSERT(count == 0 || !cursor.Valid());
  }

  Input& input_;
  AlexTree tree_;
  std::map<uint64_t, uint64_t> map_;
  uint64_t last_ = uint64_t{1} << 40;
};

// Keys of few letters, or that repeat one, or that follow one another.
class StringScript {
 public:
  explicit StringScript(Input* input) : input_(*input) {}

  void Run() {
    for (uint64_t i = 1; !input_.empty(); ++i) {
      Step();
      SEERDB_ASSERT(keys_.size() == map_.size());
      if (i % kChecks == 0) SEERDB_ASSERT(keys_.Broken().empty());
    }
    SEERDB_ASSERT(keys_.Broken().empty());
    CompareFrom("", map_.size() + 1);
    SEERDB_ASSERT(keys_.memory_bytes() >= keys_.size() * sizeof(AlexStringMap::Entry));
  }

 private:
  std::string Key(uint8_t form) {
    switch (form % 4) {
      case 0:
        return std::string(input_.Bytes(input_.Byte() % 16));
      case 1:
        return std::string(input_.Byte() % 80, '\0') + std::string(input_.Bytes(input_.Byte() % 4));
      case 2:
        return std::string(input_.Byte() % 80, 'a') + static_cast<char>(input_.Byte());
      default:
        break;
    }
    const auto at = map_.lower_bound(std::string(input_.Bytes(1)));
    if (at == map_.end()) return "";
    return form / 4 % 2 == 0 ? at->first : at->first + std::string(input_.Bytes(1));
  }

  void Step() {
    const uint8_t choice = input_.Byte();
    const uint8_t form = choice >> 4;
    const std::string key = Key(form);
    const uint64_t value = map_.size() * 3;
    switch (choice % 16) {
      case 0:
      case 1:
      case 2:
      case 3:
        SEERDB_ASSERT(keys_.InsertOrAssign(key, value) == map_.insert_or_assign(key, value).second);
        return;
      case 4:
      case 5:
        SEERDB_ASSERT(keys_.Insert(key, value) == map_.emplace(key, value).second);
        return;
      case 6:
      case 7:
        return InsertRow(key, input_.Byte() % 64);
      case 8:
      case 9:
        SEERDB_ASSERT(keys_.Erase(key) == (map_.erase(key) == 1));
        return;
      case 10:
        return EraseFrom(key, input_.Byte());
      case 11:
        return Load();
      case 12:
        return CompareFrom(key, input_.Byte() % 16);
      default:
        break;
    }
    const auto found = map_.find(key);
    SEERDB_ASSERT(keys_.Find(key) == (found == map_.end() ? std::nullopt : std::optional(found->second)));
  }
  // Each goes on where the one before ends, or differs from it in the last character.
  void InsertRow(std::string key, uint8_t count) {
    const bool longer = count % 2 == 0;
    for (uint64_t i = 0; i < count; ++i) {
      if (longer || key.empty()) {
        key.push_back('k');
      } else {
        ++key.back();
      }
      SEERDB_ASSERT(keys_.InsertOrAssign(key, i) == map_.insert_or_assign(key, i).second);
    }
  }
  void EraseFrom(const std::string& first, uint8_t count) {
    auto at = map_.lower_bound(first);
    for (; count > 0 && at != map_.end(); --count) {
      SEERDB_ASSERT(keys_.Erase(at->first));
      at = map_.erase(at);
    }
  }
  void Load() {
    std::vector<AlexStringMap::Entry> entries;
    for (const auto& [key, value] : map_) entries.push_back({key, value});
    keys_.BulkLoad(std::move(entries));
  }
  void CompareFrom(const std::string& first, size_t count) const {
    AlexStringMap::Cursor cursor = keys_.LowerBound(first);
    for (auto at = map_.lower_bound(first); at != map_.end() && count > 0; ++at, --count, cursor.Next()) {
      SEERDB_ASSERT(cursor.Valid() && cursor.key() == at->first && cursor.value() == at->second);
    }
    SEERDB_ASSERT(count == 0 || !cursor.Valid());
  }

  Input& input_;
  AlexStringMap keys_;
  std::map<std::string, uint64_t> map_;
};

}  // namespace

// Byte 0 chooses: operations on a tree of windows, or on a map of byte strings, each beside a std::map.
void FuzzAlex(Slice bytes) {
  Input input(bytes);
  if (input.Byte() % 2 == 0) {
    TreeScript(&input).Run();
  } else {
    StringScript(&input).Run();
  }
}

}  // namespace seerdb::fuzz
