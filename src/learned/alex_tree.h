// AlexTree: an ordered map from 64-bit keys to 64-bit payloads, as the adaptive learned index ALEX.
//
// Inner nodes divide ranges of keys evenly, leaves predict slots in gapped arrays (alex_node.h, alex_leaf.h).
// A full leaf is given more slots; is it as large as a leaf may be, or does it cost far more than its model
// promised, then the cost model says whether it is built anew, split among its parent's pointers (sideways),
// or replaced by an inner node (down). Keys that come before or behind all others extend the inner nodes at
// the edge instead. Leaves that lose their keys shrink, and are joined. Keys are unique: what has several
// values a key keeps them elsewhere, and an index of them here (alex_string_map.h). Costs are measured by
// inserts alone, so reads change nothing. Any keys in any order take time near to that of a balanced tree;
// models decide about time, never about an answer. Source: J. Ding et al., "ALEX: An Updatable Adaptive
// Learned Index" (SIGMOD 2020). Thread safety: external synchronization; const methods may be called
// concurrently.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "learned/alex_leaf.h"
#include "learned/alex_node.h"
#include "learned/alex_plan.h"

namespace seerdb {

// What has happened since the tree was made.
struct AlexCounters {
  uint64_t expansions = 0;  // a leaf got more slots
  uint64_t rebuilds = 0;    // a leaf's line was fitted anew
  uint64_t splits_sideways = 0;
  uint64_t splits_down = 0;
  uint64_t extensions = 0;    // of inner nodes at an edge
  uint64_t contractions = 0;  // a leaf was given fewer slots
  uint64_t joins = 0;         // of leaves that had few keys
  uint64_t slots_moved = 0;   // by inserts, to make gaps and to fill them
};

struct AlexShape {
  size_t leaves = 0;
  size_t inner_nodes = 0;
  size_t pointers = 0;
  size_t depth = 0;         // inner nodes above the deepest leaf
  double key_depth = 0;     // the same, on average over the keys
  size_t slots = 0;         // of all leaves
  double search_error = 0;  // expected iterations of a search, on average over the keys
};

class AlexTree {
 public:
  // At an entry, or behind the last one. Any change to the tree ends its life.
  class Cursor {
   public:
    Cursor() = default;
    Cursor(const AlexLeaf* leaf, uint32_t slot) : leaf_(leaf), slot_(slot) { SkipEnds(); }

    bool Valid() const { return leaf_ != nullptr; }
    // Require: Valid().
    uint64_t key() const { return leaf_->At(slot_).key; }
    uint64_t payload() const { return leaf_->At(slot_).payload; }
    void Next() {
      slot_ = leaf_->NextOccupied(slot_ + 1);
      SkipEnds();
    }

   private:
    void SkipEnds() {
      while (leaf_ != nullptr && slot_ == leaf_->capacity()) {
        leaf_ = leaf_->next();
        if (leaf_ != nullptr) slot_ = leaf_->NextOccupied(0);
      }
    }

    const AlexLeaf* leaf_ = nullptr;
    uint32_t slot_ = 0;
  };

  explicit AlexTree(const AlexOptions& options = {});
  AlexTree(const AlexTree&) = delete;
  AlexTree& operator=(const AlexTree&) = delete;

  // Replaces all there is. Requires: keys strictly ascend.
  void BulkLoad(std::span<const AlexEntry> entries);
  // False, and nothing changed, if the key is present.
  bool Insert(uint64_t key, uint64_t payload) { return Put(key, payload, false); }
  // False if the key was present; it has the new payload then.
  bool InsertOrAssign(uint64_t key, uint64_t payload) { return Put(key, payload, true); }
  // InsertOrAssign of all; returns how many keys were new. Requires: keys strictly ascend.
  size_t InsertBatch(std::span<const AlexEntry> entries);
  // False if it is absent.
  bool Erase(uint64_t key);

  std::optional<uint64_t> Find(uint64_t key) const {
    const AlexLeaf* const leaf = LeafOf(key);
    const uint32_t slot = leaf->Find(key);
    if (slot == AlexLeaf::kNoSlot) return std::nullopt;
    return leaf->At(slot).payload;
  }
  // At the first key that is not less.
  Cursor LowerBound(uint64_t key) const {
    const AlexLeaf* const leaf = LeafOf(key);
    return Cursor(leaf, leaf->LowerBound(key));
  }
  Cursor Begin() const { return LowerBound(0); }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // These take time in proportion to the number of nodes.
  size_t memory_bytes() const;
  AlexShape Shape() const;
  const AlexCounters& counters() const { return counters_; }
  // What is broken of the invariants of the tree and its nodes, or "". Visits every slot.
  std::string Broken() const;

 private:
  const AlexLeaf* LeafOf(uint64_t key) const {
    const AlexNode* node = root_;
    while (!node->is_leaf) node = static_cast<const AlexInner*>(node)->ChildOf(key);
    return static_cast<const AlexLeaf*>(node);
  }
  AlexLeaf* LeafOf(uint64_t key) { return const_cast<AlexLeaf*>(std::as_const(*this).LeafOf(key)); }
  bool Put(uint64_t key, uint64_t payload, bool assign);
  // For one key more, the given one.
  void MakeRoom(AlexLeaf* leaf, uint64_t key);
  // The entries of the batch that belong to the leaf of the first one, which is returned.
  std::pair<AlexLeaf*, std::span<const AlexEntry>> NextRun(std::span<const AlexEntry> entries);
  void InsertRun(AlexLeaf* leaf, std::span<const AlexEntry> run);

  // Gives the leaf, to which the key leads, other entries; one node or several are built for them. `split`:
  // several.
  void Rebuild(AlexLeaf* leaf, uint64_t key, std::span<const AlexEntry> entries, bool split);
  // Extends an inner node above the leaf, if the leaf is at its edge and enough entries lie in the range that
  // it gets by that: then true, and the entries are where they belong.
  bool Extend(AlexLeaf* leaf, uint64_t key, std::span<const AlexEntry> entries);
  struct OneSided {
    std::span<const AlexEntry> all;
    bool right;
  };
  // Doubles the range of `node` to one side, `levels` times, and puts the leaf's entries where they belong.
  void ExtendNode(AlexInner* node, uint32_t levels, AlexLeaf* leaf, uint64_t key, const OneSided& entries);
  // Puts an inner node above that one, which becomes all of its range.
  AlexInner* Raise(AlexInner* node, uint64_t key);
  void SplitSideways(AlexLeaf* leaf, std::span<const AlexEntry> entries, const AlexInnerPlan& plan);
  void SplitDown(AlexLeaf* leaf, uint64_t key, std::span<const AlexEntry> entries, const AlexInnerPlan& plan);
  // Build what a plan says; the leaves stand in the chain behind *prev, which becomes the last of them.
  void BuildPieces(AlexInner* parent, std::span<const AlexEntry> entries, const AlexPlan& plan,
                   AlexLeaf** prev);
  AlexInner* BuildInner(std::span<const AlexEntry> entries, const AlexInnerPlan& plan, AlexLeaf** prev);

  // After an erase: fewer slots, and one leaf of two that have few keys.
  void Shrink(AlexLeaf* leaf, uint64_t key);
  // False if the leaf cannot be joined with its neighbour, or take the place of its parent.
  bool Join(AlexLeaf** leaf, uint64_t key);

  // In the chain behind `prev`; null: at its front.
  AlexLeaf* NewLeaf(AlexLeaf* prev);
  AlexInner* NewInner(const AlexPartition& partition);
  void TakeFromChain(AlexLeaf* leaf);
  void Drop(const AlexLeaf* leaf);
  void Drop(const AlexInner* inner);
  // Puts `node` where `old` is, to which the key leads.
  void ReplaceChild(const AlexNode* old, uint64_t key, AlexNode* node);
  std::string BrokenBelow(const AlexNode* node, size_t* nodes) const;

  AlexOptions options_;
  std::vector<std::unique_ptr<AlexLeaf>> leaves_;
  std::vector<std::unique_ptr<AlexInner>> inner_nodes_;
  AlexNode* root_ = nullptr;
  AlexLeaf* first_ = nullptr;  // of the chain
  size_t size_ = 0;
  AlexCounters counters_;
};

}  // namespace seerdb
