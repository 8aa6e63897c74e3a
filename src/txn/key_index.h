// KeyIndex: the engine keys that a transaction has touched, in order, each with a node.
//
// Sorted blocks in a sorted list, which small transactions have one of. Nodes and keys never move and live as
// long as the index.
// Thread safety: external synchronization.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "seerdb/slice.h"

namespace seerdb {

struct KeyNode {
  Slice key;
  uint32_t newest = 0;   // write of the key, see IndexedBatch; 0: none
  bool checked = false;  // it was read, and must be as it was
};

class KeyIndex {
 public:
  // Where a key stands, or would.
  struct Position {
    size_t block = 0;
    size_t slot = 0;
  };

  KeyIndex();
  ~KeyIndex();
  KeyIndex(const KeyIndex&) = delete;
  KeyIndex& operator=(const KeyIndex&) = delete;

  // Null if it is not there.
  KeyNode* Find(Slice key) const;
  // Copies a key that is not there yet.
  KeyNode* FindOrAdd(Slice key, bool* added);

  // Of the first key at or after `key`.
  Position LowerBound(Slice key) const;
  // Null behind the last one.
  KeyNode* At(Position position) const {
    return position.block < blocks_.size() ? blocks_[position.block]->nodes[position.slot] : nullptr;
  }
  void Advance(Position* position) const {
    if (++position->slot < blocks_[position->block]->count) return;
    ++position->block;
    position->slot = 0;
  }
  // False before the first one.
  bool StepBack(Position* position) const;

  size_t size() const { return size_; }
  uint64_t bytes() const { return bytes_; }

 private:
  static constexpr uint32_t kBlockKeys = 64;
  struct Block {
    uint32_t count = 0;
    uint64_t heads[kBlockKeys];  // the first bytes of each key, so that they compare as numbers
    KeyNode* nodes[kBlockKeys];
  };
  // The block that holds `key` if any does, and the first slot in it that is not below.
  size_t BlockOf(Slice key) const;
  static uint32_t SlotOf(const Block& block, uint64_t head, Slice key);
  KeyNode* NewNode(Slice key);
  char* Allocate(size_t bytes);

  std::vector<std::unique_ptr<Block>> blocks_;
  size_t size_ = 0;
  uint64_t bytes_ = 0;
  // What nodes and keys lie in.
  std::vector<std::unique_ptr<char[]>> chunks_;
  char* next_ = nullptr;
  size_t left_ = 0;
};

}  // namespace seerdb
