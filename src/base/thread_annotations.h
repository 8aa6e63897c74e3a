// Macros for clang's thread-safety analysis; empty for other compilers.
#pragma once

#if defined(__clang__)
#define SEERDB_TSA(x) __attribute__((x))
#else
#define SEERDB_TSA(x)
#endif

#define CAPABILITY(x) SEERDB_TSA(capability(x))
#define SCOPED_CAPABILITY SEERDB_TSA(scoped_lockable)
#define GUARDED_BY(x) SEERDB_TSA(guarded_by(x))
#define PT_GUARDED_BY(x) SEERDB_TSA(pt_guarded_by(x))
#define ACQUIRED_BEFORE(...) SEERDB_TSA(acquired_before(__VA_ARGS__))
#define ACQUIRED_AFTER(...) SEERDB_TSA(acquired_after(__VA_ARGS__))
#define REQUIRES(...) SEERDB_TSA(requires_capability(__VA_ARGS__))
#define ACQUIRE(...) SEERDB_TSA(acquire_capability(__VA_ARGS__))
#define TRY_ACQUIRE(...) SEERDB_TSA(try_acquire_capability(__VA_ARGS__))
#define RELEASE(...) SEERDB_TSA(release_capability(__VA_ARGS__))
#define EXCLUDES(...) SEERDB_TSA(locks_excluded(__VA_ARGS__))
#define ASSERT_CAPABILITY(x) SEERDB_TSA(assert_capability(x))
#define RETURN_CAPABILITY(x) SEERDB_TSA(lock_returned(x))
#define NO_THREAD_SAFETY_ANALYSIS SEERDB_TSA(no_thread_safety_analysis)
