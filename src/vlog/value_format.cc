#include "vlog/value_format.h"

#include <algorithm>
#include <cstring>

#include "base/coding.h"
#include "base/crc32c.h"
#include "base/mutant.h"
#include "format/keyspace_prefix.h"
#include "seerdb/types.h"

namespace seerdb {
namespace {

constexpr uint64_t kMagic = 0x314c415642445253;  // "SRDBVAL1"
constexpr size_t kHeaderCrcOffset = 60;

uint32_t Seed(uint64_t segment, uint64_t offset) {
  char bytes[16];
  StoreU64(bytes, SEERDB_MUTANT("value-crc-ignores-place") ? 0 : segment);
  StoreU64(bytes + 8, SEERDB_MUTANT("value-crc-ignores-place") ? 0 : offset);
  return crc32c::Extend(0, bytes, sizeof bytes);
}

}  // namespace

void AppendValueSegmentHeader(std::string* out, const ValueSegmentHeader& header) {
  char bytes[kValueSegmentHeaderBytes];
  std::memset(bytes, 0, sizeof bytes);
  StoreU64(bytes, kMagic);
  StoreU32(bytes + 8, kValueFormatVersion);
  StoreU64(bytes + 16, header.database.high);
  StoreU64(bytes + 24, header.database.low);
  StoreU64(bytes + 32, header.segment);
  StoreU64(bytes + 40, header.epoch);
  StoreU32(bytes + kHeaderCrcOffset, crc32c::Extend(0, bytes, kHeaderCrcOffset));
  out->append(bytes, sizeof bytes);
}

bool DecodeValueSegmentHeader(Slice bytes, ValueSegmentHeader* header) {
  if (bytes.size() < kValueSegmentHeaderBytes) return false;
  const char* const p = bytes.data();
  if (LoadU64(p) != kMagic || LoadU32(p + 8) != kValueFormatVersion) return false;
  if (LoadU32(p + kHeaderCrcOffset) != crc32c::Extend(0, p, kHeaderCrcOffset)) return false;
  header->database.high = LoadU64(p + 16);
  header->database.low = LoadU64(p + 24);
  header->segment = LoadU64(p + 32);
  header->epoch = LoadU64(p + 40);
  return true;
}

uint32_t ValueChunkCrc(uint64_t segment, uint64_t offset, Slice bytes) {
  return crc32c::Extend(Seed(segment, offset), bytes);
}

std::string ChunkTable(uint64_t segment, uint64_t offset, Slice value) {
  std::string table;
  if (value.size() <= kValueChunkBytes) return table;
  table.reserve(ChunkTableBytes(value.size()));
  for (uint64_t begin = 0; begin < value.size(); begin += kValueChunkBytes) {
    AppendU32(&table, ValueChunkCrc(segment, offset + begin, value.substr(begin, kValueChunkBytes)));
  }
  return table;
}

uint32_t ValueCrc(uint64_t segment, uint64_t offset, Slice value, Slice table) {
  return table.empty() ? ValueChunkCrc(segment, offset, value)
                       : ValueChunkCrc(segment, offset + value.size(), table);
}

void AppendValueRecordHead(std::string* out, uint64_t segment, uint64_t offset, Slice prefix, Slice key,
                           const ValueRecordHead& head) {
  char bytes[kValueRecordHeadBytes];
  StoreU32(bytes + 4, head.value_crc);
  StoreU32(bytes + 8, head.key_bytes);
  StoreU32(bytes + 12, 0);
  StoreU64(bytes + 16, head.value_bytes);
  uint32_t crc = crc32c::Extend(Seed(segment, offset), bytes + 4, kValueRecordHeadBytes - 4);
  crc = crc32c::Extend(crc32c::Extend(crc, prefix), key);
  StoreU32(bytes, crc);
  out->append(bytes, sizeof bytes);
  out->append(prefix).append(key);
}

bool DecodeValueRecordHead(Slice bytes, ValueRecordHead* head) {
  if (bytes.size() < kValueRecordHeadBytes) return false;
  head->value_crc = LoadU32(bytes.data() + 4);
  head->key_bytes = LoadU32(bytes.data() + 8);
  head->value_bytes = LoadU64(bytes.data() + 16);
  return LoadU32(bytes.data() + 12) == 0 && head->key_bytes <= kMaxEngineKeyBytes &&
         head->value_bytes <= kMaxValueBytes;
}

bool CheckValueRecordHead(uint64_t segment, uint64_t offset, Slice head, Slice key) {
  const uint32_t crc = crc32c::Extend(Seed(segment, offset), head.data() + 4, kValueRecordHeadBytes - 4);
  return crc32c::Extend(crc, key) == LoadU32(head.data());
}

}  // namespace seerdb
