// WindowSearch: vector searches over the window columns of the tree's nodes, by kernel kind.
//
// A column is kNodeSlots numbers aligned to 64 bytes, of which the first `count` are in use. No kernel reads
// a number at or above `count`. All kinds give the same results. Masks have bit i set for slot i.
// Thread safety: stateless.
#pragma once

#include <cstdint>

namespace seerdb {

inline constexpr uint32_t kNodeSlots = 48;
static_assert(kNodeSlots % 8 == 0 && kNodeSlots <= 64);

struct WindowSearch {
  enum class Kind { kScalar, kAvx2, kAvx512 };

  Kind kind;
  // Slots whose window is `window`.
  uint64_t (*equal)(const uint64_t* windows, uint32_t count, uint64_t window);
  // Slots that hold the greatest window <= `window`. Requires: there is one.
  uint64_t (*floor)(const uint64_t* windows, uint32_t count, uint64_t window);
  // ranks[i]: how many slots sort before slot i, by window, then by slot. True if two windows are equal.
  bool (*rank)(const uint64_t* windows, uint32_t count, uint8_t* ranks);
};

// Null if this processor lacks the instructions, or base/simd.h has a limit below them.
const WindowSearch* GetWindowSearch(WindowSearch::Kind kind);
// The widest kind this processor has; the scalar one under ThreadSanitizer, which cannot follow the others.
const WindowSearch& BestWindowSearch();

}  // namespace seerdb
