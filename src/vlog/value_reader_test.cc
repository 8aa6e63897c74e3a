#include "vlog/value_reader.h"

#include "vlog/value_test_util.h"

namespace seerdb {
namespace {

constexpr uint64_t kChunk = kValueChunkBytes;

bool IsDamage(const Status& status) {
  return status.IsCorruption() && status.detail() == StatusDetail::kValueCorruption;
}

class ValueReaderTest : public ::testing::TestWithParam<TableAccess> {
 protected:
  std::shared_ptr<ValueReader> Open() {
    std::shared_ptr<ValueReader> reader;
    const Status status = OpenTestSegment(*fs_, &reader, kTestSegment, GetParam());
    EXPECT_TRUE(status.ok()) << status.ToString();
    if (reader != nullptr && GetParam() != TableAccess::kPread) reader->NoteSealed();
    return reader;
  }

  const std::shared_ptr<MemoryFileSystem> fs_ = NewTestFileSystem();
};

TEST_P(ValueReaderTest, ValuesOfAllSizesAreReadBack) {
  const std::vector<uint64_t> sizes{0,          1,      100,        32 << 10,   (32 << 10) + 1,
                                    kChunk - 1, kChunk, kChunk + 1, 3 * kChunk, 5 * kChunk + 77};
  std::vector<std::string> values;
  for (const uint64_t bytes : sizes) values.push_back(TestValue(bytes, values.size()));
  const std::vector<ValuePointer> pointers = WriteTestSegment(*fs_, values);
  const auto reader = Open();
  ASSERT_NE(reader, nullptr);
  uint64_t offset = kValueSegmentHeaderBytes;
  for (size_t i = 0; i < values.size(); ++i) {
    SCOPED_TRACE(sizes[i]);
    EXPECT_EQ(pointers[i].segment, kTestSegment);
    EXPECT_EQ(pointers[i].offset, offset + kValueRecordHeadBytes + 2);
    EXPECT_EQ(pointers[i].bytes, sizes[i]);
    offset += ValueRecordBytes(2, sizes[i]);
    FetchedValue value;
    EXPECT_TRUE(reader->Read(pointers[i], &value).ok());
    EXPECT_TRUE(value.bytes == Slice(values[i]));
    EXPECT_TRUE(reader->Check(pointers[i]).ok());
  }
  EXPECT_EQ(TestFileBytes(*fs_).size(), offset);
}

TEST_P(ValueReaderTest, PartsAreReadAtEveryBoundary) {
  for (const uint64_t bytes : {uint64_t{10}, kChunk, kChunk + 1, 2 * kChunk, 3 * kChunk + 5}) {
    ASSERT_TRUE(fs_->DeleteFile(kTestPath).ok() || bytes == 10);
    const std::string whole = TestValue(bytes);
    const ValuePointer pointer = WriteTestSegment(*fs_, {"first", whole})[1];
    const auto reader = Open();
    ASSERT_NE(reader, nullptr);
    std::vector<uint64_t> places{0, 1, bytes / 2, bytes - 1, bytes};
    for (uint64_t chunk = kChunk; chunk <= bytes; chunk += kChunk) {
      for (const uint64_t at : {chunk - 1, chunk, chunk + 1}) {
        if (at <= bytes) places.push_back(at);
      }
    }
    for (const uint64_t begin : places) {
      for (const uint64_t end : places) {
        if (end < begin) continue;
        FetchedValue value;
        const Status status = reader->ReadPart(pointer, begin, end - begin, &value);
        ASSERT_TRUE(status.ok()) << bytes << " [" << begin << ", " << end << ") " << status.ToString();
        ASSERT_TRUE(value.bytes == Slice(whole).substr(begin, end - begin))
            << bytes << " [" << begin << ", " << end << ")";
      }
    }
  }
}

// Every byte that a pointer leads to counts; those of heads and keys are of use to a dump alone.
TEST_P(ValueReaderTest, EveryFlippedByteIsNoticed) {
  const std::vector<std::string> values{"", "x", TestValue(200)};
  const std::vector<ValuePointer> pointers = WriteTestSegment(*fs_, values);
  const std::string whole = TestFileBytes(*fs_);
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << at % 8));
    StoreTestFile(*fs_, damaged);
    std::shared_ptr<ValueReader> reader;
    const Status opened = OpenTestSegment(*fs_, &reader, kTestSegment, GetParam());
    EXPECT_EQ(opened.ok(), at >= kValueSegmentHeaderBytes) << at;
    if (!opened.ok()) {
      EXPECT_TRUE(IsDamage(opened)) << opened.ToString();
      continue;
    }
    for (size_t i = 0; i < values.size(); ++i) {
      const bool hit = at >= pointers[i].offset && at < pointers[i].offset + pointers[i].bytes;
      FetchedValue value;
      const Status status = reader->Read(pointers[i], &value);
      EXPECT_EQ(IsDamage(status), hit) << at;
      EXPECT_EQ(IsDamage(reader->ReadPart(pointers[i], 0, 0, &value)), hit) << at;
    }
  }
}

// Of a long value a part needs its own chunks, and the table, and no other.
TEST_P(ValueReaderTest, DamageInAnotherChunkDoesNotHurtAPart) {
  const ValuePointer pointer = WriteTestSegment(*fs_, {TestValue(3 * kChunk)})[0];
  const std::string whole = TestFileBytes(*fs_);
  const auto after = [&](uint64_t at) {
    std::string damaged = whole;
    damaged[pointer.offset + at] ^= 8;
    StoreTestFile(*fs_, damaged);
    return Open();
  };
  FetchedValue value;
  auto reader = after(kChunk + 5);
  EXPECT_TRUE(IsDamage(reader->Read(pointer, &value)));
  EXPECT_TRUE(IsDamage(reader->Check(pointer)));
  EXPECT_TRUE(reader->ReadPart(pointer, 0, kChunk, &value).ok());
  EXPECT_TRUE(IsDamage(reader->ReadPart(pointer, kChunk - 1, 2, &value)));
  EXPECT_TRUE(IsDamage(reader->ReadPart(pointer, 2 * kChunk - 1, 2, &value)));
  EXPECT_TRUE(reader->ReadPart(pointer, 2 * kChunk, kChunk, &value).ok());
  for (uint64_t at = 3 * kChunk; at < 3 * kChunk + 12; ++at) {
    reader = after(at);
    EXPECT_TRUE(IsDamage(reader->Read(pointer, &value))) << at;
    EXPECT_TRUE(IsDamage(reader->ReadPart(pointer, 0, 1, &value))) << at;
  }
}

TEST_P(ValueReaderTest, ATruncatedFileGivesDamageAndNoMore) {
  const std::vector<ValuePointer> pointers = WriteTestSegment(*fs_, {TestValue(50), TestValue(kChunk + 9)});
  const std::string whole = TestFileBytes(*fs_);
  for (const size_t bytes : {size_t{0}, size_t{63}, size_t{64}, size_t{100}, size_t{140}, size_t{5000},
                             whole.size() - 9, whole.size() - 8, whole.size() - 1}) {
    StoreTestFile(*fs_, whole.substr(0, bytes));
    std::shared_ptr<ValueReader> reader;
    const Status opened = OpenTestSegment(*fs_, &reader, kTestSegment, GetParam());
    EXPECT_EQ(opened.ok(), bytes >= 64) << bytes;
    if (!opened.ok()) continue;
    if (GetParam() != TableAccess::kPread) reader->NoteSealed();
    FetchedValue value;
    EXPECT_EQ(reader->Read(pointers[0], &value).ok(), bytes >= 140) << bytes;
    EXPECT_TRUE(IsDamage(reader->Read(pointers[1], &value))) << bytes;
    EXPECT_TRUE(IsDamage(reader->ReadPart(pointers[1], 0, 1, &value))) << bytes;
  }
}

// The right bytes where they were not written.
TEST_P(ValueReaderTest, MisplacedValuesAreRefused) {
  const std::string same = TestValue(100);
  const std::vector<ValuePointer> pointers = WriteTestSegment(*fs_, {same, same, TestValue(2 * kChunk)});
  EXPECT_NE(pointers[0].crc, pointers[1].crc) << "the checksum knows the place";
  const auto reader = Open();
  ASSERT_NE(reader, nullptr);
  FetchedValue value;
  ValuePointer wrong = pointers[0];
  wrong.offset = pointers[1].offset;
  EXPECT_TRUE(IsDamage(reader->Read(wrong, &value)));
  wrong = pointers[2];
  wrong.bytes = kChunk;  // a chunk alone, with the checksum of the list
  EXPECT_TRUE(IsDamage(reader->Read(wrong, &value)));
  // As the segment of another number: the header says so, and where it is forged the checksums do.
  std::shared_ptr<ValueReader> other;
  EXPECT_TRUE(IsDamage(OpenTestSegment(*fs_, &other, kTestSegment + 1, GetParam())));
  std::string forged;
  AppendValueSegmentHeader(&forged, {kTestDatabase, kTestSegment + 1, 5});
  StoreTestFile(*fs_, forged + TestFileBytes(*fs_).substr(kValueSegmentHeaderBytes));
  ASSERT_TRUE(OpenTestSegment(*fs_, &other, kTestSegment + 1, GetParam()).ok());
  for (const ValuePointer& pointer : pointers) {
    EXPECT_TRUE(IsDamage(other->Read(pointer, &value)));
    EXPECT_TRUE(IsDamage(other->ReadPart(pointer, 0, 1, &value)));
  }
  AppendValueSegmentHeader(&(forged = ""), {{1, 2}, kTestSegment, 5});
  StoreTestFile(*fs_, forged);
  EXPECT_TRUE(IsDamage(OpenTestSegment(*fs_, &other, kTestSegment, GetParam()))) << "another database's";
}

TEST_P(ValueReaderTest, PointersBehindTheEndAreDamage) {
  const ValuePointer pointer = WriteTestSegment(*fs_, {TestValue(50)})[0];
  const auto reader = Open();
  ASSERT_NE(reader, nullptr);
  FetchedValue value;
  for (const uint64_t offset : {pointer.offset + 1, uint64_t{1} << 40, kMaxValueFileBytes}) {
    for (const uint64_t bytes : {uint64_t{0}, uint64_t{50}, kChunk + 1}) {
      const Status status = reader->Read({kTestSegment, offset, bytes, pointer.crc}, &value);
      EXPECT_TRUE(IsDamage(status)) << offset << " " << bytes << " " << status.ToString();
    }
  }
}

TEST(ValueReaderFile, AMissingFileIsNotFound) {
  std::shared_ptr<ValueReader> reader;
  EXPECT_EQ(OpenTestSegment(*NewTestFileSystem(), &reader).detail(), StatusDetail::kNotFound);
}

INSTANTIATE_TEST_SUITE_P(Access, ValueReaderTest,
                         ::testing::Values(TableAccess::kPread, TableAccess::kMapped),
                         [](const auto& tested) {
                           return tested.param == TableAccess::kPread ? "Pread" : "Mapped";
                         });

}  // namespace
}  // namespace seerdb
