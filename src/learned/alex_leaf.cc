#include "learned/alex_leaf.h"

#include <algorithm>

#include "base/mutant.h"

namespace seerdb {
namespace {

constexpr uint32_t kBitmapWordBits = 64;
constexpr uint32_t kMinInsertsToJudge = 32;

uint32_t WordsFor(uint32_t capacity) { return (capacity + kBitmapWordBits - 1) / kBitmapWordBits; }

}  // namespace

size_t AlexLeaf::memory_bytes() const {
  return sizeof *this + capacity_ * sizeof(AlexEntry) + WordsFor(capacity_) * sizeof(uint64_t);
}

void AlexLeaf::Allocate(uint32_t capacity) {
  slots_ = std::make_unique_for_overwrite<AlexEntry[]>(capacity);
  bitmap_ = std::make_unique<uint64_t[]>(WordsFor(capacity));
  capacity_ = capacity;
}

void AlexLeaf::ForgetCounts() {
  iterations_ = 0;
  slots_moved_ = 0;
  inserts_ = appends_ = prepends_ = 0;
}

void AlexLeaf::Build(std::span<const AlexEntry> entries) {
  const uint32_t capacity = AlexCapacityFor(entries.size());
  Build(entries, capacity, FitAlexLeaf(entries, capacity));
}

void AlexLeaf::Build(std::span<const AlexEntry> entries, uint32_t capacity, const AlexFit& fit) {
  SEERDB_ASSERT(entries.size() < capacity);
  Allocate(capacity);
  ForgetCounts();
  count_ = static_cast<uint32_t>(entries.size());
  fit_ = fit;
  low_ = entries.empty() ? UINT64_MAX : entries.front().key;
  high_ = entries.empty() ? 0 : entries.back().key;
  uint32_t next = 0;
  const auto fill = [&](uint32_t end, uint64_t key) {
    for (; next < end; ++next) slots_[next] = {key, 0};
  };
  PlaceAlexEntries(entries, capacity, fit, [&](size_t i, uint32_t slot, uint32_t) {
    fill(slot, i == 0 ? 0 : entries[i].key);
    slots_[slot] = entries[i];
    SetOccupied(slot);
    next = slot + 1;
  });
  fill(capacity, UINT64_MAX);
}

void AlexLeaf::AppendEntriesTo(std::vector<AlexEntry>* out) const {
  for (uint32_t word = 0; word < WordsFor(capacity_); ++word) {
    for (uint64_t bits = bitmap_[word]; bits != 0; bits &= bits - 1) {
      out->push_back(slots_[word * kBitmapWordBits + static_cast<uint32_t>(std::countr_zero(bits))]);
    }
  }
}

uint32_t AlexLeaf::UpperBound(uint64_t key, uint32_t hint) const {
  const AlexEntry* const slots = slots_.get();
  uint32_t low = 0;  // all slots before it are not greater
  uint32_t high = 0;
  uint32_t step = 1;
  if (slots[hint].key > key) {
    high = hint;
    for (; step <= hint && slots[hint - step].key > key; step *= 2) high = hint - step;
    low = step <= hint ? hint - step + 1 : 0;
  } else {
    low = hint + 1;
    for (; step < capacity_ - hint && slots[hint + step].key <= key; step *= 2) low = hint + step + 1;
    high = std::min(hint + step, capacity_);
  }
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (slots[middle].key > key) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

uint32_t AlexLeaf::LowerBound(uint64_t key) const {
  if (key == 0) return NextOccupied(0);
  return NextOccupied(UpperBound(key - 1, fit_.line.Predict(key, capacity_)));
}

uint32_t AlexLeaf::NextOccupied(uint32_t slot) const {
  if (slot >= capacity_) return capacity_;
  uint32_t word = slot / kBitmapWordBits;
  uint64_t bits = bitmap_[word] & (UINT64_MAX << (slot % kBitmapWordBits));
  while (bits == 0) {
    if (++word == WordsFor(capacity_)) return capacity_;
    bits = bitmap_[word];
  }
  return word * kBitmapWordBits + static_cast<uint32_t>(std::countr_zero(bits));
}

uint32_t AlexLeaf::PrevOccupied(uint32_t slot) const {
  if (slot == 0) return kNoSlot;
  uint32_t word = (slot - 1) / kBitmapWordBits;
  uint64_t bits = bitmap_[word] & (UINT64_MAX >> (kBitmapWordBits - 1 - (slot - 1) % kBitmapWordBits));
  while (bits == 0) {
    if (word-- == 0) return kNoSlot;
    bits = bitmap_[word];
  }
  return word * kBitmapWordBits + kBitmapWordBits - 1 - static_cast<uint32_t>(std::countl_zero(bits));
}

uint32_t AlexLeaf::NextGap(uint32_t slot) const {
  if (slot >= capacity_) return capacity_;
  uint32_t word = slot / kBitmapWordBits;
  uint64_t gaps = ~bitmap_[word] & (UINT64_MAX << (slot % kBitmapWordBits));
  while (gaps == 0) {
    if (++word == WordsFor(capacity_)) return capacity_;
    gaps = ~bitmap_[word];
  }
  return std::min(word * kBitmapWordBits + static_cast<uint32_t>(std::countr_zero(gaps)), capacity_);
}

uint32_t AlexLeaf::PrevGap(uint32_t slot) const {
  if (slot == 0) return kNoSlot;
  uint32_t word = (slot - 1) / kBitmapWordBits;
  uint64_t gaps = ~bitmap_[word] & (UINT64_MAX >> (kBitmapWordBits - 1 - (slot - 1) % kBitmapWordBits));
  while (gaps == 0) {
    if (word-- == 0) return kNoSlot;
    gaps = ~bitmap_[word];
  }
  return word * kBitmapWordBits + kBitmapWordBits - 1 - static_cast<uint32_t>(std::countl_zero(gaps));
}

AlexLeaf::Insertion AlexLeaf::Insert(uint64_t key, uint64_t payload, uint32_t max_keys) {
  const uint32_t hint = fit_.line.Predict(key, capacity_);
  const uint32_t bound = UpperBound(key, hint);
  if (bound > 0 && slots_[bound - 1].key == key && IsOccupied(bound - 1)) {
    return {Outcome::kPresent, bound - 1};
  }
  if (count_ >= max_keys || count_ >= capacity_ - capacity_ / 5) return {Outcome::kFull, kNoSlot};
  uint32_t slot = 0;
  if ((bound > 0 && !IsOccupied(bound - 1)) || (bound < capacity_ && !IsOccupied(bound))) {
    slot = TakeGap(key, bound, hint);
  } else {
    // Keys that come in order would move ever more others into the gaps between them.
    const bool at_end = (bound == capacity_ && Appends()) || (bound == 0 && Prepends());
    if (at_end && count_ > capacity_ / 2) return {Outcome::kFull, kNoSlot};
    slot = MakeGap(bound);
  }
  slots_[slot] = {key, payload};
  SetOccupied(slot);
  ++count_;
  ++inserts_;
  iterations_ += static_cast<uint64_t>(std::bit_width(bound > hint ? bound - 1 - hint : hint - bound));
  if (key > high_) ++appends_;
  if (key < low_) ++prepends_;
  high_ = std::max(high_, key);
  low_ = std::min(low_, key);
  return {Outcome::kInserted, slot};
}

uint32_t AlexLeaf::TakeGap(uint64_t key, uint32_t bound, uint32_t hint) {
  const uint32_t before = PrevOccupied(bound);
  const uint32_t begin = before == kNoSlot ? 0 : before + 1;
  const uint32_t end = NextOccupied(bound);
  uint32_t slot = std::clamp(hint, begin, end - 1);
  if (key == UINT64_MAX) slot = end - 1;
  // Gaps before it must not hold a greater key, gaps behind it must. Where that is to be changed, they get
  // the least that they may hold, or the greatest: so keys that come in order need it but once.
  const uint64_t least = bound > begin       ? slots_[bound - 1].key
                         : before == kNoSlot ? 0
                                             : slots_[before].key + 1;
  const uint64_t behind = bound < capacity_ ? slots_[bound].key : UINT64_MAX;
  const uint32_t filled = SEERDB_MUTANT("alex-gap-unfilled") ? slot : bound;
  for (uint32_t i = filled; i < slot; ++i) slots_[i].key = least;
  for (uint32_t i = slot + 1; i < bound; ++i) slots_[i].key = behind;
  slots_moved_ += slot >= bound ? slot - bound : bound - slot - 1;
  return slot;
}

uint32_t AlexLeaf::MakeGap(uint32_t bound) {
  AlexEntry* const slots = slots_.get();
  const uint32_t right = NextGap(bound);
  const uint32_t left = PrevGap(bound);
  const bool has_right = right < capacity_;
  if (has_right && (left == kNoSlot || right - bound <= bound - 1 - left)) {
    std::copy_backward(slots + bound, slots + right, slots + right + 1);
    SetOccupied(right);
    slots_moved_ += right - bound;
    return bound;
  }
  SEERDB_ASSERT(left != kNoSlot);
  std::copy(slots + left + 1, slots + bound, slots + left);
  SetOccupied(left);
  slots_moved_ += bound - 1 - left;
  return bound - 1;
}

bool AlexLeaf::Erase(uint64_t key) {
  const uint32_t slot = Find(key);
  if (slot == kNoSlot) return false;
  bitmap_[slot / kBitmapWordBits] &= ~(uint64_t{1} << (slot % kBitmapWordBits));
  --count_;
  return true;
}

void AlexLeaf::MakeRoom() {
  const uint32_t extra = capacity_ / 3 + 4;
  if (Appends()) return Extend(0, extra);
  if (Prepends()) return Extend(extra, 0);
  std::vector<AlexEntry> entries;
  entries.reserve(count_);
  AppendEntriesTo(&entries);
  const uint32_t capacity = capacity_ + extra;
  AlexFit fit = fit_;
  fit.line = fit_.line.Scaled(static_cast<double>(capacity) / static_cast<double>(capacity_));
  MeasureAlexFit(entries, capacity, &fit);
  Build(entries, capacity, fit);
}

void AlexLeaf::Extend(uint32_t before, uint32_t behind) {
  const std::unique_ptr<AlexEntry[]> slots = std::move(slots_);
  const std::unique_ptr<uint64_t[]> bitmap = std::move(bitmap_);
  const uint32_t old = capacity_;
  Allocate(old + before + behind);
  std::fill_n(slots_.get(), before, AlexEntry{0, 0});
  std::copy_n(slots.get(), old, slots_.get() + before);
  std::fill_n(slots_.get() + before + old, behind, AlexEntry{UINT64_MAX, 0});
  for (uint32_t slot = 0; slot < old; ++slot) {
    if ((bitmap[slot / kBitmapWordBits] >> (slot % kBitmapWordBits) & 1) != 0) SetOccupied(slot + before);
  }
  fit_.line.intercept += before;
  ForgetCounts();
}

bool AlexLeaf::Deviates() const {
  if (inserts_ < kMinInsertsToJudge) return false;
  const double inserts = inserts_;
  const double cost = (static_cast<double>(iterations_) * kAlexSearchWeight +
                       static_cast<double>(slots_moved_) * kAlexShiftWeight) /
                      inserts;
  return cost > fit_.Cost() * 1.5 + kAlexSearchWeight;
}

void AlexLeaf::Link(AlexLeaf* prev, AlexLeaf* next) {
  prev_ = prev;
  next_ = next;
  if (prev != nullptr) prev->next_ = this;
  if (next != nullptr) next->prev_ = this;
}

void AlexLeaf::Unlink() {
  if (prev_ != nullptr) prev_->next_ = next_;
  if (next_ != nullptr) next_->prev_ = prev_;
  prev_ = next_ = nullptr;
}

const char* AlexLeaf::Broken() const {
  uint32_t occupied = 0;
  uint32_t last = kNoSlot;  // the occupied slot before
  for (uint32_t slot = 0; slot < capacity_; ++slot) {
    if (slot > 0 && slots_[slot].key < slots_[slot - 1].key) return "keys of slots descend";
    if (last != kNoSlot && slots_[slot].key <= slots_[last].key)
      return "a slot has the key of the one before it";
    if (!IsOccupied(slot)) continue;
    if (slots_[slot].key < low_ || slots_[slot].key > high_) return "a key is outside the leaf's range";
    last = slot;
    ++occupied;
  }
  if (capacity_ % kBitmapWordBits != 0 &&
      bitmap_[capacity_ / kBitmapWordBits] >> (capacity_ % kBitmapWordBits) != 0) {
    return "the bitmap goes on behind the slots";
  }
  return occupied == count_ && count_ < capacity_ ? "" : "the count is not that of the bitmap";
}

}  // namespace seerdb
