#include "learned/bloom_filter.h"

#include <algorithm>

#include "base/prefetch.h"

namespace seerdb {
namespace {

constexpr size_t kTailBytes = 16;
constexpr size_t kLineBits = kBloomLineBytes * 8;

// Fewer than the ln(2) * bits of an ordinary filter: the fullest lines decide.
uint32_t ProbesFor(uint32_t bits_per_key) {
  return std::clamp<uint32_t>((bits_per_key * 6 + 5) / 10, 1, kMaxBloomProbes);
}

void SetBit(char* line, uint64_t bit) { line[bit >> 3] = static_cast<char>(line[bit >> 3] | 1 << (bit & 7)); }

void SetBits(char* line, uint64_t hash, uint32_t probes) {
  if (probes > 7) {
    uint64_t more = BloomFilter::SecondBitsOf(hash);
    for (; probes > 7; --probes, more >>= 9) SetBit(line, more & 511);
  }
  uint64_t bits = BloomFilter::BitsOf(hash);
  for (; probes > 0; --probes, bits >>= 9) SetBit(line, bits & 511);
}

}  // namespace

std::string BloomFilterBuilder::Finish() const {
  std::string out;
  if (hashes_.empty()) return out;
  const uint64_t bits = uint64_t{hashes_.size()} * bits_per_key_;
  const uint64_t lines = (bits + kLineBits - 1) / kLineBits;
  const uint32_t probes = ProbesFor(bits_per_key_);
  out.resize(lines * kBloomLineBytes + kTailBytes);
  constexpr size_t kAhead = 16;
  for (size_t i = 0; i < hashes_.size(); ++i) {
    if (i + kAhead < hashes_.size()) {
      PrefetchLine(out.data() + BloomFilter::LineIndex(hashes_[i + kAhead], lines) * kBloomLineBytes);
    }
    SetBits(out.data() + BloomFilter::LineIndex(hashes_[i], lines) * kBloomLineBytes, hashes_[i], probes);
  }
  char* const tail = out.data() + lines * kBloomLineBytes;
  StoreU64(tail, lines);
  StoreU32(tail + 8, probes);
  StoreU32(tail + 12, bits_per_key_);
  return out;
}

Result<BloomFilter> BloomFilter::Decode(Slice bytes) {
  if (bytes.size() < kTailBytes) return Status::Corruption("filter is too short");
  const char* const tail = bytes.data() + bytes.size() - kTailBytes;
  BloomFilter filter;
  filter.line_count_ = LoadU64(tail);
  filter.probes_ = LoadU32(tail + 8);
  const uint64_t line_bytes = bytes.size() - kTailBytes;
  if (filter.line_count_ == 0 || line_bytes % kBloomLineBytes != 0 ||
      filter.line_count_ != line_bytes / kBloomLineBytes) {
    return Status::Corruption("filter does not fit its size");
  }
  if (filter.probes_ == 0 || filter.probes_ > kMaxBloomProbes) {
    return Status::Corruption("filter probes out of range");
  }
  filter.lines_ = bytes.data();
  return filter;
}

}  // namespace seerdb
