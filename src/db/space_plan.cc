#include "db/space_plan.h"

#include <algorithm>
#include <cmath>

namespace seerdb {
namespace {

constexpr double kLeastFileBytes = 64 << 10;
constexpr double kLeastLevelBytes = 256 << 10;

uint64_t Part(double bytes, double parts, double least) {
  return static_cast<uint64_t>(std::max(least, bytes / parts));
}

}  // namespace

SpacePlan PlanSpace(const SpaceFacts& facts) {
  SpacePlan plan;
  if (facts.target == 0) return plan;
  plan.limited = true;
  // Upper levels hold 1/(T-1) of the last; half of what the target allows.
  plan.least_size_ratio = static_cast<uint32_t>(std::clamp(1 + std::ceil(2 / (facts.target - 1)), 4.0, 20.0));
  const double allowed = facts.target * facts.live.raw_bytes;
  const double slack = std::max(0.0, allowed - facts.live.disk_bytes);
  plan.merge_bytes = Part(slack, 4, 4 * kLeastFileBytes);
  plan.base_level_size = Part(slack, 8, kLeastLevelBytes);
  plan.target_file_size = Part(slack, 16, kLeastFileBytes);
  if (facts.l0_run_bytes > 0) {
    plan.l0_compaction_trigger = static_cast<uint32_t>(std::clamp(slack / 8 / facts.l0_run_bytes, 1.0, 1e6));
  }
  const double disk = static_cast<double>(facts.disk_bytes);
  const double start = facts.live.disk_bytes + slack / 2;
  plan.too_much = disk > start;
  if (slack > 0) plan.pressure = std::clamp((disk - start) / (slack / 2), 0.0, 1.0);
  return plan;
}

}  // namespace seerdb
