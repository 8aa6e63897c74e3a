// Little-endian fixed-width and varint coding, and a reader that never runs past its input.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>

#include "seerdb/slice.h"

namespace seerdb {

static_assert(std::endian::native == std::endian::little, "formats are read in place as little-endian");

inline uint16_t LoadU16(const char* p) {
  uint16_t v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
inline uint32_t LoadU32(const char* p) {
  uint32_t v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
inline uint64_t LoadU64(const char* p) {
  uint64_t v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
inline void StoreU16(char* p, uint16_t v) { std::memcpy(p, &v, sizeof v); }
inline void StoreU32(char* p, uint32_t v) { std::memcpy(p, &v, sizeof v); }
inline void StoreU64(char* p, uint64_t v) { std::memcpy(p, &v, sizeof v); }

inline void AppendU16(std::string* out, uint16_t v) {
  out->append(reinterpret_cast<const char*>(&v), sizeof v);
}
inline void AppendU32(std::string* out, uint32_t v) {
  out->append(reinterpret_cast<const char*>(&v), sizeof v);
}
inline void AppendU64(std::string* out, uint64_t v) {
  out->append(reinterpret_cast<const char*>(&v), sizeof v);
}

inline constexpr size_t kMaxVarint64Bytes = 10;

inline size_t VarintBytes(uint64_t v) { return (static_cast<size_t>(std::bit_width(v | 1)) + 6) / 7; }
// Writes at most kMaxVarint64Bytes; returns the end.
inline char* EncodeVarint(char* p, uint64_t v) {
  while (v >= 0x80) {
    *p++ = static_cast<char>(v | 0x80);
    v >>= 7;
  }
  *p++ = static_cast<char>(v);
  return p;
}
inline void AppendVarint(std::string* out, uint64_t v) {
  char buffer[kMaxVarint64Bytes];
  out->append(buffer, static_cast<size_t>(EncodeVarint(buffer, v) - buffer));
}
inline void AppendLengthPrefixed(std::string* out, Slice bytes) {
  AppendVarint(out, bytes.size());
  out->append(bytes);
}

const char* DecodeVarintSlow(const char* p, const char* limit, uint64_t* v);
// Returns the end of the varint at `p`, or nullptr if it is cut off by `limit` or longer than 64 bits.
inline const char* DecodeVarint(const char* p, const char* limit, uint64_t* v) {
  if (p < limit && static_cast<signed char>(*p) >= 0) [[likely]] {
    *v = static_cast<unsigned char>(*p);
    return p + 1;
  }
  return DecodeVarintSlow(p, limit, v);
}

// Reads fields from the front of a Slice; each Read returns false, and the reader stays failed, when the
// input is too short.
class Decoder {
 public:
  explicit Decoder(Slice input) : p_(input.data()), limit_(input.data() + input.size()) {}

  bool ReadU8(uint8_t* v);
  bool ReadU16(uint16_t* v);
  bool ReadU32(uint32_t* v);
  bool ReadU64(uint64_t* v);
  bool ReadVarint(uint64_t* v);
  bool ReadVarint32(uint32_t* v);
  bool ReadBytes(size_t n, Slice* bytes);
  bool ReadLengthPrefixed(Slice* bytes);

  Slice remaining() const { return Slice(p_, static_cast<size_t>(limit_ - p_)); }
  bool empty() const { return p_ == limit_; }
  bool ok() const { return !failed_; }

 private:
  bool Fail() {
    failed_ = true;
    p_ = limit_;
    return false;
  }
  size_t left() const { return static_cast<size_t>(limit_ - p_); }

  const char* p_;
  const char* limit_;
  bool failed_ = false;
};

}  // namespace seerdb
