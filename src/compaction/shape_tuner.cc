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

// Levels below L0 that `bytes` fill.
double LevelCount(const TreeShape& shape, const TreeFacts& facts) {
  const double run = std::max(1.0, facts.base_bytes);
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

void Decay(WorkloadSample* work, double factor) {
  work->puts *= factor;
  work->put_bytes *= factor;
  work->gets_found *= factor;
  work->gets_missing *= factor;
  work->scans *= factor;
  work->scanned_entries *= factor;
}

void AddTo(WorkloadSample* work, const WorkloadSample& sample) {
  work->puts += sample.puts;
  work->put_bytes += sample.put_bytes;
  work->gets_found += sample.gets_found;
  work->gets_missing += sample.gets_missing;
  work->scans += sample.scans;
  work->scanned_entries += sample.scanned_entries;
  work->entry_bytes = sample.entry_bytes;
}

}  // namespace

double CostOf(const TreeShape& shape, const WorkloadSample& work, const TreeFacts& facts) {
  const double upper = LevelCount(shape, facts) - 1;
  const double writes =
      upper * WritesInLevel(shape, shape.upper_runs) + WritesInLevel(shape, shape.last_runs);
  // What is written was read before. A level is half full on average.
  const double put_blocks = 2 * writes * work.put_bytes / facts.block_bytes;
  const double runs = facts.l0_runs / 2 + upper * (shape.upper_runs + 1.0) / 2 + (shape.last_runs + 1.0) / 2;
  const double missing = runs * (facts.filter_miss + kProbeBlocks);
  const double found = 1 + missing / 2;
  // Each run is sought, and gives its part of the entries.
  const double scan_blocks = work.scans * runs + work.scanned_entries * work.entry_bytes / facts.block_bytes;
  return put_blocks + work.gets_missing * missing + work.gets_found * found + scan_blocks;
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
                        next.regret >= TransitionCost(best, version, facts);
  if (best == next.shape || !(worth_it || unbounded)) return next;
  next.shape = best;
  next.regret = 0;
  return next;
}

}  // namespace seerdb
