// AlexModel: an AlexTree over ascending windows that is only read, as a model of their ranks like PlaModel.
//
// It holds the windows themselves, so what it finds is exact: no bracket is to be searched or proven. The
// price is their memory. Windows may repeat; the tree has each once, with its first rank. Thread safety:
// immutable, freely shared; copies share the tree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "learned/alex_tree.h"
#include "learned/rank_model.h"

namespace seerdb {

class AlexModel {
 public:
  AlexModel() = default;
  // Requires: windows ascend; fewer than 2^32 - 1.
  static AlexModel Build(std::span<const uint64_t> windows);

  bool empty() const { return tree_ == nullptr; }
  bool IsOf(size_t count) const { return !empty() && ranks_ == count; }
  uint32_t ranks() const { return ranks_; }
  uint32_t max_error() const { return 0; }
  // The first rank whose window is not less: pos, lo and hi are the same. Requires: !empty().
  ApproxRange Find(uint64_t window) const {
    const AlexTree::Cursor cursor = tree_->LowerBound(window);
    const uint32_t rank = cursor.Valid() ? static_cast<uint32_t>(cursor.payload()) : ranks_;
    return {rank, rank, rank};
  }
  size_t memory_bytes() const { return empty() ? 0 : tree_->memory_bytes(); }
  // Requires: !empty().
  const AlexTree& tree() const { return *tree_; }

 private:
  std::shared_ptr<const AlexTree> tree_;
  uint32_t ranks_ = 0;
};

}  // namespace seerdb
