#include "format/value_pointer.h"

#include "base/coding.h"
#include "format/file_name.h"
#include "seerdb/types.h"

namespace seerdb {
namespace {

// The one form that this version knows.
constexpr char kAsItIs = 0;

}  // namespace

void AppendValuePointer(std::string* out, const ValuePointer& pointer) {
  out->push_back(kAsItIs);
  AppendVarint(out, pointer.segment);
  AppendVarint(out, pointer.offset);
  AppendVarint(out, pointer.bytes);
  AppendU32(out, pointer.crc);
}

bool ParseValuePointer(Slice bytes, ValuePointer* pointer) {
  Decoder in(bytes);
  uint8_t form = 0;
  const bool whole = in.ReadU8(&form) && form == kAsItIs && in.ReadVarint(&pointer->segment) &&
                     in.ReadVarint(&pointer->offset) && in.ReadVarint(&pointer->bytes) &&
                     in.ReadU32(&pointer->crc) && in.empty();
  return whole && pointer->segment > 0 && pointer->segment <= kMaxFileNumber &&
         pointer->offset <= kMaxValueFileBytes && pointer->bytes <= kMaxValueBytes;
}

void AppendPointerPayload(std::string* out, uint64_t expires_us, const ValuePointer& pointer) {
  AppendPayload(out, expires_us, Slice());
  AppendValuePointer(out, pointer);
}

bool ParsePointerPayload(ValueType type, Slice bytes, ValuePointer* pointer, uint64_t* expires_us) {
  EntryPayload payload;
  if (!IsPointer(type) || !ParsePayload(type, bytes, &payload)) return false;
  if (expires_us != nullptr) *expires_us = payload.expires_us;
  return ParseValuePointer(payload.value, pointer);
}

uint64_t TotalBytes(const ValueBytesList& list) {
  uint64_t sum = 0;
  for (const ValueBytes& one : list) sum += one.bytes;
  return sum;
}

void AppendValueBytesList(std::string* out, const ValueBytesList& list) {
  uint64_t before = 0;
  for (const ValueBytes& one : list) {
    AppendVarint(out, one.segment - before);
    AppendVarint(out, one.bytes);
    before = one.segment;
  }
}

bool ParseValueBytesList(Slice bytes, ValueBytesList* list) {
  list->clear();
  Decoder in(bytes);
  uint64_t before = 0;
  while (!in.empty()) {
    uint64_t step = 0;
    ValueBytes one;
    if (!in.ReadVarint(&step) || !in.ReadVarint(&one.bytes)) return false;
    if (step == 0 || step > kMaxFileNumber - before || one.bytes == 0 || one.bytes > kMaxValueFileBytes) {
      return false;
    }
    one.segment = before += step;
    list->push_back(one);
  }
  return true;
}

}  // namespace seerdb
