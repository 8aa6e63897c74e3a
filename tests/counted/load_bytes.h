// The bytes that a fixed load writes for each byte that is put: one thread, which flushes and compacts.
#pragma once

#include "seerdb/status.h"

namespace seerdb::testing {

// Prints a line "NAME BYTES" for each kind of file, as the engine counts it, for all of them, and as the
// system does
// ("system"; without /proc/self/io there is no such line).
Status PrintLoadBytes();

}  // namespace seerdb::testing
