#include "compaction/flushed_ranges.h"

#include <algorithm>
#include <utility>

namespace seerdb {
namespace {

// So many that are no longer listed do not matter.
constexpr uint64_t kFewTombstones = 64;

}  // namespace

struct FlushedRanges::Store {
  Store(std::shared_ptr<MemoryAccount> account, uint64_t secret)
      : arena(std::move(account)), map(&arena, secret) {
    arena.charge().MoveTo(MemoryClass::kTableMetadata);
  }
  Arena arena;
  RangeTombstoneMap map;
};

FlushedRanges FlushedRanges::Next(const Version& version, std::shared_ptr<MemoryAccount> account) const {
  FlushedRanges next = *this;
  if (version.ranges() == listed_) return next;
  next.listed_ = version.ranges();
  if (next.listed_ == nullptr) {
    next.store_ = nullptr;
    return next;
  }
  SequenceNumber known = limit_;
  const bool mostly_gone =
      store_ != nullptr && store_->map.count() > 2 * next.listed_->size() + kFewTombstones;
  if (store_ == nullptr || mostly_gone) {
    next.store_ = std::make_shared<Store>(std::move(account), secret_);
    known = 0;
  }
  for (const RangeTombstonePtr& tombstone : *next.listed_) {
    if (tombstone->sequence <= known) continue;
    next.store_->map.Add(tombstone->sequence, tombstone->begin, tombstone->end);
  }
  next.limit_ = std::max(limit_, next.listed_->back()->sequence);
  return next;
}

SequenceNumber FlushedRanges::Find(Slice key, SequenceNumber at) const {
  return store_ == nullptr ? 0 : store_->map.Find(key, std::min(at, limit_));
}

RangeCover FlushedRanges::CoverAt(SequenceNumber at) const {
  RangeCover cover;
  AddTo(&cover, at);
  return cover;
}

void FlushedRanges::AddTo(RangeCover* cover, SequenceNumber at) const {
  if (store_ != nullptr) cover->AddMap(&store_->map, std::min(at, limit_));
}

}  // namespace seerdb
