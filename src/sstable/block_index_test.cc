#include "sstable/block_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/digits_test_util.h"
#include "base/random.h"
#include "learned/model_codec.h"

namespace seerdb {
namespace {

// Blocks beyond 4 GiB need u64 offsets.
TEST(BlockIndexTest, FindsBlocksAtNarrowAndWideOffsets) {
  for (const uint64_t block_bytes : {uint64_t{4096}, uint64_t{1} << 30}) {
    constexpr uint32_t kBlocks = 100;
    BlockIndexBuilder builder;
    for (uint64_t i = 0; i < kBlocks; ++i) {
      builder.AddBlock(i * block_bytes, i == 0 ? "" : Digits(i * 100 - 1, 10), Digits(i * 100, 10),
                       PackTrailer(1, ValueType::kValue));
    }
    const uint64_t end = kBlocks * block_bytes;
    const std::string bytes = builder.Finish(Digits(0, 10), Digits(kBlocks * 100 - 1, 10), end);
    EXPECT_TRUE(BlockIndex::Decode(bytes, end - 1).status().IsCorruption());
    Result<BlockIndex> index = BlockIndex::Decode(bytes, end);
    ASSERT_TRUE(index.ok());
    for (const bool with_model : {false, true}) {
      if (with_model) index->set_model(builder.model());
      EXPECT_EQ(index->blocks(), kBlocks);
      EXPECT_EQ(index->data_end(), end);
      for (uint64_t n = 0; n < kBlocks * 100; ++n) {
        bool by_model = false;
        const uint32_t found = index->Find(Digits(n, 10), kFirstTrailer, &by_model);
        ASSERT_EQ(found, n / 100);
        ASSERT_EQ(by_model, with_model);
        ASSERT_EQ(index->Place(found).offset, found * block_bytes);
        ASSERT_EQ(index->Place(found).bytes, block_bytes - 5);
      }
    }
  }
}

// Asks for each first key with each of the ends, with a model and without.
void ExpectSeparatorsToldApart(const std::vector<std::string>& firsts, const std::vector<std::string>& ends) {
  BlockIndexBuilder builder;
  std::vector<std::string> separators;  // of the first keys as much as tells them from the keys before
  for (size_t i = 0; i < firsts.size(); ++i) {
    const std::string last = i == 0 ? "" : firsts[i - 1];
    builder.AddBlock(i * 100, last, firsts[i], PackTrailer(1, ValueType::kValue));
    separators.push_back(i == 0 ? firsts[i] : firsts[i].substr(0, CommonPrefixBytes(last, firsts[i]) + 1));
  }
  const uint64_t end = firsts.size() * 100;
  const std::string bytes = builder.Finish(firsts.front(), firsts.back(), end);
  Result<BlockIndex> index = BlockIndex::Decode(bytes, end);
  ASSERT_TRUE(index.ok());
  for (const bool with_model : {false, true}) {
    if (with_model) index->set_model(builder.model());
    for (const std::string& front : firsts) {
      for (const std::string& back : ends) {
        const std::string key = front + back;
        const auto behind = std::upper_bound(separators.begin(), separators.end(), key);
        bool by_model = false;
        EXPECT_EQ(index->Find(key, kFirstTrailer, &by_model), behind - separators.begin() - 1)
            << testing::PrintToString(key);
      }
    }
  }
}

TEST(BlockIndexTest, KeysWithOneWindowAreToldApart) {
  const std::string zero(1, '\0');
  const std::vector<std::string> ends = {"",     "0",  "00000000000000000", "/", "a", "1",
                                         "\x01", zero, zero + zero};
  ExpectSeparatorsToldApart({"k1", "k11", "k12", "k120", "k1200", "k1200000000000000", "k13", "k2"}, ends);
  ExpectSeparatorsToldApart({"k1", "k1a", "k1a0", "k1a00", "k1a00000000000000", "k1b", "kf"}, ends);
  ExpectSeparatorsToldApart(
      {"kA", "kA" + zero, "kA" + zero + zero, "kA" + std::string(6, '\0') + "x", "kB", "kC"}, ends);
}

TEST(BlockIndexTest, KeysOutsideTheSharedPrefixGoToTheEnds) {
  BlockIndexBuilder builder;
  builder.AddBlock(0, "", "user1", PackTrailer(1, ValueType::kValue));
  builder.AddBlock(100, "user1", "user5", PackTrailer(1, ValueType::kValue));
  builder.AddBlock(200, "user5", "user7", PackTrailer(1, ValueType::kValue));
  const std::string bytes = builder.Finish("user1", "user9", 300);
  const Result<BlockIndex> index = BlockIndex::Decode(bytes, 300);
  ASSERT_TRUE(index.ok());
  const struct {
    Slice key;
    uint32_t block;
  } kCases[] = {{"", 0},      {"a", 0},     {"use", 0},       {"user", 0}, {"user0", 0}, {"user4~", 0},
                {"user5", 1}, {"user6", 1}, {"user7\xff", 2}, {"uses", 2}, {"z", 2},     {"\xff", 2}};
  for (const auto& c : kCases) {
    bool by_model = false;
    EXPECT_EQ(index->Find(c.key, kFirstTrailer, &by_model), c.block) << c.key;
  }
}

TEST(BlockIndexTest, ContinuesOnlyForTheKeyThatSpansTheBoundary) {
  BlockIndexBuilder builder;
  builder.AddBlock(0, "", "ka", PackTrailer(9, ValueType::kValue));
  builder.AddBlock(100, "kb", "kb", PackTrailer(5, ValueType::kValue));
  builder.AddBlock(200, "kb", "kc", PackTrailer(5, ValueType::kValue));
  const std::string bytes = builder.Finish("ka", "kd", 300);
  const Result<BlockIndex> index = BlockIndex::Decode(bytes, 300);
  ASSERT_TRUE(index.ok());
  EXPECT_TRUE(index->Continues(1, "kb"));
  for (const char* key : {"k", "ka", "kb\x01", "b", "", "kc"}) EXPECT_FALSE(index->Continues(1, key)) << key;
  EXPECT_FALSE(index->Continues(2, "kc"));
  bool by_model = false;
  EXPECT_EQ(index->Find("kb", SeekTrailer(6), &by_model), 0u);
  EXPECT_EQ(index->Find("kb", SeekTrailer(5), &by_model), 0u);
  EXPECT_EQ(index->Find("kb", PackTrailer(5, ValueType::kValue), &by_model), 1u);
  EXPECT_EQ(index->Find("kb", SeekTrailer(4), &by_model), 1u);
}

// The encoded index of 20 blocks, each with three of the keys 0 .. 59.
std::string TwentyBlocks() {
  BlockIndexBuilder builder;
  for (uint64_t i = 0; i < 20; ++i) {
    builder.AddBlock(i * 50, i == 0 ? "" : Digits(i * 3 - 1, 10), Digits(i * 3, 10),
                     PackTrailer(1, ValueType::kValue));
  }
  return builder.Finish(Digits(0, 10), Digits(60, 10), 1000);
}

// A hostile table's: a search drops it, and the walk over the lines that it would need has an end.
TEST(BlockIndexTest, AModelOfOtherRanksIsNotAsked) {
  const std::string bytes = TwentyBlocks();
  Result<BlockIndex> index = BlockIndex::Decode(bytes, 1000);
  ASSERT_TRUE(index.ok());
  const uint32_t last = UINT32_MAX - 8;
  std::string model;
  AppendPlaModel(PlaModel({{0, 0, last, 0}}, UINT32_MAX, 7), &model);
  Result<IndexModel> decoded = IndexModel::Decode(ModelKind::kPla, model, {});
  ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
  index->set_model(*std::move(decoded));
  index->Prefetch(index->GuessOf(Digits(30, 10)));
  bool by_model = true;
  EXPECT_EQ(index->Find(Digits(30, 10), kFirstTrailer, &by_model), 10u);
  EXPECT_FALSE(by_model);
}

TEST(BlockIndexTest, DamageIsRefusedOrStaysInBounds) {
  const std::string bytes = TwentyBlocks();
  ASSERT_TRUE(BlockIndex::Decode(bytes, 1000).ok());
  for (size_t n = 0; n < bytes.size(); ++n) {
    // A cut separator blob no longer fills its place.
    ASSERT_FALSE(BlockIndex::Decode(Slice(bytes).substr(0, n), 1000).ok()) << n;
  }
  Random random(4);
  for (int round = 0; round < 20'000; ++round) {
    std::string bad = bytes;
    bad[random.Uniform(random.OneIn(2) ? 16 : bad.size())] = static_cast<char>(random.Uniform(256));
    const Result<BlockIndex> index = BlockIndex::Decode(bad, 1000);
    if (!index.ok()) continue;
    for (uint64_t n = 0; n < 65; n += 4) {
      bool by_model = false;
      const uint32_t block = index->Find(Digits(n, 10), kFirstTrailer, &by_model);
      ASSERT_LT(block, index->blocks());
      const BlockPlace place = index->Place(block);
      ASSERT_LE(place.offset + place.bytes + 5, 1000u);
    }
  }
}

}  // namespace
}  // namespace seerdb
