// KeyProjection: the 64-bit window of a key that a model can compute with.
//
// The window is taken behind a prefix that all indexed keys share. Three kinds:
//   kBytes    the next 8 bytes, big-endian, padded with zeros;
//   kDecimal  the next 16 characters as a decimal number, padded with '0': digits then lie without gaps;
//   kHex      the next 16 characters as a number of digits 0-9 and a-f, padded with '0'.
// All are monotone (a <= b implies Window(a) <= Window(b)) for all keys and not injective: different keys
// may share a window, so only different windows say anything about the order of keys.
// Format: docs/format/table.md, "Index". Thread safety: const methods may be called concurrently.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/key_window.h"
#include "seerdb/slice.h"

namespace seerdb {

class KeyProjection {
 public:
  // Persistent.
  enum class Kind : uint32_t { kBytes = 0, kDecimal = 1, kHex = 2 };
  static constexpr uint32_t kMaxKind = 2;
  // Where a key lies against the keys that start with the prefix.
  enum class Side : int { kBefore = -1, kWithin = 0, kAfter = 1 };

  KeyProjection() = default;
  // Borrows `prefix`, which outlives the projection.
  explicit KeyProjection(Slice prefix, Kind kind = Kind::kBytes) : prefix_(prefix), kind_(kind) {}

  Slice prefix() const { return prefix_; }
  Kind kind() const { return kind_; }

  Side SideOf(Slice key) const {
    const size_t n = key.size() < prefix_.size() ? key.size() : prefix_.size();
    const int order = n == 0 ? 0 : std::memcmp(key.data(), prefix_.data(), n);
    if (order != 0) return order < 0 ? Side::kBefore : Side::kAfter;
    return key.size() < prefix_.size() ? Side::kBefore : Side::kWithin;
  }
  // Requires: SideOf(key) is kWithin.
  Slice Suffix(Slice key) const { return Slice(key.data() + prefix_.size(), key.size() - prefix_.size()); }
  // Requires: SideOf(key) is kWithin.
  uint64_t WindowWithin(Slice key) const {
    if (kind_ == Kind::kBytes) return BytesWindow(key, prefix_.size());
    return DigitsWindow(kind_, key, prefix_.size());
  }
  // Of any key; those outside the prefix get the lowest or the highest window.
  uint64_t Window(Slice key) const {
    switch (SideOf(key)) {
      case Side::kBefore:
        return 0;
      case Side::kAfter:
        return UINT64_MAX;
      case Side::kWithin:
        break;
    }
    return WindowWithin(key);
  }
  // Whether the window of `key` tells all of it, but for its length.
  bool Tells(Slice key) const { return SideOf(key) == Side::kWithin && TellsWithin(key); }
  // Requires: SideOf(key) is kWithin.
  bool TellsWithin(Slice key) const {
    if (Suffix(key).size() > WindowBytes(kind_)) return false;
    uint64_t window = 0;
    return kind_ == Kind::kBytes || LoadDigits(kind_, key, prefix_.size(), &window);
  }

  // Windows of `kind` tell a suffix of up to so many bytes, but for its length.
  static constexpr size_t WindowBytes(Kind kind) { return kind == Kind::kBytes ? 8 : 16; }
  // Whether `window` is that of a suffix of `bytes`, which it tells. Requires: bytes <= WindowBytes(kind).
  static bool IsWindowOf(Kind kind, uint64_t window, size_t bytes);
  // Writes that suffix to `out`. Requires: IsWindowOf.
  static void SuffixOfWindow(Kind kind, uint64_t window, size_t bytes, char* out);

  // Windows of `key` behind its first `skip` bytes. Require: skip <= key.size().
  static uint64_t BytesWindow(Slice key, size_t skip) { return LoadWindow(key, skip); }
  // Requires: kind is not kBytes.
  static uint64_t DigitsWindow(Kind kind, Slice key, size_t skip);
  // The same if it loses nothing of the 16 characters behind `skip`, which are digits of the kind, or end
  // early; else false.
  static bool LoadDigits(Kind kind, Slice key, size_t skip, uint64_t* window);
  // The first kind of digits that loses nothing of `count` keys, or kBytes. `key_at(i)`: the keys.
  template <typename KeyAt>
  static Kind Choose(size_t count, size_t skip, const KeyAt& key_at) {
    for (const Kind kind : {Kind::kDecimal, Kind::kHex}) {
      uint64_t window = 0;
      size_t i = 0;
      while (i < count && LoadDigits(kind, key_at(i), skip, &window)) ++i;
      if (i == count) return kind;
    }
    return Kind::kBytes;
  }

 private:
  template <Kind kKind>
  static bool LoadDigitsOf(Slice key, size_t skip, uint64_t* window);
  // The 8 bytes at `at`, the first lowest, zero where the key has ended.
  static uint64_t LoadPadded(Slice key, size_t at) {
    return at < key.size() ? __builtin_bswap64(LoadWindow(key, at)) : 0;
  }

  Slice prefix_;
  Kind kind_ = Kind::kBytes;
};

}  // namespace seerdb
