// How an AlexTree changes its nodes: splits, extensions, joins.
#include <algorithm>
#include <limits>

#include "base/assert.h"
#include "learned/alex_tree.h"

namespace seerdb {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

}  // namespace

void AlexTree::Rebuild(AlexLeaf* leaf, uint64_t key, std::span<const AlexEntry> entries, bool split) {
  const bool may_stay = !split && entries.size() <= options_.max_leaf_keys;
  if (!may_stay && Extend(leaf, key, entries)) return;
  const double stay = may_stay ? AlexLeafCost(entries) : kNever;
  AlexInnerPlan sideways;
  sideways.plan.cost = kNever;
  if (const AlexInner* const parent = leaf->parent; parent != nullptr) {
    sideways =
        PlanAlexSideways(parent->partition(), parent->StartOf(key), leaf->repeat_bits, entries, options_);
  }
  AlexInnerPlan down;
  down.plan.cost = kNever;
  if (entries.size() >= 4) down = PlanAlexInner(entries, options_);
  if (stay <= sideways.plan.cost && stay <= down.plan.cost) {
    leaf->Build(entries);
    ++counters_.rebuilds;
  } else if (sideways.plan.cost <= down.plan.cost) {
    SplitSideways(leaf, entries, sideways);
  } else {
    SplitDown(leaf, key, entries, down);
  }
}

bool AlexTree::Extend(AlexLeaf* leaf, uint64_t key, std::span<const AlexEntry> entries) {
  for (const bool right : {true, false}) {
    // The key beside those of the leaf, on their inner side: where it lies outside, so do keys of other
    // leaves.
    const AlexLeaf* beside = right ? leaf->prev() : leaf->next();
    while (beside != nullptr && beside->count() == 0) beside = right ? beside->prev() : beside->next();
    AlexInner* highest = nullptr;
    uint32_t levels = 0;
    for (const AlexNode* node = leaf; node->parent != nullptr; node = node->parent) {
      AlexInner* const parent = node->parent;
      const size_t start = parent->StartOf(key);
      const bool at_edge =
          right ? start + (size_t{1} << node->repeat_bits) == parent->partition().fanout() : start == 0;
      if (!at_edge) break;
      const int side = right ? 1 : -1;
      if (beside != nullptr && parent->partition().SideOf(right ? beside->Last() : beside->First()) == side) {
        continue;
      }
      if (const uint32_t more = PlanAlexExtension(parent->partition(), entries, right); more > 0) {
        highest = parent;
        levels = more;
      }
    }
    if (highest == nullptr) continue;
    ExtendNode(highest, levels, leaf, key, {entries, right});
    return true;
  }
  return false;
}

void AlexTree::ExtendNode(AlexInner* node, uint32_t levels, AlexLeaf* leaf, uint64_t key,
                          const OneSided& entries) {
  const bool right = entries.right;
  const auto end_of = [](const AlexInner& of, std::span<const AlexEntry> keys, int side) {
    const auto cut = std::partition_point(keys.begin(), keys.end(), [&](const AlexEntry& entry) {
      return of.partition().SideOf(entry.key) < side;
    });
    return static_cast<size_t>(cut - keys.begin());
  };
  const size_t cut = end_of(*node, entries.all, right ? 1 : 0);
  const std::span<const AlexEntry> inside = right ? entries.all.first(cut) : entries.all.subspan(cut);
  std::span<const AlexEntry> outside = right ? entries.all.subspan(cut) : entries.all.first(cut);
  AlexInner* const parent = leaf->parent;
  const AlexPlan plan =
      PlanAlexRange(parent->partition(), parent->StartOf(key), leaf->repeat_bits, inside, options_, false);
  AlexLeaf* const before = leaf->prev();
  AlexLeaf* prev = before;
  TakeFromChain(leaf);
  Drop(leaf);
  BuildPieces(parent, inside, plan, &prev);
  for (; levels > 0; --levels) {
    if (node->partition().bits() >= options_.max_fanout_bits) node = Raise(node, key);
    const size_t old_fanout = node->partition().fanout();
    const uint32_t old_bits = node->partition().bits();
    right ? node->ExtendRight() : node->ExtendLeft();
    // The last range has what lies beyond it too.
    size_t at = right ? outside.size() : 0;
    if (levels > 1) at = end_of(*node, outside, right ? 1 : 0);
    const std::span<const AlexEntry> own = right ? outside.first(at) : outside.subspan(at);
    outside = right ? outside.subspan(at) : outside.first(at);
    if (!right) prev = before;  // ever farther to the left
    const size_t start = right ? old_fanout : 0;
    BuildPieces(node, own, PlanAlexRange(node->partition(), start, old_bits, own, options_, false), &prev);
    ++counters_.extensions;
  }
}

AlexInner* AlexTree::Raise(AlexInner* node, uint64_t key) {
  AlexInner* const above = NewInner(node->partition().Coarsened(node->partition().bits()));
  ReplaceChild(node, key, above);
  above->Adopt(node, 0, 0);
  return above;
}

void AlexTree::SplitSideways(AlexLeaf* leaf, std::span<const AlexEntry> entries, const AlexInnerPlan& plan) {
  AlexInner* const parent = leaf->parent;
  while (parent->partition().bits() < plan.partition.bits()) parent->Refine();
  AlexLeaf* prev = leaf->prev();
  TakeFromChain(leaf);
  Drop(leaf);
  BuildPieces(parent, entries, plan.plan, &prev);
  ++counters_.splits_sideways;
}

void AlexTree::SplitDown(AlexLeaf* leaf, uint64_t key, std::span<const AlexEntry> entries,
                         const AlexInnerPlan& plan) {
  AlexLeaf* prev = leaf->prev();
  TakeFromChain(leaf);
  ReplaceChild(leaf, key, BuildInner(entries, plan, &prev));
  Drop(leaf);
  ++counters_.splits_down;
}

void AlexTree::BuildPieces(AlexInner* parent, std::span<const AlexEntry> entries, const AlexPlan& plan,
                           AlexLeaf** prev) {
  for (const AlexPiece& piece : plan.pieces) {
    const std::span<const AlexEntry> own = entries.subspan(piece.begin, piece.end - piece.begin);
    if (own.size() > options_.max_leaf_keys) {
      parent->Adopt(BuildInner(own, PlanAlexInner(own, options_), prev), piece.start, piece.bits);
      continue;
    }
    AlexLeaf* const leaf = NewLeaf(*prev);
    leaf->Build(own);
    parent->Adopt(leaf, piece.start, piece.bits);
    *prev = leaf;
  }
}

AlexInner* AlexTree::BuildInner(std::span<const AlexEntry> entries, const AlexInnerPlan& plan,
                                AlexLeaf** prev) {
  AlexInner* const inner = NewInner(plan.partition);
  BuildPieces(inner, entries, plan.plan, prev);
  return inner;
}

void AlexTree::Shrink(AlexLeaf* leaf, uint64_t key) {
  while (Join(&leaf, key)) {
  }
  if (!leaf->IsSparse()) return;
  std::vector<AlexEntry> entries;
  leaf->AppendEntriesTo(&entries);
  leaf->Build(entries);
  ++counters_.contractions;
}

bool AlexTree::Join(AlexLeaf** leaf, uint64_t key) {
  AlexInner* const parent = (*leaf)->parent;
  if (parent == nullptr) return false;
  const uint32_t bits = (*leaf)->repeat_bits;
  if (bits == parent->partition().bits()) {
    ReplaceChild(parent, key, *leaf);
    Drop(parent);
    return true;
  }
  const size_t start = parent->StartOf(key);
  const size_t buddy_start = start ^ (size_t{1} << bits);
  AlexNode* const buddy_node = parent->children()[buddy_start];
  if (!buddy_node->is_leaf || buddy_node->repeat_bits != bits) return false;
  AlexLeaf* kept = *leaf;
  AlexLeaf* dropped = static_cast<AlexLeaf*>(buddy_node);
  if (kept->count() == 0) std::swap(kept, dropped);
  if (dropped->count() > 0) {
    if (kept->count() + dropped->count() > options_.max_leaf_keys / 4) return false;
    std::vector<AlexEntry> entries;
    const bool kept_first = (kept == *leaf) == (start < buddy_start);
    (kept_first ? kept : dropped)->AppendEntriesTo(&entries);
    (kept_first ? dropped : kept)->AppendEntriesTo(&entries);
    kept->Build(entries);
  }
  TakeFromChain(dropped);
  parent->Adopt(kept, std::min(start, buddy_start), bits + 1);
  Drop(dropped);
  *leaf = kept;
  ++counters_.joins;
  return true;
}

}  // namespace seerdb
