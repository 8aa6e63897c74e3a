// SEERDB_EXPORT marks the symbols of the public API; everything else is hidden in the shared library.
#pragma once

#if defined(SEERDB_SHARED) && (defined(__GNUC__) || defined(__clang__))
#define SEERDB_EXPORT [[gnu::visibility("default")]]
#else
#define SEERDB_EXPORT
#endif
