// Failpoints: named places at which a test makes the engine fail or the process end; docs/testing.md lists
// them. Compiled in only with the CMake option SEERDB_FAILPOINTS; otherwise they are nothing.
//
// SEERDB_FAILPOINT("flush::after_sstable_write") in a function that returns Status or Result is constant OK
// unless a test has armed it; then it returns an error from that function, or ends the process without any
// clean-up, as a kill would. Thread safety: all functions concurrently.
#pragma once

#if defined(SEERDB_FAILPOINTS)

#include <cstdint>

#include "base/status_macros.h"
#include "seerdb/status.h"

namespace seerdb {

struct FailpointAction {
  // What happens at the `countdown`-th passage from now, and at no other.
  uint64_t countdown = 1;
  // The process ends with kFailpointExitCode; else `error` is returned.
  bool exit_process = false;
  Status error;
};

inline constexpr int kFailpointExitCode = 86;

void ArmFailpoint(const char* name, FailpointAction action);
void DisarmFailpoints();
// How often the place was passed since the last DisarmFailpoints, armed or not.
uint64_t FailpointPassages(const char* name);

// What SEERDB_FAILPOINT calls.
Status PassFailpoint(const char* name);

}  // namespace seerdb

#define SEERDB_FAILPOINT(name) SEERDB_RETURN_IF_ERROR(::seerdb::PassFailpoint(name))

#else

#define SEERDB_FAILPOINT(name) \
  do {                         \
  } while (false)

#endif
