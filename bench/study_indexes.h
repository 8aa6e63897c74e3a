// The indexes of the study: a model over the windows of keys, and what it is compared with. Each is an index
// class of study_subject.h.
//
// A key is projected to its window, the model brackets the rank, windows and, on ties, whole keys decide.
// Thread safety: immutable, freely shared.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/key_window.h"
#include "learned/bracket_search.h"
#include "learned/key_projection.h"
#include "sorted_keys.h"
#include "study_subject.h"

namespace seerdb::bench {

// The projection that fits all of `keys`: behind their common prefix, of the kind that loses least.
inline KeyProjection ProjectionOf(const SortedKeys& keys) {
  if (keys.size() == 0) return KeyProjection();
  const size_t shared = CommonPrefixBytes(keys[0], keys[keys.size() - 1]);
  const auto kind = KeyProjection::Choose(keys.size(), shared, [&](size_t i) { return keys[i]; });
  return KeyProjection(keys[0].substr(0, shared), kind);
}

inline std::vector<uint64_t> WindowsOf(const SortedKeys& keys, const KeyProjection& projection) {
  std::vector<uint64_t> windows(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) windows[i] = projection.WindowWithin(keys[i]);
  return windows;
}

// Where a search takes the windows of ranks from: the keys themselves, or a column of its own of 8 bytes a
// key.
enum class WindowsFrom : unsigned char { kKeys, kColumn };

// A Kind is a small struct:
//   static std::string Name();
//   static constexpr bool kLearned;
//   static Model Build(std::span<const uint64_t> windows);
// A Model has the shape of PlaModel: IsOf(count), Find(window), memory_bytes(), and max_error() if it knows
// it.
template <typename Kind, WindowsFrom kFrom>
class ModelIndex {
  using Model = decltype(Kind::Build(std::span<const uint64_t>()));

 public:
  static constexpr bool kLearned = Kind::kLearned;
  static constexpr bool kOrdered = true;
  static std::string Name() {
    return Kind::Name() + (kFrom == WindowsFrom::kColumn ? ", window column" : "");
  }

  explicit ModelIndex(const SortedKeys& keys) : keys_(keys), projection_(ProjectionOf(keys)) {
    std::vector<uint64_t> windows = WindowsOf(keys, projection_);
    model_ = Kind::Build(windows);
    if constexpr (kFrom == WindowsFrom::kColumn) windows_ = std::move(windows);
  }
  size_t memory_bytes() const { return model_.memory_bytes() + windows_.size() * sizeof(uint64_t); }
  uint32_t max_error() const requires requires(const Model& model) { model.max_error(); }
  { return model_.max_error(); }

  IndexAnswer LowerBound(Slice key) const {
    const KeyProjection::Side side = projection_.SideOf(key);
    if (side == KeyProjection::Side::kBefore) return {0, true};
    if (side == KeyProjection::Side::kAfter) return {static_cast<uint32_t>(keys_.size()), true};
    const uint64_t window = projection_.WindowWithin(key);
    const auto window_at = [&](size_t rank) {
      if constexpr (kFrom == WindowsFrom::kColumn) return windows_[rank];
      return projection_.WindowWithin(keys_[rank]);
    };
    const auto before = [&](size_t rank) { return keys_[rank] < key; };
    ApproxRange guess;
    const bool guessed = model_.IsOf(keys_.size());
    if (guessed) guess = model_.Find(window);
    const BracketResult found =
        BracketSearch(guessed ? &guess : nullptr, keys_.size(), window, window_at, before);
    return {static_cast<uint32_t>(found.rank), found.bracketed};
  }
  IndexAnswer Get(Slice key) const {
    IndexAnswer answer = LowerBound(key);
    if (answer.rank == keys_.size() || !SameBytes(keys_[answer.rank], key)) answer.rank = kAbsent;
    return answer;
  }

 private:
  const SortedKeys& keys_;
  const KeyProjection projection_;
  Model model_;
  std::vector<uint64_t> windows_;
};

// Binary search by whole keys. It takes no memory.
class BinarySearchOnKeys {
 public:
  static constexpr bool kLearned = false;
  static constexpr bool kOrdered = true;
  static std::string Name() { return "binary search, keys"; }

  explicit BinarySearchOnKeys(const SortedKeys& keys) : keys_(keys) {}
  size_t memory_bytes() const { return 0; }
  IndexAnswer LowerBound(Slice key) const { return {static_cast<uint32_t>(keys_.LowerBound(key)), true}; }
  IndexAnswer Get(Slice key) const {
    const size_t rank = keys_.LowerBound(key);
    const bool found = rank < keys_.size() && SameBytes(keys_[rank], key);
    return {found ? static_cast<uint32_t>(rank) : kAbsent, true};
  }

 private:
  const SortedKeys& keys_;
};

// Open addressing from the hash of a key to its rank. Each slot has 32 bits of the hash, which spare most
// comparisons with another key.
class HashTable {
 public:
  static constexpr bool kLearned = false;
  static constexpr bool kOrdered = false;
  static std::string Name() { return "hash table"; }

  explicit HashTable(const SortedKeys& keys) : keys_(keys), slots_(keys.size() * 10 / 7 + 1) {
    for (size_t rank = 0; rank < keys.size(); ++rank) {
      const uint64_t hash = Hash64(keys[rank]);
      size_t at = HomeOf(hash);
      while (slots_[at].rank != kAbsent) at = at + 1 == slots_.size() ? 0 : at + 1;
      slots_[at] = {static_cast<uint32_t>(rank), static_cast<uint32_t>(hash)};
    }
  }
  size_t memory_bytes() const { return slots_.size() * sizeof(Slot); }
  IndexAnswer Get(Slice key) const {
    const uint64_t hash = Hash64(key);
    for (size_t at = HomeOf(hash); slots_[at].rank != kAbsent; at = at + 1 == slots_.size() ? 0 : at + 1) {
      const Slot slot = slots_[at];
      if (slot.tag == static_cast<uint32_t>(hash) && SameBytes(keys_[slot.rank], key))
        return {slot.rank, true};
    }
    return {kAbsent, true};
  }

 private:
  struct Slot {
    uint32_t rank = kAbsent;
    uint32_t tag = 0;
  };
  size_t HomeOf(uint64_t hash) const {
    return static_cast<size_t>((static_cast<unsigned __int128>(hash) * slots_.size()) >> 64);
  }

  const SortedKeys& keys_;
  std::vector<Slot> slots_;
};

}  // namespace seerdb::bench
