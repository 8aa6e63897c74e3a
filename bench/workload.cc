#include "workload.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "path_names.h"

namespace seerdb::bench {

Permutation::Permutation(uint64_t count, uint64_t seed) : count_(count), seed_(seed) {
  while ((uint64_t{1} << (2 * half_bits_)) < count_) ++half_bits_;
}

uint64_t Permutation::operator()(uint64_t index) const {
  const uint64_t mask = (uint64_t{1} << half_bits_) - 1;
  do {
    uint64_t left = index >> half_bits_;
    uint64_t right = index & mask;
    for (uint64_t round = 0; round < 4; ++round) {
      const uint64_t mixed = Mix64(right * 4 + round + seed_ * 0x9E3779B97F4A7C15u);
      const uint64_t next = left ^ (mixed & mask);
      left = right;
      right = next;
    }
    index = (left << half_bits_) | right;
  } while (index >= count_);
  return index;
}

namespace {

constexpr double kTheta = 0.99;

double Zeta(uint64_t count) {
  double sum = 0;
  for (uint64_t i = 1; i <= count; ++i) sum += std::pow(static_cast<double>(i), -kTheta);
  return sum;
}

constexpr uint64_t kTenToEighth = 100'000'000;

// Written by one store: a load of sixteen bytes, as comparisons of keys begin with, would wait for several
// stores to leave the processor, and that wait would be a part of each engine's time.
using Sixteen = uint64_t __attribute__((vector_size(16)));

// The eight decimal digits of `number` as characters, the first in the lowest byte: halves, quarters and
// digits side by side in one word. Requires: number < kTenToEighth.
uint64_t EightDigits(uint64_t number) {
  const uint64_t fours = number / 10'000 | number % 10'000 << 32;
  const uint64_t hundreds = (fours * 10'486 >> 20) & 0x0000'007f'0000'007f;
  const uint64_t twos = hundreds | (fours - 100 * hundreds) << 16;
  const uint64_t tens = (twos * 103 >> 10) & 0x000f'000f'000f'000f;
  return (tens | (twos - 10 * tens) << 8) + 0x3030'3030'3030'3030;
}

}  // namespace

Zipfian::Zipfian(uint64_t count)
    : count_(static_cast<double>(count)), zeta_n_(Zeta(count)), alpha_(1.0 / (1.0 - kTheta)) {
  eta_ = (1.0 - std::pow(2.0 / count_, 1.0 - kTheta)) / (1.0 - Zeta(std::min<uint64_t>(2, count)) / zeta_n_);
}

uint64_t Zipfian::Draw(Rng* rng) const {
  const double u = rng->Unit();
  const double uz = u * zeta_n_;
  if (uz < 1.0 || count_ < 2.0) return 0;
  if (uz < 1.0 + std::pow(0.5, kTheta)) return 1;
  const double rank = count_ * std::pow(eta_ * u - eta_ + 1.0, alpha_);
  return static_cast<uint64_t>(std::min(rank, count_ - 1.0));
}

uint64_t KeyCodec::Encode(uint64_t index, bool absent, char* out) const {
  if (spacing_ == KeySpacing::kPaths) return PathName(2 * index + (absent ? 1 : 0), out);
  uint64_t number = 2 * index;
  if (spacing_ == KeySpacing::kJitter) number = 1000 * index + 2 * (Mix64(index ^ seed_) % 500);
  if (absent) ++number;
  const uint64_t padding = key_bytes_ - 16;
  if (padding > 0) std::memset(out, '0', padding);
  const Sixteen digits = {EightDigits(number / kTenToEighth), EightDigits(number % kTenToEighth)};
  std::memcpy(out + padding, &digits, sizeof digits);
  return key_bytes_;
}

ValuePool::ValuePool(uint64_t value_bytes, uint64_t seed, bool vary)
    : value_bytes_(value_bytes), vary_(vary) {
  constexpr uint64_t kPieceBytes = 100;
  const uint64_t pool_bytes = std::max<uint64_t>(uint64_t{128} << 10, 4 * value_bytes);
  Rng rng(seed ^ 0x76616C756573u);
  pool_.reserve(pool_bytes + kPieceBytes);
  while (pool_.size() < pool_bytes) {
    std::string half;
    while (half.size() < kPieceBytes / 2) half.push_back(static_cast<char>(' ' + rng.Below(95)));
    pool_ += half;
    pool_ += half;
  }
  offsets_ = pool_.size() - (vary ? 2 : 1) * value_bytes_;
}

}  // namespace seerdb::bench
