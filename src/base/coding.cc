#include "base/coding.h"

namespace seerdb {

const char* DecodeVarintSlow(const char* p, const char* limit, uint64_t* v) {
  uint64_t result = 0;
  for (unsigned shift = 0; shift <= 63 && p < limit; shift += 7) {
    const uint64_t byte = static_cast<unsigned char>(*p++);
    if (shift == 63 && byte > 1) return nullptr;
    result |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      *v = result;
      return p;
    }
  }
  return nullptr;
}

bool Decoder::ReadU8(uint8_t* v) {
  if (left() < 1) return Fail();
  *v = static_cast<uint8_t>(*p_++);
  return true;
}
bool Decoder::ReadU16(uint16_t* v) {
  if (left() < 2) return Fail();
  *v = LoadU16(p_);
  p_ += 2;
  return true;
}
bool Decoder::ReadU32(uint32_t* v) {
  if (left() < 4) return Fail();
  *v = LoadU32(p_);
  p_ += 4;
  return true;
}
bool Decoder::ReadU64(uint64_t* v) {
  if (left() < 8) return Fail();
  *v = LoadU64(p_);
  p_ += 8;
  return true;
}
bool Decoder::ReadVarint(uint64_t* v) {
  const char* next = DecodeVarint(p_, limit_, v);
  if (next == nullptr) return Fail();
  p_ = next;
  return true;
}
bool Decoder::ReadVarint32(uint32_t* v) {
  uint64_t wide = 0;
  if (!ReadVarint(&wide)) return false;
  if (wide > UINT32_MAX) return Fail();
  *v = static_cast<uint32_t>(wide);
  return true;
}
bool Decoder::ReadBytes(size_t n, Slice* bytes) {
  if (left() < n) return Fail();
  *bytes = Slice(p_, n);
  p_ += n;
  return true;
}
bool Decoder::ReadLengthPrefixed(Slice* bytes) {
  uint64_t n = 0;
  if (!ReadVarint(&n)) return false;
  if (n > left()) return Fail();
  return ReadBytes(static_cast<size_t>(n), bytes);
}

}  // namespace seerdb
