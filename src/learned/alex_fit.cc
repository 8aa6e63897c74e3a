#include "learned/alex_fit.h"

#include <bit>

namespace seerdb {
namespace {

constexpr uint32_t kMinCapacity = 8;
// A layout by the line that costs less is not compared with the even one.
constexpr double kGoodFitCost = 64;

// Least squares of the ranks, scaled to the slots, over the keys.
AlexLine FitLine(std::span<const AlexEntry> entries, uint32_t capacity) {
  AlexLine line;
  if (entries.empty()) return line;
  const uint64_t first = entries.front().key;
  const double count = static_cast<double>(entries.size());
  line.base = first + (entries.back().key - first) / 2;
  double sum_x = 0;
  double sum_xx = 0;
  double sum_xy = 0;
  const double middle = (count - 1) / 2;
  double y = -middle;
  for (const AlexEntry& entry : entries) {
    const double x = static_cast<double>(static_cast<int64_t>(entry.key - line.base));
    sum_x += x;
    sum_xx += x * x;
    sum_xy += x * y;
    y += 1;
  }
  const double scale = static_cast<double>(capacity) / count;
  const double variance = sum_xx - sum_x * sum_x / count;
  if (variance > 0) line.slope = std::max(sum_xy / variance, 0.0) * scale;
  line.intercept = (middle + 0.5) * scale - line.slope * (sum_x / count);
  return line;
}

}  // namespace

uint32_t AlexCapacityFor(size_t count) {
  const size_t slots = count + count / 2 - count / 16;
  return static_cast<uint32_t>(std::max<size_t>(slots, kMinCapacity));
}

void MeasureAlexFit(std::span<const AlexEntry> entries, uint32_t capacity, AlexFit* fit) {
  uint64_t iterations = 0;
  uint64_t squares = 0;  // of the lengths of rows without gaps
  uint64_t row = 0;
  uint32_t next = 0;
  PlaceAlexEntries(entries, capacity, *fit, [&](size_t, uint32_t slot, uint32_t predicted) {
    const uint32_t error = slot > predicted ? slot - predicted : predicted - slot;
    iterations += static_cast<uint64_t>(std::bit_width(error));
    if (slot != next) {
      squares += row * row;
      row = 0;
    }
    ++row;
    next = slot + 1;
  });
  squares += row * row;
  if (entries.empty()) return;
  // An insert falls into a row as often as it has keys, and moves a quarter of them: to the nearer end.
  const double count = static_cast<double>(entries.size());
  fit->search = static_cast<double>(iterations) / count;
  fit->shifts = static_cast<double>(squares) / 4 / count;
}

AlexFit FitAlexLeaf(std::span<const AlexEntry> entries, uint32_t capacity) {
  AlexFit by_line;
  by_line.line = FitLine(entries, capacity);
  MeasureAlexFit(entries, capacity, &by_line);
  if (by_line.Cost() < kGoodFitCost) return by_line;
  AlexFit even = by_line;
  even.even = true;
  MeasureAlexFit(entries, capacity, &even);
  return even.Cost() < by_line.Cost() ? even : by_line;
}

}  // namespace seerdb
