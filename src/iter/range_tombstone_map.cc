#include "iter/range_tombstone_map.h"

#include <cstring>
#include <new>
#include <vector>

#include "base/assert.h"

namespace seerdb {
namespace {

// Spreads the numbers of nodes, so that the tree is as balanced as one of random priorities.
uint64_t Mix(uint64_t x) {
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

}  // namespace

const RangeTombstoneMap::State* RangeTombstoneMap::StateAt(SequenceNumber at) const {
  const State* state = head_.load(std::memory_order_acquire);
  while (state != nullptr && state->sequence > at) {
    state = state->jump != nullptr && state->jump->sequence > at ? state->jump : state->previous;
  }
  return state;
}

SequenceNumber RangeTombstoneMap::NewestAt(SequenceNumber at) const {
  const State* const state = StateAt(at);
  return state != nullptr ? state->sequence : 0;
}

SequenceNumber RangeTombstoneMap::last_sequence() const {
  const State* const head = head_.load(std::memory_order_acquire);
  return head != nullptr ? head->sequence : 0;
}

const RangeTombstoneMap::Node* RangeTombstoneMap::Floor(const Node* root, Slice key) {
  const Node* floor = nullptr;
  for (const Node* node = root; node != nullptr;) {
    if (node->boundary <= key) {
      floor = node;
      node = node->right;
    } else {
      node = node->left;
    }
  }
  return floor;
}

SequenceNumber RangeTombstoneMap::Find(Slice key, SequenceNumber at) const {
  const State* const state = StateAt(at);
  if (state == nullptr) return 0;
  const Node* const floor = Floor(state->root, key);
  return floor != nullptr ? floor->sequence : 0;
}

CoveredStretch RangeTombstoneMap::StretchAt(Slice key, SequenceNumber at) const {
  CoveredStretch stretch;
  const State* const state = StateAt(at);
  if (state == nullptr) return stretch;
  for (const Node* node = state->root; node != nullptr;) {
    if (node->boundary <= key) {
      stretch.begin = node->boundary;
      stretch.sequence = node->sequence;
      node = node->right;
    } else {
      stretch.end = node->boundary;
      stretch.has_end = true;
      node = node->left;
    }
  }
  return stretch;
}

void RangeTombstoneMap::Visit(SequenceNumber at,
                              const std::function<void(const CoveredStretch&)>& visit) const {
  const State* const state = StateAt(at);
  std::vector<const Node*> above;
  const Node* before = nullptr;
  for (const Node* node = state != nullptr ? state->root : nullptr; node != nullptr || !above.empty();) {
    for (; node != nullptr; node = node->left) above.push_back(node);
    node = above.back();
    above.pop_back();
    if (before != nullptr && before->sequence != 0) {
      visit({before->sequence, before->boundary, node->boundary, true});
    }
    before = node;
    node = node->right;
  }
  SEERDB_DCHECK(before == nullptr || before->sequence == 0);  // every range has an end
}

Slice RangeTombstoneMap::Copy(Slice key) {
  char* const bytes = arena_->Allocate(key.size() + 1, 1);
  std::memcpy(bytes, key.data(), key.size());
  return {bytes, key.size()};
}

RangeTombstoneMap::Node* RangeTombstoneMap::NewNode(Slice boundary, SequenceNumber sequence) {
  return new (arena_->Allocate(sizeof(Node), alignof(Node)))
      Node{boundary, sequence, nullptr, nullptr, Mix(++nodes_ ^ secret_), count()};
}

RangeTombstoneMap::Node* RangeTombstoneMap::Own(const Node* node) {
  if (node->addition == count()) return const_cast<Node*>(node);
  Node* const copy = new (arena_->Allocate(sizeof(Node), alignof(Node))) Node(*node);
  copy->addition = count();
  return copy;
}

RangeTombstoneMap::Halves RangeTombstoneMap::Split(const Node* root, Slice key) {
  if (root == nullptr) return {nullptr, nullptr};
  Node* const node = Own(root);
  if (node->boundary < key) {
    const Halves halves = Split(node->right, key);
    node->right = halves.below;
    return {node, halves.at_least};
  }
  const Halves halves = Split(node->left, key);
  node->left = halves.at_least;
  return {halves.below, node};
}

const RangeTombstoneMap::Node* RangeTombstoneMap::Join(const Node* left, const Node* right) {
  if (left == nullptr) return right;
  if (right == nullptr) return left;
  if (left->priority > right->priority) {
    Node* const node = Own(left);
    node->right = Join(node->right, right);
    return node;
  }
  Node* const node = Own(right);
  node->left = Join(left, node->left);
  return node;
}

void RangeTombstoneMap::VisitAll(
    const std::function<void(SequenceNumber sequence, Slice begin, Slice end)>& visit) const {
  for (const State* state = head_.load(std::memory_order_acquire); state != nullptr;
       state = state->previous) {
    visit(state->sequence, state->begin, state->end);
  }
}

void RangeTombstoneMap::Add(SequenceNumber sequence, Slice begin, Slice end) {
  SEERDB_DCHECK(begin < end && sequence >= last_sequence() && sequence > 0);
  count_.store(count() + 1, std::memory_order_relaxed);
  const State* const previous = head_.load(std::memory_order_relaxed);
  const Node* const old_root = previous != nullptr ? previous->root : nullptr;
  const Node* const at_end = Floor(old_root, end);
  const Halves outer = Split(old_root, begin);
  const Halves inner = Split(outer.at_least, end);  // what lies in the range is forgotten
  begin = Copy(begin);
  end = Copy(end);
  const Node* behind = inner.at_least;
  if (at_end == nullptr || at_end->boundary != end) {
    behind = Join(NewNode(end, at_end != nullptr ? at_end->sequence : 0), behind);
  }
  const Node* const root = Join(Join(outer.below, NewNode(begin, sequence)), behind);
  State* const state = new (arena_->Allocate(sizeof(State), alignof(State)))
      State{sequence, begin, end, root, previous, previous, previous != nullptr ? previous->depth + 1 : 0};
  const State* const jump = previous != nullptr ? previous->jump : nullptr;
  if (jump != nullptr && jump->jump != nullptr &&
      previous->depth - jump->depth == jump->depth - jump->jump->depth) {
    state->jump = jump->jump;
  }
  head_.store(state, std::memory_order_release);
}

}  // namespace seerdb
