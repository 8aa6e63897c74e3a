#include "memtable/record_index.h"

#include <algorithm>
#include <bit>
#include <new>

#include "base/mutant.h"

namespace seerdb {
namespace {

constexpr uint64_t kMinSlots = 64;
constexpr size_t kLineBytes = 64;

}  // namespace

uint64_t RecordIndex::SlotsFor(uint64_t records) {
  return std::bit_ceil(std::max(kMinSlots, records + records / 2));
}

uint64_t RecordIndex::BytesFor(uint64_t records) { return SlotsFor(records) * sizeof(uint64_t); }

RecordIndex::RecordIndex(Arena* arena, uint64_t records)
    : mask_(SlotsFor(records) - 1),
      slots_(reinterpret_cast<std::atomic<uint64_t>*>(arena->Allocate(BytesFor(records), kLineBytes))) {
  for (uint64_t i = 0; i <= mask_; ++i) new (&slots_[i]) std::atomic<uint64_t>(0);
}

void RecordIndex::Add(uint64_t hash, const Record* record) {
  if (useless_.load(std::memory_order_relaxed)) return;
  const uint64_t address = reinterpret_cast<uintptr_t>(record);
  const uint64_t wanted = TagOf(hash) << kTagShift | address;
  uint64_t at = Home(hash);
  for (uint32_t probe = 0; probe < kMaxProbes && address >> kTagShift == 0; ++probe, at = (at + 1) & mask_) {
    const uint64_t slot = slots_[at].load(std::memory_order_relaxed);
    const bool same =
        slot != 0 && TagOf(slot) == TagOf(hash) && SameBytes(RecordOf(slot)->key(), record->key());
    if (same && SEERDB_MUTANT("record-index-keeps-the-first")) return;
    if (slot != 0 && !same) continue;
    slots_[at].store(wanted, std::memory_order_release);
    return;
  }
  // Before the record is published: no reader that may see it looks here.
  if (!SEERDB_MUTANT("full-record-index-stays")) useless_.store(true, std::memory_order_release);
}

}  // namespace seerdb
