// What the value of an entry holds besides the user's bytes: for the kinds that expire, when.
//
//   expiring value, expiring merge operand: u64 expires_us, the user's bytes; the other kinds: the bytes
//   alone
//
// Times are microseconds since 1970 (UTC). From expires_us on the entry stands for a deletion: it is hidden,
// and so is everything older. Format: docs/format/internal_key.md.
#pragma once

#include <cstdint>
#include <string>

#include "base/coding.h"
#include "format/internal_key.h"
#include "seerdb/slice.h"

namespace seerdb {

inline constexpr uint64_t kNeverExpires = UINT64_MAX;
// Times that are written stay below this.
inline constexpr uint64_t kMaxTimeUs = uint64_t{1} << 62;

inline constexpr bool Expires(ValueType type) {
  return type == ValueType::kExpiringValue || type == ValueType::kExpiringMerge;
}
inline constexpr bool IsMerge(ValueType type) {
  return type == ValueType::kMerge || type == ValueType::kExpiringMerge;
}

struct EntryPayload {
  uint64_t expires_us = kNeverExpires;
  Slice value;  // the user's bytes
};

// False if it is malformed.
inline bool ParsePayload(ValueType type, Slice bytes, EntryPayload* payload) {
  *payload = {kNeverExpires, bytes};
  if (!Expires(type)) return true;
  if (bytes.size() < sizeof(uint64_t)) return false;
  payload->expires_us = LoadU64(bytes.data());
  payload->value.remove_prefix(sizeof(uint64_t));
  return true;
}

// The kind of an entry like `type` that expires, or does not.
inline constexpr ValueType TypeFor(bool merge, uint64_t expires_us) {
  if (expires_us == kNeverExpires) return merge ? ValueType::kMerge : ValueType::kValue;
  return merge ? ValueType::kExpiringMerge : ValueType::kExpiringValue;
}
inline void AppendPayload(std::string* out, uint64_t expires_us, Slice value) {
  if (expires_us != kNeverExpires) AppendU64(out, expires_us);
  out->append(value);
}

}  // namespace seerdb
