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

uint32_t Seed(const LogIdentity& identity, uint64_t record) {
  char bytes[40];
  StoreU64(bytes, identity.database.high);
  StoreU64(bytes + 8, identity.database.low);
  StoreU64(bytes + 16, identity.log_number);
  StoreU64(bytes + 24, SEERDB_MUTANT("log-ignores-epoch") ? 0 : identity.epoch);
  StoreU64(bytes + 32, record);
  return crc32c::Extend(0, bytes, sizeof bytes);
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

void AppendLogFrame(std::string* out, const LogIdentity& identity, uint64_t record, uint64_t durable_record,
                    Slice payload_head, Slice payload_tail) {
  const uint64_t lag = record - 1 - durable_record;
  const size_t start = out->size();
  char head[kLogFrameHeadBytes];
  StoreU32(head, 0);
  StoreU32(head + 4, static_cast<uint32_t>(payload_head.size() + payload_tail.size()));
  StoreU32(head + 8, static_cast<uint32_t>(record));
  StoreU32(head + 12, static_cast<uint32_t>(std::min<uint64_t>(lag, UINT32_MAX)));
  out->append(head, sizeof head);
  out->append(payload_head);
  out->append(payload_tail);
  char* frame = out->data() + start;
  StoreU32(frame, crc32c::Extend(Seed(identity, record), frame + 4, out->size() - start - 4));
}

LogFrameHead DecodeLogFrameHead(const char* bytes) {
  return {LoadU32(bytes), LoadU32(bytes + 4), LoadU32(bytes + 8), LoadU32(bytes + 12)};
}

uint32_t LogFrameCrc(const LogIdentity& identity, uint64_t record, const char* head, Slice payload) {
  const uint32_t crc = crc32c::Extend(Seed(identity, record), head + 4, kLogFrameHeadBytes - 4);
  return crc32c::Extend(crc, payload);
}

}  // namespace seerdb
