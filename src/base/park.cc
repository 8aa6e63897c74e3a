#include "base/park.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace seerdb {
namespace {

// Up to 140 cycles.
void Relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t) && std::atomic<uint32_t>::is_always_lock_free,
              "the kernel looks at the word itself");

bool SpinWhile(const std::atomic<uint32_t>& word, uint32_t value) {
  constexpr int kLooks = 64;
  for (int i = 0; i < kLooks; ++i) {
    if (word.load(std::memory_order_acquire) != value) return true;
    Relax();
  }
  return false;
}

void Pause() {
  constexpr int kTimes = 24;
  for (int i = 0; i < kTimes; ++i) Relax();
}

void ParkWhile(const std::atomic<uint32_t>& word, uint32_t value) {
  while (word.load(std::memory_order_acquire) == value) {
    ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
  }
}

void Unpark(const std::atomic<uint32_t>* word) {
  ::syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

}  // namespace seerdb
