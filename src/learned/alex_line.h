// AlexLine, AlexPartition: the linear models of ALEX's nodes.
//
// A leaf's line is fitted by least squares and says near which slot a key lies; it is a hint, so doubles and
// their rounding do. An inner node's partition divides a range of keys evenly among 2^bits pointers; it
// decides where a key lives, so it is exact: a line in fixed point, ascending over all keys, which keeps
// every key where it is when it is refined or extended. Source: J. Ding et al., "ALEX: An Updatable Adaptive
// Learned Index" (SIGMOD 2020). Thread safety: plain values.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace seerdb {

struct AlexEntry {
  uint64_t key;
  uint64_t payload;

  friend bool operator==(const AlexEntry&, const AlexEntry&) = default;
};

struct AlexLine {
  uint64_t base =
      0;             // in the middle of the keys it was fitted to, so that their distances are signed numbers
  double slope = 0;  // not negative
  double intercept = 0;

  // A slot below `capacity`. Keys farther from the base than 2^63 get any. Requires: capacity > 0.
  uint32_t Predict(uint64_t key, uint32_t capacity) const {
    const double at = slope * static_cast<double>(static_cast<int64_t>(key - base)) + intercept;
    return static_cast<uint32_t>(std::min(std::max(at, 0.0), static_cast<double>(capacity - 1)));
  }
  // The same line for `scale` times as many slots.
  AlexLine Scaled(double scale) const { return {base, slope * scale, intercept * scale}; }
};

class AlexPartition {
 public:
  static constexpr uint32_t kMaxBits = 16;

  AlexPartition() = default;
  // The first key in the first pointer, the last in the last. Requires: last - first + 1 >= 2^(bits + 1).
  static AlexPartition Over(uint64_t first, uint64_t last, uint32_t bits) {
    const Wide width = static_cast<Wide>(last - first) + 1;
    const uint32_t width_bits = static_cast<uint32_t>(std::bit_width(last - first)) + 1;
    AlexPartition made;
    made.bits_ = bits;
    made.shift_ = kSlopeBits + width_bits - bits;
    made.slope_ = static_cast<uint64_t>((Wide{1} << (bits + made.shift_)) / width);
    made.intercept_ = -static_cast<Signed>(static_cast<Wide>(first) * made.slope_);
    return made;
  }

  uint32_t bits() const { return bits_; }
  size_t fanout() const { return size_t{1} << bits_; }
  // Which pointer is the key's: ascending in the key; those outside the range get the first or the last.
  size_t IndexOf(uint64_t key) const {
    const Signed at = RawIndexOf(key);
    if (at < 0) return 0;
    const size_t last = fanout() - 1;
    return at > static_cast<Signed>(last) ? last : static_cast<size_t>(at);
  }
  // Whether the key lies before (-1), within (0) or behind (1) the range.
  int SideOf(uint64_t key) const {
    const Signed at = RawIndexOf(key);
    return at < 0 ? -1 : at >= static_cast<Signed>(fanout()) ? 1 : 0;
  }

  // Twice the pointers for the same range: what had pointer i has 2i or 2i + 1.
  bool CanRefine() const { return bits_ < kMaxBits && shift_ > kSlopeBits + 1; }
  AlexPartition Refined() const {
    AlexPartition made = *this;
    ++made.bits_;
    --made.shift_;
    return made;
  }
  // The reverse, `levels` times. Requires: levels <= bits().
  AlexPartition Coarsened(uint32_t levels) const {
    AlexPartition made = *this;
    made.bits_ -= levels;
    made.shift_ += levels;
    return made;
  }
  // Twice the pointers for twice the range: what had pointer i keeps it, or to the left gets i + fanout().
  bool CanExtend() const { return bits_ < kMaxBits && bits_ + shift_ <= kRangeBits; }
  AlexPartition ExtendedRight() const {
    AlexPartition made = *this;
    ++made.bits_;
    return made;
  }
  AlexPartition ExtendedLeft() const {
    AlexPartition made = ExtendedRight();
    made.intercept_ += Signed{1} << (bits_ + shift_);
    return made;
  }

 private:
  using Wide = unsigned __int128;
  using Signed = __int128;
  static constexpr uint32_t kSlopeBits = 32;
  // A range of 2^(kRangeBits - kSlopeBits) keys is all of them; nothing wider is made, so nothing overflows.
  static constexpr uint32_t kRangeBits = 97;

  Signed RawIndexOf(uint64_t key) const {
    return (static_cast<Signed>(static_cast<Wide>(key) * slope_) + intercept_) >> shift_;
  }

  Signed intercept_ = 0;
  uint64_t slope_ = 0;  // of kSlopeBits + 2 bits at most
  uint32_t shift_ = 0;
  uint32_t bits_ = 0;
};

}  // namespace seerdb
