#include "metrics/thread_slot.h"

#include <atomic>
#include <bit>

namespace seerdb {
namespace {

static_assert(kThreadSlots == 64, "one bit a slot");
std::atomic<uint64_t> slots_taken{0};
constinit thread_local bool thread_ends = false;

// Gives the slot back when its thread ends.
class Holder {
 public:
  ~Holder() {
    const uint32_t slot = thread_slot;
    thread_ends = true;  // what runs in later destructors counts without a slot
    thread_slot = kNoThreadSlot;
    if (slot != kNoThreadSlot) slots_taken.fetch_and(~(uint64_t{1} << slot), std::memory_order_release);
  }
  void Hold() {}
};

}  // namespace

constinit thread_local uint32_t thread_slot = kNoThreadSlot;

uint32_t ClaimThreadSlot() {
  if (thread_ends) return kNoThreadSlot;
  uint64_t taken = slots_taken.load(std::memory_order_relaxed);
  uint32_t slot = 0;
  do {
    slot = static_cast<uint32_t>(std::countr_one(taken));
    if (slot >= kThreadSlots) return kNoThreadSlot;
  } while (!slots_taken.compare_exchange_weak(taken, taken | (uint64_t{1} << slot), std::memory_order_acquire,
                                              std::memory_order_relaxed));
  static thread_local Holder holder;
  holder.Hold();
  thread_slot = slot;
  return slot;
}

}  // namespace seerdb
