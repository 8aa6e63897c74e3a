// Digest: counts what reads returned, and a checksum of it that depends on the order. Two engines that gave
// the same answers to the same operations have equal digests.
//
// It also makes each engine deliver every byte: a value that is never looked at would cost nothing.
// Thread safety: external synchronization.
#pragma once

#include <cstdint>
#include <string_view>

#ifndef XXH_INLINE_ALL
#define XXH_INLINE_ALL
#endif
#include <xxhash.h>

#if defined(SEERDB_BENCH_XXH_DISPATCH)
// Of libxxhash: the same hash, by the widest vectors that the processor has.
extern "C" XXH64_hash_t XXH3_64bits_dispatch(const void* input, size_t len);
#endif

namespace seerdb::bench {

#if defined(SEERDB_BENCH_XXH_DISPATCH) && defined(__x86_64__)
// libxxhash 0.8.1 returns from its AVX-512 form with the upper halves of vector registers in use. On some
// processors each SSE instruction of an engine would wait for them, until one of its functions clears them.
inline void ClearUpperHalves() {
  static const bool has_them = __builtin_cpu_supports("avx");
  if (has_them) asm volatile("vzeroupper");
}
#else
inline void ClearUpperHalves() {}
#endif

// XXH3. The vectors of the plain x86-64 package would take longer to read a long value than engines take to
// find it.
inline uint64_t HashBytes(std::string_view bytes) {
#if defined(SEERDB_BENCH_XXH_DISPATCH)
  constexpr size_t kLong = 240;  // XXH3 has other ways for shorter ones
  if (bytes.size() > kLong) {
    const uint64_t hash = XXH3_64bits_dispatch(bytes.data(), bytes.size());
    ClearUpperHalves();
    return hash;
  }
#endif
  return XXH3_64bits(bytes.data(), bytes.size());
}

class Digest {
 public:
  void AddValue(std::string_view value) {
    Mix(HashBytes(value));
    ++hits_;
    bytes_ += value.size();
  }
  void AddMiss() {
    Mix(1);
    ++misses_;
  }
  void AddEntry(std::string_view key, std::string_view value) {
    Mix(HashBytes(key) + 3 * HashBytes(value));
    ++hits_;
    bytes_ += key.size() + value.size();
  }
  void AddDigest(const Digest& other) {
    Mix(other.sum_);
    hits_ += other.hits_;
    misses_ += other.misses_;
    bytes_ += other.bytes_;
  }

  uint64_t sum() const { return sum_; }
  uint64_t hits() const { return hits_; }
  uint64_t misses() const { return misses_; }
  uint64_t bytes() const { return bytes_; }

 private:
  void Mix(uint64_t hash) { sum_ = sum_ * 0x9E3779B97F4A7C15u + hash; }

  uint64_t sum_ = 0;
  uint64_t hits_ = 0;
  uint64_t misses_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace seerdb::bench
