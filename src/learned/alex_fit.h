// AlexFit: how the keys of an ALEX leaf are laid out in its slots, and what operations on it should cost.
//
// The layout is the paper's model-based one, each key where the line says or in the next free slot; or, where
// the line cannot tell the keys apart, so that they would stand in one long row, an even one. The expected
// costs are those of the paper's cost model: iterations of exponential search, and slots shifted an insert.
// Thread safety: plain values and functions without state.
#pragma once

#include <cstdint>
#include <span>

#include "learned/alex_line.h"

namespace seerdb {

// Of ALEX's cost model: what a step is worth, in steps of a shift.
inline constexpr double kAlexSearchWeight = 10;  // an iteration of exponential search
inline constexpr double kAlexShiftWeight = 1;    // a slot moved
inline constexpr double kAlexDepthWeight = 10;   // one more inner node on the way
inline constexpr double kAlexLeafWeight = 2000;  // one more leaf, shared by its keys
inline constexpr double kAlexByteWeight = 1;     // of more pointers, shared likewise

struct AlexFit {
  AlexLine line;
  bool even = false;
  double search = 0;  // iterations, on average over the keys
  double shifts = 0;  // an insert, on average over places beside the keys

  double Cost() const { return search * kAlexSearchWeight + shifts * kAlexShiftWeight; }
};

// Slots for `count` keys of a leaf that is built, with room for more.
uint32_t AlexCapacityFor(size_t count);

// The better layout of the keys. Requires: keys strictly ascend; entries.size() < capacity.
AlexFit FitAlexLeaf(std::span<const AlexEntry> entries, uint32_t capacity);

// Fills in the expected costs of the layout that `fit` names.
void MeasureAlexFit(std::span<const AlexEntry> entries, uint32_t capacity, AlexFit* fit);

// Calls visit(index, slot, predicted slot) for each entry in order. The greatest key of all lies in the last
// slot, so that no slot behind it holds the same (alex_leaf.h). Requires: entries.size() <= capacity.
template <typename Visit>
void PlaceAlexEntries(std::span<const AlexEntry> entries, uint32_t capacity, const AlexFit& fit,
                      const Visit& visit) {
  const size_t count = entries.size();
  const double spacing = count == 0 ? 0 : static_cast<double>(capacity) / static_cast<double>(count);
  uint32_t next = 0;
  uint32_t last = capacity - static_cast<uint32_t>(count);
  for (size_t i = 0; i < count; ++i, ++last) {
    const uint32_t predicted = fit.line.Predict(entries[i].key, capacity);
    uint32_t slot = fit.even ? static_cast<uint32_t>(spacing * static_cast<double>(i)) : predicted;
    if (entries[i].key == UINT64_MAX) slot = last;
    slot = std::min(std::max(slot, next), last);
    visit(i, slot, predicted);
    next = slot + 1;
  }
}

}  // namespace seerdb
