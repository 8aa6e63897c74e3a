#include "txn/key_ranges.h"

#include <utility>

namespace seerdb {
namespace {

constexpr uint64_t kNodeBytes = 48;  // of the map

}  // namespace

uint64_t KeyRanges::BytesOf(const Map::value_type& range) {
  return sizeof(range) + kNodeBytes + range.first.size() + range.second.size();
}

void KeyRanges::Add(Slice begin, Slice end) {
  if (begin >= end) return;
  auto next = ranges_.upper_bound(begin);  // the first that begins behind
  if (next != ranges_.begin()) {
    const auto before = std::prev(next);
    if (Slice(before->second) >= end) return;
    if (Slice(before->second) >= begin) next = before;
  }
  std::string merged_begin(begin);
  std::string merged_end(end);
  while (next != ranges_.end() && Slice(next->first) <= Slice(merged_end)) {
    if (Slice(next->first) < Slice(merged_begin)) merged_begin = next->first;
    if (Slice(next->second) > Slice(merged_end)) merged_end = next->second;
    bytes_ -= BytesOf(*next);
    next = ranges_.erase(next);
  }
  bytes_ += BytesOf(*ranges_.emplace_hint(next, std::move(merged_begin), std::move(merged_end)));
}

void KeyRanges::Clear() {
  ranges_.clear();
  bytes_ = 0;
}

const KeyRanges::Map::value_type* KeyRanges::Find(Slice key) const {
  auto next = ranges_.upper_bound(key);
  if (next == ranges_.begin()) return nullptr;
  --next;
  return Slice(next->second) > key ? &*next : nullptr;
}

bool KeyRanges::Meets(Slice begin, Slice end) const {
  if (begin >= end) return false;
  if (Find(begin) != nullptr) return true;
  const auto next = ranges_.lower_bound(begin);
  return next != ranges_.end() && Slice(next->first) < end;
}

}  // namespace seerdb
