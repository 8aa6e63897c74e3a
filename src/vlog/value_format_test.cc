#include "vlog/value_format.h"

#include <gtest/gtest.h>

#include "base/coding.h"
#include "seerdb/types.h"
#include "vlog/value_test_util.h"

namespace seerdb {
namespace {

TEST(ValueFormat, HeaderRoundTripsAndEveryByteCounts) {
  const ValueSegmentHeader header{kTestDatabase, kTestSegment, 99};
  std::string bytes;
  AppendValueSegmentHeader(&bytes, header);
  ASSERT_EQ(bytes.size(), kValueSegmentHeaderBytes);
  ValueSegmentHeader decoded;
  EXPECT_TRUE(DecodeValueSegmentHeader(bytes, &decoded));
  EXPECT_EQ(decoded, header);
  EXPECT_TRUE(DecodeValueSegmentHeader(bytes + "more", &decoded));
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::string damaged = bytes;
    damaged[at] ^= 0x10;
    EXPECT_FALSE(DecodeValueSegmentHeader(damaged, &decoded)) << at;
    EXPECT_FALSE(DecodeValueSegmentHeader(bytes.substr(0, at), &decoded)) << at;
  }
}

TEST(ValueFormat, RecordHeadsRoundTripAndAreBoundToTheirPlace) {
  const ValueRecordHead head{0xdeadbeef, 5, kMaxValueBytes};
  std::string bytes;
  AppendValueRecordHead(&bytes, kTestSegment, 64, "pre", "fi", head);
  ASSERT_EQ(bytes.size(), kValueRecordHeadBytes + 5);
  ValueRecordHead decoded;
  ASSERT_TRUE(DecodeValueRecordHead(bytes, &decoded));
  EXPECT_EQ(decoded.value_crc, head.value_crc);
  EXPECT_EQ(decoded.key_bytes, 5u);
  EXPECT_EQ(decoded.value_bytes, head.value_bytes);
  const auto fits = [](const std::string& record, uint64_t segment, uint64_t offset) {
    return CheckValueRecordHead(segment, offset, Slice(record).substr(0, kValueRecordHeadBytes),
                                Slice(record).substr(kValueRecordHeadBytes));
  };
  EXPECT_TRUE(fits(bytes, kTestSegment, 64));
  EXPECT_FALSE(fits(bytes, kTestSegment, 65));
  EXPECT_FALSE(fits(bytes, kTestSegment + 1, 64));
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::string damaged = bytes;
    damaged[at] ^= 1;
    EXPECT_FALSE(fits(damaged, kTestSegment, 64)) << at;
  }
}

TEST(ValueFormat, HeadsWithLengthsOutOfRangeAreRefused) {
  const auto decodes = [](uint32_t key_bytes, uint64_t value_bytes, uint32_t zero) {
    std::string bytes(kValueRecordHeadBytes, '\0');
    StoreU32(bytes.data() + 8, key_bytes);
    StoreU32(bytes.data() + 12, zero);
    StoreU64(bytes.data() + 16, value_bytes);
    ValueRecordHead head;
    return DecodeValueRecordHead(bytes, &head);
  };
  EXPECT_TRUE(decodes(kMaxKeyBytes + 16, kMaxValueBytes, 0));
  EXPECT_FALSE(decodes(kMaxKeyBytes + 17, 1, 0));
  EXPECT_FALSE(decodes(1, uint64_t{kMaxValueBytes} + 1, 0));
  EXPECT_FALSE(decodes(1, UINT64_MAX, 0));
  EXPECT_FALSE(decodes(1, 1, 1));
  ValueRecordHead head;
  EXPECT_FALSE(DecodeValueRecordHead(Slice("short"), &head));
}

TEST(ValueFormat, OnlyLongValuesHaveATableOfChunks) {
  for (const uint64_t bytes : {uint64_t{0}, uint64_t{1}, kValueChunkBytes - 1, kValueChunkBytes}) {
    EXPECT_EQ(ChunkTableBytes(bytes), 0u);
    EXPECT_TRUE(ChunkTable(1, 100, TestValue(bytes)).empty());
  }
  EXPECT_EQ(ChunkTableBytes(kValueChunkBytes + 1), 8u);
  EXPECT_EQ(ChunkTableBytes(3 * kValueChunkBytes), 12u);
  EXPECT_EQ(ValueRecordBytes(3, kValueChunkBytes + 1), 24u + 3 + kValueChunkBytes + 1 + 8);
  const std::string value = TestValue(kValueChunkBytes + 1);
  const std::string table = ChunkTable(1, 100, value);
  ASSERT_EQ(table.size(), 8u);
  EXPECT_EQ(LoadU32(table.data()), ValueChunkCrc(1, 100, Slice(value).substr(0, kValueChunkBytes)));
  EXPECT_EQ(LoadU32(table.data() + 4),
            ValueChunkCrc(1, 100 + kValueChunkBytes, Slice(value).substr(kValueChunkBytes)));
  EXPECT_EQ(ValueCrc(1, 100, value, table), ValueChunkCrc(1, 100 + value.size(), table));
}

// The hexdump of docs/format/values.md.
TEST(ValueFormat, ATinySegmentIsWhatTheDocumentShows) {
  const auto fs = NewTestFileSystem();
  const std::vector<ValuePointer> pointers = WriteTestSegment(*fs, {"hello"});
  static const char* const kShown[] = {
      "53 52 44 42 56 41 4c 31 01 00 00 00 00 00 00 00", "ef cd ab 89 67 45 23 01 10 32 54 76 98 ba dc fe",
      "11 00 00 00 00 00 00 00 05 00 00 00 00 00 00 00", "00 00 00 00 00 00 00 00 00 00 00 00 a0 2b 0e d6",
      "ae 86 b2 7e 89 a3 66 21 02 00 00 00 00 00 00 00", "05 00 00 00 00 00 00 00 6b 30 68 65 6c 6c 6f",
  };
  const std::string bytes = TestFileBytes(*fs);
  std::string shown;
  for (const char* line : kShown) shown += std::string(line) + "\n";
  std::string found;
  for (size_t at = 0; at < bytes.size(); ++at) {
    char text[4];
    std::snprintf(text, sizeof text, "%02x%c", static_cast<unsigned char>(bytes[at]),
                  at % 16 == 15 || at + 1 == bytes.size() ? '\n' : ' ');
    found += text;
  }
  EXPECT_EQ(found, shown);
  std::string pointer;
  AppendValuePointer(&pointer, pointers[0]);
  EXPECT_EQ(pointer.substr(0, 4), std::string("\x00\x11\x5a\x05", 4));
  EXPECT_EQ(LoadU32(pointer.data() + 4), LoadU32(bytes.data() + 68)) << "the record has the same checksum";
}

}  // namespace
}  // namespace seerdb
