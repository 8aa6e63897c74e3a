// Stamps: the times that a write carries, taken when it is written.
//
// Pure functions. Format of what they write: format/entry_payload.h.
#pragma once

#include <cstdint>
#include <string>

#include "format/keyspace_table.h"
#include "seerdb/options.h"
#include "seerdb/result.h"

namespace seerdb {

// kInvalidArgument unless `ttl_us` is 0, kNoTtl or at most kMaxTtlUs.
Status CheckTtl(uint64_t ttl_us);

// When what is put at `now_us` expires. `ttl_us`: as WriteOptions.
uint64_t PutExpiry(uint64_t ttl_us, const KeyspaceState& keyspace, uint64_t now_us);
// When what is merged then expires: in steps of a 64th of the time to live, down, so that of all that is
// merged into a key no more than so many operands must be kept apart.
uint64_t MergeExpiry(uint64_t ttl_us, const KeyspaceState& keyspace, uint64_t now_us);

// OK if merges can be made in the keyspace.
Status CheckMergeable(const KeyspaceState& keyspace);

// The operations of a batch as they are to be stored. kInvalidArgument: a merge in a keyspace without an
// operator, or a time to live out of range.
Result<std::string> StampBatch(Slice operations, uint64_t ttl_us, uint64_t now_us,
                               KeyspaceTablePtr keyspaces);

}  // namespace seerdb
