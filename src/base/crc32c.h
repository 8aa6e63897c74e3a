// CRC-32C (Castagnoli), with the processor's instruction where there is one.
#pragma once

#include <cstddef>
#include <cstdint>

#include "seerdb/slice.h"

namespace seerdb::crc32c {

// The CRC of the concatenation of A and `bytes`, where `crc` is the CRC of A (0 for nothing).
uint32_t Extend(uint32_t crc, const char* bytes, size_t n);
inline uint32_t Extend(uint32_t crc, Slice bytes) { return Extend(crc, bytes.data(), bytes.size()); }
inline uint32_t Value(Slice bytes) { return Extend(0, bytes); }

// The table-driven form, for tests.
uint32_t ExtendPortable(uint32_t crc, const char* bytes, size_t n);

}  // namespace seerdb::crc32c
