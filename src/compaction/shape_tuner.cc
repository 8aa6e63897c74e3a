#include "compaction/shape_tuner.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace seerdb {
namespace {

// Operations after which a sample counts for a third.
constexpr double kMemoryOperations = 50'000;
// Fewer say nothing.
constexpr double kLeastOperations = 1'000;
// A shape must be better by this part to be worth a change.
constexpr double kLeastGain = 0.1;
// Asking one more run costs about this part of a block: its filter, or the search in its index.
constexpr double kProbeBlocks = 0.1;
// A game in a merge of runs, of which each step of a scan plays log2 of their number: 13 ns beside the 7 us
// that a compaction takes for a block.
constexpr double kGameBlocks = 0.002;
// A block moved in the background weighs so much beside one that a caller waits for.
constexpr double kBackgroundWeight = 0.5;

// Levels below L0 that `bytes` fill.
double LevelCount(const TreeShape& shape, const TreeFacts& facts) {
  // With several runs in the first level each is one merge of L0, however much the level may hold.
  const bool several = shape.upper_runs > 1 && facts.run_bytes > 0;
  const double run = std::max(1.0, several ? std::min(facts.run_bytes, facts.base_bytes) : facts.base_bytes);
  double capacity = run * shape.last_runs;
  double levels = 1;
  while (capacity < facts.bytes && levels < 16) {
    capacity *= shape.size_ratio;
    levels += 1;
  }
  return levels;
}

// Times that a byte is written in a level of so many runs: once at least.
double WritesInLevel(const TreeShape& shape, uint32_t runs) {
  return std::max(1.0, (shape.size_ratio - 1.0) / (runs + 1.0));
}

// Blocks that the work costs for each run that it has to ask.
double CostOfRun(const WorkloadSample& work, const TreeFacts& facts) {
  return work.scans + (work.gets_missing + work.gets_found / 2) * (facts.filter_miss + kProbeBlocks);
}

// Blocks that the steps of scans cost where so many runs are merged.
double CostOfMerging(const WorkloadSample& work, double runs) {
  return kGameBlocks * (work.scanned_entries + work.passed_entries) * std::log2(std::max(1.0, runs));
}

double RunCount(const Version& version) {
  double runs = 0;
  for (const Level& level : version.levels()) runs += static_cast<double>(level.runs.size());
  return runs;
}

// What reads pay for runs in L0, beside what it costs to merge these.
void WeighL0(const WorkloadSample& sample, const Version& version, const TreeFacts& facts,
             TunerState* state) {
  const std::vector<Run>& runs = version.level(0).runs;
  const uint64_t oldest = runs.empty() ? 0 : runs.back().id;
  const bool others = oldest != state->l0_run || runs.size() < state->l0_runs;
  state->l0_run = oldest;
  state->l0_runs = runs.size();
  state->merge_l0 = false;
  if (others) state->l0_regret = 0;
  if (others || runs.empty()) return;  // the sample may be older than they are
  const TreeShape shape = BoundedShape(state->shape, facts);
  const TreeLimits limits = LimitsOf(shape, static_cast<uint64_t>(facts.base_bytes), version);
  const uint32_t target = std::min(limits.first, limits.last);
  const bool joins = limits.levels[target].runs == 1;
  const double spared_runs = static_cast<double>(runs.size()) - (joins ? 0 : 1);
  const uint64_t bytes = version.level(0).bytes() + (joins ? version.level(target).bytes() : 0);
  const double all_runs = RunCount(version);
  state->l0_regret += spared_runs * CostOfRun(sample, facts) + CostOfMerging(sample, all_runs) -
                      CostOfMerging(sample, all_runs - spared_runs);
  if (spared_runs > 0 &&
      state->l0_regret >= kBackgroundWeight * 2 * static_cast<double>(bytes) / facts.block_bytes) {
    state->merge_l0 = true;
    state->l0_regret = 0;  // if it is not merged now, reads pay again
  }
}

void Decay(WorkloadSample* work, double factor) {
  work->puts *= factor;
  work->put_bytes *= factor;
  work->gets_found *= factor;
  work->gets_missing *= factor;
  work->scans *= factor;
  work->scanned_entries *= factor;
  work->passed_entries *= factor;
}

void AddTo(WorkloadSample* work, const WorkloadSample& sample) {
  work->puts += sample.puts;
  work->put_bytes += sample.put_bytes;
  work->gets_found += sample.gets_found;
  work->gets_missing += sample.gets_missing;
  work->scans += sample.scans;
  work->scanned_entries += sample.scanned_entries;
  work->passed_entries += sample.passed_entries;
  work->entry_bytes = sample.entry_bytes;
}

}  // namespace

double MergesOfAByte(const TreeShape& shape, const TreeFacts& facts) {
  const double upper = LevelCount(shape, facts) - 1;
  return upper * WritesInLevel(shape, shape.upper_runs) + WritesInLevel(shape, shape.last_runs);
}

double CostOf(const TreeShape& shape, const WorkloadSample& work, const TreeFacts& facts) {
  const double upper = LevelCount(shape, facts) - 1;
  const double put_blocks = 2 * MergesOfAByte(shape, facts) * work.put_bytes / facts.block_bytes;
  // A level is half full on average.
  const double runs = facts.l0_runs / 2 + upper * (shape.upper_runs + 1.0) / 2 + (shape.last_runs + 1.0) / 2;
  // Each run is asked; what is found is read once.
  const double found_blocks = work.gets_found + work.scanned_entries * work.entry_bytes / facts.block_bytes;
  return put_blocks + runs * CostOfRun(work, facts) + CostOfMerging(work, runs) + found_blocks;
}

double TransitionCost(const TreeShape& to, const Version& version, const TreeFacts& facts) {
  const TreeLimits limits = LimitsOf(to, static_cast<uint64_t>(facts.base_bytes), version);
  double bytes = 0;
  for (uint32_t level = 1; level <= limits.last; ++level) {
    const Level& tables = version.level(level);
    if (tables.runs.size() <= limits.levels[level].runs) continue;
    bytes += static_cast<double>(tables.bytes());
    // Merged with what lies below, unless it becomes a run of its own there.
    const bool joins = level < limits.last && limits.levels[level + 1].runs == 1;
    if (joins) bytes += static_cast<double>(version.level(level + 1).bytes());
  }
  return 2 * bytes / facts.block_bytes;
}

TreeShape BoundedShape(TreeShape shape, const TreeFacts& facts) {
  if (!facts.bounded_space) return shape;
  shape.size_ratio = std::max(shape.size_ratio, facts.least_size_ratio);
  if (facts.one_run_a_level) shape.upper_runs = 1;
  if (shape.upper_runs > 1) shape.upper_runs = shape.size_ratio - 1;
  shape.last_runs = 1;
  return shape;
}

std::vector<TreeShape> CandidateShapes(bool bounded_space) {
  std::vector<TreeShape> shapes;
  for (const uint32_t ratio : {4u, 6u, 8u, 10u, 12u, 16u, 20u}) {
    shapes.push_back(ShapeOf(CompactionPolicy::kLeveled, ratio));
    shapes.push_back(ShapeOf(CompactionPolicy::kLazyLeveling, ratio));
    if (!bounded_space) shapes.push_back(ShapeOf(CompactionPolicy::kTiered, ratio));
  }
  return shapes;
}

TunerState NextState(const TunerState& state, const WorkloadSample& sample, const Version& version,
                     const TreeFacts& facts) {
  TunerState next = state;
  WeighL0(sample, version, facts, &next);
  const double operations = sample.operations();
  if (operations <= 0) return next;
  Decay(&next.average, std::exp(-operations / kMemoryOperations));
  AddTo(&next.average, sample);
  const bool unbounded = facts.bounded_space && next.shape.last_runs > 1;
  const double present_cost = CostOf(next.shape, next.average, facts);
  TreeShape best = next.shape;
  double best_cost = unbounded ? std::numeric_limits<double>::infinity() : present_cost;
  for (const TreeShape& shape : CandidateShapes(facts.bounded_space)) {
    const double cost = CostOf(shape, next.average, facts);
    if (cost >= best_cost) continue;
    best = shape;
    best_cost = cost;
  }
  next.regret = std::max(0.0, next.regret + CostOf(next.shape, sample, facts) - CostOf(best, sample, facts));
  const bool worth_it = present_cost - best_cost > kLeastGain * present_cost &&
                        next.average.operations() >= kLeastOperations &&
                        next.regret >= kBackgroundWeight * TransitionCost(best, version, facts);
  if (best == next.shape || !(worth_it || unbounded)) return next;
  next.shape = best;
  next.regret = 0;
  return next;
}

}  // namespace seerdb
