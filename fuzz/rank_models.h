// What the targets of rank models share: windows drawn from an input, and what each model must keep.
//
// Thread safety: none of its own.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/assert.h"
#include "fuzz/input.h"
#include "learned/bracket_search.h"
#include "learned/rank_model.h"

namespace seerdb::fuzz {

// Whatever a model is: it finds ranks that it has.
template <RankModel Model>
void CheckRange(const Model& model, uint64_t window) {
  const ApproxRange range = model.Find(window);
  SEERDB_ASSERT(range.lo <= range.pos && range.pos <= range.hi && range.hi <= model.ranks());
}

// The same at windows near and far. Requires: !model.empty().
template <RankModel Model>
void CheckRanges(const Model& model) {
  uint64_t window = 1;
  for (int i = 0; i < 64; ++i) {
    CheckRange(model, window);
    window = window * 6364136223846793005u + 1442695040888963407u;
  }
  CheckRange(model, 0);
  CheckRange(model, UINT64_MAX);
}

// Around a window that the model has.
template <RankModel Model>
void CheckRangesAround(const Model& model, uint64_t window) {
  for (const uint64_t step : {0, 1, 100}) {
    CheckRange(model, window + step);
    CheckRange(model, window - step);
  }
}

// Ascending, some of them equal.
inline std::vector<uint64_t> DrawWindows(Input* input) {
  std::vector<uint64_t> windows;
  uint64_t window = 0;
  const size_t count = input->Byte();
  for (size_t i = 0; i < count && !input->empty(); ++i) {
    const uint16_t step = input->Word();
    window += uint64_t{step} << (step % 32);
    windows.push_back(window);
  }
  std::sort(windows.begin(), windows.end());
  return windows;
}

// A search of `windows` finds the right rank with `built`, the model of them, whose brackets hold, and with
// `other`, of any; null: there is none.
template <RankModel Model>
void CheckSearch(const std::vector<uint64_t>& windows, const Model& built, const Model* other) {
  for (const uint64_t center : windows) {
    for (const uint64_t probe : {center - 1, center, center + 1}) {
      const auto rank =
          static_cast<size_t>(std::lower_bound(windows.begin(), windows.end(), probe) - windows.begin());
      const ApproxRange range = built.Find(probe);
      SEERDB_ASSERT(range.lo <= rank && rank <= range.hi);
      const auto search = [&](const Model& model) {
        return BracketSearch(
            model, windows.size(), probe, [&](size_t i) { return windows[i]; }, [](size_t) { return false; });
      };
      SEERDB_ASSERT(search(built).rank == rank && search(built).bracketed);
      if (other != nullptr) SEERDB_ASSERT(search(*other).rank == rank);
    }
  }
}

}  // namespace seerdb::fuzz
