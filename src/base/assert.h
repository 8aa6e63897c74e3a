// SEERDB_ASSERT: for our own bugs only, on in every build; SEERDB_DCHECK: the same on hot paths, debug only.
// Bytes from disk, options and user calls never assert.
#pragma once

namespace seerdb {

// Prints the failed condition to stderr and aborts.
[[noreturn]] void AssertFailed(const char* condition, const char* file, int line);

}  // namespace seerdb

#define SEERDB_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::seerdb::AssertFailed(#condition, __FILE__, __LINE__))

#if defined(NDEBUG)
#define SEERDB_DCHECK(condition) static_cast<void>(0)
#else
#define SEERDB_DCHECK(condition) SEERDB_ASSERT(condition)
#endif
