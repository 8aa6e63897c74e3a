// The order of all entries: engine key ascending as unsigned bytes, then sequence descending, then kind.
//
// An *engine key* is the keyspace prefix (keyspace_prefix.h) followed by the user's key. Everything below
// the db room sees engine keys only. An entry is (engine key, trailer, value), where the trailer packs
// sequence and kind: (sequence << 8) | kind. Format: docs/format/internal_key.md.
#pragma once

#include <cstdint>

#include "seerdb/slice.h"
#include "seerdb/types.h"

namespace seerdb {

// What an entry is. Persistent in logs, tables and manifests: values are never reused.
enum class ValueType : uint8_t {
  kDeletion = 0,
  kValue = 1,
  kMerge = 2,            // value: operand
  kValuePointer = 3,     // value: where the value lies; see value_pointer.h
  kRangeDeletion = 4,    // key: begin, value: end; kept apart from the point entries of a table
  kExpiringValue = 5,    // value: when it expires, then the value; see entry_payload.h
  kExpiringMerge = 6,    // value: when it expires, then the operand
  kExpiringPointer = 7,  // value: when it expires, then where the value lies
};
inline constexpr uint8_t kMaxValueType = 7;
// True for the kinds that an entry of a key may have.
inline constexpr bool IsPointKind(uint8_t kind) {
  return kind <= kMaxValueType && kind != static_cast<uint8_t>(ValueType::kRangeDeletion);
}
// True for the kinds whose value lies apart, in a value segment.
inline constexpr bool IsPointer(ValueType type) {
  return type == ValueType::kValuePointer || type == ValueType::kExpiringPointer;
}
// Kinds up to this one may be added within format 1 of the log, each with a key of at least one byte first.
inline constexpr uint8_t kMaxLaterValueType = 15;

inline constexpr uint64_t PackTrailer(SequenceNumber sequence, ValueType type) {
  return sequence << 8 | static_cast<uint64_t>(type);
}
inline constexpr SequenceNumber TrailerSequence(uint64_t trailer) { return trailer >> 8; }
inline constexpr ValueType TrailerType(uint64_t trailer) { return static_cast<ValueType>(trailer & 0xff); }
// Sorts before (or at) every trailer of a version with sequence <= `sequence`: what a read at
// `sequence` seeks to.
inline constexpr uint64_t SeekTrailer(SequenceNumber sequence) { return sequence << 8 | 0xff; }
inline constexpr uint64_t kFirstTrailer = UINT64_MAX;  // sorts before every entry of a key
inline constexpr uint64_t kLastTrailer = 0;            // sorts after every entry of a key

// < 0, 0, > 0 as (a_key, a_trailer) sorts before, with, or after (b_key, b_trailer).
inline int CompareInternal(Slice a_key, uint64_t a_trailer, Slice b_key, uint64_t b_trailer) {
  const int order = a_key.compare(b_key);  // char_traits compares as unsigned bytes
  if (order != 0) return order;
  return a_trailer > b_trailer ? -1 : (a_trailer < b_trailer ? 1 : 0);
}

// A point read: the newest version of `key` with sequence <= `sequence`.
struct LookupKey {
  Slice key;  // engine key
  SequenceNumber sequence = 0;
  uint64_t hash = 0;  // Hash64(key), computed once a read; 0: not yet
};

}  // namespace seerdb
