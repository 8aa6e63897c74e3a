#include "sstable/walk_ahead.h"

#include <algorithm>

namespace seerdb {
namespace {

constexpr uint64_t kMinBytes = 64 << 10;
constexpr uint64_t kMaxBytes = 2 << 20;

}  // namespace

// Another direction, or a jump. What is in order is known from the second step on.
void WalkAhead::Turn(uint32_t block, uint32_t step) {
  step_ = step;
  ask_at_ = kNever;
  source_.Expect(block, block);
  if (step != kForward && step != kBackward) return;
  ask_at_ = block + step;
  edge_ = ask_at_;
  bytes_ = kMinBytes;
}

void WalkAhead::Expect(uint32_t begin, uint32_t end) const {
  const bool asks = source_.mapped() && bytes_ > kMinBytes;
  if (asks || !source_.SeemsLoaded(begin, end)) source_.ExpectAll(begin, end);
}

void WalkAhead::Ask(uint32_t block) {
  const uint32_t blocks = source_.index().blocks();
  const uint32_t wanted = BlocksIn(bytes_);
  const uint32_t half = wanted / 2 + 1;
  if (step_ == kForward) {
    const uint32_t end = edge_ + std::min(wanted, blocks - edge_);
    Expect(edge_, end);
    ask_at_ = end < blocks ? std::max(end - std::min(half, end), block + 1) : kNever;
    edge_ = end;
  } else {
    const uint32_t begin = edge_ + 1 - std::min(wanted, edge_ + 1);
    Expect(begin, edge_ + 1);
    ask_at_ = begin > 0 ? std::min(begin - 1 + half, block - 1) : kNever;
    edge_ = begin - 1;
  }
  bytes_ = std::min(2 * bytes_, kMaxBytes);
}

// As if all blocks were of the same size.
uint32_t WalkAhead::BlocksIn(uint64_t bytes) const {
  const BlockIndex& index = source_.index();
  const uint64_t mean = std::max<uint64_t>(index.data_end() / index.blocks(), 1);
  return static_cast<uint32_t>(std::clamp<uint64_t>(bytes / mean, 1, index.blocks()));
}

}  // namespace seerdb
