// BinaryFuseFilter: a key's fingerprint is the exclusive or of three or four places in one array.
//
// Graf, Lemire, "Binary fuse filters: fast and smaller than xor filters", 2022. Places of a key lie in
// segments next to one another; 1.08 (four) or 1.13 (three) fingerprints a key, which pass one absent key in
// 2^bits. All keys must be known when it is built (binary_fuse_builder.h). Keys are known by Hash64. Format:
// docs/format/filters.md. Thread safety: immutable.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/coding.h"
#include "learned/filter_hash.h"
#include "seerdb/result.h"
#include "seerdb/slice.h"

namespace seerdb {

// Where the places of keys lie.
struct FuseShape {
  static constexpr uint32_t kMaxArity = 4;
  struct Places {
    uint64_t at[kMaxArity];
  };

  uint64_t seed = 0;
  uint32_t segments = 0;      // in which the first place of a key may lie; 0: there are no keys
  uint32_t segment_bits = 0;  // a segment has 2^segment_bits places
  uint32_t arity = 3;         // places of a key, 3 or 4
  uint32_t fingerprint_bits = 8;

  uint64_t places() const { return segments == 0 ? 0 : (uint64_t{segments} + arity - 1) << segment_bits; }
  uint64_t payload_bytes() const { return (places() * fingerprint_bits + 7) / 8; }
  uint64_t fingerprint_mask() const { return (uint64_t{1} << fingerprint_bits) - 1; }

  // What places and fingerprint of a key are made from.
  uint64_t Mixed(uint64_t hash) const { return FoldedProduct(hash ^ seed, 0xd6e8feb86659fd93); }
  // The fingerprint is its lowest bits.
  static uint64_t Fingerprint(uint64_t mixed) { return mixed ^ mixed >> 32; }
  Places PlacesOf(uint64_t mixed) const {
    const uint64_t spread = mixed * 0x9e3779b97f4a7c15;
    const uint64_t segment = uint64_t{1} << segment_bits;
    const uint64_t mask = segment - 1;
    const uint64_t first = ScaleTo(mixed, uint64_t{segments} << segment_bits);
    return {{first, (first + segment) ^ (spread >> 46 & mask), (first + 2 * segment) ^ (spread >> 28 & mask),
             (first + 3 * segment) ^ (spread >> 10 & mask)}};
  }
};

class BinaryFuseFilter {
 public:
  static constexpr size_t kTailBytes = 16;
  static constexpr uint32_t kMaxFingerprintBits = 32;
  static constexpr uint32_t kMaxSegmentBits = 18;

  BinaryFuseFilter() = default;  // of no keys
  // Borrows `bytes`. kCorruption when they are no filter.
  static Result<BinaryFuseFilter> Decode(Slice bytes);

  const FuseShape& shape() const { return shape_; }
  bool MayContain(uint64_t hash) const {
    if (shape_.segments == 0) return false;
    const uint64_t mixed = shape_.Mixed(hash);
    const FuseShape::Places places = shape_.PlacesOf(mixed);
    uint64_t found = LoadAt(places.at[0]) ^ LoadAt(places.at[1]) ^ LoadAt(places.at[2]);
    if (shape_.arity == 4) found ^= LoadAt(places.at[3]);
    return ((found ^ FuseShape::Fingerprint(mixed)) & shape_.fingerprint_mask()) == 0;
  }

 private:
  // The fingerprint at a place, and bits above it. Eight bytes from any byte of a fingerprint on end within
  // the tail.
  uint64_t LoadAt(uint64_t place) const {
    const uint64_t bit = place * shape_.fingerprint_bits;
    return LoadU64(fingerprints_ + (bit >> 3)) >> (bit & 7);
  }

  const char* fingerprints_ = nullptr;
  FuseShape shape_;
};

}  // namespace seerdb
