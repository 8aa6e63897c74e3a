// FaultPlan: the rules, the hook and the counters of a FaultFileSystem and its open files.
//
// Thread safety: all methods may be called concurrently.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/mutex.h"
#include "env/fault_file_system.h"
#include "env/fault_rule.h"

namespace seerdb {

class FaultPlan {
 public:
  uint64_t Add(FaultRule rule);
  void Remove(uint64_t number);
  void Clear();
  void SetHook(FaultFileSystem::Hook hook);
  uint64_t calls(FileOp op) const;
  uint64_t mutations() const;
  uint64_t faults_fired() const;

  // Performs one call: hook, rule, and `perform` (the call to the base: a function of the number of bytes
  // it may append, that returns a Status or a Result). A rename has two paths.
  template <typename Perform>
  auto Run(FileOp op, const std::string& path, const std::string& second_path, Perform perform)
      -> decltype(perform(uint64_t{})) {
    const std::optional<FaultRule> rule = Enter(op, path, second_path);
    if (!rule) return perform(UINT64_MAX);
    if (rule->error.ok()) {
      if (rule->callback) rule->callback(op, path);
      return perform(UINT64_MAX);
    }
    if (rule->perform) {
      if (auto outcome = perform(rule->append_bytes); !outcome.ok()) return outcome;
    }
    if (rule->callback) rule->callback(op, path);
    return rule->error.WithContext(std::string(FileOpName(op)) + " " + path);
  }
  template <typename Perform>
  auto Run(FileOp op, const std::string& path, Perform perform) {
    return Run(op, path, path, [&](uint64_t) { return perform(); });
  }

 private:
  // Counts the call, calls the hook, and returns the rule that fires.
  std::optional<FaultRule> Enter(FileOp op, const std::string& path, const std::string& second_path)
      EXCLUDES(mutex_);

  mutable Mutex mutex_;
  std::map<uint64_t, FaultRule> rules_ GUARDED_BY(mutex_);
  uint64_t last_rule_ GUARDED_BY(mutex_) = 0;
  std::shared_ptr<const FaultFileSystem::Hook> hook_ GUARDED_BY(mutex_);
  std::array<uint64_t, kFileOpCount> calls_ GUARDED_BY(mutex_) = {};
  uint64_t mutations_ GUARDED_BY(mutex_) = 0;
  uint64_t faults_fired_ GUARDED_BY(mutex_) = 0;
};

}  // namespace seerdb
