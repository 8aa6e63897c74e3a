// ValuePointer: what log and tree hold of a value that lies apart from its key, in a value segment.
//
//   u8 form (0: the value lies there as it is), varint segment, varint offset, varint bytes, u32 crc
// A pointer is all that is needed to read the value and to know that it is the one that was written.
// Format: docs/format/values.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "format/entry_payload.h"
#include "seerdb/slice.h"

namespace seerdb {

struct ValuePointer {
  uint64_t segment = 0;  // file number
  uint64_t offset = 0;   // of the value in the file
  uint64_t bytes = 0;    // of the value
  uint32_t crc = 0;      // of the value; see vlog/value_format.h

  friend bool operator==(const ValuePointer&, const ValuePointer&) = default;
};

void AppendValuePointer(std::string* out, const ValuePointer& pointer);
// False unless `bytes` is one pointer and nothing else, with values in range. Safe on hostile bytes.
bool ParseValuePointer(Slice bytes, ValuePointer* pointer);

// What an entry holds whose value lies apart: when it expires, if it does, then the pointer.
void AppendPointerPayload(std::string* out, uint64_t expires_us, const ValuePointer& pointer);
// False unless `bytes` is that, of an entry of this kind. `expires_us` may be null.
bool ParsePointerPayload(ValueType type, Slice bytes, ValuePointer* pointer, uint64_t* expires_us = nullptr);

// The order in which values lie: reads in it walk through each file once.
inline bool LiesBefore(const ValuePointer& a, const ValuePointer& b) {
  return a.segment != b.segment ? a.segment < b.segment : a.offset < b.offset;
}

// A value of more bytes has a checksum for each part of so many, so that parts can be read alone.
inline constexpr uint64_t kValueChunkBytes = 64 << 10;
inline constexpr uint64_t kValueSegmentHeaderBytes = 64;
inline constexpr uint64_t kValueRecordHeadBytes = 24;
// Of the checksums behind a value.
inline constexpr uint64_t ChunkTableBytes(uint64_t value_bytes) {
  return value_bytes <= kValueChunkBytes ? 0 : (value_bytes + kValueChunkBytes - 1) / kValueChunkBytes * 4;
}
// What a value takes in its segment.
inline constexpr uint64_t ValueRecordBytes(uint64_t key_bytes, uint64_t value_bytes) {
  return kValueRecordHeadBytes + key_bytes + value_bytes + ChunkTableBytes(value_bytes);
}

// How many bytes of one segment something points to, with all that their records take.
struct ValueBytes {
  uint64_t segment = 0;
  uint64_t bytes = 0;

  friend bool operator==(const ValueBytes&, const ValueBytes&) = default;
};
// Ascending by segment, each once.
using ValueBytesList = std::vector<ValueBytes>;
inline constexpr uint64_t kMaxValueFileBytes = uint64_t{1} << 50;

uint64_t TotalBytes(const ValueBytesList& list);
// The numbers ascending, as differences. Part of other formats.
void AppendValueBytesList(std::string* out, const ValueBytesList& list);
// False if malformed, out of order, or with a segment that has no bytes or too many.
bool ParseValueBytesList(Slice bytes, ValueBytesList* list);

}  // namespace seerdb
