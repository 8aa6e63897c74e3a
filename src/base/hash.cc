#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace seerdb {

uint64_t Hash64(Slice bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

}  // namespace seerdb
