// Builds binary fuse filters (binary_fuse_filter.h) by peeling.
//
// A place that only one key has is that key's own; taking such keys away one after the other frees places of
// others, until none is left, and then fingerprints are given in the opposite order. Where keys are left,
// another seed is tried, then a larger array; so the work is bounded. Thread safety: functions of their
// arguments.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "learned/binary_fuse_filter.h"
#include "seerdb/result.h"

namespace seerdb {

struct FuseOptions {
  uint32_t fingerprint_bits = 8;  // 1 .. BinaryFuseFilter::kMaxFingerprintBits
  uint32_t arity = 3;             // 3 or 4
};

// The longest fingerprints with which so many keys take at most `bits_per_key`; at least one bit.
FuseOptions FuseOptionsFor(size_t keys, uint32_t bits_per_key, uint32_t arity);

// The encoded filter of the keys with these hashes, each of which may come more than once. kInvalidArgument
// for too many keys or options out of range; kNotSupported if no array was found, which for hashes that are
// Hash64 of keys does not happen.
Result<std::string> BuildBinaryFuse(std::span<const uint64_t> hashes, const FuseOptions& options);

}  // namespace seerdb
