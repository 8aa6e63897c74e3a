#include "base/key_sketch.h"

#include <algorithm>
#include <cmath>

namespace seerdb {

bool KeySketch::Unite(Slice bytes) {
  if (bytes.size() != kBytes) return false;
  const auto* others = reinterpret_cast<const uint8_t*>(bytes.data());
  if (*std::max_element(others, others + kBytes) > kMaxRank) return false;
  for (size_t i = 0; i < kBytes; ++i) registers_[i] = std::max(registers_[i], others[i]);
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
