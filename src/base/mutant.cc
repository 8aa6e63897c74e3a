#include "base/mutant.h"

#if defined(SEERDB_MUTANTS)

#include <cstdlib>
#include <cstring>

namespace seerdb {

bool MutantActive(const char* name) {
  static const char* const active = std::getenv("SEERDB_MUTANT");
  return active != nullptr && std::strcmp(active, name) == 0;
}

}  // namespace seerdb

#endif
