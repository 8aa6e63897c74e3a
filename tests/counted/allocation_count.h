// How often this program has taken memory: malloc and its relatives, and so operator new, and anonymous
// mappings, from which the arenas take their large chunks.
//
// Linking allocation_count.cc replaces these functions in the whole program. Thread safety: any thread.
#pragma once

#include <cstdint>

namespace seerdb::testing {

uint64_t AllocationCount();

}  // namespace seerdb::testing
