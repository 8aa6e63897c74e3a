#include "learned/alex_string_map.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <map>

#include "base/digits_test_util.h"
#include "base/random.h"

namespace seerdb {
namespace {

std::string FromSymbols(Random& random, Slice symbols, uint64_t most) {
  std::string key;
  for (uint64_t n = random.Uniform(most + 1); n > 0; --n)
    key.push_back(symbols[random.Uniform(symbols.size())]);
  return key;
}

struct KeyKind {
  const char* name;
  std::string (*next)(Random& random, uint64_t i);
};

constexpr KeyKind kKinds[] = {
    {"decimal", [](Random& random, uint64_t) { return Digits(random.Uniform(1'000'000), 12); }},
    {"ascending", [](Random&, uint64_t i) { return "user:" + Digits(i, 8); }},
    {"descending", [](Random&, uint64_t i) { return "user:" + Digits(100'000'000 - i, 9); }},
    {"binary",
     [](Random& random, uint64_t) { return FromSymbols(random, Slice("\0\1\x7f\x80\xff", 5), 12); }},
    {"zeros", [](Random& random, uint64_t) { return FromSymbols(random, Slice("\0\0\0\0\0\0\0a", 8), 40); }},
    {"one letter", [](Random& random, uint64_t) { return std::string(random.Uniform(400), 'a'); }},
    {"two letters", [](Random& random, uint64_t) { return FromSymbols(random, "ab", 30); }},
    {"paths",
     [](Random& random, uint64_t) {
       std::string key = "/usr/share";
       for (uint64_t n = random.Uniform(5); n > 0; --n) key += "/directory" + Digits(random.Uniform(30), 0);
       return key;
     }},
    {"shared 20, then 8 that differ late",
     [](Random& random, uint64_t) { return std::string(20, 'p') + Digits(random.Uniform(50'000), 30); }},
    {"ever shorter prefixes",
     [](Random& random, uint64_t i) {
       const size_t shared = i / 50 < 100 ? 100 - i / 50 : 0;
       return std::string(shared, 'x') + static_cast<char>('a' + random.Uniform(20)) + Digits(i % 50, 3);
     }},
};

// Random operations on the map and on a std::map, which must answer the same.
class StringDifferential {
 public:
  StringDifferential(const KeyKind& kind, uint64_t seed) : kind_(kind), random_(seed) {}

  void Run(int operations) {
    for (int i = 0; i < operations && !::testing::Test::HasFatalFailure(); ++i) {
      if (i % 5000 == 0) {
        growing_ = !growing_;
        CheckAll();
      }
      Step();
    }
    if (!::testing::Test::HasFatalFailure()) CheckAll();
  }
  const AlexStringMap& map() const { return map_; }

 private:
  std::string AnyKey() {
    std::string key = kind_.next(random_, random_.Uniform(made_ + 1));
    switch (random_.Uniform(8)) {
      case 0:
        return key + '\0';
      case 1:
        return key.substr(0, random_.Uniform(key.size() + 1));
      case 2:
        if (!key.empty()) key.back() = static_cast<char>(key.back() + 1);
        return key;
      default:
        return key;
    }
  }
  void Step() {
    const uint64_t choice = random_.Uniform(100);
    if (choice < (growing_ ? 50u : 10u)) {
      const std::string key = random_.OneIn(10) ? AnyKey() : kind_.next(random_, made_++);
      const uint64_t value = random_.Next();
      if (random_.OneIn(2)) {
        ASSERT_EQ(map_.Insert(key, value), expected_.emplace(key, value).second);
      } else {
        ASSERT_EQ(map_.InsertOrAssign(key, value), expected_.insert_or_assign(key, value).second);
      }
    } else if (choice < 65) {
      std::string key = AnyKey();
      const auto near = expected_.lower_bound(key);
      if (random_.OneIn(2) && near != expected_.end()) key = near->first;
      ASSERT_EQ(map_.Erase(key), expected_.erase(key) == 1);
    } else if (choice < 85) {
      const std::string key = AnyKey();
      const auto found = expected_.find(key);
      ASSERT_EQ(map_.Find(key), found == expected_.end() ? std::nullopt : std::optional(found->second));
    } else if (choice < 99 || !random_.OneIn(200)) {
      const std::string key = AnyKey();
      auto at = expected_.lower_bound(key);
      AlexStringMap::Cursor cursor = map_.LowerBound(key);
      for (uint64_t n = random_.Uniform(12); n > 0 && at != expected_.end(); --n, ++at, cursor.Next()) {
        ASSERT_TRUE(cursor.Valid()) << ::testing::PrintToString(key);
        ASSERT_EQ(cursor.key(), at->first);
        ASSERT_EQ(cursor.value(), at->second);
      }
      ASSERT_EQ(cursor.Valid(), at != expected_.end());
    } else {
      std::vector<AlexStringMap::Entry> entries;
      for (const auto& [key, value] : expected_) entries.push_back({key, value});
      map_.BulkLoad(std::move(entries));
    }
    ASSERT_EQ(map_.size(), expected_.size());
  }
  void CheckAll() {
    ASSERT_EQ(map_.Broken(), "");
    AlexStringMap::Cursor cursor = map_.Begin();
    for (const auto& [key, value] : expected_) {
      ASSERT_TRUE(cursor.Valid());
      ASSERT_EQ(cursor.key(), key);
      ASSERT_EQ(cursor.value(), value);
      cursor.Next();
    }
    ASSERT_FALSE(cursor.Valid());
  }

  const KeyKind& kind_;
  Random random_;
  AlexStringMap map_;
  std::map<std::string, uint64_t> expected_;
  uint64_t made_ = 0;
  bool growing_ = false;
};

TEST(AlexStringMapTest, AnswersLikeAMapWhateverTheKeys) {
  const char* const text = std::getenv("SEERDB_SEED");
  const uint64_t seed = text == nullptr ? SystemSeed() : std::strtoull(text, nullptr, 10);
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  for (const KeyKind& kind : kKinds) {
    SCOPED_TRACE(kind.name);
    StringDifferential differential(kind, seed);
    differential.Run(40'000);
    ASSERT_FALSE(HasFatalFailure());
    std::printf("%-36s %6zu keys, %4zu layers\n", kind.name, differential.map().size(),
                differential.map().layers());
  }
}

TEST(AlexStringMapTest, NothingAndTheEmptyKey) {
  AlexStringMap map;
  EXPECT_FALSE(map.Find("").has_value());
  EXPECT_FALSE(map.Erase(""));
  EXPECT_FALSE(map.Begin().Valid());
  EXPECT_EQ(map.Broken(), "");
  EXPECT_TRUE(map.Insert("", 1));
  EXPECT_FALSE(map.Insert("", 2));
  EXPECT_EQ(map.Find(""), std::optional<uint64_t>(1));
  EXPECT_TRUE(map.Insert(Slice("\0", 1), 2));
  EXPECT_EQ(map.LowerBound(Slice("\0", 1)).value(), 2u);
  EXPECT_TRUE(map.Erase(""));
  EXPECT_EQ(map.Begin().value(), 2u);
  EXPECT_TRUE(map.Erase(Slice("\0", 1)));
  EXPECT_TRUE(map.empty());
  EXPECT_EQ(map.layers(), 0u);
  EXPECT_EQ(map.Broken(), "");
}

// All in one window of the first layer, also those that end within it.
TEST(AlexStringMapTest, KeysThatWindowsCannotTellApart) {
  AlexStringMap map;
  std::map<std::string, uint64_t> expected;
  EXPECT_TRUE(map.Insert("z", 0));
  expected["z"] = 0;
  for (size_t length = 0; length < 300; ++length) {
    for (const char* end : {"", "a", "b"}) {
      const std::string key = std::string(length, '\0') + end;
      EXPECT_EQ(map.Insert(key, length), expected.emplace(key, length).second);
    }
  }
  EXPECT_EQ(map.Broken(), "");
  for (const auto& [key, value] : expected) {
    ASSERT_EQ(map.Find(key), std::optional(value));
    ASSERT_EQ(map.LowerBound(key).key(), key);
  }
  EXPECT_GT(map.layers(), 20u);
  for (const auto& [key, value] : expected) ASSERT_TRUE(map.Erase(key));
  EXPECT_EQ(map.layers(), 0u);
}

// Neither a prefix that is lost byte by byte nor many keys in one window make inserts slow: the tree would be
// built anew, or a group be shifted, for each of them.
TEST(AlexStringMapTest, ManyKeysBehindLongPrefixes) {
  AlexStringMap map;
  uint64_t keys = 0;
  for (size_t shared = 100; shared > 0; --shared) {
    for (uint64_t i = 0; i < 1000; ++i) {
      ASSERT_TRUE(map.Insert(std::string(shared, 'p') + "q" + Digits(i * 31 % 1000, 6), ++keys));
    }
  }
  EXPECT_EQ(map.size(), keys);
  EXPECT_LT(map.layers(), 1000u);
  EXPECT_EQ(map.Broken(), "");
  AlexStringMap loaded;
  std::vector<AlexStringMap::Entry> entries;
  for (AlexStringMap::Cursor cursor = map.Begin(); cursor.Valid(); cursor.Next()) {
    entries.push_back({std::string(cursor.key()), cursor.value()});
  }
  loaded.BulkLoad(std::move(entries));
  EXPECT_EQ(loaded.Broken(), "");
  EXPECT_EQ(loaded.size(), keys);
  std::printf("%zu keys: %zu layers, %zu bytes; loaded: %zu layers, %zu bytes\n", map.size(), map.layers(),
              map.memory_bytes(), loaded.layers(), loaded.memory_bytes());
}

}  // namespace
}  // namespace seerdb
