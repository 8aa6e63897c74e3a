// What the value of an entry holds besides the user's bytes: for the kinds that expire, when.
//
//   expiring value, merge operand and pointer: u64 expires_us, then the user's bytes, or the pointer to them;
//   the other kinds: the bytes, or the pointer, alone
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
  return type == ValueType::kExpiringValue || type == ValueType::kExpiringMerge ||
         type == ValueType::kExpiringPointer;
}
inline constexpr bool IsMerge(ValueType type) {
  return type == ValueType::kMerge || type == ValueType::kExpiringMerge;
}

// True for the kinds that are a value of their key, here or apart.
inline constexpr bool IsPut(ValueType type) {
  return type == ValueType::kValue || type == ValueType::kExpiringValue || IsPointer(type);
}

struct EntryPayload {
  uint64_t expires_us = kNeverExpires;
  Slice value;  // the user's bytes, or the pointer to them
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
// The kind of a value that lies apart.
inline constexpr ValueType PointerTypeFor(uint64_t expires_us) {
  return expires_us == kNeverExpires ? ValueType::kValuePointer : ValueType::kExpiringPointer;
}
inline void AppendPayload(std::string* out, uint64_t expires_us, Slice value) {
  if (expires_us != kNeverExpires) AppendU64(out, expires_us);
  out->append(value);
}

}  // namespace seerdb
