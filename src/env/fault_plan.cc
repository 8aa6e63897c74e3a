#include "env/fault_plan.h"

#include <numeric>

namespace seerdb {
namespace {

bool Matches(const FaultRule& rule, FileOp op, const std::string& path, const std::string& second_path) {
  if (rule.op != FileOp::kAny && rule.op != op) return false;
  return path.find(rule.path_part) != std::string::npos ||
         second_path.find(rule.path_part) != std::string::npos;
}

}  // namespace

uint64_t FaultPlan::Add(FaultRule rule) {
  MutexLock lock(&mutex_);
  rules_.emplace(++last_rule_, std::move(rule));
  return last_rule_;
}

void FaultPlan::Remove(uint64_t number) {
  MutexLock lock(&mutex_);
  rules_.erase(number);
}

void FaultPlan::Clear() {
  MutexLock lock(&mutex_);
  rules_.clear();
}

void FaultPlan::SetHook(FaultFileSystem::Hook hook) {
  auto shared = hook ? std::make_shared<const FaultFileSystem::Hook>(std::move(hook)) : nullptr;
  MutexLock lock(&mutex_);
  hook_ = std::move(shared);
}

uint64_t FaultPlan::calls(FileOp op) const {
  MutexLock lock(&mutex_);
  if (op != FileOp::kAny) return calls_[static_cast<size_t>(op)];
  return std::accumulate(calls_.begin(), calls_.end(), uint64_t{0});
}

uint64_t FaultPlan::mutations() const {
  MutexLock lock(&mutex_);
  return mutations_;
}

uint64_t FaultPlan::faults_fired() const {
  MutexLock lock(&mutex_);
  return faults_fired_;
}

std::optional<FaultRule> FaultPlan::Enter(FileOp op, const std::string& path,
                                          const std::string& second_path) {
  std::shared_ptr<const FaultFileSystem::Hook> hook;
  uint64_t index = 0;
  std::optional<FaultRule> firing;
  {
    MutexLock lock(&mutex_);
    ++calls_[static_cast<size_t>(op)];
    if (IsMutating(op)) {
      hook = hook_;
      index = mutations_++;
    }
    for (auto& [number, rule] : rules_) {
      // A countdown of 0 is a rule that has fired.
      if (rule.countdown == 0 || !Matches(rule, op, path, second_path)) continue;
      if (rule.countdown > 1) {
        --rule.countdown;
        continue;
      }
      if (firing) continue;
      if (!rule.repeat) rule.countdown = 0;
      firing = rule;
      ++faults_fired_;
    }
  }
  if (hook != nullptr) (*hook)(op, path, index);
  return firing;
}

}  // namespace seerdb
