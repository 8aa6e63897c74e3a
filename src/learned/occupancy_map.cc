#include "learned/occupancy_map.h"

#include <bit>

namespace seerdb {
namespace {

constexpr uint32_t kLeastStretches = 8;

Status BadOccupancyMap(const char* what) { return Status::Corruption(std::string("occupancy map: ") + what); }

}  // namespace

Result<OccupancyMap> OccupancyMap::Decode(Slice bytes, uint32_t stretches, uint32_t shift) {
  if (stretches == 0 || bytes.size() != uint64_t{stretches} * kStretchBytes + kHeadBytes) {
    return BadOccupancyMap("size does not fit its stretches");
  }
  OccupancyMap map;
  map.entries_ = bytes.data();
  map.stretches_ = stretches;
  map.shift_ = shift;
  const char* const head = bytes.data() + uint64_t{stretches} * kStretchBytes;
  map.first_ = LoadU64(head);
  map.last_ = LoadU64(head + 8);
  map.step_ = LoadU64(head + 16);
  if (shift >= 64 || map.step_ == 0 || map.last_ < map.first_) return BadOccupancyMap("range of windows");
  if ((map.last_ - map.first_) % map.step_ != 0) return BadOccupancyMap("step does not divide the range");
  const uint64_t last_position = (map.last_ - map.first_) / map.step_ >> shift;
  if (last_position >> kPositionBits != 0) return BadOccupancyMap("range of positions");
  for (uint32_t i = 0; i < stretches; ++i) {
    const uint64_t position = map.EntryAt(i) >> 2;
    if (map.StretchAt(i) > Stretch::kMixed) return BadOccupancyMap("unknown kind of stretch");
    if (i == 0) {
      if (position != 0) return BadOccupancyMap("does not begin at the first window");
      continue;
    }
    if (position <= map.EntryAt(i - 1) >> 2 || position > last_position)
      return BadOccupancyMap("positions do not ascend");
    if (map.StretchAt(i) == map.StretchAt(i - 1)) return BadOccupancyMap("a stretch goes on in the next one");
  }
  map.FillBuckets(last_position);
  return map;
}

void OccupancyMap::FillBuckets(uint64_t last_position) {
  if (stretches_ < kLeastStretches) return;
  // At most as many buckets as stretches.
  const int bits = static_cast<int>(std::bit_width(stretches_)) - 1;
  const int shift = static_cast<int>(std::bit_width(last_position)) - bits;
  bucket_shift_ = shift > 0 ? static_cast<uint32_t>(shift) : 0;
  uint32_t stretch = 0;
  for (uint64_t bucket = 0; bucket <= last_position >> bucket_shift_; ++bucket) {
    const uint64_t position = bucket << bucket_shift_;
    while (stretch + 1 < stretches_ && EntryAt(stretch + 1) >> 2 <= position) ++stretch;
    buckets_.push_back(stretch);
  }
}

}  // namespace seerdb
