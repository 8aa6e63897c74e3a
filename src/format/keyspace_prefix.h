// The order-preserving prefix that names the keyspace in an engine key.
//
// Keyspace ids are encoded so that shorter encodings sort first and ids sort by value: 0..127 in one byte
// (the byte itself), 128..16,511 in two (0x80 | high bits), larger ones in five (0xc0, then big-endian).
// The default keyspace is 0, so its engine keys are '\0' + user key. Format: docs/format/internal_key.md.
#pragma once

#include <cstdint>
#include <string>

#include "seerdb/slice.h"
#include "seerdb/types.h"

namespace seerdb {

inline constexpr uint32_t kDefaultKeyspace = 0;
inline constexpr size_t kMaxKeyspacePrefixBytes = 5;
// Of an engine key, with room for prefixes to come; files with longer ones are damaged.
inline constexpr uint64_t kMaxEngineKeyBytes = kMaxKeyBytes + 16;
// Greater than every engine key.
inline constexpr Slice kBehindAllEngineKeys{"\xff", 1};
inline constexpr Slice kDefaultKeyspacePrefix{"\0", 1};

void AppendKeyspacePrefix(std::string* out, uint32_t keyspace);
// The bytes of an engine key that name its keyspace, as its first byte says. Requires: it has a first byte.
inline size_t KeyspacePrefixBytes(Slice engine_key) {
  const auto first = static_cast<unsigned char>(engine_key.front());
  return first < 0x80 ? 1 : first < 0xc0 ? 2 : kMaxKeyspacePrefixBytes;
}
// Splits an engine key. False if it has no well-formed prefix.
bool ParseEngineKey(Slice engine_key, uint32_t* keyspace, Slice* user_key);
// The least byte string behind all that start with `prefix`; empty if there is none. That of a keyspace's
// prefix is the end of the keyspace, and there always is one.
std::string BehindPrefix(Slice prefix);

}  // namespace seerdb
