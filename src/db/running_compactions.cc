#include "db/running_compactions.h"

#include <algorithm>

#include "base/assert.h"

namespace seerdb {
namespace {

// Plans that run at once have no input in common.
bool SamePlan(const CompactionPlan& a, const CompactionPlan& b) {
  return a.inputs.front().table->number == b.inputs.front().table->number;
}

}  // namespace

std::optional<CompactionPlan> RunningCompactions::Start(
    PickContext context,
    const std::function<std::optional<CompactionPlan>(const PickContext& context)>& choose) {
  MutexLock lock(&mu_);
  for (const CompactionPlan& plan : plans_) {
    for (const CompactionPlan::Input& input : plan.inputs) context.unavailable.insert(input.table->number);
    context.running.push_back({plan.output_level, plan.output_run, plan.hull()});
    context.running_below_l0 += plan.inputs.front().level > 0 ? 1 : 0;  // newest first
  }
  std::optional<CompactionPlan> plan = choose(context);
  if (plan.has_value()) plans_.push_back(*plan);
  return plan;
}

void RunningCompactions::End(const CompactionPlan& plan) {
  MutexLock lock(&mu_);
  const auto found = std::find_if(plans_.begin(), plans_.end(),
                                  [&](const CompactionPlan& other) { return SamePlan(plan, other); });
  SEERDB_ASSERT(found != plans_.end());
  plans_.erase(found);
}

uint64_t RunningCompactions::input_bytes() const {
  MutexLock lock(&mu_);
  uint64_t sum = 0;
  for (const CompactionPlan& plan : plans_) {
    if (plan.kind == CompactionPlan::Kind::kMerge) sum += plan.input_bytes();
  }
  return sum;
}

}  // namespace seerdb
