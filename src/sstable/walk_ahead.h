// WalkAhead: has the blocks that a walk through a table comes to next loaded before it does.
//
// A page fault, or a read, waits for the device each time; the walk is to keep it busy. Once blocks are taken
// in order, in either direction, stretches are asked for that grow from 64 KiB to 2 MiB, each when half of
// the last one is left. Thread safety: external synchronization.
#pragma once

#include <cstdint>

#include "sstable/block_source.h"

namespace seerdb {

class WalkAhead {
 public:
  // Borrows `source`.
  explicit WalkAhead(const BlockSource& source) : source_(source) {}

  // `block` is about to be fetched.
  void Take(uint32_t block) {
    const uint32_t step = block - last_;
    last_ = block;
    if (step != step_) {
      Turn(block, step);
    } else if (block == ask_at_) {
      Ask(block);
    }
  }

 private:
  static constexpr uint32_t kForward = 1;
  static constexpr uint32_t kBackward = UINT32_MAX;
  static constexpr uint32_t kNever = UINT32_MAX;

  void Turn(uint32_t block, uint32_t step);
  void Ask(uint32_t block);
  // Most walks end within their first stretch: that is not asked for where it seems to be there. None is that
  // the cache seems to have.
  void Expect(uint32_t begin, uint32_t end) const;
  uint32_t BlocksIn(uint64_t bytes) const;

  const BlockSource& source_;
  uint32_t last_ = UINT32_MAX;  // before the first block: a walk that begins there is in order at once
  uint32_t step_ = 0;
  uint32_t ask_at_ = kNever;  // the block at which the next stretch is asked for
  uint32_t edge_ = 0;         // the block that it begins with
  uint64_t bytes_ = 0;        // its size
};

}  // namespace seerdb
