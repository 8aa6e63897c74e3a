// PrefixHash: what a filter knows a prefix of keys by. Persistent: docs/format/table.md, "Filter".
#pragma once

#include <cstdint>

#include "base/hash.h"
#include "seerdb/slice.h"

namespace seerdb {

// Not that of a key with the same bytes.
inline uint64_t PrefixHash(Slice prefix) { return ~Hash64(prefix); }

}  // namespace seerdb
