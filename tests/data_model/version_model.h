// VersionModel: what a database with keyspaces, merges and times to live must answer, by the rules alone: of
// each key all that was written, worked out anew at each question.
//
// Thread safety: external synchronization.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "seerdb/slice.h"

namespace seerdb::testing {

inline constexpr uint64_t kForEver = UINT64_MAX;

struct ModelVersion {
  enum Kind { kPut, kDelete, kMerge };
  Kind kind = kPut;
  std::string value;
  uint64_t expires_us = kForEver;
};

// What operands, oldest first, make of a value.
using ModelMerge = std::function<std::string(std::optional<std::string>, const std::vector<std::string>&)>;

// What a compaction filter makes of a value; nullopt: removes it.
using ModelFilter = std::function<std::optional<std::string>(const std::string&)>;

class VersionModel {
 public:
  using Key = std::pair<std::string, std::string>;  // keyspace, user key

  void Add(const Key& key, ModelVersion version) {
    std::vector<ModelVersion>& versions = versions_[key];
    // Nothing shows through a put or a deletion, at any time.
    if (version.kind != ModelVersion::kMerge) versions.clear();
    versions.push_back(std::move(version));
  }
  // All keys in [begin, end); an empty `end`: up to the last.
  void DeleteRange(const std::string& keyspace, const std::string& begin, const std::string& end) {
    for (auto at = versions_.lower_bound({keyspace, begin});
         at != versions_.end() && at->first.first == keyspace && (end.empty() || at->first.second < end);
         ++at) {
      at->second = {{ModelVersion::kDelete, "", kForEver}};
    }
  }
  void DropKeyspace(const std::string& keyspace) {
    std::erase_if(versions_, [&](const auto& entry) { return entry.first.first == keyspace; });
  }

  std::optional<std::string> Get(const Key& key, uint64_t now_us, const ModelMerge& merge) const {
    const auto found = versions_.find(key);
    return found == versions_.end() ? std::nullopt : ValueOf(found->second, now_us, merge);
  }
  // A compaction may have filtered what the key had at any time since its last put, or not. If that explains
  // `got`, the model takes it that it has, and returns true: what is removed must not come back.
  bool TakeFiltered(const Key& key, uint64_t now_us, const ModelMerge& merge, const ModelFilter& filter,
                    const std::optional<std::string>& got) {
    std::vector<ModelVersion>& versions = versions_[key];
    if (versions.empty() || versions.front().kind != ModelVersion::kPut) return false;
    std::vector<ModelVersion> filtered = versions;
    if (const auto changed = filter(versions.front().value)) {
      filtered.front().value = *changed;
      if (ValueOf(filtered, now_us, merge) != got) return false;
      versions = filtered;
      return true;
    }
    filtered.front() = {ModelVersion::kDelete, "", kForEver};
    for (;;) {
      if (ValueOf(filtered, now_us, merge) == got) {
        versions = filtered;
        return true;
      }
      if (filtered.size() == 1) return false;
      filtered.erase(filtered.begin() + 1);  // removed together with the value that it was merged into
    }
  }
  // All keys of a keyspace that have a value.
  std::map<std::string, std::string> All(const std::string& keyspace, uint64_t now_us,
                                         const ModelMerge& merge) const {
    std::map<std::string, std::string> all;
    for (auto at = versions_.lower_bound({keyspace, ""});
         at != versions_.end() && at->first.first == keyspace; ++at) {
      if (auto value = ValueOf(at->second, now_us, merge)) all[at->first.second] = *value;
    }
    return all;
  }

 private:
  static std::optional<std::string> ValueOf(const std::vector<ModelVersion>& versions, uint64_t now_us,
                                            const ModelMerge& merge) {
    // From the newest back to what it rests on: what has expired is a deletion.
    std::optional<std::string> base;
    std::vector<std::string> operands;
    for (auto at = versions.rbegin(); at != versions.rend(); ++at) {
      if (at->kind == ModelVersion::kDelete || at->expires_us <= now_us) break;
      if (at->kind == ModelVersion::kPut) {
        base = at->value;
        break;
      }
      operands.insert(operands.begin(), at->value);
    }
    return operands.empty() ? base : merge(base, operands);
  }

  std::map<Key, std::vector<ModelVersion>> versions_;
};

}  // namespace seerdb::testing
