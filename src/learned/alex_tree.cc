#include "learned/alex_tree.h"

#include <algorithm>

#include "base/assert.h"

namespace seerdb {
namespace {

// An overworked leaf of fewer keys is built anew rather than split.
constexpr uint32_t kMinSplitKeys = 256;
// A run of a batch is inserted one by one unless it is so long, and at least an eighth of its leaf.
constexpr size_t kMinRunKeys = 8;
constexpr size_t kLeavesAtOnce = 4;

}  // namespace

AlexTree::AlexTree(const AlexOptions& options) : options_(options) {
  SEERDB_ASSERT(options.max_leaf_keys >= 16 && options.max_leaf_keys <= 1 << 24);
  SEERDB_ASSERT(options.max_fanout_bits >= 1 && options.max_fanout_bits <= AlexPartition::kMaxBits);
  BulkLoad({});
}

void AlexTree::BulkLoad(std::span<const AlexEntry> entries) {
  leaves_.clear();
  inner_nodes_.clear();
  first_ = nullptr;
  size_ = entries.size();
  if (entries.size() >= kMinSplitKeys || entries.size() > options_.max_leaf_keys) {
    const AlexInnerPlan plan = PlanAlexInner(entries, options_);
    if (entries.size() > options_.max_leaf_keys || plan.plan.cost < AlexLeafCost(entries)) {
      AlexLeaf* last = nullptr;
      root_ = BuildInner(entries, plan, &last);
      return;
    }
  }
  AlexLeaf* const leaf = NewLeaf(nullptr);
  leaf->Build(entries);
  root_ = leaf;
}

bool AlexTree::Put(uint64_t key, uint64_t payload, bool assign) {
  for (;;) {
    AlexLeaf* const leaf = LeafOf(key);
    const uint64_t moved = leaf->slots_moved();
    const AlexLeaf::Insertion insertion = leaf->Insert(key, payload, options_.max_leaf_keys);
    switch (insertion.outcome) {
      case AlexLeaf::Outcome::kPresent:
        if (assign) leaf->SetPayload(insertion.slot, payload);
        return false;
      case AlexLeaf::Outcome::kInserted:
        ++size_;
        counters_.slots_moved += leaf->slots_moved() - moved;
        if (leaf->IsOverworked()) MakeRoom(leaf, key);
        return true;
      case AlexLeaf::Outcome::kFull:
        MakeRoom(leaf, key);
        break;
    }
  }
}

void AlexTree::MakeRoom(AlexLeaf* leaf, uint64_t key) {
  const bool full = leaf->count() >= options_.max_leaf_keys;
  const bool overworked = leaf->IsOverworked();
  if (!full && !overworked && !leaf->Deviates()) {
    leaf->MakeRoom();
    ++counters_.expansions;
    return;
  }
  std::vector<AlexEntry> entries;
  entries.reserve(leaf->count());
  leaf->AppendEntriesTo(&entries);
  Rebuild(leaf, key, entries, full || (overworked && leaf->count() >= kMinSplitKeys));
}

size_t AlexTree::InsertBatch(std::span<const AlexEntry> entries) {
  const size_t before = size_;
  if (empty()) {
    BulkLoad(entries);
    return size_;
  }
  const size_t most = kLeavesAtOnce * options_.max_leaf_keys;
  while (!entries.empty()) {
    // No more at a time than the inner nodes at an edge can be extended for.
    const auto [leaf, run] = NextRun(entries.first(std::min(entries.size(), most)));
    InsertRun(leaf, run);
    entries = entries.subspan(run.size());
  }
  return size_ - before;
}

std::pair<AlexLeaf*, std::span<const AlexEntry>> AlexTree::NextRun(std::span<const AlexEntry> entries) {
  const uint64_t key = entries.front().key;
  AlexNode* node = root_;
  while (!node->is_leaf) {
    const auto* inner = static_cast<const AlexInner*>(node);
    node = inner->ChildOf(key);
    const size_t end = inner->StartOf(key) + (size_t{1} << node->repeat_bits);
    const auto cut = std::partition_point(entries.begin(), entries.end(), [&](const AlexEntry& entry) {
      return inner->partition().IndexOf(entry.key) < end;
    });
    entries = entries.first(static_cast<size_t>(cut - entries.begin()));
  }
  return {static_cast<AlexLeaf*>(node), entries};
}

void AlexTree::InsertRun(AlexLeaf* leaf, std::span<const AlexEntry> run) {
  if (run.size() < kMinRunKeys || run.size() < leaf->count() / 8) {
    for (const AlexEntry& entry : run) Put(entry.key, entry.payload, true);
    return;
  }
  std::vector<AlexEntry> old;
  old.reserve(leaf->count());
  leaf->AppendEntriesTo(&old);
  std::vector<AlexEntry> merged;
  merged.reserve(old.size() + run.size());
  auto next = run.begin();
  for (const AlexEntry& entry : old) {
    while (next != run.end() && next->key < entry.key) merged.push_back(*next++);
    const bool replaced = next != run.end() && next->key == entry.key;
    merged.push_back(replaced ? *next++ : entry);
  }
  merged.insert(merged.end(), next, run.end());
  size_ += merged.size() - old.size();
  if (merged.size() <= options_.max_leaf_keys && !leaf->Deviates()) {
    leaf->Build(merged);
    ++counters_.rebuilds;
    return;
  }
  Rebuild(leaf, run.front().key, merged, merged.size() > options_.max_leaf_keys);
}

bool AlexTree::Erase(uint64_t key) {
  AlexLeaf* const leaf = LeafOf(key);
  if (!leaf->Erase(key)) return false;
  --size_;
  if (leaf->count() == 0 || leaf->IsSparse()) Shrink(leaf, key);
  return true;
}

AlexLeaf* AlexTree::NewLeaf(AlexLeaf* prev) {
  leaves_.push_back(std::make_unique<AlexLeaf>());
  AlexLeaf* const leaf = leaves_.back().get();
  leaf->place = static_cast<uint32_t>(leaves_.size() - 1);
  leaf->Link(prev, prev == nullptr ? first_ : prev->next());
  if (prev == nullptr) first_ = leaf;
  return leaf;
}

AlexInner* AlexTree::NewInner(const AlexPartition& partition) {
  inner_nodes_.push_back(std::make_unique<AlexInner>(partition));
  inner_nodes_.back()->place = static_cast<uint32_t>(inner_nodes_.size() - 1);
  return inner_nodes_.back().get();
}

void AlexTree::TakeFromChain(AlexLeaf* leaf) {
  if (first_ == leaf) first_ = leaf->next();
  leaf->Unlink();
}

void AlexTree::Drop(const AlexLeaf* leaf) {
  const uint32_t place = leaf->place;
  leaves_.back()->place = place;
  std::swap(leaves_[place], leaves_.back());
  leaves_.pop_back();
}

void AlexTree::Drop(const AlexInner* inner) {
  const uint32_t place = inner->place;
  inner_nodes_.back()->place = place;
  std::swap(inner_nodes_[place], inner_nodes_.back());
  inner_nodes_.pop_back();
}

void AlexTree::ReplaceChild(const AlexNode* old, uint64_t key, AlexNode* node) {
  AlexInner* const parent = old->parent;
  if (parent != nullptr) {
    parent->Adopt(node, parent->StartOf(key), old->repeat_bits);
    return;
  }
  root_ = node;
  node->parent = nullptr;
  node->repeat_bits = 0;
}

}  // namespace seerdb
