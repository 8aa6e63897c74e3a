#include "cache/block_memory.h"

#include <bit>
#include <new>

#include "base/system_memory.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SEERDB_ASAN
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SEERDB_ASAN
#endif
#ifdef SEERDB_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(begin, bytes) (static_cast<void>(begin), static_cast<void>(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(begin, bytes) (static_cast<void>(begin), static_cast<void>(bytes))
#endif

namespace seerdb {
namespace {

constexpr size_t kSpans = kHugePageBytes / BlockMemory::kSpanBytes;
constexpr size_t kMostSlots = BlockMemory::kSpanBytes / BlockMemory::kLeastSlotBytes;
constexpr size_t kSlotAlignment = 32;
constexpr size_t kNowhere = SIZE_MAX;

// Lists whose members know their places in them.
template <typename T>
void AddTo(std::vector<T*>* list, T* member) {
  member->place = list->size();
  list->push_back(member);
}
template <typename T>
void TakeFrom(std::vector<T*>* list, T* member) {
  T* const last = list->back();
  (*list)[member->place] = last;
  last->place = member->place;
  list->pop_back();
  member->place = kNowhere;
}

}  // namespace

struct BlockMemory::Span {
  char* begin = nullptr;
  Region* region = nullptr;
  size_t place = kNowhere;  // among the spans of its size with slots free
  size_t size_index = 0;
  bool released = false;  // its pages are the system's
  uint16_t slots = 0;
  uint16_t free_slots = 0;
  // The first free_slots of them: numbers of slots, the one to be handed out next last.
  std::array<uint8_t, kMostSlots> free;
};

struct BlockMemory::Region {
  char* memory = nullptr;
  size_t place = kNowhere;  // among the regions with spans free
  size_t free_spans = kSpans;
  std::array<Span*, kSpans> free;  // the first free_spans
  std::array<Span, kSpans> spans;
};

BlockMemory::~BlockMemory() {
  for (Region* region : roomy_regions_) Unmap(region);
}

size_t BlockMemory::SizeIndex(size_t bytes) {
  constexpr int kLeastLog = std::countr_zero(kLeastSlotBytes);
  if (bytes <= kLeastSlotBytes) return 0;
  const int log = static_cast<int>(std::bit_width(bytes - 1)) - 1;  // below `bytes`, and at least half of it
  const size_t step = (size_t{1} << log) / kStepsADoubling;
  const size_t steps = (bytes - (size_t{1} << log) + step - 1) / step;
  return static_cast<size_t>(log - kLeastLog) * kStepsADoubling + steps;
}

size_t BlockMemory::SlotBytes(size_t size_index) {
  if (size_index == 0) return kLeastSlotBytes;
  const size_t power = kLeastSlotBytes << ((size_index - 1) / kStepsADoubling);
  const size_t least = power + ((size_index - 1) % kStepsADoubling + 1) * (power / kStepsADoubling);
  // As many as fit a span, as large as that leaves them.
  return kSpanBytes / (kSpanBytes / least) / kSlotAlignment * kSlotAlignment;
}

BlockMemory::Slot BlockMemory::TakeFromHeap(size_t bytes) {
  return {static_cast<char*>(::operator new(bytes)), bytes, nullptr};
}

void BlockMemory::GiveToHeap(const Slot& slot) { ::operator delete(slot.data); }

BlockMemory::Slot BlockMemory::Take(size_t bytes) {
  if (bytes < kLeastSlotBytes || bytes > kMostSlotBytes) return TakeFromHeap(bytes);
  const size_t size_index = SizeIndex(bytes);
  Slot slot;
  while (!TryTake(size_index, &slot)) {
    if (!AddRegion()) return TakeFromHeap(bytes);
  }
  idle_bytes_.fetch_sub(slot.bytes, std::memory_order_relaxed);
  ASAN_UNPOISON_MEMORY_REGION(slot.data, slot.bytes);
  return slot;
}

bool BlockMemory::TryTake(size_t size_index, Slot* slot) {
  const size_t slot_bytes = SlotBytes(size_index);
  MutexLock lock(&mu_);
  Span* const span = SpanFor(size_index);
  if (span == nullptr) return false;
  const size_t number = span->free[--span->free_slots];
  if (span->free_slots == 0) TakeFrom(&roomy_spans_[size_index], span);
  *slot = {span->begin + number * slot_bytes, slot_bytes, span};
  return true;
}

void BlockMemory::Give(const Slot& slot) {
  if (slot.span == nullptr) return GiveToHeap(slot);
  ASAN_POISON_MEMORY_REGION(slot.data, slot.bytes);
  idle_bytes_.fetch_add(slot.bytes, std::memory_order_relaxed);
  Span* const span = slot.span;
  Region* needless = nullptr;
  {
    MutexLock lock(&mu_);
    span->free[span->free_slots++] =
        static_cast<uint8_t>(static_cast<size_t>(slot.data - span->begin) / slot.bytes);
    if (span->free_slots == span->slots) {
      needless = FreeSpan(span);
    } else if (span->free_slots == 1) {
      AddTo(&roomy_spans_[span->size_index], span);
    }
  }
  if (needless == nullptr) return;
  for (const Span& other : needless->spans) {
    if (!other.released) idle_bytes_.fetch_sub(kSpanBytes, std::memory_order_relaxed);
  }
  Unmap(needless);
}

BlockMemory::Span* BlockMemory::SpanFor(size_t size_index) {
  std::vector<Span*>& roomy = roomy_spans_[size_index];
  if (!roomy.empty()) return roomy.back();
  if (roomy_regions_.empty()) return nullptr;
  Region* const region = roomy_regions_.back();
  if (region->free_spans == kSpans) --empty_regions_;
  Span* const span = region->free[--region->free_spans];
  if (span->released) idle_bytes_.fetch_add(kSpanBytes, std::memory_order_relaxed);
  span->released = false;
  if (region->free_spans == 0) TakeFrom(&roomy_regions_, region);
  span->size_index = size_index;
  span->slots = static_cast<uint16_t>(kSpanBytes / SlotBytes(size_index));
  span->free_slots = span->slots;
  for (size_t i = 0; i < span->slots; ++i) span->free[i] = static_cast<uint8_t>(span->slots - 1 - i);
  AddTo(&roomy, span);
  return span;
}

bool BlockMemory::AddRegion() {
  // Without the lock: mmap may wait for the page faults of other threads.
  void* const memory = MapMemory(kHugePageBytes);
  if (memory == nullptr) return false;
  ASAN_POISON_MEMORY_REGION(memory, kHugePageBytes);
  auto region = std::make_unique<Region>();
  region->memory = static_cast<char*>(memory);
  for (size_t i = 0; i < kSpans; ++i) {
    region->spans[i].begin = region->memory + i * kSpanBytes;
    region->spans[i].region = region.get();
    region->free[i] = &region->spans[kSpans - 1 - i];
  }
  idle_bytes_.fetch_add(kHugePageBytes, std::memory_order_relaxed);
  MutexLock lock(&mu_);
  AddTo(&roomy_regions_, region.release());
  ++empty_regions_;
  return true;
}

BlockMemory::Region* BlockMemory::FreeSpan(Span* span) {
  TakeFrom(&roomy_spans_[span->size_index], span);
  Region* const region = span->region;
  if (idle_bytes() > most_idle_bytes_) {
    ReleaseMemory(span->begin, kSpanBytes);
    span->released = true;
    idle_bytes_.fetch_sub(kSpanBytes, std::memory_order_relaxed);
  }
  region->free[region->free_spans++] = span;
  if (region->free_spans == 1) AddTo(&roomy_regions_, region);
  if (region->free_spans < kSpans) return nullptr;
  if (empty_regions_ == 0) {
    ++empty_regions_;
    return nullptr;
  }
  TakeFrom(&roomy_regions_, region);
  return region;
}

void BlockMemory::Unmap(Region* region) {
  ASAN_UNPOISON_MEMORY_REGION(region->memory, kHugePageBytes);
  UnmapMemory(region->memory, kHugePageBytes);
  delete region;
}

BlockBuffer::BlockBuffer(BlockBuffer&& other) noexcept
    : memory_(std::move(other.memory_)),
      slot_(std::exchange(other.slot_, BlockMemory::Slot{})),
      size_(std::exchange(other.size_, 0)) {}

BlockBuffer& BlockBuffer::operator=(BlockBuffer&& other) noexcept {
  if (this == &other) return *this;
  Release();
  memory_ = std::move(other.memory_);
  slot_ = std::exchange(other.slot_, BlockMemory::Slot{});
  size_ = std::exchange(other.size_, 0);
  return *this;
}

void BlockBuffer::Release() {
  if (slot_.data == nullptr) return;
  if (memory_ != nullptr)
    memory_->Give(slot_);
  else
    BlockMemory::GiveToHeap(slot_);
  slot_ = {};
}

char* BlockBuffer::Resize(size_t bytes) {
  if (bytes > slot_.bytes) {
    Release();
    slot_ = memory_ != nullptr ? memory_->Take(bytes) : BlockMemory::TakeFromHeap(bytes);
  }
  SetSize(bytes);
  return slot_.data;
}

// What lies behind the block is nobody's to read.
void BlockBuffer::SetSize(size_t bytes) {
  size_ = bytes;
  if (slot_.span == nullptr) return;
  ASAN_UNPOISON_MEMORY_REGION(slot_.data, bytes);
  ASAN_POISON_MEMORY_REGION(slot_.data + bytes, slot_.bytes - bytes);
}

}  // namespace seerdb
