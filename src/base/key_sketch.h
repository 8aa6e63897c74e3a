// KeySketch: about how many distinct keys were added, in 2 KiB; sketches of several sets can be united.
//
// Source: P. Flajolet et al., "HyperLogLog" (2007), with linear counting for small sets. Standard error 2.3
// %. Format: the bytes are stored in tables, docs/format/table.md. Thread safety: external synchronization.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>

#include "seerdb/slice.h"

namespace seerdb {

class KeySketch {
 public:
  static constexpr uint32_t kIndexBits = 11;
  static constexpr size_t kBytes = size_t{1} << kIndexBits;

  // `hash` is a hash of the whole key with 64 good bits.
  void Add(uint64_t hash) {
    const size_t index = hash >> (64 - kIndexBits);
    const uint8_t rank = static_cast<uint8_t>(std::countl_zero(hash << kIndexBits | kGuard) + 1);  // 1 .. 31
    if (rank > registers_[index]) registers_[index] = rank;
  }
  // False, and nothing changed, if `bytes` are not what Encode gives.
  bool Unite(Slice bytes);
  void Unite(const KeySketch& other);

  double Estimate() const;
  // At most kBytes; 2 bytes a key as long as there are few.
  std::string Encode() const;
  friend bool operator==(const KeySketch&, const KeySketch&) = default;

 private:
  static constexpr uint32_t kRankBits = 5;
  static constexpr uint8_t kMaxRank = (1 << kRankBits) - 1;
  static constexpr uint64_t kGuard = uint64_t{1} << (64 - kMaxRank);  // bounds the rank

  std::array<uint8_t, kBytes> registers_{};
};

}  // namespace seerdb
