// For the tests of ALEX: keys of several distributions, and a run of random operations on an AlexTree beside
// a std::map.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "base/random.h"
#include "learned/alex_tree.h"

namespace seerdb {

enum class AlexKeys {
  kSequential,
  kReverse,
  kUniform,
  kLognormal,
  kClustered,
  kBits,      // few bits set or clear, and what lies beside; 0 and the greatest key
  kLowBits,   // near 2^63, where doubles cannot tell neighbours apart
  kDense,     // few keys, so that most are met again
  kNested,    // clusters within clusters: distances are powers of two
  kBisecting  // each between the two before it
};
inline constexpr AlexKeys kAllAlexKeys[] = {AlexKeys::kSequential, AlexKeys::kReverse,   AlexKeys::kUniform,
                                            AlexKeys::kLognormal,  AlexKeys::kClustered, AlexKeys::kBits,
                                            AlexKeys::kLowBits,    AlexKeys::kDense,     AlexKeys::kNested,
                                            AlexKeys::kBisecting};

class AlexKeySource {
 public:
  AlexKeySource(AlexKeys kind, Random* random) : kind_(kind), random_(*random) {}

  static const char* Name(AlexKeys kind) {
    static constexpr const char* kNames[] = {"sequential", "reverse",  "uniform", "lognormal", "clustered",
                                             "bits",       "low bits", "dense",   "nested",    "bisecting"};
    return kNames[static_cast<size_t>(kind)];
  }
  uint64_t Next() {
    switch (kind_) {
      case AlexKeys::kSequential:
        return up_ += 1 + random_.Uniform(3);
      case AlexKeys::kReverse:
        return down_ -= 1 + random_.Uniform(3);
      case AlexKeys::kUniform:
        return random_.Next();
      case AlexKeys::kLognormal: {
        const double radius = std::sqrt(-2 * std::log(1 - random_.NextDouble()));
        return static_cast<uint64_t>(std::exp(2 * radius * std::cos(6.283185307 * random_.NextDouble())) *
                                     1e9);
      }
      case AlexKeys::kClustered:
        return random_.Uniform(50) * 0x0123456789abcdef + (random_.Uniform(1 << 14) << random_.Uniform(8));
      case AlexKeys::kBits: {
        uint64_t key = 0;
        for (uint64_t n = random_.Uniform(4); n > 0; --n) key ^= uint64_t{1} << random_.Uniform(64);
        if (random_.OneIn(2)) key = ~key;
        return key + random_.Uniform(3) - 1;
      }
      case AlexKeys::kLowBits:
        return (uint64_t{1} << 63) + random_.Uniform(100'000) - (random_.OneIn(2) ? 0 : 100'000);
      case AlexKeys::kDense:
        return random_.Uniform(5000);
      case AlexKeys::kNested:
        return (uint64_t{1} << random_.Uniform(64)) + (uint64_t{1} << random_.Uniform(32)) +
               random_.Uniform(200);
      case AlexKeys::kBisecting:
        break;
    }
    if (high_ - low_ < 2) {
      low_ = random_.Next();
      high_ = low_ | (random_.Next() | uint64_t{1} << 40);
    }
    const uint64_t middle = low_ + (high_ - low_) / 2;
    (random_.OneIn(2) ? low_ : high_) = middle;
    return middle;
  }

 private:
  const AlexKeys kind_;
  Random& random_;
  uint64_t up_ = 1000;
  uint64_t down_ = uint64_t{1} << 40;
  uint64_t low_ = 0;
  uint64_t high_ = 0;
};

// Random operations on a tree and on a map, which must answer the same. The tree grows and shrinks in turns.
class AlexDifferential {
 public:
  AlexDifferential(AlexKeys kind, const AlexOptions& options, uint64_t seed)
      : random_(seed), source_(kind, &random_), tree_(options) {}

  // Ends early where an answer is wrong: the test has failed then. `check_every`: operations between two
  // looks at the invariants and at all keys.
  void Run(uint64_t operations, uint64_t check_every) {
    for (uint64_t i = 0; i < operations && !::testing::Test::HasFatalFailure(); ++i, ++operations_) {
      if (i % check_every == 0) {
        growing_ = !growing_ || map_.size() < 100;
        CheckAll();
      }
      Step();
    }
    if (!::testing::Test::HasFatalFailure()) CheckAll();
  }
  uint64_t operations() const { return operations_; }
  const AlexTree& tree() const { return tree_; }

 private:
  void Step() {
    const uint64_t choice = random_.Uniform(100);
    if (choice < (growing_ ? 35u : 10u)) return Insert();
    if (choice < (growing_ ? 40u : 65u)) return Erase();
    if (choice < 90) return Find();
    if (choice < 99) return Scan();
    if (random_.OneIn(100)) return Reload();
    return growing_ ? Batch() : EraseRow();
  }
  uint64_t AnyKey() {
    return known_.empty() || random_.OneIn(4) ? source_.Next() : known_[random_.Uniform(known_.size())];
  }
  uint64_t NewKey() {
    const uint64_t key = source_.Next();
    if (known_.size() < kKnown) {
      known_.push_back(key);
    } else {
      known_[random_.Uniform(kKnown)] = key;
    }
    return key;
  }

  void Insert() {
    const uint64_t key = random_.OneIn(10) ? AnyKey() : NewKey();
    const uint64_t payload = random_.Next();
    if (random_.OneIn(2)) {
      ASSERT_EQ(tree_.Insert(key, payload), map_.emplace(key, payload).second) << key;
    } else {
      ASSERT_EQ(tree_.InsertOrAssign(key, payload), map_.insert_or_assign(key, payload).second) << key;
    }
    ASSERT_EQ(tree_.size(), map_.size());
  }
  void Erase() {
    uint64_t key = AnyKey();
    if (random_.OneIn(2)) {
      const auto near = map_.lower_bound(key);
      if (near != map_.end()) key = near->first;
    }
    ASSERT_EQ(tree_.Erase(key), map_.erase(key) == 1) << key;
    ASSERT_EQ(tree_.size(), map_.size());
  }
  void EraseRow() {
    auto at = map_.lower_bound(AnyKey());
    for (uint64_t n = random_.Uniform(400); n > 0 && at != map_.end(); --n) {
      ASSERT_TRUE(tree_.Erase(at->first)) << at->first;
      at = map_.erase(at);
    }
  }
  void Find() {
    const uint64_t key = AnyKey() + (random_.OneIn(3) ? random_.Uniform(3) - 1 : 0);
    const auto found = map_.find(key);
    ASSERT_EQ(tree_.Find(key), found == map_.end() ? std::nullopt : std::optional(found->second)) << key;
  }
  void Scan() {
    const uint64_t key = AnyKey() + random_.Uniform(3) - 1;
    auto expected = map_.lower_bound(key);
    AlexTree::Cursor cursor = tree_.LowerBound(key);
    for (uint64_t n = random_.Uniform(20); n > 0 && expected != map_.end(); --n, ++expected, cursor.Next()) {
      ASSERT_TRUE(cursor.Valid()) << key;
      ASSERT_EQ(cursor.key(), expected->first);
      ASSERT_EQ(cursor.payload(), expected->second);
    }
    ASSERT_EQ(cursor.Valid(), expected != map_.end()) << key;
  }
  void Batch() {
    std::map<uint64_t, uint64_t> batch;
    for (uint64_t n = random_.Uniform(random_.OneIn(10) ? 2000 : 50); n > 0; --n) {
      batch[random_.OneIn(10) ? AnyKey() : NewKey()] = random_.Next();
    }
    const size_t before = map_.size();
    for (const auto& [key, payload] : batch) map_[key] = payload;
    ASSERT_EQ(tree_.InsertBatch(Entries(batch)), map_.size() - before);
  }
  void Reload() { tree_.BulkLoad(Entries(map_)); }

  static std::vector<AlexEntry> Entries(const std::map<uint64_t, uint64_t>& map) {
    std::vector<AlexEntry> entries;
    for (const auto& [key, payload] : map) entries.push_back({key, payload});
    return entries;
  }
  void CheckAll() {
    ASSERT_EQ(tree_.Broken(), "");
    ASSERT_EQ(tree_.size(), map_.size());
    AlexTree::Cursor cursor = tree_.Begin();
    for (const auto& [key, payload] : map_) {
      ASSERT_TRUE(cursor.Valid());
      ASSERT_EQ(cursor.key(), key);
      ASSERT_EQ(cursor.payload(), payload);
      cursor.Next();
    }
    ASSERT_FALSE(cursor.Valid());
  }

  static constexpr size_t kKnown = 5000;

  Random random_;
  AlexKeySource source_;
  AlexTree tree_;
  std::map<uint64_t, uint64_t> map_;
  std::vector<uint64_t> known_;  // keys of late
  bool growing_ = false;
  uint64_t operations_ = 0;
};

}  // namespace seerdb
