#include "wal/log_format.h"

#include <algorithm>
#include <cstring>

#include "base/coding.h"
#include "base/crc32c.h"
#include "base/mutant.h"

namespace seerdb {
namespace {

constexpr uint64_t kMagic = 0x31474f4c42445253;  // "SRDBLOG1"
constexpr size_t kHeaderCrcOffset = 60;

uint32_t WithRecord(uint32_t seed, uint64_t record) {
  char bytes[8];
  StoreU64(bytes, record);
  return crc32c::Extend(seed, bytes, sizeof bytes);
}

}  // namespace

void EncodeLogHeader(const LogHeader& header, char out[kLogHeaderBytes]) {
  std::memset(out, 0, kLogHeaderBytes);
  StoreU64(out, kMagic);
  StoreU32(out + 8, header.format_version);
  StoreU64(out + 16, header.identity.database.high);
  StoreU64(out + 24, header.identity.database.low);
  StoreU64(out + 32, header.identity.log_number);
  StoreU64(out + 40, header.identity.epoch);
  StoreU64(out + 48, header.first_record);
  StoreU32(out + kHeaderCrcOffset, crc32c::Extend(0, out, kHeaderCrcOffset));
}

bool DecodeLogHeader(Slice bytes, LogHeader* header) {
  if (bytes.size() < kLogHeaderBytes) return false;
  const char* p = bytes.data();
  if (LoadU64(p) != kMagic || LoadU32(p + 8) != kLogFormatVersion) return false;
  if (LoadU32(p + kHeaderCrcOffset) != crc32c::Extend(0, p, kHeaderCrcOffset)) return false;
  header->format_version = LoadU32(p + 8);
  header->identity.database.high = LoadU64(p + 16);
  header->identity.database.low = LoadU64(p + 24);
  header->identity.log_number = LoadU64(p + 32);
  header->identity.epoch = LoadU64(p + 40);
  header->first_record = LoadU64(p + 48);
  return true;
}

uint32_t LogSeed(const LogIdentity& identity) {
  char bytes[32];
  StoreU64(bytes, identity.database.high);
  StoreU64(bytes + 8, identity.database.low);
  StoreU64(bytes + 16, identity.log_number);
  StoreU64(bytes + 24, SEERDB_MUTANT("log-ignores-epoch") ? 0 : identity.epoch);
  return crc32c::Extend(0, bytes, sizeof bytes);
}

void EncodeLogFrame(uint32_t seed, const LogRecord& record, char* out) {
  const uint64_t lag = record.number - 1 - record.durable_record;
  StoreU32(out + 4, static_cast<uint32_t>(record.payload_bytes()));
  StoreU32(out + 8, static_cast<uint32_t>(record.number));
  StoreU32(out + 12, static_cast<uint32_t>(std::min<uint64_t>(lag, UINT32_MAX)));
  char* const payload = out + kLogFrameHeadBytes;
  StoreU64(payload, record.base_sequence);
  if (!record.operations.empty()) {
    std::memcpy(payload + sizeof record.base_sequence, record.operations.data(), record.operations.size());
  }
  StoreU32(out, crc32c::Extend(WithRecord(seed, record.number), out + 4, record.frame_bytes() - 4));
}

void AppendLogFrame(std::string* out, const LogIdentity& identity, const LogRecord& record) {
  const size_t begin = out->size();
  out->resize(begin + record.frame_bytes());
  EncodeLogFrame(LogSeed(identity), record, out->data() + begin);
}

LogFrameHead DecodeLogFrameHead(const char* bytes) {
  return {LoadU32(bytes), LoadU32(bytes + 4), LoadU32(bytes + 8), LoadU32(bytes + 12)};
}

uint32_t LogFrameCrc(const LogIdentity& identity, uint64_t record, const char* head, Slice payload) {
  const uint32_t seed = WithRecord(LogSeed(identity), record);
  const uint32_t crc = crc32c::Extend(seed, head + 4, kLogFrameHeadBytes - 4);
  return crc32c::Extend(crc, payload);
}

}  // namespace seerdb
