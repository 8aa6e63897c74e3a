// Workload: the keys, values and random draws of a run. Everything follows from the seed, so each engine gets
// the same operations in the same order.
//
// Thread safety: const methods may be called concurrently; Rng and Zipfian need external synchronization.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace seerdb::bench {

// A well-mixed 64-bit value of `x` (a bijection).
inline uint64_t Mix64(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

class Rng {
 public:
  explicit Rng(uint64_t seed) : state_(Mix64(seed + 0x9E3779B97F4A7C15u)) {}
  uint64_t Next() { return Mix64(state_ += 0x9E3779B97F4A7C15u); }
  // Below n. Requires: n > 0.
  uint64_t Below(uint64_t n) {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(Next()) * n) >> 64);
  }
  // In [0, 1).
  double Unit() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

 private:
  uint64_t state_;
};

// A bijection of 0 .. count-1 onto itself, without a table (Feistel rounds with cycle walking).
class Permutation {
 public:
  Permutation(uint64_t count, uint64_t seed);
  uint64_t operator()(uint64_t index) const;

 private:
  uint64_t count_;
  uint64_t seed_;
  unsigned half_bits_ = 1;
};

// Draws ranks 0 .. count-1 with probability proportional to 1 / (rank + 1)^0.99, as YCSB does (Gray et al.,
// "Quickly generating billion-record synthetic databases").
class Zipfian {
 public:
  explicit Zipfian(uint64_t count);
  uint64_t Draw(Rng* rng) const;

 private:
  double count_;
  double zeta_n_;
  double alpha_;
  double eta_;
};

enum class KeySpacing : unsigned char {
  kEven,    // index i is the number 2 i
  kJitter,  // index i is an even number drawn from [1000 i, 1000 i + 1000)
  kPaths,   // index i is the path of file 2 i (path_names.h), whatever key_bytes says
};

// Maps an index to a key: a decimal number padded with zeros on the left. Order of indexes is order of keys,
// but for paths. The absent key of an index is that of the number plus one, which is no index's number.
class KeyCodec {
 public:
  static constexpr uint64_t kMaxKeyBytes = 256;

  // Requires: 16 <= key_bytes <= kMaxKeyBytes.
  KeyCodec(uint64_t key_bytes, KeySpacing spacing, uint64_t seed)
      : key_bytes_(key_bytes), spacing_(spacing), seed_(seed) {}
  uint64_t key_bytes() const { return key_bytes_; }
  // Returns how many bytes it wrote: key_bytes(), but for paths. Of the number, all but the last 16 digits
  // must be 0.
  uint64_t Encode(uint64_t index, bool absent, char* out) const;

 private:
  uint64_t key_bytes_;
  KeySpacing spacing_;
  uint64_t seed_;
};

// One key, encoded in place.
class KeyBuffer {
 public:
  explicit KeyBuffer(const KeyCodec* codec) : codec_(codec) {}
  std::string_view Set(uint64_t index, bool absent = false) {
    return {bytes_, codec_->Encode(index, absent, bytes_)};
  }

 private:
  const KeyCodec* codec_;
  char bytes_[KeyCodec::kMaxKeyBytes];
};

// Values: runs of a pool in which each 100 bytes are 50 random bytes and their repetition, so that a codec
// halves them. With `vary` their sizes are spread evenly from half of value_bytes to half as much again.
class ValuePool {
 public:
  ValuePool(uint64_t value_bytes, uint64_t seed, bool vary = false);
  // The value of version `version` of record `index`.
  std::string_view Value(uint64_t index, uint64_t version) const {
    const uint64_t drawn = Mix64(index * 0x9E3779B97F4A7C15u + version);
    const uint64_t bytes = vary_ ? value_bytes_ / 2 + (drawn >> 40) % (value_bytes_ + 1) : value_bytes_;
    return {pool_.data() + drawn % offsets_, bytes};
  }

 private:
  uint64_t value_bytes_;
  bool vary_;
  uint64_t offsets_;
  std::string pool_;
};

}  // namespace seerdb::bench
