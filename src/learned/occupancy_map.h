// OccupancyMap: which stretches of the windows of a table's keys hold keys: none, all there can be, or some.
//
// The model of a learned filter (learned_filter.h). Piecewise constant: windows count from the least one in
// steps of a number that divides all distances, and stretches begin at multiples of a power of two of those.
// What it calls empty has no key, whatever the probe; what it calls full has a key at every step.
// Kraska et al., "The case for learned index structures", 2018; the regions of different treatment after
// Vaidya et al., "Partitioned learned Bloom filters", 2021. Format: docs/format/filters.md.
// Thread safety: immutable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/coding.h"
#include "seerdb/result.h"
#include "seerdb/slice.h"

namespace seerdb {

class OccupancyMap {
 public:
  // Persistent.
  enum class Stretch : uint32_t { kEmpty = 0, kFull = 1, kMixed = 2 };
  static constexpr uint32_t kPositionBits = 62;
  static constexpr size_t kHeadBytes = 24;
  static constexpr size_t kStretchBytes = 8;

  OccupancyMap() = default;  // of no windows: all is empty
  // Borrows `bytes`. kCorruption when they are no map of so many stretches.
  static Result<OccupancyMap> Decode(Slice bytes, uint32_t stretches, uint32_t shift);

  uint32_t stretches() const { return stretches_; }
  uint64_t step() const { return step_; }
  // Of what it keeps beside the bytes.
  size_t memory_bytes() const { return buckets_.size() * sizeof(uint32_t); }
  Stretch StretchAt(uint32_t index) const { return static_cast<Stretch>(EntryAt(index) & 3); }
  // What there is at a window.
  Stretch At(uint64_t window) const {
    if (window < first_ || window > last_ || stretches_ == 0) return Stretch::kEmpty;
    uint64_t steps = window - first_;
    if (step_ != 1) {
      steps = (window - first_) / step_;
      if (steps * step_ != window - first_) return Stretch::kEmpty;
    }
    // The last stretch that begins at or before the position; buckets of equal width say between which it is.
    const uint64_t position = steps >> shift_;
    uint32_t index = 0;
    uint32_t left = stretches_;
    if (!buckets_.empty()) {
      const size_t bucket = position >> bucket_shift_;
      index = buckets_[bucket];
      left = (bucket + 1 < buckets_.size() ? buckets_[bucket + 1] + 1 : stretches_) - index;
    }
    // Greater than the entry of that position, whatever it is.
    const uint64_t limit = position << 2 | 3;
    while (left > 1) {
      const uint32_t half = left / 2;
      index = EntryAt(index + half) < limit ? index + half : index;
      left -= half;
    }
    return StretchAt(index);
  }

 private:
  // Position where a stretch begins << 2 | what it is.
  uint64_t EntryAt(uint32_t index) const { return LoadU64(entries_ + size_t{index} * kStretchBytes); }

  void FillBuckets(uint64_t last_position);

  const char* entries_ = nullptr;
  uint32_t stretches_ = 0;
  uint32_t shift_ = 0;  // a position is so many steps, as a power of two
  uint64_t first_ = 0;  // the least window of a key, and the greatest
  uint64_t last_ = 0;
  uint64_t step_ = 1;
  // The stretch in which each bucket begins; none: few stretches, which are searched as they are.
  std::vector<uint32_t> buckets_;
  uint32_t bucket_shift_ = 0;
};

}  // namespace seerdb
