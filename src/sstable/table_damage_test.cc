// A damaged table answers with an error or with the truth, never with anything else.
#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "base/coding.h"
#include "base/crc32c.h"
#include "base/random.h"
#include "sstable/table_format.h"
#include "sstable/test_table.h"

namespace seerdb {
namespace {

TestEntries SmallEntries() {
  TestEntries entries;
  for (int i = 0; i < 24; ++i) {
    const std::string key = "key" + std::to_string(100 + i * 3);
    entries[{key, PackTrailer(static_cast<SequenceNumber>(50 + i), ValueType::kValue)}] =
        std::string(20, 'v') + key;
    if (i % 5 == 0)
      entries[{key, PackTrailer(static_cast<SequenceNumber>(200 + i), ValueType::kDeletion)}] = "";
  }
  return entries;
}

bool IsRefusal(const Status& status) {
  return (status.IsCorruption() && status.detail() == StatusDetail::kTableCorruption) ||
         status.IsNotSupported();
}

void ExpectTruthOrError(const TableReader& reader, const TestEntries& entries, const TableReadFlags& flags,
                        bool* error) {
  for (const auto& [key, value] : entries) {
    Lookup result;
    const Status status = reader.Get(flags, MakeLookup(key.first, TrailerSequence(key.second)), &result);
    if (!status.ok()) {
      ASSERT_TRUE(IsRefusal(status)) << status.ToString();
      *error = true;
      continue;
    }
    ASSERT_EQ(result.sequence, TrailerSequence(key.second));
    ASSERT_EQ(result.state == Lookup::State::kDeleted, TrailerType(key.second) == ValueType::kDeletion);
    if (result.state == Lookup::State::kFound) {
      ASSERT_EQ(result.value, value);
    }
  }
  const auto iterator = reader.NewIterator(flags);
  auto at = entries.begin();
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next(), ++at) {
    ASSERT_NE(at, entries.end());
    ASSERT_EQ(iterator->key(), at->first.first);
    ASSERT_EQ(iterator->trailer(), at->first.second);
    ASSERT_EQ(iterator->value(), at->second);
  }
  if (iterator->status().ok()) {
    ASSERT_EQ(at, entries.end());
  } else {
    ASSERT_TRUE(IsRefusal(iterator->status()));
    *error = true;
  }
  auto back = entries.rbegin();
  for (iterator->SeekToLast(); iterator->Valid(); iterator->Prev(), ++back) {
    ASSERT_NE(back, entries.rend());
    ASSERT_EQ(iterator->key(), back->first.first);
    ASSERT_EQ(iterator->value(), back->second);
  }
}

// Returns whether anything was refused.
bool Damaged(TestTable& table, const TestEntries& entries) {
  bool error = false;
  for (const TableAccess access : {TableAccess::kMapped, TableAccess::kPread}) {
    const auto reader = table.Open(access);
    if (!reader.ok()) {
      EXPECT_TRUE(IsRefusal(reader.status())) << reader.status().ToString();
      EXPECT_NE(reader.status().message().find(TestTable::kPath), Slice::npos);
      error = true;
      continue;
    }
    TableReadFlags flags;
    flags.sequential_pread = access == TableAccess::kPread;
    ExpectTruthOrError(**reader, entries, flags, &error);
    VerifyResult verified;
    if (const Status status = (*reader)->Verify(&verified); !status.ok()) {
      EXPECT_TRUE(IsRefusal(status)) << status.ToString();
      error = true;
    }
  }
  return error;
}

// With a filter, and with a learned index from the first blocks on.
class TableDamageTest : public testing::TestWithParam<std::tuple<CompressionType, uint32_t>> {
 protected:
  void SetUp() override {
    TableBuilderOptions options;
    options.block_bytes = 200;
    options.compression = std::get<0>(GetParam());
    options.learned_index_min_keys = std::get<1>(GetParam());
    options.table_number = 9;
    ASSERT_TRUE(table_.Build(entries_, options).ok());
    ASSERT_EQ(table_.properties().lookup,
              options.learned_index_min_keys < 10 ? LookupKind::kTagIndex : LookupKind::kFewKeys);
    whole_ = table_.Bytes();
    ASSERT_FALSE(Damaged(table_, entries_));
  }
  const TestEntries entries_ = SmallEntries();
  TestTable table_;
  std::string whole_;
};

TEST_P(TableDamageTest, EveryFlippedByteIsRefusedOrHarmless) {
  size_t harmless = 0;
  for (size_t i = 0; i < whole_.size(); ++i) {
    for (const int mask : {0x01, 0x80, 0xff}) {
      std::string damaged = whole_;
      damaged[i] = static_cast<char>(damaged[i] ^ mask);
      ASSERT_TRUE(table_.Write(damaged).ok());
      SCOPED_TRACE("byte " + std::to_string(i) + " mask " + std::to_string(mask));
      if (!Damaged(table_, entries_)) ++harmless;
      ASSERT_FALSE(HasFailure());
    }
  }
  // Only the padding before meta blocks is covered by nothing.
  EXPECT_LE(harmless, 4 * 3 * (kMetaAlignment - 1));
}

TEST_P(TableDamageTest, EveryTruncationIsRefused) {
  for (size_t n = 0; n < whole_.size(); ++n) {
    ASSERT_TRUE(table_.Write(Slice(whole_).substr(0, n)).ok());
    for (const TableAccess access : {TableAccess::kMapped, TableAccess::kPread}) {
      const auto reader = table_.Open(access);
      ASSERT_FALSE(reader.ok()) << n;
      ASSERT_TRUE(IsRefusal(reader.status())) << n;
    }
  }
}

TEST_P(TableDamageTest, AppendedBytesAreRefused) {
  ASSERT_TRUE(table_.Write(whole_ + "x").ok());
  EXPECT_FALSE(table_.Open(TableAccess::kMapped).ok());
  ASSERT_TRUE(table_.Write(whole_ + whole_.substr(whole_.size() - kTableFooterBytes)).ok());
  EXPECT_FALSE(table_.Open(TableAccess::kMapped).ok());
}

INSTANTIATE_TEST_SUITE_P(Codecs, TableDamageTest,
                         testing::Combine(testing::Values(CompressionType::kNone, CompressionType::kLz4,
                                                          CompressionType::kZstd),
                                          testing::Values(2048, 5)));

// Whatever is in the file: what an iterator shows ascends, and a seek ends where it should.
void ExpectOrder(const TableReader& reader, const TestEntries& entries) {
  const auto iterator = reader.NewIterator({});
  std::string last;
  uint64_t last_trailer = 0;
  bool first = true;
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next(), first = false) {
    if (!first) {
      ASSERT_LT(CompareInternal(last, last_trailer, iterator->key(), iterator->trailer()), 0);
    }
    last = iterator->key();
    last_trailer = iterator->trailer();
  }
  first = true;
  for (iterator->SeekToLast(); iterator->Valid(); iterator->Prev(), first = false) {
    if (!first) {
      ASSERT_GT(CompareInternal(last, last_trailer, iterator->key(), iterator->trailer()), 0);
    }
    last = iterator->key();
    last_trailer = iterator->trailer();
  }
  for (const auto& [key, value] : entries) {
    iterator->Seek(key.first, key.second);
    if (iterator->Valid()) {
      ASSERT_GE(CompareInternal(iterator->key(), iterator->trailer(), key.first, key.second), 0);
    }
    iterator->SeekForPrev(key.first, key.second);
    if (iterator->Valid()) {
      ASSERT_LE(CompareInternal(iterator->key(), iterator->trailer(), key.first, key.second), 0);
    }
  }
}

class TableIdentityTest : public testing::Test {
 protected:
  void SetUp() override {
    TableBuilderOptions options;
    options.table_number = 9;
    options.block_bytes = 200;
    ASSERT_TRUE(table_.Build(entries_, options).ok());
  }
  Status OpenWith(uint64_t number, uint64_t bytes) {
    TableOpenOptions options;
    options.table_number = number;
    options.expected_bytes = bytes;
    return TableReader::Open(table_.fs(), TestTable::kPath, options).status();
  }
  const TestEntries entries_ = SmallEntries();
  TestTable table_;
};

TEST_F(TableIdentityTest, WrongNumberAndWrongSizeAreCorruption) {
  const uint64_t bytes = table_.properties().file_bytes;
  EXPECT_TRUE(OpenWith(9, bytes).ok());
  EXPECT_TRUE(OpenWith(9, 0).ok());
  EXPECT_TRUE(OpenWith(10, bytes).IsCorruption());
  EXPECT_TRUE(OpenWith(9, bytes + 1).IsCorruption());
  EXPECT_TRUE(OpenWith(9, bytes - 1).IsCorruption());
}

TEST_F(TableIdentityTest, MissingFileIsNotFound) {
  TableOpenOptions options;
  const Status status = TableReader::Open(table_.fs(), "/no.sst", options).status();
  EXPECT_TRUE(status.IsIoError());
  EXPECT_EQ(status.detail(), StatusDetail::kNotFound);
}

// Two blocks of the same length trade places: every byte is valid somewhere else.
TEST_F(TableIdentityTest, MisplacedBlocksFail) {
  TestEntries entries;
  for (int i = 0; i < 16; ++i) {
    entries[{"k" + std::to_string(10 + i), PackTrailer(1, ValueType::kValue)}] = std::string(100, 'v');
  }
  TableBuilderOptions options;
  options.block_bytes = 64;  // one entry a block
  ASSERT_TRUE(table_.Build(entries, options).ok());
  ASSERT_EQ(table_.properties().data_blocks, 16u);
  std::string bytes = table_.Bytes();
  const size_t block = table_.properties().data_bytes / 16;
  ASSERT_EQ(block * 16, table_.properties().data_bytes);
  const std::string first = bytes.substr(0, block);
  bytes.replace(0, block, bytes.substr(block, block));
  bytes.replace(block, block, first);
  ASSERT_TRUE(table_.Write(bytes).ok());
  const auto reader = table_.Open(TableAccess::kMapped);
  ASSERT_TRUE(reader.ok());
  Lookup result;
  const Status status = (*reader)->Get({}, MakeLookup("k10", 9), &result);
  EXPECT_TRUE(status.IsCorruption());
  EXPECT_NE(status.message().find("/table.sst block @0: crc found 0x"), Slice::npos) << status.ToString();
}

// Damage that carries a valid checksum: the reader must still stay inside its bytes.
TEST_F(TableIdentityTest, HostileBytesWithValidChecksums) {
  const std::string whole = table_.Bytes();
  const auto reader = table_.Open(TableAccess::kMapped);
  ASSERT_TRUE(reader.ok());
  const uint64_t seed = SystemSeed();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  Random random(seed);
  // The meta list lies before the footer; its entries name the blocks to damage and to sign again.
  const size_t footer_at = whole.size() - kTableFooterBytes;
  const uint64_t list_at = LoadU64(whole.data() + footer_at);
  const uint32_t metas = LoadU32(whole.data() + list_at);
  for (int round = 0; round < 6000; ++round) {
    std::string bytes = whole;
    const size_t entry = list_at + 8 + random.Uniform(metas) * 24;
    const uint64_t offset = LoadU64(bytes.data() + entry + 8);
    const uint64_t size = LoadU64(bytes.data() + entry + 16);
    for (uint64_t n = 1 + random.Uniform(3); n > 0; --n) {
      bytes[offset + random.Uniform(size)] = static_cast<char>(random.Uniform(256));
    }
    StoreU32(bytes.data() + entry + 4, TableChecksum(9, offset, Slice(bytes).substr(offset, size)));
    StoreU32(bytes.data() + footer_at + 12,
             TableChecksum(9, list_at, Slice(bytes).substr(list_at, footer_at - list_at)));
    StoreU32(bytes.data() + footer_at + 36, crc32c::Value(Slice(bytes).substr(footer_at, 36)));
    ASSERT_TRUE(table_.Write(bytes).ok());
    const auto opened = table_.Open(random.OneIn(2) ? TableAccess::kMapped : TableAccess::kPread);
    if (!opened.ok()) continue;
    for (const auto& [key, value] : entries_) {
      Lookup result;
      (*opened)->Get({}, MakeLookup(key.first, 500), &result).IgnoreError("only memory safety is at stake");
    }
    ASSERT_NO_FATAL_FAILURE(ExpectOrder(**opened, entries_));
    VerifyResult verified;
    (*opened)->Verify(&verified).IgnoreError("only memory safety is at stake");
  }
}

TEST_F(TableIdentityTest, HostileDataBlocksWithValidChecksums) {
  const std::string whole = table_.Bytes();
  const uint64_t seed = SystemSeed();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  Random random(seed);
  const auto reader = table_.Open(TableAccess::kMapped);
  ASSERT_TRUE(reader.ok());
  // Block 1 starts where the offset of its separator says; ApproximateOffset gives it.
  const uint64_t end = (*reader)->ApproximateOffset("key112");
  ASSERT_GT(end, 0u);
  for (int round = 0; round < 6000; ++round) {
    std::string bytes = whole;
    const size_t crc_at = end - 4;
    for (uint64_t n = 1 + random.Uniform(3); n > 0; --n) {
      const uint64_t where = random.OneIn(3) ? random.Uniform(16) : random.Uniform(crc_at);
      bytes[where] = static_cast<char>(random.OneIn(2) ? random.Uniform(4) : random.Uniform(256));
    }
    StoreU32(bytes.data() + crc_at, TableChecksum(9, 0, Slice(bytes).substr(0, crc_at)));
    ASSERT_TRUE(table_.Write(bytes).ok());
    const auto opened = table_.Open(random.OneIn(2) ? TableAccess::kMapped : TableAccess::kPread);
    ASSERT_TRUE(opened.ok());
    for (const auto& [key, value] : entries_) {
      Lookup result;
      (*opened)->Get({}, MakeLookup(key.first, 500), &result).IgnoreError("only memory safety is at stake");
    }
    ASSERT_NO_FATAL_FAILURE(ExpectOrder(**opened, entries_));
    VerifyResult verified;
    (*opened)->Verify(&verified).IgnoreError("only memory safety is at stake");
  }
}

}  // namespace
}  // namespace seerdb
