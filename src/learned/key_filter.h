// KeyFilter: a filter of any kind, which says of a key "certainly not in this table" or "perhaps".
//
// One interface over the kinds, for studies and for the tests that every kind must pass; who knows the kind
// uses its class. A filter is built from all keys of a table at once and is then immutable bytes, in which
// it is asked without a copy. Formats: docs/format/filters.md. Thread safety: immutable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/hash.h"
#include "learned/key_projection.h"
#include "seerdb/result.h"
#include "seerdb/slice.h"

namespace seerdb {

// Persistent.
enum class FilterKind : uint8_t {
  kBlockedBloom = 0,    // bloom_filter.h
  kBitPackedBloom = 1,  // bit_packed_bloom_filter.h
  kBinaryFuse = 2,      // binary_fuse_filter.h, with three places a key
  kLearned = 3,         // learned_filter.h
};
inline constexpr FilterKind kFilterKinds[] = {FilterKind::kBlockedBloom, FilterKind::kBitPackedBloom,
                                              FilterKind::kBinaryFuse, FilterKind::kLearned};

// What a filter knows of a key that it is asked about.
struct FilterProbe {
  uint64_t hash = 0;
  uint64_t window = 0;  // kLearned only

  static FilterProbe Of(Slice key, const KeyProjection& projection) {
    return {Hash64(key), projection.Window(key)};
  }
};

// The distinct keys of a table.
struct FilterKeys {
  std::span<const uint64_t> hashes;
  // Parallel to the hashes and ascending, by the projection of the probes; none: nothing is learned.
  std::span<const uint64_t> windows;
  // Keys with equal windows are equal, probes too. Where it does not hold for probes, they may pass.
  bool windows_tell_keys = false;
};

class KeyFilter {
 public:
  virtual ~KeyFilter() = default;
  virtual FilterKind kind() const = 0;
  // False: no key with this hash and window was there when the filter was built.
  virtual bool MayContain(const FilterProbe& probe) const = 0;
  // Of the encoded bytes, and of what is kept beside them.
  virtual size_t memory_bytes() const = 0;
};

// The encoded filter, of about so many bits a key. kInvalidArgument without bits, or where the windows are
// not as above.
Result<std::string> BuildFilter(FilterKind kind, const FilterKeys& keys, uint32_t bits_per_key);
// Borrows `bytes`. kCorruption when they are no filter of this kind; kInvalidArgument: there is no such kind.
Result<std::unique_ptr<KeyFilter>> OpenFilter(FilterKind kind, Slice bytes);

}  // namespace seerdb
