// What can be told of an AlexTree as a whole: its size, its shape, and whether its invariants hold.
#include <algorithm>

#include "learned/alex_tree.h"

namespace seerdb {

size_t AlexTree::memory_bytes() const {
  size_t bytes = sizeof *this + leaves_.capacity() * sizeof leaves_[0] +
                 inner_nodes_.capacity() * sizeof inner_nodes_[0];
  for (const auto& leaf : leaves_) bytes += leaf->memory_bytes();
  for (const auto& inner : inner_nodes_) bytes += inner->memory_bytes();
  return bytes;
}

AlexShape AlexTree::Shape() const {
  AlexShape shape;
  shape.leaves = leaves_.size();
  shape.inner_nodes = inner_nodes_.size();
  for (const auto& inner : inner_nodes_) shape.pointers += inner->partition().fanout();
  for (const auto& leaf : leaves_) {
    size_t depth = 0;
    for (const AlexInner* above = leaf->parent; above != nullptr; above = above->parent) ++depth;
    shape.depth = std::max(shape.depth, depth);
    shape.slots += leaf->capacity();
    shape.key_depth += static_cast<double>(depth) * leaf->count();
    shape.search_error += leaf->fit().search * leaf->count();
  }
  if (size_ > 0) {
    shape.key_depth /= static_cast<double>(size_);
    shape.search_error /= static_cast<double>(size_);
  }
  return shape;
}

std::string AlexTree::Broken() const {
  size_t nodes = 0;
  if (root_->parent != nullptr || root_->repeat_bits != 0) return "the root has a parent";
  if (std::string broken = BrokenBelow(root_, &nodes); !broken.empty()) return broken;
  if (nodes != leaves_.size() + inner_nodes_.size()) return "nodes are left that nothing leads to";
  // The chain.
  size_t keys = 0;
  size_t leaves = 0;
  const AlexLeaf* prev = nullptr;
  uint64_t last = 0;
  for (const AlexLeaf* leaf = first_; leaf != nullptr; prev = leaf, leaf = leaf->next()) {
    if (leaf->prev() != prev) return "the chain of leaves is not the same both ways";
    if (++leaves > leaves_.size()) return "the chain of leaves has no end";
    if (leaf->count() > options_.max_leaf_keys) return "a leaf has too many keys";
    std::vector<AlexEntry> entries;
    leaf->AppendEntriesTo(&entries);
    for (const AlexEntry& entry : entries) {
      if (keys++ > 0 && entry.key <= last) return "keys do not ascend along the chain";
      last = entry.key;
      if (LeafOf(entry.key) != leaf) return "a key is not in the leaf that it leads to";
    }
  }
  if (leaves != leaves_.size()) return "leaves are missing in the chain";
  return keys == size_ ? "" : "the size is not the number of keys";
}

std::string AlexTree::BrokenBelow(const AlexNode* node, size_t* nodes) const {
  ++*nodes;
  if (node->is_leaf) {
    const auto* leaf = static_cast<const AlexLeaf*>(node);
    if (leaf->place >= leaves_.size() || leaves_[leaf->place].get() != leaf) return "a leaf is not listed";
    return leaf->Broken();
  }
  const auto* inner = static_cast<const AlexInner*>(node);
  if (inner->place >= inner_nodes_.size() || inner_nodes_[inner->place].get() != inner) {
    return "an inner node is not listed";
  }
  const std::vector<AlexNode*>& children = inner->children();
  if (children.size() != inner->partition().fanout()) return "pointers are missing";
  if (inner->partition().bits() > options_.max_fanout_bits) return "an inner node has too many pointers";
  for (size_t i = 0; i < children.size();) {
    const AlexNode* const child = children[i];
    const size_t count = size_t{1} << child->repeat_bits;
    if (child->parent != inner) return "a child has another parent";
    if (i % count != 0 || i + count > children.size()) return "repeated pointers are not aligned";
    for (size_t k = i; k < i + count; ++k) {
      if (children[k] != child) return "repeated pointers differ";
    }
    if (std::string broken = BrokenBelow(child, nodes); !broken.empty()) return broken;
    i += count;
  }
  return "";
}

}  // namespace seerdb
