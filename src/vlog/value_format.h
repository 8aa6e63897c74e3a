// The bytes of a value segment. Format: docs/format/values.md.
//
// A segment is a 64-byte header and then records, back to back. A record is
//   u32 head_crc     CRC-32C of bytes [4, 24) and the key, seeded with segment and record offset
//   u32 value_crc    what a pointer to the value holds
//   u32 key_bytes
//   u32 zero
//   u64 value_bytes
//   the engine key, the value, and, if the value has more than kValueChunkBytes bytes, a u32 for each chunk
// The checksum of a chunk is seeded with the segment and the chunk's offset, so that what was written
// elsewhere does not pass. That of a value of one chunk is the chunk's; of a longer one it is that of the
// list of checksums, seeded with the list's offset: a part can be read, and checked, without the rest.
#pragma once

#include <cstdint>
#include <string>

#include "base/database_id.h"
#include "format/value_pointer.h"
#include "seerdb/slice.h"

namespace seerdb {

inline constexpr uint32_t kValueFormatVersion = 1;

struct ValueSegmentHeader {
  DatabaseId database;
  uint64_t segment = 0;
  uint64_t epoch = 0;  // of the open that wrote it

  friend bool operator==(const ValueSegmentHeader&, const ValueSegmentHeader&) = default;
};

void AppendValueSegmentHeader(std::string* out, const ValueSegmentHeader& header);
// False if magic, version or checksum are wrong.
bool DecodeValueSegmentHeader(Slice bytes, ValueSegmentHeader* header);

struct ValueRecordHead {
  uint32_t value_crc = 0;
  uint32_t key_bytes = 0;
  uint64_t value_bytes = 0;
};

// Of bytes that lie at `offset` of the segment.
uint32_t ValueChunkCrc(uint64_t segment, uint64_t offset, Slice bytes);
// The checksums of the chunks of a value at `offset`, as they are stored; empty for a value of one chunk.
std::string ChunkTable(uint64_t segment, uint64_t offset, Slice value);
// What a pointer to the value holds. `table`: its ChunkTable.
uint32_t ValueCrc(uint64_t segment, uint64_t offset, Slice value, Slice table);

// Appends head and key of a record at `offset`; the key comes in two parts. The value and its table follow.
void AppendValueRecordHead(std::string* out, uint64_t segment, uint64_t offset, Slice prefix, Slice key,
                           const ValueRecordHead& head);
// False if the lengths are out of range.
bool DecodeValueRecordHead(Slice bytes, ValueRecordHead* head);
// Whether the stored checksum of a head (kValueRecordHeadBytes long) at `offset` fits it and the key.
bool CheckValueRecordHead(uint64_t segment, uint64_t offset, Slice head, Slice key);

}  // namespace seerdb
