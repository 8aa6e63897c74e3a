// The version of the library these headers belong to.
#pragma once

#include "seerdb/export.h"

#define SEERDB_VERSION_MAJOR 0
#define SEERDB_VERSION_MINOR 1
#define SEERDB_VERSION_PATCH 0

namespace seerdb {

// The version of the library linked, "0.1.0". Compare with the macros above to find a mismatch.
SEERDB_EXPORT const char* VersionString();

}  // namespace seerdb
