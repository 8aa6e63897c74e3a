// How a table's filter holds prefixes of its keys, beside the keys.
//
// A prefix is that of the keyspace and so many bytes of the user key; shorter keys have none. Format:
// docs/format/table.md, "Filter". Thread safety: immutable.
#pragma once

#include <cstdint>

#include "format/keyspace_prefix.h"
#include "learned/prefix_hash.h"
#include "seerdb/slice.h"

namespace seerdb {

inline constexpr uint32_t kMaxPrefixFilterBytes = 255;

// The prefix of `engine_key`, or of what begins an engine key, with `user_bytes` of the user key; empty if it
// is shorter.
inline Slice FilterPrefix(Slice engine_key, uint64_t user_bytes) {
  if (engine_key.empty()) return {};
  const uint64_t bytes = KeyspacePrefixBytes(engine_key) + user_bytes;
  return engine_key.size() < bytes ? Slice() : engine_key.substr(0, bytes);
}

}  // namespace seerdb
