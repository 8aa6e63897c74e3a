#include "base/system_memory.h"

#include <sys/mman.h>

#include <cstdint>

#include "base/assert.h"

namespace seerdb {
namespace {

// `bytes` of anonymous memory aligned to `alignment`; null if the system refuses.
void* MapAligned(size_t bytes, size_t alignment) {
  const size_t mapped_bytes = bytes + alignment - kSystemPageBytes;
  void* mapped = mmap(nullptr, mapped_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  const uintptr_t begin = reinterpret_cast<uintptr_t>(mapped);
  const uintptr_t aligned = RoundUp(begin, alignment);
  if (aligned > begin) munmap(mapped, aligned - begin);
  const uintptr_t tail = begin + mapped_bytes - (aligned + bytes);
  if (tail > 0) munmap(reinterpret_cast<void*>(aligned + bytes), tail);
  return reinterpret_cast<void*>(aligned);
}

}  // namespace

void* MapMemory(size_t bytes, bool large) {
  SEERDB_ASSERT(bytes % kSystemPageBytes == 0);
  const bool huge = bytes % kHugePageBytes == 0;
  void* const memory = MapAligned(bytes, huge ? kHugePageBytes : kSystemPageBytes);
  // Only a hint: refusal costs nothing but speed.
  if (memory != nullptr && huge) madvise(memory, bytes, large ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
  return memory;
}

void UnmapMemory(void* memory, size_t bytes) { munmap(memory, bytes); }

void ReleaseMemory(void* memory, size_t bytes) { madvise(memory, bytes, MADV_DONTNEED); }

void PopulateMemory(void* memory, size_t bytes) {
  // Page by page: MADV_POPULATE_WRITE would hold the lock of the process's memory map all the while, for
  // which other threads' mmap waits.
  for (size_t i = 0; i < bytes; i += kSystemPageBytes) static_cast<volatile char*>(memory)[i] = 0;
}

}  // namespace seerdb
