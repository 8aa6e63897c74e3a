#include "compaction/tree_shape.h"

#include <algorithm>

namespace seerdb {
namespace {

uint64_t SaturatingMultiply(uint64_t a, uint64_t b) {
  return b != 0 && a > UINT64_MAX / b ? UINT64_MAX : a * b;
}

uint64_t Power(uint64_t base, uint64_t ratio, uint32_t exponent) {
  for (uint32_t i = 0; i < exponent; ++i) base = SaturatingMultiply(base, ratio);
  return base;
}

// `bytes` divided by ratio as often as `exponent` says.
uint64_t Share(uint64_t bytes, uint64_t ratio, uint32_t exponent) {
  for (uint32_t i = 0; i < exponent && bytes > 0; ++i) bytes /= ratio;
  return bytes;
}

}  // namespace

std::string TreeShape::ToString() const {
  const char* name = upper_runs == 1 ? "leveled" : last_runs == 1 ? "lazy_leveling" : "tiered";
  return std::string(name) + " ratio " + std::to_string(size_ratio);
}

TreeShape ShapeOf(CompactionPolicy policy, uint32_t size_ratio) {
  TreeShape shape;
  shape.size_ratio = size_ratio;
  if (policy != CompactionPolicy::kLeveled) shape.upper_runs = std::max<uint32_t>(1, size_ratio - 1);
  if (policy == CompactionPolicy::kTiered) shape.last_runs = shape.upper_runs;
  return shape;
}

TreeLimits LimitsOf(const TreeShape& shape, uint64_t base_level_size, const Version& version) {
  TreeLimits limits;
  const uint32_t bottom = version.num_levels() - 1;
  limits.last = static_cast<uint32_t>(std::max(1, version.deepest_level()));
  limits.levels.resize(version.num_levels());
  const uint64_t last_bytes = version.level(limits.last).bytes();
  // Data in more than one run of the last level is not bounded anyway.
  const bool bounded = shape.last_runs == 1;
  limits.first = bounded ? limits.last : 1;
  for (uint32_t level = 1; level <= bottom; ++level) {
    LevelLimit& limit = limits.levels[level];
    limit.runs = level < limits.last ? shape.upper_runs : shape.last_runs;
    limit.bytes = SaturatingMultiply(Power(base_level_size, shape.size_ratio, level - 1), limit.runs);
    if (level == bottom) limit.bytes = UINT64_MAX;
    if (!bounded || level >= limits.last) continue;
    // A level that is large beside the last one may hold as many dead bytes as that has live ones.
    const uint64_t share = Share(last_bytes, shape.size_ratio, limits.last - level);
    limit.bytes = std::min(limit.bytes, std::max(base_level_size, share));
    if (share >= base_level_size / 2) limits.first = std::min(limits.first, level);
  }
  for (uint32_t level = 1; level < limits.first; ++level) limits.levels[level].bytes = 0;
  return limits;
}

}  // namespace seerdb
