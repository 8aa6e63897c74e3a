// RankModel: what a model of ascending 64-bit windows is to those who search with it.
//
// A model maps a window to a bracket for its lower bound, the first rank whose window is >= it. Asked about
// the windows that it was built over, the bracket holds for every window, present or not; asked about others
// it may say anything within its ranks (bracket_search.h proves what it is told). Thread safety: models are
// immutable, freely shared.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>

namespace seerdb {

// The lower bound is expected at `pos`, and not outside [lo, hi] (hi may be the number of ranks).
struct ApproxRange {
  uint32_t pos = 0;
  uint32_t lo = 0;
  uint32_t hi = 0;
};

// `pos` and `error` ranks to both sides of it. Requires: pos <= ranks.
inline ApproxRange RangeAround(uint32_t pos, uint32_t error, uint32_t ranks) {
  ApproxRange range;
  range.pos = pos;
  range.lo = pos > error ? pos - error : 0;
  range.hi = ranks - pos > error ? pos + error : ranks;
  return range;
}

// empty(): there is no model, and Find may not be called. IsOf(count): it may be asked about `count` windows.
// max_error(): the greatest distance of a lower bound from `pos`, as measured.
template <typename Model>
concept RankModel = requires(const Model& model, size_t count, uint64_t window) {
  { model.empty() } -> std::same_as<bool>;
  { model.IsOf(count) } -> std::same_as<bool>;
  { model.ranks() } -> std::same_as<uint32_t>;
  { model.max_error() } -> std::same_as<uint32_t>;
  { model.Find(window) } -> std::same_as<ApproxRange>;
  { model.memory_bytes() } -> std::same_as<size_t>;
};

}  // namespace seerdb
