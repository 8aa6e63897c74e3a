#include "learned/bit_packed_bloom_filter.h"

#include <algorithm>

#include "base/coding.h"

namespace seerdb {
namespace {

constexpr size_t kPackedTailBytes = 16;
constexpr uint64_t kWordBits = 64;

// Nearest to ln(2) * bits.
uint32_t PackedProbesFor(uint32_t bits_per_key) {
  const uint64_t probes = (uint64_t{bits_per_key} * 693 + 500) / 1000;
  return static_cast<uint32_t>(std::clamp<uint64_t>(probes, 1, BitPackedBloomFilter::kMaxProbes));
}

}  // namespace

std::string BitPackedBloomFilter::Build(std::span<const uint64_t> hashes, uint32_t bits_per_key) {
  const uint64_t wanted = uint64_t{hashes.size()} * bits_per_key;
  const uint64_t bit_count = (wanted + kWordBits - 1) / kWordBits * kWordBits;
  const uint32_t probes = PackedProbesFor(bits_per_key);
  std::string out(bit_count / 8 + kPackedTailBytes, '\0');
  for (uint64_t hash : hashes) {
    const uint64_t step = StepOf(hash);
    for (uint32_t i = 0; i < probes; ++i, hash += step) {
      const uint64_t bit = ScaleTo(hash, bit_count);
      out[bit >> 3] = static_cast<char>(out[bit >> 3] | 1 << (bit & 7));
    }
  }
  char* const tail = out.data() + bit_count / 8;
  StoreU64(tail, bit_count);
  StoreU32(tail + 8, probes);
  StoreU32(tail + 12, bits_per_key);
  return out;
}

Result<BitPackedBloomFilter> BitPackedBloomFilter::Decode(Slice bytes) {
  if (bytes.size() < kPackedTailBytes) return Status::Corruption("bit-packed filter is too short");
  const uint64_t payload = bytes.size() - kPackedTailBytes;
  const char* const tail = bytes.data() + payload;
  BitPackedBloomFilter filter;
  filter.bits_ = bytes.data();
  filter.bit_count_ = LoadU64(tail);
  filter.probes_ = LoadU32(tail + 8);
  if (filter.bit_count_ % kWordBits != 0 || filter.bit_count_ / 8 != payload) {
    return Status::Corruption("bit-packed filter does not fit its size");
  }
  if (filter.probes_ == 0 || filter.probes_ > kMaxProbes) {
    return Status::Corruption("bit-packed filter: probes out of range");
  }
  return filter;
}

}  // namespace seerdb
