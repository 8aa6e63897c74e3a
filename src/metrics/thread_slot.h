// ThreadSlot: a small number that a thread has to itself for as long as it lives, so that what it counts
// under that number needs no atomic read-modify-write.
//
// There are kThreadSlots in the process; a thread that finds none tries again at its next call. A number that
// is given back is taken over with everything its last holder wrote. Thread safety: any thread.
#pragma once

#include <cstdint>

namespace seerdb {

inline constexpr uint32_t kThreadSlots = 64;
inline constexpr uint32_t kNoThreadSlot = UINT32_MAX;

// Constant, and placed with the program's own thread data, so that reading it is one load.
extern constinit thread_local uint32_t thread_slot __attribute__((tls_model("initial-exec")));

// Gives this thread a slot, if one is free. kNoThreadSlot if not, and when the thread is about to end.
uint32_t ClaimThreadSlot();

// This thread's slot, or kNoThreadSlot.
inline uint32_t CurrentThreadSlot() {
  const uint32_t slot = thread_slot;
  return slot != kNoThreadSlot ? slot : ClaimThreadSlot();
}

}  // namespace seerdb
