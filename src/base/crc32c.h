// CRC-32C (Castagnoli), with the processor's instructions where there are some.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "seerdb/slice.h"

namespace seerdb::crc32c {

// The CRC of the concatenation of A and `bytes`, where `crc` is the CRC of A (0 for nothing).
uint32_t Extend(uint32_t crc, const char* bytes, size_t n);
inline uint32_t Extend(uint32_t crc, Slice bytes) { return Extend(crc, bytes.data(), bytes.size()); }
inline uint32_t Value(Slice bytes) { return Extend(0, bytes); }

// The forms that this processor can run, the fastest first: Extend is that one. For tests.
struct Form {
  const char* name;
  uint32_t (*extend)(uint32_t crc, const char* bytes, size_t n);
};
const std::vector<Form>& Forms();

}  // namespace seerdb::crc32c
