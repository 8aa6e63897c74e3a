// Memory straight from the system, for what is filled once and given back whole.
//
// Thread safety: all functions concurrently.
#pragma once

#include <cstddef>

namespace seerdb {

inline constexpr size_t kSystemPageBytes = 4096;
inline constexpr size_t kHugePageBytes = size_t{2} << 20;

// The least multiple of `unit` that is not below `bytes`. Requires: it fits a size_t.
inline size_t RoundUp(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

// `bytes` of memory that reads as zeros; null if the system refuses. `large`: in huge pages, where their size
// and the system allow it. Requires: bytes is a multiple of kSystemPageBytes. To be given back with
// UnmapMemory.
void* MapMemory(size_t bytes, bool large = true);
void UnmapMemory(void* memory, size_t bytes);
// Gives the pages back, and keeps the place: what is read there next are zeros. Requires: both are multiples
// of kSystemPageBytes.
void ReleaseMemory(void* memory, size_t bytes);
// Makes the system find and zero the pages now, and not when they are first written to. The bytes stay zeros.
void PopulateMemory(void* memory, size_t bytes);

}  // namespace seerdb
