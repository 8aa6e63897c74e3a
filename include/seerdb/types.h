// Small public types shared by several headers.
#pragma once

#include <cstdint>

namespace seerdb {

// Position of a write in the one total order of all writes of a database. Each put, delete or merge, also
// inside a batch, takes one. Starts at 1, never reused, survives reopen. At most kMaxSequence.
using SequenceNumber = uint64_t;

inline constexpr SequenceNumber kMaxSequence = (uint64_t{1} << 56) - 1;

// Limits that every write is checked against; beyond them a write fails with kInvalidArgument.
inline constexpr uint64_t kMaxKeyBytes = 64 * 1024;             // 64 KiB
inline constexpr uint64_t kMaxValueBytes = 1024 * 1024 * 1024;  // 1 GiB
// No smaller value is taken apart from its key: what points to it would be as long.
inline constexpr uint64_t kMinSeparationBytes = 64;
// Of a time to live: 100 years.
inline constexpr uint64_t kMaxTtlUs = uint64_t{36525} * 24 * 3600 * 1'000'000;
// In the place of one: for ever, whatever the keyspace's default.
inline constexpr uint64_t kNoTtl = UINT64_MAX;
// Bytes of one WriteBatch, keys and values together: 2 GiB.
inline constexpr uint64_t kMaxBatchBytes = uint64_t{2} * 1024 * 1024 * 1024;
// Range deletes in one WriteBatch: each needs about a kilobyte of memory, however few bytes it has.
inline constexpr uint32_t kMaxRangeDeletesPerBatch = 100'000;

}  // namespace seerdb
