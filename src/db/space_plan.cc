#include "db/space_plan.h"

#include <algorithm>
#include <cmath>

namespace seerdb {
namespace {

constexpr double kLeastFileBytes = 64 << 10;
constexpr double kLeastLevelBytes = 256 << 10;
// Below it the room is too small for levels of several runs, which are merged as a whole.
constexpr double kLeastTargetOfSeveralRuns = 1.5;

// Without a target, of tables with their values, and of values that lie apart.
constexpr double kMostOfLive = 3;
constexpr double kMostOfLiveValues = 1.25;

// Kept free of what the target allows: the estimate of what is live may be high by some hundredths. Of a
// target of 1.3 it leaves 1.225, so that an estimate 6 % too high, two and a half of its standard errors, is
// harmless.
constexpr double kTargetMargin = 1.0 / 4;

double AllBytes(const SpaceFacts& facts) {
  return static_cast<double>(facts.table_bytes + facts.value_bytes);
}
// Of them, what lies in tables.
double TableShare(const SpaceFacts& facts) {
  return facts.value_bytes == 0 ? 1 : static_cast<double>(facts.table_bytes) / AllBytes(facts);
}
double MostOfLive(const SpaceFacts& facts) {
  return kMostOfLiveValues + (kMostOfLive - kMostOfLiveValues) * TableShare(facts);
}

double Allowed(const SpaceFacts& facts) {
  return (facts.target - kTargetMargin * (facts.target - 1)) * facts.live.raw_bytes;
}
double Slack(const SpaceFacts& facts) { return std::max(0.0, Allowed(facts) - facts.live.disk_bytes); }
// Where merging for space begins.
double Start(const SpaceFacts& facts) { return facts.live.disk_bytes + Slack(facts) / 2; }

uint64_t Part(double bytes, double parts, double least) {
  return static_cast<uint64_t>(std::max(least, bytes / parts));
}

}  // namespace

double SpacePressure(const SpaceFacts& facts) {
  const double slack = Slack(facts);
  if (facts.target == 0 || slack == 0) return 0;
  return std::clamp((static_cast<double>(facts.disk_bytes) - Start(facts)) / (slack / 2), 0.0, 1.0);
}

bool MayHoldTooMuchDead(const SpaceFacts& facts) {
  return facts.target == 0 && facts.table_bytes + facts.value_bytes > facts.tolerated_bytes &&
         AllBytes(facts) > MostOfLive(facts) * static_cast<double>(facts.oldest_run_bytes);
}

SpacePlan PlanSpace(const SpaceFacts& facts) {
  SpacePlan plan;
  if (facts.target == 0) {
    if (!MayHoldTooMuchDead(facts)) return plan;
    const double live = std::max(facts.live.disk_bytes, static_cast<double>(facts.oldest_run_bytes));
    const double all = AllBytes(facts);
    plan.too_much = all > MostOfLive(facts) * live;
    if (plan.too_much) plan.dead_urgency = all / std::max(1.0, MostOfLive(facts) * live) - 1;
    return plan;
  }
  plan.limited = true;
  plan.one_run_a_level = facts.target < kLeastTargetOfSeveralRuns;
  // Upper levels hold 1/(T-1) of the last.
  plan.least_size_ratio = static_cast<uint32_t>(std::clamp(1 + std::ceil(3 / (facts.target - 1)), 4.0, 20.0));
  const double disk = static_cast<double>(facts.disk_bytes);
  const double slack = Slack(facts);
  const double left = std::max(0.0, Allowed(facts) - disk);
  plan.merge_bytes = Part(std::min(slack / 8, left / 2), 1, 4 * kLeastFileBytes);
  plan.base_level_size = Part(slack * TableShare(facts), 32, kLeastLevelBytes);
  plan.memtable_value_bytes = Part(slack, 16, kLeastFileBytes);
  plan.target_file_size = Part(slack, 64, kLeastFileBytes);
  if (facts.l0_run_bytes > 0) {
    plan.l0_compaction_trigger = static_cast<uint32_t>(std::clamp(slack / 16 / facts.l0_run_bytes, 1.0, 1e6));
  }
  plan.too_much = disk > Start(facts);
  plan.pressure = SpacePressure(facts);
  return plan;
}

}  // namespace seerdb
