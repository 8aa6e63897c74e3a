#include "txn/key_index.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace seerdb {
namespace {

constexpr size_t kFirstChunkBytes = 1024;
constexpr size_t kMostChunkBytes = 64 * 1024;

uint64_t HeadOf(Slice key) {
  unsigned char bytes[sizeof(uint64_t)] = {};
  if (!key.empty()) std::memcpy(bytes, key.data(), std::min(key.size(), sizeof bytes));
  uint64_t head = 0;
  for (const unsigned char byte : bytes) head = head << 8 | byte;
  return head;
}

}  // namespace

KeyIndex::KeyIndex() = default;
KeyIndex::~KeyIndex() = default;

size_t KeyIndex::BlockOf(Slice key) const {
  // The last one whose first key is not above; the first one if there is none.
  const auto above = std::upper_bound(
      blocks_.begin() + 1, blocks_.end(), key,
      [](Slice wanted, const std::unique_ptr<Block>& block) { return wanted < block->nodes[0]->key; });
  return static_cast<size_t>(above - blocks_.begin()) - 1;
}

uint32_t KeyIndex::SlotOf(const Block& block, uint64_t head, Slice key) {
  uint32_t low = 0;
  uint32_t high = block.count;
  while (low < high) {
    const uint32_t middle = (low + high) / 2;
    const bool below =
        block.heads[middle] != head ? block.heads[middle] < head : block.nodes[middle]->key < key;
    if (below) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

KeyNode* KeyIndex::Find(Slice key) const {
  if (blocks_.empty()) return nullptr;
  const Block& block = *blocks_[BlockOf(key)];
  const uint32_t slot = SlotOf(block, HeadOf(key), key);
  return slot < block.count && block.nodes[slot]->key == key ? block.nodes[slot] : nullptr;
}

KeyIndex::Position KeyIndex::LowerBound(Slice key) const {
  if (blocks_.empty()) return {};
  const size_t index = BlockOf(key);
  const uint32_t slot = SlotOf(*blocks_[index], HeadOf(key), key);
  if (slot == blocks_[index]->count) return {index + 1, 0};
  return {index, slot};
}

bool KeyIndex::StepBack(Position* position) const {
  if (position->slot > 0) {
    --position->slot;
    return true;
  }
  if (position->block == 0) return false;
  --position->block;
  position->slot = blocks_[position->block]->count - 1;
  return true;
}

char* KeyIndex::Allocate(size_t bytes) {
  if (bytes > left_) {
    size_t chunk = std::min(kFirstChunkBytes << std::min<size_t>(chunks_.size(), 16), kMostChunkBytes);
    chunk = std::max(chunk, bytes);
    chunks_.push_back(std::unique_ptr<char[]>(new char[chunk]));  // not zeroed
    bytes_ += chunk;
    next_ = chunks_.back().get();
    left_ = chunk;
  }
  char* const result = next_;
  next_ += bytes;
  left_ -= bytes;
  return result;
}

KeyNode* KeyIndex::NewNode(Slice key) {
  constexpr size_t kAlignment = alignof(KeyNode);
  const size_t key_bytes = (key.size() + kAlignment - 1) / kAlignment * kAlignment;
  char* const memory = Allocate(sizeof(KeyNode) + key_bytes);
  char* const copy = memory + sizeof(KeyNode);
  if (!key.empty()) std::memcpy(copy, key.data(), key.size());
  auto* const node = new (memory) KeyNode();
  node->key = Slice(copy, key.size());
  return node;
}

KeyNode* KeyIndex::FindOrAdd(Slice key, bool* added) {
  *added = false;
  if (blocks_.empty()) {
    blocks_.push_back(std::unique_ptr<Block>(new Block));
    bytes_ += sizeof(Block);
  }
  size_t index = BlockOf(key);
  Block* block = blocks_[index].get();
  const uint64_t head = HeadOf(key);
  uint32_t slot = SlotOf(*block, head, key);
  if (slot < block->count && block->nodes[slot]->key == key) return block->nodes[slot];
  if (block->count == kBlockKeys) {
    // What comes in order fills its blocks.
    const uint32_t keep = slot == kBlockKeys && index + 1 == blocks_.size() ? kBlockKeys - 1 : kBlockKeys / 2;
    auto right = std::unique_ptr<Block>(new Block);
    right->count = kBlockKeys - keep;
    std::copy(block->heads + keep, block->heads + kBlockKeys, right->heads);
    std::copy(block->nodes + keep, block->nodes + kBlockKeys, right->nodes);
    block->count = keep;
    bytes_ += sizeof(Block);
    blocks_.insert(blocks_.begin() + static_cast<ptrdiff_t>(index) + 1, std::move(right));
    if (slot > keep) {
      block = blocks_[index + 1].get();
      slot -= keep;
    }
  }
  std::copy_backward(block->heads + slot, block->heads + block->count, block->heads + block->count + 1);
  std::copy_backward(block->nodes + slot, block->nodes + block->count, block->nodes + block->count + 1);
  block->heads[slot] = head;
  block->nodes[slot] = NewNode(key);
  ++block->count;
  ++size_;
  *added = true;
  return block->nodes[slot];
}

}  // namespace seerdb
