// Tables whose entries were written before their sequence was known: they must be the same to every reader as
// a table that holds the sequence in each entry.
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/random.h"
#include "sstable/table_salvage.h"
#include "sstable/test_table.h"

namespace seerdb {
namespace {

constexpr SequenceNumber kSequence = 300;
constexpr uint64_t kNumber = 17;

std::string LoadedKey(int i) { return "key" + std::to_string(1000 + i); }

TestEntries Entries(SequenceNumber sequence) {
  TestEntries entries;
  for (int i = 0; i < 200; ++i) {
    entries[{LoadedKey(2 * i), PackTrailer(sequence, ValueType::kValue)}] = "value " + std::to_string(i * 7);
  }
  return entries;
}

class GlobalSequenceTest : public testing::TestWithParam<CompressionType> {
 protected:
  void SetUp() override {
    options_.compression = GetParam();
    options_.block_bytes = 256;
    options_.learned_index_min_keys = 5;
    options_.table_number = kNumber;
    ASSERT_TRUE(plain_.Build(Entries(kSequence), options_).ok());
    const Status built = loaded_.BuildLoaded(Entries(0), options_, kSequence);
    ASSERT_TRUE(built.ok()) << built.ToString();
    properties_ = loaded_.properties();
    EXPECT_EQ(properties_.file_bytes, loaded_.Bytes().size());
  }

  TableBuilderOptions options_;
  TestTable plain_;
  TestTable loaded_;
  TableProperties properties_;
};

TEST_P(GlobalSequenceTest, GetsSeeTheSequence) {
  const auto plain = plain_.Open(TableAccess::kMapped);
  const auto loaded = loaded_.Open(TableAccess::kMapped);
  ASSERT_TRUE(plain.ok() && loaded.ok()) << loaded.status().ToString();
  EXPECT_EQ((*loaded)->properties().smallest_sequence, kSequence);
  EXPECT_EQ((*loaded)->properties().largest_sequence, kSequence);
  EXPECT_EQ((*loaded)->properties().global_sequence, kSequence);
  for (int i = -1; i <= 401; ++i) {
    for (const SequenceNumber at : {SequenceNumber{0}, kSequence - 1, kSequence, kSequence + 1}) {
      const std::string key = LoadedKey(i);
      Lookup want;
      Lookup got;
      ASSERT_TRUE((*plain)->Get({}, MakeLookup(key, at), &want).ok());
      ASSERT_TRUE((*loaded)->Get({}, MakeLookup(key, at), &got).ok());
      ASSERT_EQ(got.state, want.state) << key << " at " << at;
      EXPECT_EQ(got.sequence, want.sequence);
      EXPECT_EQ(got.value, want.value);
    }
  }
}

// Both iterators make the same random moves, with targets above, at and below the sequence.
TEST_P(GlobalSequenceTest, IteratorsWalkAlike) {
  const auto plain = plain_.Open(TableAccess::kPread);
  const auto loaded = loaded_.Open(TableAccess::kPread);
  ASSERT_TRUE(plain.ok() && loaded.ok());
  TableReadFlags flags;
  Random random(7);
  for (const bool sequential : {false, true}) {
    flags.sequential_pread = sequential;
    const auto want = (*plain)->NewIterator(flags);
    const auto got = (*loaded)->NewIterator(flags);
    for (int step = 0; step < 5000; ++step) {
      const std::string key = LoadedKey(static_cast<int>(random.Uniform(402)) - 1);
      const uint64_t trailer =
          random.OneIn(3)
              ? PackTrailer(kSequence, ValueType::kValue)
              : PackTrailer(kSequence - 2 + random.Uniform(5), ValueType::kDeletion) + random.Uniform(3);
      const uint64_t move = random.Uniform(12);
      for (InternalIterator* it : {want.get(), got.get()}) {
        if (move == 0) it->SeekToFirst();
        if (move == 1) it->SeekToLast();
        if (move == 2 || move == 3) it->Seek(key, trailer);
        if (move == 4 || move == 5) it->SeekForPrev(key, trailer);
        if (move > 5 && move < 9 && it->Valid()) it->Next();
        if (move >= 9 && it->Valid()) it->Prev();
      }
      ASSERT_EQ(got->Valid(), want->Valid()) << "step " << step;
      ASSERT_TRUE(got->status().ok());
      if (!want->Valid()) continue;
      ASSERT_EQ(got->key(), want->key()) << "step " << step;
      ASSERT_EQ(got->trailer(), want->trailer());
      ASSERT_EQ(got->value(), want->value());
    }
  }
}

TEST_P(GlobalSequenceTest, VerifyAgrees) {
  const auto loaded = loaded_.Open(TableAccess::kMapped);
  ASSERT_TRUE(loaded.ok());
  VerifyResult verified;
  const Status status = (*loaded)->Verify(&verified);
  EXPECT_TRUE(status.ok()) << status.ToString();
  EXPECT_EQ(verified.blocks_verified, properties_.data_blocks);
}

TEST_P(GlobalSequenceTest, EveryFlippedByteIsNoticedByVerify) {
  const std::string whole = loaded_.Bytes();
  for (size_t i = 0; i < whole.size(); i += i < properties_.data_bytes ? 7 : 1) {
    std::string bytes = whole;
    bytes[i] = static_cast<char>(bytes[i] ^ 0x11);
    ASSERT_TRUE(loaded_.Write(bytes).ok());
    const auto loaded = loaded_.Open(TableAccess::kPread);
    VerifyResult verified;
    if (loaded.ok()) {
      EXPECT_TRUE((*loaded)->Verify(&verified).IsCorruption()) << "byte " << i;
    } else {
      EXPECT_TRUE(loaded.status().IsCorruption() || loaded.status().IsNotSupported()) << "byte " << i;
    }
  }
}

TEST_P(GlobalSequenceTest, UnfitEntriesAreRefused) {
  auto file = loaded_.fs().NewWritableFile("/other", CreateMode::kTruncate);
  ASSERT_TRUE(file.ok());
  TableBuilder with_sequence(options_, file->get());
  ASSERT_TRUE(with_sequence.Add("a", PackTrailer(3, ValueType::kValue), "v").ok());
  EXPECT_TRUE(with_sequence.FinishWithoutEnd().status().IsInvalidArgument());
  TableBuilder twice(options_, file->get());
  ASSERT_TRUE(twice.Add("a", PackTrailer(0, ValueType::kValue), "v").ok());
  ASSERT_TRUE(twice.Add("a", PackTrailer(0, ValueType::kDeletion), "").ok());
  EXPECT_TRUE(twice.FinishWithoutEnd().status().IsInvalidArgument());
}

TestEntries SalvageOf(TestTable& table, const SalvageBounds& bounds, std::vector<LostBlocks>* lost) {
  TestEntries entries;
  const auto salvage = SalvageTable(table.fs(), TestTable::kPath, kNumber, bounds,
                                    [&](Slice key, uint64_t trailer, Slice value) -> Status {
                                      entries[{std::string(key), trailer}] = value;
                                      return {};
                                    });
  EXPECT_TRUE(salvage.ok()) << salvage.status().ToString();
  if (salvage.ok()) *lost = salvage->lost;
  return entries;
}

// The sequence is known from the table, or else from the manifest. Entries that nothing places in time are
// lost, and reported so, rather than taken for the oldest.
TEST_P(GlobalSequenceTest, SalvageNeverGuessesTheSequence) {
  const std::string whole = loaded_.Bytes();
  SalvageBounds manifest{LoadedKey(0), LoadedKey(398), 200, kSequence};
  std::vector<LostBlocks> lost;
  for (size_t damage = properties_.data_bytes; damage < whole.size(); ++damage) {
    SCOPED_TRACE(damage);
    std::string bytes = whole;
    bytes[damage] = static_cast<char>(~bytes[damage]);
    ASSERT_TRUE(loaded_.Write(bytes).ok());
    EXPECT_EQ(SalvageOf(loaded_, manifest, &lost), Entries(kSequence));
    EXPECT_TRUE(lost.empty());
    const TestEntries alone = SalvageOf(loaded_, {}, &lost);
    if (alone.empty()) {
      ASSERT_FALSE(lost.empty());
      EXPECT_FALSE(lost.front().key_before.has_value());
      EXPECT_FALSE(lost.back().key_behind.has_value());
    } else {
      EXPECT_EQ(alone, Entries(kSequence));
    }
    if (HasFailure()) return;
  }
  ASSERT_TRUE(loaded_.Write(whole.substr(0, properties_.data_bytes)).ok());
  EXPECT_EQ(SalvageOf(loaded_, manifest, &lost), Entries(kSequence));
  EXPECT_TRUE(SalvageOf(loaded_, {}, &lost).empty());
  ASSERT_EQ(lost.size(), 1u);
  EXPECT_EQ(lost[0].bytes, properties_.data_bytes);
}

// tests/golden/v1 is read for ever, and what is written today is the same bytes.
TEST(GlobalSequenceGolden, WriterAndReaderAgreeWithTheFile) {
  const std::string old_path = SEERDB_SOURCE_DIR "/tests/golden/v1/loaded_table.sst";
  const std::string lines_path = SEERDB_SOURCE_DIR "/tests/golden/v1/loaded_table_lines.sst";
  const std::string path = SEERDB_SOURCE_DIR "/tests/golden/v1/loaded_table_equal.sst";
  TestEntries entries;
  for (const char* key : {"apple", "banana", "cherry"}) {
    entries[{key, PackTrailer(0, ValueType::kValue)}] = std::string("a ") + key;
  }
  TableBuilderOptions options;
  options.block_bytes = 64;
  options.table_number = 43;
  TestTable table;
  ASSERT_TRUE(table.BuildLoaded(entries, options, 77).ok());
  const std::shared_ptr<FileSystem> fs = PosixFileSystem();
  if (std::getenv("SEERDB_REWRITE") != nullptr) {
    auto file = fs->NewWritableFile(path, CreateMode::kTruncate);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->Append(table.Bytes()).ok());
    ASSERT_TRUE((*file)->Close().ok());
  }
  const Result<std::string> golden = ReadFileToString(*fs, path);
  ASSERT_TRUE(golden.ok()) << golden.status().ToString();
  EXPECT_TRUE(table.Bytes() == *golden) << "the writer's bytes changed; format 1 is fixed";
  for (const std::string& read_path : {old_path, lines_path, path}) {
    TableOpenOptions open;
    open.table_number = 43;
    const auto reader = TableReader::Open(*fs, read_path, open);
    ASSERT_TRUE(reader.ok()) << reader.status().ToString();
    for (const auto& [key, value] : entries) {
      Lookup result;
      ASSERT_TRUE((*reader)->Get({}, MakeLookup(key.first, kMaxSequence), &result).ok());
      EXPECT_EQ(result.sequence, 77u);
      EXPECT_EQ(result.value, value);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Compressions, GlobalSequenceTest,
                         testing::Values(CompressionType::kNone, CompressionType::kLz4));

}  // namespace
}  // namespace seerdb
