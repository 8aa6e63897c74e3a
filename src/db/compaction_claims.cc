#include "db/compaction_claims.h"

#include <algorithm>

namespace seerdb {
namespace {

bool TakesFromL0(const CompactionPlan& plan) {
  return std::any_of(plan.inputs.begin(), plan.inputs.end(),
                     [](const CompactionPlan::Input& input) { return input.level == 0; });
}

}  // namespace

std::optional<CompactionPlan> CompactionClaims::Choose(const Picker& pick) {
  MutexLock lock(&mu_);
  std::optional<CompactionPlan> plan = pick(tables_, l0_is_taken_);
  if (!plan.has_value()) return plan;
  for (const CompactionPlan::Input& input : plan->inputs) tables_.insert(input.table->number);
  l0_is_taken_ |= TakesFromL0(*plan);
  return plan;
}

void CompactionClaims::Release(const CompactionPlan& plan) {
  MutexLock lock(&mu_);
  for (const CompactionPlan::Input& input : plan.inputs) tables_.erase(input.table->number);
  if (TakesFromL0(plan)) l0_is_taken_ = false;
}

}  // namespace seerdb
