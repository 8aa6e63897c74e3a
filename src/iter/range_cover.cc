#include "iter/range_cover.h"

#include <algorithm>

namespace seerdb {
namespace {

constexpr int kMostStretches = 64;

}  // namespace

void RangeCover::AddMap(const RangeTombstoneMap* map, SequenceNumber at) {
  if (map != nullptr && !map->empty()) maps_.push_back({map, at});
}

SequenceNumber RangeCover::HiddenBelowAt(Slice key, SequenceNumber at) const {
  SequenceNumber below = 0;
  for (const Source& source : maps_) below = std::max(below, source.map->Find(key, std::min(at, source.at)));
  return below;
}

const CoveredStretch& RangeCover::At(Slice key) {
  if (known_ && key >= stretch_.begin && (!stretch_.has_end || key < stretch_.end)) return stretch_;
  stretch_ = {};
  known_ = true;
  for (const Source& source : maps_) {
    const CoveredStretch part = source.map->StretchAt(key, source.at);
    if (part.sequence > stretch_.sequence) stretch_.sequence = part.sequence;
    if (part.begin > stretch_.begin) stretch_.begin = part.begin;
    if (part.has_end && (!stretch_.has_end || part.end < stretch_.end)) {
      stretch_.end = part.end;
      stretch_.has_end = true;
    }
  }
  return stretch_;
}

bool RangeCover::HidesAll(Slice smallest, Slice largest, SequenceNumber newest) {
  if (maps_.empty()) return false;
  Slice key = smallest;
  for (int i = 0; i < kMostStretches; ++i) {
    const CoveredStretch& stretch = At(key);
    if (stretch.sequence <= newest) return false;
    if (!stretch.has_end || stretch.end > largest) return true;
    key = stretch.end;
  }
  return false;
}

}  // namespace seerdb
