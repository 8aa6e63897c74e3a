// BitPackedBloomFilter: k probes over one array of bits, by double hashing.
//
// Bloom, "Space/time trade-offs in hash coding with allowable errors", 1970; Kirsch, Mitzenmacher, "Less
// hashing, same performance", 2006. Passes fewer absent keys than a filter of lines (bloom_filter.h) with as
// many bits, and reads up to k lines where that reads one. Keys are known by Hash64. Format:
// docs/format/filters.md. Thread safety: immutable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "learned/filter_hash.h"
#include "seerdb/result.h"
#include "seerdb/slice.h"

namespace seerdb {

class BitPackedBloomFilter {
 public:
  static constexpr uint32_t kMaxProbes = 30;

  BitPackedBloomFilter() = default;  // of no keys
  // The encoded filter of the keys with these hashes. Requires: bits_per_key > 0.
  static std::string Build(std::span<const uint64_t> hashes, uint32_t bits_per_key);
  // Borrows `bytes`. kCorruption when they are no filter.
  static Result<BitPackedBloomFilter> Decode(Slice bytes);

  uint32_t probes() const { return probes_; }
  bool MayContain(uint64_t hash) const {
    if (bit_count_ == 0) return false;
    const uint64_t step = StepOf(hash);
    for (uint32_t i = 0; i < probes_; ++i, hash += step) {
      const uint64_t bit = ScaleTo(hash, bit_count_);
      if ((bits_[bit >> 3] >> (bit & 7) & 1) == 0) return false;
    }
    return true;
  }

  // From one probe of a key to the next, before they are scaled to the array.
  static uint64_t StepOf(uint64_t hash) {
    constexpr uint64_t kFactor = 0x9e3779b97f4a7c15;
    return FoldedProduct(hash ^ kFactor, kFactor) | 1;
  }

 private:
  const char* bits_ = nullptr;
  uint64_t bit_count_ = 0;
  uint32_t probes_ = 0;
};

}  // namespace seerdb
