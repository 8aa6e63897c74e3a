#include "base/key_sketch.h"

#include <algorithm>
#include <cmath>

namespace seerdb {

// All registers, a byte each; or, if that is shorter, those that are not zero as u16 index << 5 | rank.
std::string KeySketch::Encode() const {
  const auto used = static_cast<size_t>(
      std::count_if(registers_.begin(), registers_.end(), [](uint8_t rank) { return rank != 0; }));
  if (2 * used >= kBytes) return {reinterpret_cast<const char*>(registers_.data()), kBytes};
  std::string out;
  for (size_t i = 0; i < kBytes; ++i) {
    if (registers_[i] == 0) continue;
    const size_t pair = i << kRankBits | registers_[i];
    out.push_back(static_cast<char>(pair & 0xff));
    out.push_back(static_cast<char>(pair >> 8));
  }
  return out;
}

bool KeySketch::Unite(Slice bytes) {
  const auto* others = reinterpret_cast<const uint8_t*>(bytes.data());
  if (bytes.size() == kBytes) {
    if (*std::max_element(others, others + kBytes) > kMaxRank) return false;
    for (size_t i = 0; i < kBytes; ++i) registers_[i] = std::max(registers_[i], others[i]);
    return true;
  }
  if (bytes.empty() || bytes.size() > kBytes || bytes.size() % 2 != 0) return false;
  for (size_t i = 0; i < bytes.size(); i += 2) {
    const size_t pair = others[i] | size_t{others[i + 1]} << 8;
    uint8_t& rank = registers_[pair >> kRankBits];
    rank = std::max(rank, static_cast<uint8_t>(pair & kMaxRank));
  }
  return true;
}

void KeySketch::Unite(const KeySketch& other) {
  for (size_t i = 0; i < kBytes; ++i) registers_[i] = std::max(registers_[i], other.registers_[i]);
}

double KeySketch::Estimate() const {
  constexpr double kCount = static_cast<double>(kBytes);
  double sum = 0;
  size_t zeros = 0;
  for (const uint8_t rank : registers_) {
    sum += std::ldexp(1.0, -rank);
    zeros += rank == 0 ? 1 : 0;
  }
  constexpr double kAlpha = 0.7213 / (1 + 1.079 / kCount);
  const double raw = kAlpha * kCount * kCount / sum;
  if (raw <= 2.5 * kCount && zeros > 0) return kCount * std::log(kCount / static_cast<double>(zeros));
  return raw;
}

}  // namespace seerdb
