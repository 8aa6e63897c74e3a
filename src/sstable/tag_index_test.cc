// The tag index by itself: every key is found in it, hardly any other is, and damage is refused or harmless.
#include "sstable/tag_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "base/digits_test_util.h"
#include "base/hash.h"
#include "base/key_window.h"
#include "base/random.h"

namespace seerdb {
namespace {

std::string RandomKey(Random& random, size_t n) {
  std::string out(n, '\0');
  for (char& c : out) c = static_cast<char>(random.Next());
  return out;
}

struct Shape {
  const char* name;
  bool fits;
  std::vector<std::string> keys;
};

std::vector<Shape> Shapes(Random& random, uint64_t count) {
  std::vector<Shape> shapes = {{"even digits", true, {}},
                               {"digits with gaps", true, {}},
                               {"random bytes", true, {}},
                               {"tenants", true, {}},
                               {"days", true, {}},
                               {"one window for all", false, {}},
                               {"long keys", false, {}},
                               {"short", true, {}},
                               {"lengths that differ", true, {}},
                               {"hex", true, {}}};
  uint64_t gap = 0;
  for (uint64_t i = 0; i < count; ++i) {
    gap += 1 + random.Uniform(100);
    shapes[0].keys.push_back("user" + Digits(i * 3, 12));
    shapes[1].keys.push_back(Digits(gap, 16));
    shapes[2].keys.push_back(RandomKey(random, 16));
    // A few large tenants whose ids begin alike, so that no one prefix and eight bytes tell their keys apart.
    shapes[3].keys.push_back("tenant" + Digits(i / 5000 * 37, 4) + "/object/" + Digits(i % 5000 * 7, 10));
    shapes[4].keys.push_back("2026-11-" + Digits(1 + i / 4000, 2) + "T" + Digits(i % 4000, 8) + "-reading");
    // More share a window than a search looks at, and too few share a prefix for a section of their own.
    shapes[5].keys.push_back(Digits(i / 50 * 7, 6) + "eightbyt" + RandomKey(random, 9));
    shapes[6].keys.push_back(Digits(i, 16) + std::string(1100, 'x'));
    if (i < 300) shapes[7].keys.push_back(Digits(i, 3));
    char hex[24];
    std::snprintf(hex, sizeof hex, "%016llx", static_cast<unsigned long long>(random.Next()));
    shapes[9].keys.push_back(hex);
    shapes[8].keys.push_back(Digits(i, 12).substr(0, 12 - random.Uniform(3)));
  }
  for (Shape& shape : shapes) {
    std::sort(shape.keys.begin(), shape.keys.end());
    shape.keys.erase(std::unique(shape.keys.begin(), shape.keys.end()), shape.keys.end());
  }
  return shapes;
}

// An index of `keys`, and where each of them is.
struct Built {
  explicit Built(const std::vector<std::string>& keys, Random* random, Slice shared_prefix = Slice())
      : builder(shared_prefix, TagSectionBuilder::kUsualBitsPerKey) {
    const auto is_one_in = [random](uint64_t n) { return random != nullptr && random->OneIn(n); };
    uint32_t in_block = 0;
    const auto next_entry = [&] {
      if (entries == 0 || in_block == 35 || is_one_in(50)) {
        builder.StartBlock();
        first_ranks.push_back(entries);
        in_block = 0;
      }
      ++in_block;
      ++entries;
    };
    for (size_t i = 0; i < keys.size(); ++i) {
      const size_t shared = i == 0 ? 0 : CommonPrefixBytes(keys[i - 1], keys[i]);
      next_entry();
      ranks.push_back(entries - 1);
      builder.AddNewest(keys[i], shared, Hash64(keys[i]));
      for (uint64_t older = is_one_in(10) ? random->Uniform(is_one_in(50) ? 400 : 4) : 0; older > 0;
           --older) {
        next_entry();
        builder.AddOlder(Hash64(keys[i]));
      }
    }
    fits = builder.Fit();
    if (fits) bytes = builder.Finish();
  }
  Result<TagIndex> Decode() const {
    return TagIndex::Decode(bytes, static_cast<uint32_t>(first_ranks.size()), entries);
  }

  TagIndexBuilder builder;
  std::vector<uint32_t> ranks;
  std::vector<uint32_t> first_ranks;
  uint32_t entries = 0;
  bool fits = false;
  std::string bytes;
};

bool MayHave(const TagIndex& index, const std::string& key) {
  const RankRange ranks = index.Find(key);
  index.Prefetch(ranks);
  return index.Match(ranks, RankTag::Of(Hash64(key))) < ranks.end;
}

void ExpectFound(const TagIndex& index, const Built& built, const std::vector<std::string>& keys) {
  for (size_t i = 0; i < keys.size(); ++i) {
    const RankTag tag = RankTag::Of(Hash64(keys[i]));
    RankRange ranks = index.Find(keys[i]);
    ASSERT_LE(ranks.end, index.entries());
    ranks.begin = index.Match(ranks, tag);
    while (ranks.begin < ranks.end && ranks.begin != built.ranks[i]) {
      ++ranks.begin;
      ranks.begin = index.Match(ranks, tag);
    }
    ASSERT_LT(ranks.begin, ranks.end) << keys[i];
    const EntryPlace place = index.Locate(built.ranks[i]);
    const auto next = std::upper_bound(built.first_ranks.begin(), built.first_ranks.end(), built.ranks[i]);
    ASSERT_EQ(place.block, static_cast<uint32_t>(next - built.first_ranks.begin()) - 1);
    ASSERT_EQ(place.entry, built.ranks[i] - built.first_ranks[place.block]);
    ASSERT_LT(place.entry, index.EntriesOf(place.block));
  }
}

TEST(TagIndexTest, EveryKeyIsFoundAndHardlyAnyOther) {
  const uint64_t seed = SystemSeed();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  Random random(seed);
  for (int round = 0; round < 4; ++round) {
    const bool versions = round % 2 != 0;
    for (const Shape& shape : Shapes(random, 100'000)) {
      SCOPED_TRACE(std::string(shape.name) + ", round " + std::to_string(round));
      const Slice shared =
          Slice(shape.keys.front()).substr(0, CommonPrefixBytes(shape.keys.front(), shape.keys.back()));
      const Built built(shape.keys, versions ? &random : nullptr, round < 2 ? Slice() : shared);
      // Hundreds of versions between keys of one window are more than a search looks at.
      ASSERT_TRUE(versions || built.fits == shape.fits);
      if (!built.fits) continue;
      const auto index = built.Decode();
      ASSERT_TRUE(index.ok()) << index.status().ToString();
      ASSERT_NO_FATAL_FAILURE(ExpectFound(*index, built, shape.keys));
      if (round >= 2 && Slice(shape.name).starts_with("even")) {
        EXPECT_EQ(index->sections(), 1u);
      }
      uint64_t asked = 0;
      uint64_t passed = 0;
      for (const std::string& key : shape.keys) {
        for (const std::string& other : {key + '\0', key.substr(0, key.size() - 1), key + "5"}) {
          if (std::binary_search(shape.keys.begin(), shape.keys.end(), other)) continue;
          ++asked;
          passed += MayHave(*index, other) ? 1 : 0;
        }
      }
      // 2 * 17 tags of 12 bits are 0.8 % of an absent key. An older version has its key's tag.
      if (asked > 10'000) {
        EXPECT_LT(passed, asked / (versions ? 50 : 80));
      }
    }
  }
}

TEST(TagIndexTest, TakesSixteenBitsOfAKey) {
  Random random(1);
  for (const Shape& shape : Shapes(random, 200'000)) {
    const Built built(shape.keys, nullptr);
    if (!built.fits || shape.keys.size() < 100'000) continue;
    SCOPED_TRACE(shape.name);
    EXPECT_LT(built.bytes.size() * 8, shape.keys.size() * 17);
    EXPECT_NEAR(static_cast<double>(built.builder.bytes()), static_cast<double>(built.bytes.size()), 1000);
  }
}

TEST(TagIndexTest, KeysOutsideItsKeysAreAnswered) {
  Random random(2);
  for (const Shape& shape : Shapes(random, 70'000)) {
    const Built built(shape.keys, nullptr);
    if (!built.fits) continue;
    const auto index = built.Decode();
    ASSERT_TRUE(index.ok());
    for (const std::string& key : {std::string(), std::string(1, '\0'), std::string(40, '\xff'),
                                   std::string("t"), std::string("tenant9999/"), std::string("user")}) {
      const RankRange ranks = index->Find(key);
      EXPECT_LE(ranks.end, index->entries());
      index->Match(ranks, RankTag::Of(Hash64(key)));
    }
  }
}

// Reads what a search would; nothing outside the bytes, which lie on the heap at their exact size.
void Use(const TagIndex& index, const std::vector<std::string>& keys) {
  for (const std::string& key : keys) {
    RankRange ranks = index.Find(key);
    ASSERT_LE(ranks.end, index.entries());
    for (ranks.begin = index.Match(ranks, RankTag::Of(Hash64(key))); ranks.begin < ranks.end;) {
      const EntryPlace place = index.Locate(ranks.begin);
      ASSERT_LT(place.entry, index.EntriesOf(place.block));
      ++ranks.begin;
      ranks.begin = index.Match(ranks, RankTag::Of(Hash64(key)));
    }
  }
}

TEST(TagIndexTest, DamageIsRefusedOrReadsNothingElse) {
  Random random(3);
  std::vector<std::string> keys;
  for (int tenant = 0; tenant < 3; ++tenant) {
    for (uint64_t i = 0; i < 300; ++i)
      keys.push_back(std::string(3, static_cast<char>('a' + tenant)) + Digits(i, 12));
  }
  const Built built(keys, nullptr);
  ASSERT_TRUE(built.fits);
  ASSERT_TRUE(built.Decode().ok());
  const auto blocks = static_cast<uint32_t>(built.first_ranks.size());
  uint64_t refused = 0;
  for (size_t at = 0; at < built.bytes.size(); ++at) {
    for (const int mask : {1, 0x80, 0xff}) {
      std::vector<char> bad(built.bytes.begin(), built.bytes.end());
      bad[at] = static_cast<char>(bad[at] ^ mask);
      const auto index = TagIndex::Decode(Slice(bad.data(), bad.size()), blocks, built.entries);
      if (!index.ok()) {
        ++refused;
        continue;
      }
      ASSERT_NO_FATAL_FAILURE(Use(*index, keys)) << at;
    }
  }
  EXPECT_GT(refused, 100u);
  for (size_t bytes = 0; bytes < built.bytes.size(); ++bytes) {
    const std::vector<char> cut(built.bytes.begin(), built.bytes.begin() + static_cast<ptrdiff_t>(bytes));
    EXPECT_FALSE(TagIndex::Decode(Slice(cut.data(), cut.size()), blocks, built.entries).ok()) << bytes;
  }
  EXPECT_TRUE(TagIndex::Decode(built.bytes + "x", blocks, built.entries).status().IsCorruption());
  EXPECT_TRUE(TagIndex::Decode(built.bytes, blocks + 1, built.entries).status().IsCorruption());
  EXPECT_TRUE(TagIndex::Decode(built.bytes, blocks, built.entries + 1).status().IsCorruption());
}

}  // namespace
}  // namespace seerdb
