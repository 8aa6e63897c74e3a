#include "learned/alex_node.h"

#include <algorithm>

namespace seerdb {

void AlexInner::Adopt(AlexNode* child, size_t start, uint32_t bits) {
  const size_t count = size_t{1} << bits;
  SEERDB_ASSERT(start % count == 0 && start + count <= children_.size());
  std::fill_n(children_.begin() + static_cast<std::ptrdiff_t>(start), count, child);
  child->parent = this;
  child->repeat_bits = static_cast<uint8_t>(bits);
}

void AlexInner::Refine() {
  partition_ = partition_.Refined();
  std::vector<AlexNode*> finer(partition_.fanout());
  AlexNode* last = nullptr;
  for (size_t i = 0; i < children_.size(); ++i) {
    AlexNode* const child = children_[i];
    if (child != last) ++child->repeat_bits;
    last = child;
    finer[2 * i] = finer[2 * i + 1] = child;
  }
  children_ = std::move(finer);
}

void AlexInner::ExtendRight() {
  partition_ = partition_.ExtendedRight();
  children_.resize(partition_.fanout(), nullptr);
}

void AlexInner::ExtendLeft() {
  const size_t old = children_.size();
  partition_ = partition_.ExtendedLeft();
  children_.insert(children_.begin(), old, nullptr);
}

}  // namespace seerdb
