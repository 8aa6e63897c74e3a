// PrefetchLine, PrefetchBytes: ask the processor for memory that will soon be read.
#pragma once

#include <cstddef>

#include "base/units.h"

namespace seerdb {

// Starts to load the line that holds `address`, which may be anything. Not __builtin_prefetch: GCC takes a
// function that does nothing else for one without effect, and leaves out the calls to it that it does not
// inline early.
[[gnu::always_inline]] inline void PrefetchLine(const void* address) {
#if defined(__x86_64__)
  asm volatile("prefetcht0 %0" : : "m"(*static_cast<const char*>(address)));
#else
  __builtin_prefetch(address);
  asm volatile("" : : "r"(address));
#endif
}

// The same for each line of [begin, begin + bytes), but the last if `begin` is not at the front of one.
[[gnu::always_inline]] inline void PrefetchBytes(const void* begin, size_t bytes) {
  for (size_t i = 0; i < bytes; i += kLineBytes) PrefetchLine(static_cast<const char*>(begin) + i);
}

}  // namespace seerdb
