#include "memtable/record_index.h"

#include <algorithm>
#include <bit>
#include <new>

#include "base/assert.h"
#include "base/units.h"

namespace seerdb {
namespace {

constexpr uint64_t kMinSlots = 64;
// Given up when it has left out more than so many records, and one for so many slots.
constexpr uint64_t kFewLosses = 16;
constexpr uint64_t kSlotsPerLoss = 64;

}  // namespace

uint64_t RecordIndex::SlotsFor(uint64_t records) {
  return std::bit_ceil(std::max(kMinSlots, records + records / 2));
}

uint64_t RecordIndex::BytesFor(uint64_t records) { return SlotsFor(records) * sizeof(Slot); }

RecordIndex::RecordIndex(Arena* arena, uint64_t records) : mask_(SlotsFor(records) - 1) {
  SEERDB_ASSERT(BytesFor(records) <= kMaxBytes);
  for (uint64_t done = 0; done <= mask_; done += kPartSlots) {
    const uint64_t slots = std::min(kPartSlots, mask_ + 1 - done);
    char* const memory = arena->Allocate(slots * sizeof(Slot), kLineBytes);
    for (uint64_t i = 0; i < slots; ++i) new (memory + i * sizeof(Slot)) Slot(0);
    parts_[done >> kPartShift] = reinterpret_cast<Slot*>(memory);
  }
}

void RecordIndex::Add(uint64_t hash, const Record* record) {
  if (!in_use()) return;
  const uint64_t address = reinterpret_cast<uintptr_t>(record);
  if (address >> kTagShift != 0) {  // a system with larger addresses
    in_use_.store(false, std::memory_order_release);
    return;
  }
  uint64_t at = Home(hash);
  for (uint32_t probe = 0; probe < kMaxProbes; ++probe, at = (at + 1) & mask_) {
    Slot& place = SlotAt(at);
    const uint64_t slot = place.load(std::memory_order_relaxed);
    if (slot != 0) {
      if (TagOf(slot) != TagOf(hash) || !SameBytes(RecordOf(slot)->key(), record->key())) continue;
      if (SEERDB_MUTANT("record-index-keeps-the-first")) return;
    }
    place.store(TagOf(hash) << kTagShift | address, std::memory_order_release);
    return;
  }
  if (++left_out_ > kFewLosses + mask_ / kSlotsPerLoss) in_use_.store(false, std::memory_order_release);
}

}  // namespace seerdb
