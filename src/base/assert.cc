#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace seerdb {

void AssertFailed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "seerdb: internal error: %s at %s:%d\n", condition, file, line);
  std::abort();
}

}  // namespace seerdb
