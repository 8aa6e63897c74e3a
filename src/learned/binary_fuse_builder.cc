#include "learned/binary_fuse_builder.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "base/coding.h"

namespace seerdb {
namespace {

constexpr uint64_t kMaxKeys = uint64_t{1} << 31;
constexpr uint32_t kSeedsOfASize = 8;
constexpr uint32_t kSizes = 6;
constexpr uint32_t kLeastSegmentBits = 2;

// The paper's sizes, in units of 2^-16: places a key are the greater of `floor` and
// `base + slope * log2(turn) / log2(keys)`; segment_bits = log2(keys) * scale + offset.
struct Sizing {
  uint64_t floor, base, slope, log_turn;
  uint64_t scale;
  int64_t offset;
};
constexpr Sizing kThree = {73'728, 57'344, 16'384, 1'306'235, 37'762, 147'456};
constexpr Sizing kFour = {70'451, 50'463, 19'988, 1'257'938, 42'528, -32'768};

// `size` counts the arrays that were too small.
FuseShape ShapeFor(uint64_t keys, const FuseOptions& options, uint32_t size) {
  FuseShape shape;
  shape.arity = options.arity;
  shape.fingerprint_bits = options.fingerprint_bits;
  if (keys == 0) return shape;
  const Sizing& sizing = options.arity == 3 ? kThree : kFour;
  const uint64_t log = Log2Q16(std::max<uint64_t>(keys, 2));
  const uint64_t factor = std::max(sizing.floor, sizing.base + sizing.slope * sizing.log_turn / log);
  const uint64_t wanted = ((keys * factor >> 16) + 1) * (8 + size) / 8;
  const auto bits = static_cast<int64_t>(log * sizing.scale >> 16) + sizing.offset;
  shape.segment_bits = static_cast<uint32_t>(
      std::clamp<int64_t>(bits >> 16, kLeastSegmentBits, BinaryFuseFilter::kMaxSegmentBits));
  const uint64_t segments = (wanted + (uint64_t{1} << shape.segment_bits) - 1) >> shape.segment_bits;
  shape.segments = segments > shape.arity ? static_cast<uint32_t>(segments - shape.arity + 1) : 1;
  return shape;
}

// One try of one array and seed.
class Peeling {
 public:
  Peeling(const FuseShape& shape, std::span<const uint64_t> hashes)
      : shape_(shape), keys_(hashes.size()), counts_(shape.places()), sums_(shape.places()) {
    Order(hashes);
  }
  // Whether every key has got a place of its own.
  bool Peel();
  // Writes the fingerprints over zeros, with eight more bytes behind them. Requires: Peel() was true.
  void Assign(char* fingerprints) const;

 private:
  // Fills keys_, by their first places: neighbours then change the same lines.
  void Order(std::span<const uint64_t> hashes);
  bool Count();

  const FuseShape shape_;
  std::vector<uint64_t> keys_;  // Mixed; once peeled, in the order of that
  std::vector<uint8_t>
      counts_;                  // of a place: four times its keys, + the numbers of the place in these, xored
  std::vector<uint64_t> sums_;  // of a place: its keys, xored
  std::vector<uint8_t> own_;    // of a peeled key: which of its places is its own
};

void Peeling::Order(std::span<const uint64_t> hashes) {
  const int bits = std::min(static_cast<int>(std::bit_width(shape_.segments)), 16);
  const int shift = 64 - bits;
  std::vector<size_t> ends(size_t{1} << bits);
  for (const uint64_t hash : hashes) ++ends[shape_.Mixed(hash) >> shift];
  size_t begin = 0;
  for (size_t& end : ends) {
    const size_t count = end;
    end = begin;
    begin += count;
  }
  for (const uint64_t hash : hashes) {
    const uint64_t mixed = shape_.Mixed(hash);
    keys_[ends[mixed >> shift]++] = mixed;
  }
}

bool Peeling::Count() {
  for (const uint64_t mixed : keys_) {
    const FuseShape::Places places = shape_.PlacesOf(mixed);
    for (uint32_t i = 0; i < shape_.arity; ++i) {
      uint8_t& count = counts_[places.at[i]];
      if (count >= 252) return false;  // the next one would not fit
      count = static_cast<uint8_t>((count + 4) ^ i);
      sums_[places.at[i]] ^= mixed;
    }
  }
  return true;
}

bool Peeling::Peel() {
  if (!Count()) return false;
  std::vector<uint32_t> alone;
  alone.reserve(counts_.size());
  for (size_t place = 0; place < counts_.size(); ++place) {
    if (counts_[place] >> 2 == 1) alone.push_back(static_cast<uint32_t>(place));
  }
  own_.resize(keys_.size());
  size_t peeled = 0;
  for (size_t next = 0; next < alone.size(); ++next) {
    const uint32_t place = alone[next];
    if (counts_[place] >> 2 != 1) continue;  // its key went with another place
    const uint64_t mixed = sums_[place];
    own_[peeled] = counts_[place] & 3;
    keys_[peeled++] = mixed;
    const FuseShape::Places places = shape_.PlacesOf(mixed);
    for (uint32_t i = 0; i < shape_.arity; ++i) {
      uint8_t& count = counts_[places.at[i]];
      count = static_cast<uint8_t>((count - 4) ^ i);
      sums_[places.at[i]] ^= mixed;
      if (count >> 2 == 1) alone.push_back(static_cast<uint32_t>(places.at[i]));
    }
  }
  return peeled == keys_.size();
}

void Peeling::Assign(char* fingerprints) const {
  const uint64_t bits = shape_.fingerprint_bits;
  for (size_t n = keys_.size(); n > 0; --n) {
    const uint64_t mixed = keys_[n - 1];
    const uint32_t own = own_[n - 1];
    const FuseShape::Places places = shape_.PlacesOf(mixed);
    uint64_t value = FuseShape::Fingerprint(mixed);
    for (uint32_t i = 0; i < shape_.arity; ++i) {
      const uint64_t bit = places.at[i] * bits;
      if (i != own) value ^= LoadU64(fingerprints + (bit >> 3)) >> (bit & 7);
    }
    const uint64_t bit = places.at[own] * bits;
    char* const at = fingerprints + (bit >> 3);
    StoreU64(at, LoadU64(at) | (value & shape_.fingerprint_mask()) << (bit & 7));
  }
}

std::string Encoded(const FuseShape& shape, const Peeling* peeling) {
  std::string out(shape.payload_bytes() + BinaryFuseFilter::kTailBytes, '\0');
  if (peeling != nullptr) peeling->Assign(out.data());
  out.resize(shape.payload_bytes());
  AppendU64(&out, shape.seed);
  AppendU32(&out, shape.segments);
  out.push_back(static_cast<char>(shape.segment_bits));
  out.push_back(static_cast<char>(shape.arity));
  out.push_back(static_cast<char>(shape.fingerprint_bits));
  out.push_back('\0');
  return out;
}

}  // namespace

FuseOptions FuseOptionsFor(size_t keys, uint32_t bits_per_key, uint32_t arity) {
  FuseOptions options{1, arity};
  const uint64_t places = ShapeFor(keys, options, 0).places();
  if (places == 0) return options;
  const uint64_t bits = uint64_t{keys} * bits_per_key / places;
  options.fingerprint_bits =
      static_cast<uint32_t>(std::clamp<uint64_t>(bits, 1, BinaryFuseFilter::kMaxFingerprintBits));
  return options;
}

Result<std::string> BuildBinaryFuse(std::span<const uint64_t> hashes, const FuseOptions& options) {
  if (hashes.size() > kMaxKeys) return Status::InvalidArgument("fuse filter: too many keys");
  if (options.arity != 3 && options.arity != 4)
    return Status::InvalidArgument("fuse filter: places of a key");
  if (options.fingerprint_bits == 0 || options.fingerprint_bits > BinaryFuseFilter::kMaxFingerprintBits) {
    return Status::InvalidArgument("fuse filter: bits of a fingerprint");
  }
  if (hashes.empty()) return Encoded(ShapeFor(0, options, 0), nullptr);
  std::vector<uint64_t> distinct;
  for (uint32_t attempt = 0; attempt < kSeedsOfASize * kSizes; ++attempt) {
    FuseShape shape = ShapeFor(hashes.size(), options, attempt / kSeedsOfASize);
    shape.seed = (uint64_t{attempt} + 1) * 0x9e3779b97f4a7c15;
    Peeling peeling(shape, hashes);
    if (peeling.Peel()) return Encoded(shape, &peeling);
    if (!distinct.empty()) continue;
    // A hash that comes twice has no place of its own.
    distinct.assign(hashes.begin(), hashes.end());
    std::sort(distinct.begin(), distinct.end());
    distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
    hashes = distinct;
  }
  return Status::NotSupported("fuse filter: no array was found for these keys");
}

}  // namespace seerdb
