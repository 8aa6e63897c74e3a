// The bytes of a log segment. Format: docs/format/log.md.
//
// A segment is a 64-byte header and then frames, back to back; frames that were written together may be
// followed by zeros up to the next 4096-byte block. A frame is a 16-byte head and a payload:
//   u32 crc      CRC-32C of head bytes [4, 16) and payload, seeded by the identity and the record number
//   u32 length   payload bytes, > 0
//   u32 record   low half of the record number
//   u32 lag      record number - 1 - (highest record number known durable when written), saturated
// Record numbers are dense and run across segments. The seed makes a frame of another database, another
// log, an earlier life of a recycled file, or another position in the sequence fail its checksum.
// Payload: u64 base sequence, then the operations of one WriteBatch (src/format/batch_codec.h).
#pragma once

#include <cstdint>
#include <string>

#include "base/database_id.h"
#include "seerdb/slice.h"

namespace seerdb {

// What the manifest knows about a log before its first record is acknowledged.
struct LogIdentity {
  DatabaseId database;
  uint64_t log_number = 0;
  uint64_t epoch = 0;  // random, taken at each open
  friend bool operator==(const LogIdentity&, const LogIdentity&) = default;
};

inline constexpr size_t kLogHeaderBytes = 64;
inline constexpr size_t kLogFrameHeadBytes = 16;
inline constexpr uint32_t kLogFormatVersion = 1;
// The next frame lies right behind the last one, or at the next multiple of this.
inline constexpr uint64_t kLogBlockBytes = 4096;
inline constexpr uint64_t NextLogBlock(uint64_t offset) {
  return (offset + kLogBlockBytes - 1) / kLogBlockBytes * kLogBlockBytes;
}

struct LogHeader {
  LogIdentity identity;
  uint64_t first_record = 0;
  uint32_t format_version = kLogFormatVersion;
};

struct LogFrameHead {
  uint32_t crc = 0;
  uint32_t length = 0;
  uint32_t record = 0;
  uint32_t lag = 0;
};

void EncodeLogHeader(const LogHeader& header, char out[kLogHeaderBytes]);
// False if magic, version or checksum are wrong. The identity is not compared with anything.
bool DecodeLogHeader(Slice bytes, LogHeader* header);

// What the checksums of a log's frames begin with, but for the record number.
uint32_t LogSeed(const LogIdentity& identity);
// A frame of one record, whose payload is a base sequence and the operations of a batch. `durable_record` is
// the highest record number known durable (0 = none).
struct LogRecord {
  uint64_t number = 0;
  uint64_t durable_record = 0;
  uint64_t base_sequence = 0;
  Slice operations;

  uint64_t payload_bytes() const { return sizeof base_sequence + operations.size(); }
  uint64_t frame_bytes() const { return kLogFrameHeadBytes + payload_bytes(); }
};
// Writes frame_bytes() to `out`. Requires: payload_bytes() < 4 GiB; `seed` is LogSeed of the log.
void EncodeLogFrame(uint32_t seed, const LogRecord& record, char* out);
// The same behind what `out` holds. For where speed is of no matter.
void AppendLogFrame(std::string* out, const LogIdentity& identity, const LogRecord& record);
LogFrameHead DecodeLogFrameHead(const char* bytes);
uint32_t LogFrameCrc(const LogIdentity& identity, uint64_t record, const char* head, Slice payload);

}  // namespace seerdb
