// BracketSearch: exact search over ordered keys by a model's guess, windows and, on ties, whole keys.
//
// The model only proposes a bracket. Its ends are proven by comparing windows (different windows order the
// keys, see key_projection.h); a bracket that does not hold is dropped for a search of everything. Entries
// whose window equals the probe's are told apart by whole-key comparison. The answer is the same whatever
// the model says. Thread safety: none of its own.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/mutant.h"
#include "learned/rank_model.h"

namespace seerdb {

struct BracketResult {
  size_t rank = 0;
  bool bracketed = false;  // the model's bracket held
};

// First rank in [begin, end) whose window is >= `window`, or end.
template <typename WindowAt>
size_t LowerBoundWindow(size_t begin, size_t end, uint64_t window, const WindowAt& window_at) {
  size_t n = end - begin;
  while (n > 0) {
    const size_t half = n / 2;
    const bool below = window_at(begin + half) < window;
    begin = below ? begin + half + 1 : begin;
    n = below ? n - half - 1 : half;
  }
  return begin;
}

// End of the run of windows equal to `window` that starts at `begin`.
template <typename WindowAt>
size_t EndOfRun(size_t begin, size_t count, uint64_t window, const WindowAt& window_at) {
  size_t known = begin;  // everything before it is in the run
  size_t step = 1;
  while (known < count && window_at(known) == window) {
    const size_t probe = known + step < count ? known + step : count;
    if (probe == count || window_at(probe) != window) {
      size_t lo = known + 1;
      size_t hi = probe;
      while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        if (window_at(mid) == window)
          lo = mid + 1;
        else
          hi = mid;
      }
      return lo;
    }
    known = probe;
    step *= 2;
  }
  return known;
}

// The first rank for which `before(rank)` is false, or `count`. `before` is asked only for ranks whose
// window equals `window`; it must be true, then false, in the order of ranks, and agree with the windows:
// true where they are lower, false where they are higher. `guess` is what a model of `count` ranks says of
// the window; null: there is none.
template <typename WindowAt, typename Before>
BracketResult BracketSearch(const ApproxRange* guess, size_t count, uint64_t window,
                            const WindowAt& window_at, const Before& before) {
  BracketResult result;
  size_t begin = 0;
  size_t end = count;
  if (guess != nullptr) {
    result.bracketed =
        SEERDB_MUTANT("bracket-unproven") || ((guess->lo == 0 || window_at(guess->lo - 1) < window) &&
                                              (guess->hi == count || window_at(guess->hi) >= window));
    if (result.bracketed) {
      begin = guess->lo;
      end = guess->hi;
    }
  }
  size_t lo = LowerBoundWindow(begin, end, window, window_at);
  if (lo == count || window_at(lo) != window) {
    result.rank = lo;
    return result;
  }
  size_t hi = EndOfRun(lo, count, window, window_at);
  while (lo < hi) {
    const size_t mid = lo + (hi - lo) / 2;
    if (before(mid))
      lo = mid + 1;
    else
      hi = mid;
  }
  result.rank = lo;
  return result;
}

// The same with the guess of `model`, which may be empty or of other ranks: then it is not asked.
template <RankModel Model, typename WindowAt, typename Before>
BracketResult BracketSearch(const Model& model, size_t count, uint64_t window, const WindowAt& window_at,
                            const Before& before) {
  if (!model.IsOf(count)) {
    return BracketSearch(static_cast<const ApproxRange*>(nullptr), count, window, window_at, before);
  }
  const ApproxRange guess = model.Find(window);
  return BracketSearch(&guess, count, window, window_at, before);
}

}  // namespace seerdb
