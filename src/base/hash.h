// Hash64: XXH3-64 of a byte string. Persistent: filters and block tags on disk depend on it.
#pragma once

#include <cstdint>

#include "seerdb/slice.h"

namespace seerdb {

uint64_t Hash64(Slice bytes);

}  // namespace seerdb
