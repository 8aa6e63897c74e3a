// The bytes of format 1: golden tables, which readers must read for ever, the newer of which the writer must
// reproduce.
#include "sstable/table_format.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "sstable/test_table.h"

namespace seerdb {
namespace {

// With offsets as they are; as distances from lines; with neither lines of records of one size nor separators
// that windows tell. The last is written today.
constexpr const char* kGoldenPaths[] = {SEERDB_SOURCE_DIR "/tests/golden/v1/table.sst",
                                        SEERDB_SOURCE_DIR "/tests/golden/v1/table_lines.sst",
                                        SEERDB_SOURCE_DIR "/tests/golden/v1/table_equal.sst"};
constexpr const char* kLearnedGoldenPath = SEERDB_SOURCE_DIR "/tests/golden/v1/table_learned.sst";
constexpr const char* kPaddedGoldenPath = SEERDB_SOURCE_DIR "/tests/golden/v1/table_padded.sst";
// The same entries under other models of blocks.
constexpr struct {
  IndexKind asked;
  ModelKind model;
  const char* path;
} kModelGoldens[] = {
    {IndexKind::kPgm, ModelKind::kPgm, SEERDB_SOURCE_DIR "/tests/golden/v1/table_pgm.sst"},
    {IndexKind::kRadixSpline, ModelKind::kRadixSpline, SEERDB_SOURCE_DIR "/tests/golden/v1/table_spline.sst"},
    {IndexKind::kAlex, ModelKind::kAlex, SEERDB_SOURCE_DIR "/tests/golden/v1/table_alex.sst"},
    {IndexKind::kBinary, ModelKind::kNone, SEERDB_SOURCE_DIR "/tests/golden/v1/table_binary.sst"},
};

TestEntries GoldenEntries() {
  TestEntries entries;
  entries[{"apple", PackTrailer(7, ValueType::kValue)}] = "red";
  entries[{"apple", PackTrailer(3, ValueType::kValue)}] = "green";
  entries[{"apricot", PackTrailer(9, ValueType::kDeletion)}] = "";
  entries[{std::string("b\0c", 3), PackTrailer(300, ValueType::kMerge)}] = std::string("\0\xff", 2);
  entries[{"banana", PackTrailer(4, ValueType::kValue)}] = std::string(40, 'y');
  entries[{"cherry", PackTrailer(5, ValueType::kValuePointer)}] = "pointer";
  entries[{"cherry\xff", PackTrailer(6, ValueType::kValue)}] = "";
  return entries;
}

TableBuilderOptions GoldenOptions() {
  TableBuilderOptions options;
  options.block_bytes = 96;
  options.table_number = 42;
  return options;
}

// Keys of three owners: a section each, and one of the first keys, which are tried.
TestEntries LearnedGoldenEntries() {
  TestEntries entries;
  for (const char* owner : {"ann", "bob", "eve"}) {
    for (int i = 1000; i < 1300; ++i) {
      const std::string key = std::string(owner) + "/letters/" + std::to_string(i * 7);
      const auto sequence = static_cast<SequenceNumber>(i);
      entries[{key, PackTrailer(sequence, ValueType::kValue)}] = std::to_string(i * i);
      if (i % 50 == 0) entries[{key, PackTrailer(sequence + 300, ValueType::kDeletion)}] = "";
    }
  }
  return entries;
}

TableBuilderOptions LearnedGoldenOptions() {
  TableBuilderOptions options;
  options.block_bytes = 512;
  options.learned_index_min_keys = 100;
  options.table_number = 44;
  return options;
}

TableBuilderOptions PaddedGoldenOptions() {
  TableBuilderOptions options = LearnedGoldenOptions();
  options.block_bytes = 4096;
  options.ends_with_pages = true;
  return options;
}

TableBuilderOptions ModelGoldenOptions(IndexKind kind) {
  TableBuilderOptions options = LearnedGoldenOptions();
  options.block_bytes = 128;
  options.index_kind = kind;
  return options;
}

void ExpectWriterReproduces(const char* path, const TestEntries& entries,
                            const TableBuilderOptions& options) {
  TestTable table;
  ASSERT_TRUE(table.Build(entries, options).ok());
  const std::shared_ptr<FileSystem> fs = PosixFileSystem();
  if (std::getenv("SEERDB_REWRITE") != nullptr) {
    ASSERT_TRUE(fs->CreateDirectory(SEERDB_SOURCE_DIR "/tests/golden/v1").ok());
    auto file = fs->NewWritableFile(path, CreateMode::kTruncate);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->Append(table.Bytes()).ok());
    ASSERT_TRUE((*file)->Close().ok());
  }
  const Result<std::string> golden = ReadFileToString(*fs, path);
  ASSERT_TRUE(golden.ok()) << golden.status().ToString();
  EXPECT_TRUE(table.Bytes() == *golden) << "the writer's bytes changed; format 1 is fixed";
}

TEST(TableFormatTest, WriterReproducesTheGoldenTables) {
  ExpectWriterReproduces(kGoldenPaths[2], GoldenEntries(), GoldenOptions());
  ExpectWriterReproduces(kLearnedGoldenPath, LearnedGoldenEntries(), LearnedGoldenOptions());
  ExpectWriterReproduces(kPaddedGoldenPath, LearnedGoldenEntries(), PaddedGoldenOptions());
  for (const auto& golden : kModelGoldens) {
    SCOPED_TRACE(golden.path);
    ExpectWriterReproduces(golden.path, LearnedGoldenEntries(), ModelGoldenOptions(golden.asked));
  }
}

void ExpectReaderReads(const TableReader& reader, const TestEntries& entries) {
  EXPECT_EQ(reader.properties().entries, entries.size());
  const auto iterator = reader.NewIterator({});
  iterator->SeekToFirst();
  for (const auto& [key, value] : entries) {
    ASSERT_TRUE(iterator->Valid());
    EXPECT_EQ(iterator->key(), key.first);
    EXPECT_EQ(iterator->trailer(), key.second);
    EXPECT_EQ(iterator->value(), value);
    iterator->Next();
    Lookup result;
    ASSERT_TRUE(reader.Get({}, MakeLookup(key.first, TrailerSequence(key.second)), &result).ok());
    EXPECT_EQ(result.sequence, TrailerSequence(key.second));
    EXPECT_EQ(result.type, TrailerType(key.second));
  }
  EXPECT_FALSE(iterator->Valid());
  VerifyResult verified;
  EXPECT_TRUE(reader.Verify(&verified).ok());
}

TEST(TableFormatTest, ReaderReadsTheGoldenTables) {
  for (const TableAccess access : {TableAccess::kMapped, TableAccess::kPread}) {
    TableOpenOptions options;
    options.access = access;
    options.table_number = 42;
    for (const char* const path : kGoldenPaths) {
      SCOPED_TRACE(path);
      const auto reader = TableReader::Open(*PosixFileSystem(), path, options);
      ASSERT_TRUE(reader.ok()) << reader.status().ToString();
      EXPECT_EQ((*reader)->properties().tombstones, 1u);
      EXPECT_EQ((*reader)->properties().smallest_key, "apple");
      EXPECT_EQ((*reader)->properties().largest_key, "cherry\xff");
      EXPECT_EQ((*reader)->properties().smallest_sequence, 3u);
      EXPECT_EQ((*reader)->properties().largest_sequence, 300u);
      ASSERT_NO_FATAL_FAILURE(ExpectReaderReads(**reader, GoldenEntries()));
    }
    options.table_number = 44;
    const auto learned = TableReader::Open(*PosixFileSystem(), kLearnedGoldenPath, options);
    ASSERT_TRUE(learned.ok()) << learned.status().ToString();
    EXPECT_EQ((*learned)->properties().lookup, LookupKind::kTagIndex);
    EXPECT_EQ((*learned)->properties().filter_bytes, 0u);
    ASSERT_NO_FATAL_FAILURE(ExpectReaderReads(**learned, LearnedGoldenEntries()));
    const auto padded = TableReader::Open(*PosixFileSystem(), kPaddedGoldenPath, options);
    ASSERT_TRUE(padded.ok()) << padded.status().ToString();
    ASSERT_NO_FATAL_FAILURE(ExpectReaderReads(**padded, LearnedGoldenEntries()));
    for (const auto& golden : kModelGoldens) {
      SCOPED_TRACE(golden.path);
      const auto reader = TableReader::Open(*PosixFileSystem(), golden.path, options);
      ASSERT_TRUE(reader.ok()) << reader.status().ToString();
      EXPECT_EQ((*reader)->properties().block_model, golden.model);
      ASSERT_NO_FATAL_FAILURE(ExpectReaderReads(**reader, LearnedGoldenEntries()));
    }
  }
}

TEST(TableFormatTest, UnknownRequiredMetaBlockIsNotSupportedAndOptionalIsSkipped) {
  for (const auto& [id, supported] : {std::pair{kMetaRangeTombstones, false},
                                      {kMetaExpiry, false},
                                      {kFirstOptionalMeta - 1, false},
                                      {kMetaTagIndex, true},
                                      {uint32_t{9999}, true}}) {
    std::string list;
    AppendMetaList({{kMetaIndex, 1, 0, 10}, {id, 2, 64, 10}}, &list);
    const auto decoded = DecodeMetaList(list, 100);
    EXPECT_EQ(decoded.ok(), supported) << id;
    EXPECT_EQ(decoded.status().IsNotSupported(), !supported) << id;
  }
}

TEST(TableFormatTest, MetaListRefusesWhatDoesNotFit) {
  const struct {
    const char* name;
    std::vector<MetaBlock> list;
  } kCases[] = {
      {"outside", {{kMetaIndex, 0, 90, 11}}},
      {"far outside", {{kMetaIndex, 0, UINT64_MAX, 2}}},
      {"size wraps", {{kMetaIndex, 0, 50, UINT64_MAX}}},
      {"overlap", {{kMetaIndex, 0, 0, 20}, {kMetaFilter, 0, 19, 20}}},
      {"out of order", {{kMetaIndex, 0, 40, 20}, {kMetaFilter, 0, 0, 20}}},
      {"twice", {{kMetaIndex, 0, 0, 20}, {kMetaIndex, 0, 40, 20}}},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.name);
    std::string list;
    AppendMetaList(c.list, &list);
    EXPECT_TRUE(DecodeMetaList(list, 100).status().IsCorruption());
  }
  std::string list;
  AppendMetaList({{kMetaIndex, 0, 0, 20}}, &list);
  ASSERT_TRUE(DecodeMetaList(list, 100).ok());
  for (size_t n = 0; n < list.size(); ++n) EXPECT_FALSE(DecodeMetaList(Slice(list).substr(0, n), 100).ok());
}

TEST(TableFormatTest, MetaListHasABoundedNumberOfBlocks) {
  std::vector<MetaBlock> list;
  for (uint32_t i = 0; i < kMaxMetaBlocks; ++i) list.push_back({kFirstOptionalMeta + i, 0, i, 1});
  std::string most;
  AppendMetaList(list, &most);
  EXPECT_TRUE(DecodeMetaList(most, list.size() + 1).ok());
  list.push_back({kFirstOptionalMeta + kMaxMetaBlocks, 0, kMaxMetaBlocks, 1});
  std::string more;
  AppendMetaList(list, &more);
  EXPECT_TRUE(DecodeMetaList(more, list.size() + 1).status().IsCorruption());
}

TEST(TableFormatTest, FooterOfAnotherVersionIsNotSupported) {
  TableFooter footer;
  footer.file_bytes = kTableFooterBytes;
  std::string bytes;
  AppendTableFooter(footer, &bytes);
  ASSERT_EQ(bytes.size(), kTableFooterBytes);
  EXPECT_TRUE(DecodeTableFooter(bytes, kTableFooterBytes).ok());
  EXPECT_TRUE(DecodeTableFooter(bytes, kTableFooterBytes + 1).status().IsCorruption());
  bytes[40] ^= 1;
  EXPECT_TRUE(DecodeTableFooter(bytes, kTableFooterBytes).status().IsCorruption());
}

TEST(TableFormatTest, ChecksumDependsOnTableAndPlace) {
  const uint32_t checksum = TableChecksum(1, 100, "bytes");
  EXPECT_NE(checksum, TableChecksum(2, 100, "bytes"));
  EXPECT_NE(checksum, TableChecksum(1, 101, "bytes"));
  EXPECT_NE(checksum, TableChecksum(1, 100, "byteS"));
}

}  // namespace
}  // namespace seerdb
