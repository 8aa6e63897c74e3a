#include "memtable/tree_node.h"

#include "base/prefetch.h"

namespace seerdb {
namespace {

// Of `slots`, the one with the greatest separator at or before `limit` (no limit if null); kNodeSlots if all
// are after it. Slot 0 is before every other.
uint32_t GreatestSlot(const InnerNode& node, uint64_t slots, const Position* limit) {
  if (limit == nullptr && (slots & (slots - 1)) == 0) return static_cast<uint32_t>(std::countr_zero(slots));
  for (uint64_t rest = slots & ~uint64_t{1}; rest != 0; rest &= rest - 1) {
    PrefetchLine(node.records[std::countr_zero(rest)]);
  }
  uint32_t best = (slots & 1) != 0 ? 0 : kNodeSlots;
  for (uint64_t rest = slots & ~uint64_t{1}; rest != 0; rest &= rest - 1) {
    const uint32_t slot = static_cast<uint32_t>(std::countr_zero(rest));
    const Record& separator = *node.records[slot];
    if (limit != nullptr && Compare(separator, *limit) > 0) continue;
    if (best == 0 || best == kNodeSlots || Compare(separator, PositionOf(*node.records[best])) > 0)
      best = slot;
  }
  return best;
}

}  // namespace

uint32_t InnerNode::FindChild(const WindowSearch& search, uint32_t used, const Position& target) const {
  const int order = prefix_certain ? 0 : ComparePrefix(target.key);
  if (order != 0) return order < 0 ? 0 : FindLastChild(search, used);
  const uint64_t window = LoadWindow(target.key, prefix_bytes);
  uint64_t slots = search.floor(windows, used, window);
  if (windows[std::countr_zero(slots)] == window) {
    const uint32_t slot = GreatestSlot(*this, slots, &target);
    if (slot != kNodeSlots) return slot;
    // Slot 0 has window 0 and is never after the target, so here the window is above 0.
    slots = search.floor(windows, used, window - 1);
  }
  return GreatestSlot(*this, slots, nullptr);
}

uint32_t InnerNode::FindLastChild(const WindowSearch& search, uint32_t used) const {
  return GreatestSlot(*this, search.floor(windows, used, UINT64_MAX), nullptr);
}

}  // namespace seerdb
