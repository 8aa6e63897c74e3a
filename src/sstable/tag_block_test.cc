// One data block by itself: the forms in which offsets are stored, and what is refused.
#include "sstable/tag_block.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/key_window.h"
#include "base/random.h"
#include "format/keyspace_prefix.h"
#include "sstable/tag_block_builder.h"

namespace seerdb {
namespace {

struct Entry {
  std::string key;
  uint64_t trailer;
  std::string value;
};

std::string Key(int i) {
  const std::string digits = std::to_string(i);
  return "key" + std::string(8 - digits.size(), '0') + digits;
}

std::string Build(const std::vector<Entry>& entries, bool tags = true,
                  const TagBlockBuilder::Padding& padding = {}) {
  TagBlockBuilder builder;
  builder.set_tags(tags);
  for (const Entry& entry : entries) {
    const size_t shared = builder.empty() ? 0 : CommonPrefixBytes(builder.last_key(), entry.key);
    builder.Add(entry.key, entry.trailer, entry.value, TagOfHash(Hash64(entry.key)), shared);
  }
  OutputBuffer out;
  builder.Finish(&out, padding);
  return std::string(out.bytes());
}

OffsetForm FormOf(const std::string& block) { return static_cast<OffsetForm>(block[15] & kOffsetFormMask); }
bool IsPadded(const std::string& block) { return (block[15] & kPaddedBlockFlag) != 0; }

void ExpectReads(const std::string& bytes, const std::vector<Entry>& entries) {
  ASSERT_EQ(TagBlock::Check(bytes), nullptr) << TagBlock::Check(bytes);
  const TagBlock block(bytes);
  ASSERT_EQ(block.entries(), entries.size());
  const char* p = block.RecordStart(0);
  for (uint32_t i = 0; i < entries.size(); ++i) {
    const Entry& entry = entries[i];
    ASSERT_EQ(p, block.RecordStart(i));
    TagRecord record;
    p = block.Parse(p, &record);
    ASSERT_EQ(std::string(block.prefix()) + std::string(record.suffix), entry.key);
    ASSERT_EQ(record.value, entry.value);
    ASSERT_EQ(record.trailer, entry.trailer);
    ASSERT_EQ(block.LowerBound(entry.key, entry.trailer), i);
    const SequenceNumber sequence = TrailerSequence(entry.trailer);
    ASSERT_TRUE(block.Find(entry.key, TagOfHash(Hash64(entry.key)), sequence, &record));
    ASSERT_EQ(record.trailer, entry.trailer);
  }
  EXPECT_EQ(p, block.limit());
}

// `bytes_of(i)`: of value i.
template <typename BytesOf>
std::vector<Entry> Entries(int count, uint64_t sequence_step, const BytesOf& bytes_of) {
  std::vector<Entry> entries;
  for (int i = 0; i < count; ++i) {
    const uint64_t sequence = 1 + static_cast<uint64_t>(i) * sequence_step % 1'000'003;
    entries.push_back({Key(i), PackTrailer(sequence, ValueType::kValue),
                       std::string(static_cast<size_t>(bytes_of(i)), 'v')});
  }
  return entries;
}

TEST(TagBlock, RecordsOfOneSizeNeedNoColumn) {
  for (const int count : {1, 2, 31, 3000}) {
    const auto entries = Entries(count, 777'777, [](int) { return 100; });
    const std::string block = Build(entries);
    EXPECT_EQ(FormOf(block), OffsetForm::kEqual);
    ExpectReads(block, entries);
  }
}

TEST(TagBlock, OneRecordOfAnySizeIsEven) {
  for (const int bytes : {0, 1, 65'535, 65'536, 20 << 20}) {
    const auto entries = Entries(1, 1, [bytes](int) { return bytes; });
    const std::string block = Build(entries);
    EXPECT_EQ(FormOf(block), OffsetForm::kEqual);
    ExpectReads(block, entries);
  }
}

TEST(TagBlock, RecordsOfSimilarSizesNeedAByteEach) {
  const auto entries = Entries(40, 1, [](int i) { return 90 + i * 7 % 20; });
  const std::string block = Build(entries);
  EXPECT_EQ(FormOf(block), OffsetForm::kNear);
  ExpectReads(block, entries);
}

// One new version among old ones: to store its distance in all records would take more than a byte in each.
TEST(TagBlock, SequencesThatDifferMuchAreNotPadded) {
  auto entries = Entries(40, 1, [](int) { return 100; });
  entries[3].trailer = PackTrailer(uint64_t{1} << 50, ValueType::kValue);
  const std::string block = Build(entries);
  EXPECT_EQ(FormOf(block), OffsetForm::kNear);
  ExpectReads(block, entries);
}

TEST(TagBlock, RecordsOfAllSizesHaveTheirOffsets) {
  const auto narrow = Entries(30, 1, [](int i) { return i == 4 ? 3000 : 5; });
  EXPECT_EQ(FormOf(Build(narrow)), OffsetForm::kNarrow);
  ExpectReads(Build(narrow), narrow);
  const auto wide = Entries(30, 1, [](int i) { return i == 4 ? 70'000 : 5; });
  EXPECT_EQ(FormOf(Build(wide)), OffsetForm::kWide);
  ExpectReads(Build(wide), wide);
}

TEST(TagBlock, RandomSizesAreReadAsTheyWereWritten) {
  const uint64_t seed = SystemSeed();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  Random random(seed);
  int forms[kMaxOffsetForm + 1] = {};
  for (int round = 0; round < 2000; ++round) {
    const int count = 1 + static_cast<int>(random.Uniform(60));
    const uint64_t most = uint64_t{1} << random.Uniform(12);
    const bool alike = random.OneIn(4);
    auto entries =
        Entries(count, random.Uniform(1'000'003), [&](int) { return alike ? most : random.Uniform(most); });
    const std::string block = Build(entries);
    ++forms[static_cast<int>(FormOf(block))];
    ExpectReads(block, entries);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(forms[static_cast<int>(OffsetForm::kNarrow)], 0);
  EXPECT_GT(forms[static_cast<int>(OffsetForm::kNear)], 0);
  EXPECT_GT(forms[static_cast<int>(OffsetForm::kEqual)], 0);
}

// A block of records of one size as it was written when their line was stored.
std::string WithStoredLine(const std::string& equal) {
  const TagBlock block(equal);
  const auto entries = static_cast<ptrdiff_t>(block.entries());
  const auto first = static_cast<int64_t>(block.RecordStart(0) - equal.data());
  const auto record_bytes = static_cast<uint32_t>(block.RecordStart(1) - block.RecordStart(0));
  char line[OffsetLine::kBytes];
  OffsetLine{record_bytes << 8, first + int64_t{OffsetLine::kBytes}}.Encode(line);
  std::string even = equal;
  even[15] = static_cast<char>(OffsetForm::kEven);
  even.insert(even.begin() + kTagBlockHeaderBytes + entries, line, line + sizeof line);
  return even;
}

TEST(TagBlock, StoredLinesOfRecordsOfOneSizeAreRead) {
  const auto entries = Entries(31, 1, [](int) { return 100; });
  const std::string equal = Build(entries);
  ASSERT_EQ(FormOf(equal), OffsetForm::kEqual);
  const std::string even = WithStoredLine(equal);
  ASSERT_EQ(TagBlock::Check(even), nullptr);
  ExpectReads(even, entries);
}

// Whatever the line says: no record is taken for one that does not fill its place.
TEST(TagBlock, DamagedLinesAreRefused) {
  for (const int spread : {0, 20}) {
    const auto entries = Entries(31, 1, [spread](int i) { return 100 + (spread == 0 ? 0 : i * 7 % spread); });
    const std::string good = spread == 0 ? WithStoredLine(Build(entries)) : Build(entries);
    const size_t line = kTagBlockHeaderBytes + entries.size();
    for (size_t at = line; at < line + OffsetLine::kBytes + (spread == 0 ? 0 : entries.size()); ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        std::string bad = good;
        bad[at] = static_cast<char>(bad[at] ^ 1 << bit);
        // What is behind the point of a step need not change where records lie.
        if (TagBlock::Check(bad) == nullptr) ExpectReads(bad, entries);
      }
    }
    for (const uint8_t flags : {5, 6, 7, 0x20, 0x40, 0x80}) {
      std::string unknown = good;
      unknown[15] = static_cast<char>(flags);
      EXPECT_STREQ(TagBlock::Check(unknown), "unknown block flag") << int{flags};
    }
  }
}

TEST(TagBlock, RecordsOfOneSizeMustFillTheirBlock) {
  const auto entries = Entries(31, 1, [](int) { return 100; });
  std::string block = Build(entries);
  ASSERT_EQ(FormOf(block), OffsetForm::kEqual);
  for (int bytes = 1; bytes < 300; ++bytes) {
    block.push_back('x');
    EXPECT_NE(TagBlock::Check(block), nullptr) << bytes;
  }
}

TEST(TagBlock, RecordsOutOfOrderAreRefused) {
  const auto entries = Entries(31, 1, [](int) { return 100; });
  const std::string whole = Build(entries);
  const TagBlock block(whole);
  const auto start = [&](uint32_t i) { return static_cast<size_t>(block.RecordStart(i) - whole.data()); };
  const size_t record_bytes = start(1) - start(0);
  std::string swapped = whole;
  std::swap_ranges(swapped.begin() + static_cast<ptrdiff_t>(start(7)),
                   swapped.begin() + static_cast<ptrdiff_t>(start(8)),
                   swapped.begin() + static_cast<ptrdiff_t>(start(8)));
  EXPECT_STREQ(TagBlock::Check(swapped), "entries are out of order");
  std::string twice = whole;
  twice.replace(start(8), record_bytes, whole, start(7), record_bytes);
  EXPECT_STREQ(TagBlock::Check(twice), "entries are out of order");
}

TEST(TagBlock, KeysLongerThanAnyAreRefused) {
  for (const uint64_t bytes : {kMaxEngineKeyBytes, kMaxEngineKeyBytes + 1}) {
    for (const size_t others : {0u, 1u}) {  // alone its key is the shared prefix
      TagBlockBuilder builder;
      if (others > 0) builder.Add("a", PackTrailer(1, ValueType::kValue), "v", 0, 0);
      builder.Add(std::string(bytes, 'k'), PackTrailer(1, ValueType::kValue), "v", 0, 0);
      OutputBuffer out;
      builder.Finish(&out);
      const char* const error = TagBlock::Check(out.bytes());
      EXPECT_EQ(error == nullptr, bytes == kMaxEngineKeyBytes) << bytes << " " << others;
    }
  }
}

TEST(TagBlock, WithoutTagsIsSearchedByKeys) {
  for (const int spread : {1, 20, 3000}) {
    const auto entries = Entries(40, 1, [spread](int i) { return 100 + i * 7 % spread; });
    const std::string tagged = Build(entries);
    const std::string bare = Build(entries, false);
    EXPECT_LE(bare.size() + entries.size(), tagged.size());
    EXPECT_FALSE(TagBlock(bare).has_tags());
    ExpectReads(bare, entries);
  }
}

TEST(TagBlock, APaddedOneEndsWithAPageAndIsReadLikeAnother) {
  const std::function<int(int)> sizes[] = {
      [](int) { return 100; },
      [](int i) { return 90 + i * 7 % 20; },
      [](int i) { return i == 4 ? 3000 : 5; },
      [](int i) { return i == 4 ? 70'000 : 5; },
  };
  for (const auto& bytes_of : sizes) {
    for (const bool tags : {true, false}) {
      const auto entries = Entries(20, 1, bytes_of);
      const std::string plain = Build(entries, tags);
      constexpr uint64_t kPage = 512;
      constexpr uint64_t kMost = 300;
      for (uint64_t offset = 0; offset < kPage; ++offset) {
        const std::string padded = Build(entries, tags, {offset, kPage, 5, kMost});
        const uint64_t wanted = (kPage - (offset + plain.size() + 5) % kPage) % kPage;
        const bool pads = wanted >= kPaddingHeadBytes && wanted <= kMost;
        ASSERT_EQ(IsPadded(padded), pads) << offset;
        ASSERT_EQ(padded.size(), plain.size() + (pads ? wanted : 0));
        ASSERT_EQ(FormOf(padded), FormOf(plain));
        if (offset % 16 == 0 || wanted < 4) ExpectReads(padded, entries);
        if (HasFatalFailure()) return;
      }
    }
  }
}

// Offsets of two bytes are chosen before the padding.
TEST(TagBlock, PaddingDoesNotLeadBeyondNarrowOffsets) {
  int refused = 0;
  for (int more = 0; more < 80; ++more) {
    const auto entries = Entries(3, 1, [more](int i) { return i == 1 ? 65'420 + more : 10; });
    const std::string plain = Build(entries);
    const std::string padded = Build(entries, true, {0, 4096, 5, 4096});
    ExpectReads(padded, entries);
    EXPECT_TRUE(FormOf(plain) != OffsetForm::kNarrow || padded.size() <= kMaxNarrowBlockBytes);
    refused += IsPadded(padded) ? 0 : 1;
  }
  EXPECT_GT(refused, 5);
}

// As TableBuilder closes blocks by it: no block turns out larger.
TEST(TagBlock, WhatItWillTakeIsKnownBeforehand) {
  const uint64_t seed = SystemSeed();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  Random random(seed);
  uint64_t most_over = 0;
  for (int round = 0; round < 3000; ++round) {
    TagBlockBuilder builder;
    builder.set_tags(random.OneIn(2));
    const uint64_t sequences = uint64_t{1} << (1 + random.Uniform(55));
    const uint64_t bytes = uint64_t{1} << random.Uniform(10);
    const bool alike = random.OneIn(3);
    uint64_t most = 0;
    uint64_t exact = 0;
    const uint64_t count = 1 + random.Uniform(50);
    for (uint64_t i = 0; i < count; ++i) {
      const std::string key = Key(static_cast<int>(i));
      const uint64_t trailer = PackTrailer(1 + random.Uniform(sequences), ValueType::kValue);
      const std::string value(alike ? bytes : random.Uniform(bytes), 'v');
      const size_t shared = builder.empty() ? 0 : CommonPrefixBytes(builder.last_key(), key);
      if (!builder.empty()) {
        most = builder.MostBytesWith(key.size(), value.size(), shared, trailer);
        exact = builder.ExactBytesWith(key.size(), value.size(), shared, trailer);
        ASSERT_FALSE(builder.SurelyFits(key.size(), value.size(), most - 1));
        ASSERT_TRUE(builder.SurelyFits(key.size(), value.size(), most + 64 * 24));
      }
      builder.Add(key, trailer, value, 0, shared);
    }
    OutputBuffer out;
    builder.Finish(&out);
    if (count == 1) continue;
    ASSERT_EQ(out.size(), exact) << "round " << round;
    ASSERT_LE(out.size(), most) << "round " << round;
    most_over = std::max(most_over, most - out.size());
  }
  EXPECT_LT(most_over, 50 * 9u) << "a sequence of each entry at most";
}

TEST(TagBlock, PaddingThatGoesBeyondTheBlockIsRefused) {
  const auto entries = Entries(4, 1, [](int i) { return 10 + i; });
  const std::string whole = Build(entries, true, {0, 4096, 5, 4096});
  ASSERT_TRUE(IsPadded(whole));
  const size_t at = kTagBlockHeaderBytes + entries.size() + OffsetColumnBytes(FormOf(whole), entries.size());
  const auto padding = static_cast<int>(LoadU16(whole.data() + at));
  for (int wrong = 0; wrong <= UINT16_MAX; ++wrong) {
    std::string bad = whole;
    StoreU16(bad.data() + at, static_cast<uint16_t>(wrong));
    ASSERT_EQ(TagBlock::Check(bad) == nullptr, wrong == padding) << wrong;
  }
  for (size_t n = 0; n < whole.size(); ++n) ASSERT_NE(TagBlock::Check(Slice(whole).substr(0, n)), nullptr);
}

}  // namespace
}  // namespace seerdb
