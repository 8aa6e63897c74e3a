// SortBuffer: entries in memory, sorted by key at once; of equal keys the one added last stays.
//
// Sorted by the 8 bytes behind what all keys share, and by whole keys where those are equal.
// Thread safety: external synchronization.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "seerdb/slice.h"

namespace seerdb {

class SortBuffer {
 public:
  void Add(Slice key, Slice value);
  // Memory held.
  uint64_t bytes() const { return block_bytes_ + refs_.capacity() * sizeof(Ref); }
  // Memory held if the entry were added too.
  uint64_t BytesWith(Slice key, Slice value) const;
  // Returns how many entries went because their key came again. No Add may follow before Clear.
  uint64_t Sort();
  // Lets go of all entries and of the memory.
  void Clear();

  size_t size() const { return refs_.size(); }
  Slice key(size_t i) const;
  Slice value(size_t i) const;

 private:
  // A record: u32 key bytes, u32 value bytes, key, value.
  struct Ref {
    uint64_t window;  // bytes of the key as a number, big-endian
    uint64_t place;   // block number << 32 | offset: ascends with the order of adding
  };
  const char* Record(const Ref& ref) const {
    return blocks_[ref.place >> 32].get() + (ref.place & UINT32_MAX);
  }
  static Slice KeyOf(const char* record);
  char* Allocate(size_t bytes, uint64_t* place);
  size_t SharedPrefixBytes() const;

  std::vector<std::unique_ptr<char[]>> blocks_;
  size_t used_ = 0;      // of the last block
  size_t capacity_ = 0;  // of the last block
  uint64_t block_bytes_ = 0;
  std::vector<Ref> refs_;
};

}  // namespace seerdb
