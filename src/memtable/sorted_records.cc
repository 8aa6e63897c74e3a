#include "memtable/sorted_records.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "base/key_window.h"
#include "base/mutant.h"
#include "base/prefetch.h"

namespace seerdb {
namespace {

using Items = std::span<SortItem>;

// Below so many items comparing is faster than counting.
constexpr size_t kFewItems = 48;
constexpr size_t kManyItems = 4096;
constexpr int kFewDigitBits = 8;
constexpr int kManyDigitBits = 11;
// Of equal windows: so few keys are compared rather than given other windows.
constexpr size_t kFewTies = 8;
// Keys that share more windows than this, each with other ones, are compared from there on.
constexpr int kMostLevels = 64;

void SortFewByWindow(Items items) {
  std::sort(items.begin(), items.end(),
            [](const SortItem& a, const SortItem& b) { return a.window < b.window; });
}

// A few of the highest bits in which windows differ, as a number that orders them as far as these bits do.
// Bits that all have in common are left out: of text a byte has but some that differ.
class Digit {
 public:
  // The highest `most_bits` of `differing`, or those in its three highest runs of ones. Requires: not 0.
  Digit(uint64_t differing, int most_bits) {
    std::array<int, kRuns> lows{};
    std::array<int, kRuns> lengths{};
    int bits = 0;
    for (size_t i = 0; i < kRuns && differing != 0 && bits < most_bits; ++i) {
      const int top = std::bit_width(differing);
      lengths[i] = std::min(std::countl_one(differing << (64 - top)), most_bits - bits);
      lows[i] = top - lengths[i];
      bits += lengths[i];
      differing &= (uint64_t{1} << lows[i]) - 1;
    }
    covers_all_ = differing == 0;
    for (size_t i = 0; i < kRuns; ++i) {
      bits -= lengths[i];
      shifts_[i] = lengths[i] == 0 ? 0 : lows[i] - bits;
      masks_[i] = ((uint64_t{1} << lengths[i]) - 1) << bits;
    }
  }
  size_t Of(uint64_t window) const {
    return (window >> shifts_[0] & masks_[0]) | (window >> shifts_[1] & masks_[1]) |
           (window >> shifts_[2] & masks_[2]);
  }
  // Windows with the same digit are equal.
  bool covers_all() const { return covers_all_; }

 private:
  static constexpr size_t kRuns = 3;
  std::array<int, kRuns> shifts_{};
  std::array<uint64_t, kRuns> masks_{};
  bool covers_all_ = false;
};

// By a digit, then what has the same one among itself.
template <int kDigitBits>
void SortByDigit(Items items, uint64_t differing, SortItem* scratch);

void SortByWindow(Items items, SortItem* scratch) {
  if (items.size() < kFewItems) return SortFewByWindow(items);
  uint64_t differing = 0;
  bool ascending = true;
  for (size_t i = 1; i < items.size(); ++i) {
    differing |= items[i].window ^ items[0].window;
    ascending &= items[i - 1].window <= items[i].window;
  }
  if (ascending) return;
  if (items.size() < kManyItems) {
    SortByDigit<kFewDigitBits>(items, differing, scratch);
  } else {
    SortByDigit<kManyDigitBits>(items, differing, scratch);
  }
}

template <int kDigitBits>
void SortByDigit(Items items, uint64_t differing, SortItem* scratch) {
  const Digit digit(differing, kDigitBits);
  std::array<uint32_t, size_t{1} << kDigitBits> ends{};
  for (const SortItem& item : items) ++ends[digit.Of(item.window)];
  uint32_t sum = 0;
  for (uint32_t& end : ends) sum += std::exchange(end, sum);
  for (const SortItem& item : items) scratch[ends[digit.Of(item.window)]++] = item;
  std::copy_n(scratch, items.size(), items.begin());
  if (digit.covers_all()) return;
  uint32_t begin = 0;
  for (const uint32_t end : ends) {
    if (end - begin > 1) SortByWindow(items.subspan(begin, end - begin), scratch + begin);
    begin = end;
  }
}

void SortByComparing(Items items) {
  std::sort(items.begin(), items.end(), [](const SortItem& a, const SortItem& b) {
    return Compare(*a.record, PositionOf(*b.record)) < 0;
  });
}

class Sorter {
 public:
  Sorter(Items items, SortItem* scratch) : all_(items), scratch_(scratch) {}

  // Orders items [begin, end) with windows at `offset`, before which their keys are equal.
  void SortLevel(size_t begin, size_t end, size_t offset, int level) {
    SortByWindow(all_.subspan(begin, end - begin), scratch_ + begin);
    for (size_t first = begin; first < end;) {
      size_t next = first + 1;
      while (next < end && all_[next].window == all_[first].window) ++next;
      for (size_t i = first + kAhead; i < next + kAhead && i + 1 < end; ++i) {
        if (all_[i].window == all_[i + 1].window) LoadTies(all_[i].record, all_[i + 1].record);
      }
      if (next - first > 1) SortTies(first, next, offset, level);
      first = next;
    }
  }

 private:
  // Records are anywhere in memory: those of ties are loaded while so many items before them are looked at.
  static constexpr size_t kAhead = 16;
  static void LoadTies(const Record* a, const Record* b) {
    constexpr size_t kKeyBytes = 24;  // of a short one
    for (const Record* record : {a, b}) {
      PrefetchLine(record);
      PrefetchLine(reinterpret_cast<const char*>(record + 1) + kKeyBytes);
    }
  }

  // Orders items whose windows at `offset` are equal.
  void SortTies(size_t begin, size_t end, size_t offset, int level) {
    const Items items = all_.subspan(begin, end - begin);
    if (SEERDB_MUTANT("replay-sorts-by-windows-alone")) return;
    if (items.size() <= kFewTies || level == kMostLevels) return SortByComparing(items);
    Slice shared = items[0].record->key();
    size_t longest = 0;
    for (const SortItem& item : items) {
      const Slice key = item.record->key();
      longest = std::max(longest, key.size());
      shared = shared.substr(0, offset + CommonPrefixBytes(shared.substr(offset), key.substr(offset)));
    }
    if (longest == shared.size()) {  // versions of one key, the newest first
      for (SortItem& item : items) item.window = ~item.record->trailer;
      return SortByWindow(items, scratch_ + begin);
    }
    // A key that ends within its window has the same one as those that go on with zeros.
    if (shared.size() < offset + sizeof(uint64_t)) return SortByComparing(items);
    for (SortItem& item : items) item.window = LoadWindow(item.record->key(), shared.size());
    SortLevel(begin, end, shared.size(), level + 1);
  }

  const Items all_;
  SortItem* const scratch_;
};

}  // namespace

void SortRecords(std::span<SortItem> items, size_t shared_bytes, SortItem* scratch) {
  Sorter(items, scratch).SortLevel(0, items.size(), shared_bytes, 0);
}

}  // namespace seerdb
