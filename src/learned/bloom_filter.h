// BloomFilter: says of a key "certainly not in this table" or "perhaps", from one cache line.
//
// Keys are known by Hash64. Format: docs/format/table.md, "Filter". Thread safety: BloomFilterBuilder:
// external synchronization; BloomFilter: immutable.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/coding.h"
#include "base/prefetch.h"
#include "learned/filter_hash.h"
#include "seerdb/result.h"
#include "seerdb/slice.h"

namespace seerdb {

inline constexpr size_t kBloomLineBytes = 64;
inline constexpr uint32_t kMaxBloomProbes = 14;

class BloomFilterBuilder {
 public:
  explicit BloomFilterBuilder(uint32_t bits_per_key) : bits_per_key_(bits_per_key) {}

  // Once for each distinct key, whatever the kind of its entries.
  void AddHash(uint64_t hash) {
    if (bits_per_key_ != 0) hashes_.push_back(hash);
  }
  size_t bytes() const { return hashes_.size() * bits_per_key_ / 8; }
  uint64_t memory_bytes() const { return hashes_.size() * sizeof(uint64_t) + bytes(); }
  // The encoded filter; empty when there are no bits or no keys.
  std::string Finish() const;

 private:
  const uint32_t bits_per_key_;
  std::vector<uint64_t> hashes_;
};

class BloomFilter {
 public:
  BloomFilter() = default;  // passes every key
  // Borrows `bytes`. kCorruption when they are no filter.
  static Result<BloomFilter> Decode(Slice bytes);

  bool empty() const { return lines_ == nullptr; }
  uint32_t probes() const { return probes_; }
  void Prefetch(uint64_t hash) const {
    if (lines_ != nullptr) PrefetchLine(LineOf(hash));
  }
  bool MayContain(uint64_t hash) const {
    if (lines_ == nullptr) return true;
    const char* const line = LineOf(hash);
    uint64_t bits = BitsOf(hash);
    uint64_t all = 1;
    uint32_t left = probes_;
    if (left > 7) [[unlikely]] {
      uint64_t more = SecondBitsOf(hash);
      for (; left > 7; --left, more >>= 9) all &= TestBit(line, more & 511);
    }
    for (; left > 0; --left, bits >>= 9) all &= TestBit(line, bits & 511);
    return all != 0;
  }

  // The places of a key's bits: nine bits each, lowest first. Seven in the first word, seven in the second.
  static uint64_t BitsOf(uint64_t hash) { return Mix(hash, 0x9e3779b97f4a7c15); }
  static uint64_t SecondBitsOf(uint64_t hash) { return Mix(hash, 0xc2b2ae3d27d4eb4f); }
  static uint64_t LineIndex(uint64_t hash, uint64_t lines) { return ScaleTo(hash, lines); }

 private:
  static uint64_t Mix(uint64_t hash, uint64_t factor) { return FoldedProduct(hash ^ factor, factor); }
  static uint64_t TestBit(const char* line, uint64_t bit) {
    return LoadU64(line + (bit >> 6) * 8) >> (bit & 63);
  }
  const char* LineOf(uint64_t hash) const { return lines_ + LineIndex(hash, line_count_) * kBloomLineBytes; }

  const char* lines_ = nullptr;
  uint64_t line_count_ = 0;
  uint32_t probes_ = 0;
};

}  // namespace seerdb
