#include "sstable/table_builder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/coding.h"
#include "sstable/properties_codec.h"
#include "sstable/test_table.h"

namespace seerdb {
namespace {

// Keeps the sizes of appends and the hints, and fails from the given append on.
class RecordingWritableFile final : public WritableFile {
 public:
  explicit RecordingWritableFile(size_t fail_at = SIZE_MAX) : fail_at_(fail_at) {}
  Status Append(Slice bytes) override {
    if (sizes_.size() >= fail_at_) return Status::IoError("append: no space", StatusDetail::kNoSpace);
    sizes_.push_back(bytes.size());
    appended_ += bytes.size();
    return Status::Ok();
  }
  void StartWriteback(uint64_t offset, uint64_t bytes) override {
    EXPECT_EQ(offset, started_) << "each byte once, in order";
    started_ = offset + bytes;
    EXPECT_LE(started_, appended_);
    longest_unstarted_ = std::max(longest_unstarted_, bytes);
  }
  Status Sync() override { return Status::Ok(); }
  Status SyncAll() override { return Status::Ok(); }
  Status Allocate(uint64_t, bool) override { return Status::Ok(); }
  Status Truncate(uint64_t) override { return Status::Ok(); }
  Status Close() override { return Status::Ok(); }
  const std::vector<size_t>& sizes() const { return sizes_; }
  uint64_t unstarted_bytes() const { return appended_ - started_; }
  uint64_t longest_unstarted_bytes() const { return longest_unstarted_; }

 private:
  const size_t fail_at_;
  std::vector<size_t> sizes_;
  uint64_t appended_ = 0;
  uint64_t started_ = 0;
  uint64_t longest_unstarted_ = 0;
};

TEST(TableBuilderTest, RefusesEntriesOutOfOrder) {
  const struct {
    const char* name;
    Slice key;
    uint64_t trailer;
  } kCases[] = {
      {"smaller key", "a", PackTrailer(100, ValueType::kValue)},
      {"prefix of the key", "ke", PackTrailer(1, ValueType::kValue)},
      {"same entry", "key", PackTrailer(10, ValueType::kValue)},
      {"newer version", "key", PackTrailer(11, ValueType::kValue)},
      {"same sequence, greater kind", "key", PackTrailer(10, ValueType::kMerge)},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.name);
    RecordingWritableFile file;
    TableBuilder builder({}, &file);
    ASSERT_TRUE(builder.Add("key", PackTrailer(10, ValueType::kValue), "v").ok());
    EXPECT_TRUE(builder.Add(c.key, c.trailer, "v").IsInvalidArgument());
    // A refused entry leaves no trace.
    EXPECT_EQ(builder.entries(), 1u);
    EXPECT_EQ(builder.last_key(), "key");
    EXPECT_TRUE(builder.Add("key", PackTrailer(9, ValueType::kValue), "v").ok());
    EXPECT_TRUE(builder.Finish().ok());
  }
}

TEST(TableBuilderTest, RefusesKindsThatAreNoPointEntries) {
  for (const uint8_t kind : {uint8_t{4}, uint8_t{8}, uint8_t{0x10}, uint8_t{0xff}}) {
    RecordingWritableFile file;
    TableBuilder builder({}, &file);
    EXPECT_TRUE(builder.Add("key", uint64_t{10} << 8 | kind, "v").IsInvalidArgument());
  }
}

// By segment, with what records take; of what is malformed nothing.
TEST(TableBuilderTest, SumsUpWhatEntriesPointTo) {
  RecordingWritableFile file;
  TableBuilder builder({}, &file);
  const auto pointer = [](uint64_t segment, uint64_t bytes) {
    std::string text;
    AppendValuePointer(&text, {segment, 90, bytes, 1});
    return text;
  };
  const std::string in_time(8, '\x01');
  ASSERT_TRUE(builder.Add("a", PackTrailer(9, ValueType::kValuePointer), pointer(30, 100)).ok());
  ASSERT_TRUE(builder.Add("a", PackTrailer(8, ValueType::kValuePointer), pointer(17, 5)).ok());
  ASSERT_TRUE(
      builder.Add("b", PackTrailer(7, ValueType::kExpiringPointer), in_time + pointer(17, 100'000)).ok());
  ASSERT_TRUE(builder.Add("c", PackTrailer(6, ValueType::kValuePointer), "malformed").ok());
  ASSERT_TRUE(builder.Add("d", PackTrailer(5, ValueType::kValue), pointer(18, 5)).ok()) << "a value like one";
  const auto properties = builder.Finish();
  ASSERT_TRUE(properties.ok());
  const ValueBytesList want{{17, ValueRecordBytes(1, 5) + ValueRecordBytes(1, 100'000)},
                            {30, ValueRecordBytes(1, 100)}};
  EXPECT_EQ(properties->values, want);
  std::string bytes;
  AppendTableProperties(*properties, &bytes);
  const auto decoded = DecodeTableProperties(bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
  EXPECT_EQ(decoded->values, want);
}

TEST(TableBuilderTest, NeedsAnEntryAndFinishesOnce) {
  RecordingWritableFile file;
  TableBuilder empty({}, &file);
  EXPECT_TRUE(empty.Finish().status().IsInvalidArgument());
  TableBuilder builder({}, &file);
  ASSERT_TRUE(builder.Add("", PackTrailer(1, ValueType::kValue), "").ok());
  ASSERT_TRUE(builder.Finish().ok());
  EXPECT_TRUE(builder.Finish().status().IsInvalidArgument());
  EXPECT_TRUE(builder.Add("z", PackTrailer(1, ValueType::kValue), "").IsInvalidArgument());
}

TEST(TableBuilderTest, WritesInLargeChunksAndEstimatesItsSize) {
  RecordingWritableFile file;
  TableBuilder builder({}, &file);
  const std::string value(1000, 'v');
  char key[20];
  for (int i = 0; i < 5000; ++i) {
    std::snprintf(key, sizeof key, "%08d", i);
    ASSERT_TRUE(
        builder.Add(key, PackTrailer(1, ValueType::kValue), i == 3000 ? std::string(3 << 20, 'x') : value)
            .ok());
  }
  const uint64_t estimate = builder.estimated_bytes();
  const auto properties = builder.Finish();
  ASSERT_TRUE(properties.ok());
  constexpr size_t kHugePageBytes = size_t{2} << 20;
  uint64_t sum = 0;
  for (const size_t size : file.sizes()) {
    EXPECT_EQ(sum % kHugePageBytes, 0u);
    EXPECT_LE(size, kHugePageBytes);
    sum += size;
  }
  EXPECT_EQ(file.sizes().size(), sum / kHugePageBytes + 1);
  EXPECT_EQ(sum, properties->file_bytes);
  EXPECT_GT(estimate, sum * 98 / 100);
  EXPECT_LT(estimate, sum * 102 / 100);
}

TEST(TableBuilderTest, LeavesTheSyncLittleToWrite) {
  RecordingWritableFile file;
  TableBuilder builder({}, &file);
  for (int i = 0; i < 20'000; ++i) {
    char key[20];
    std::snprintf(key, sizeof key, "%08d", i);
    ASSERT_TRUE(builder.Add(key, PackTrailer(1, ValueType::kValue), std::string(1000, 'v')).ok());
  }
  ASSERT_TRUE(builder.Finish().ok());
  EXPECT_LE(file.longest_unstarted_bytes(), uint64_t{3} << 20);
  EXPECT_LE(file.unstarted_bytes(), uint64_t{3} << 20);
}

TEST(TableBuilderTest, AFailedAppendIsReportedByEveryLaterCall) {
  RecordingWritableFile file(1);
  TableBuilder builder({}, &file);
  const std::string value(100'000, 'v');
  Status status;
  for (int i = 0; i < 100 && status.ok(); ++i) {
    status = builder.Add(std::string(1, static_cast<char>(i)), PackTrailer(1, ValueType::kValue), value);
  }
  EXPECT_TRUE(status.IsNoSpace());
  EXPECT_TRUE(builder.Add("\xff", PackTrailer(1, ValueType::kValue), "v").IsNoSpace());
  EXPECT_TRUE(builder.Finish().status().IsNoSpace());
}

TEST(TableBuilderTest, PropertiesSurviveTheFile) {
  TestEntries entries;
  entries[{"a", PackTrailer(5, ValueType::kDeletion)}] = "";
  entries[{"b", PackTrailer(9, ValueType::kValue)}] = "value";
  entries[{"b", PackTrailer(2, ValueType::kDeletion)}] = "";
  for (const CompressionType compression :
       {CompressionType::kNone, CompressionType::kLz4, CompressionType::kZstd}) {
    TestTable table;
    TableBuilderOptions options;
    options.compression = compression;
    options.table_number = 123;
    ASSERT_TRUE(table.Build(entries, options).ok());
    const auto reader = table.Open(TableAccess::kMapped);
    ASSERT_TRUE(reader.ok());
    for (const TableProperties& p : {table.properties(), (*reader)->properties()}) {
      EXPECT_EQ(p.table_number, 123u);
      EXPECT_EQ(p.file_bytes, table.Bytes().size());
      EXPECT_EQ(p.entries, 3u);
      EXPECT_EQ(p.tombstones, 2u);
      EXPECT_EQ(p.data_blocks, 1u);
      EXPECT_GT(p.data_bytes, 0u);
      EXPECT_EQ(p.raw_key_bytes, 3u);
      EXPECT_EQ(p.raw_value_bytes, 5u);
      EXPECT_EQ(p.smallest_key, "a");
      EXPECT_EQ(p.largest_key, "b");
      EXPECT_EQ(p.smallest_sequence, 2u);
      EXPECT_EQ(p.largest_sequence, 9u);
      EXPECT_EQ(p.compression, compression);
      EXPECT_GT(p.index_bytes, 0u);
      EXPECT_GT(p.filter_bytes, 0u);
      EXPECT_EQ(p.model_segments, 1u);
    }
  }
}

TEST(PropertiesCodecTest, SkipsUnknownAndRefusesMissingOrRepeated) {
  TableProperties properties;
  properties.entries = 3;
  properties.smallest_key = "a";
  std::string bytes;
  AppendTableProperties(properties, &bytes);
  ASSERT_TRUE(DecodeTableProperties(bytes).ok());
  std::string more = bytes;
  AppendVarint(&more, 1000);
  AppendLengthPrefixed(&more, "from the future");
  const auto decoded = DecodeTableProperties(more);
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->entries, 3u);
  EXPECT_TRUE(DecodeTableProperties(bytes + bytes).status().IsCorruption());
  for (size_t n = 0; n < bytes.size(); ++n) {
    EXPECT_TRUE(DecodeTableProperties(Slice(bytes).substr(0, n)).status().IsCorruption()) << n;
  }
}

TEST(TableReaderTest, ApproximateOffsetAscendsFromZeroToTheEnd) {
  TestEntries entries;
  char key[20];
  for (int i = 0; i < 2000; ++i) {
    std::snprintf(key, sizeof key, "%08d", i);
    entries[{key, PackTrailer(1, ValueType::kValue)}] = std::string(100, 'v');
  }
  TestTable table;
  ASSERT_TRUE(table.Build(entries, {}).ok());
  const auto reader = table.Open(TableAccess::kMapped);
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ((*reader)->ApproximateOffset(""), 0u);
  EXPECT_EQ((*reader)->ApproximateOffset("zzz"), table.properties().data_bytes);
  uint64_t before = 0;
  for (const auto& [entry, value] : entries) {
    const uint64_t offset = (*reader)->ApproximateOffset(entry.first);
    EXPECT_GE(offset, before);
    before = offset;
  }
  const uint64_t middle = (*reader)->ApproximateOffset("00001000");
  EXPECT_GT(middle, table.properties().data_bytes * 45 / 100);
  EXPECT_LT(middle, table.properties().data_bytes * 55 / 100);
  EXPECT_GE((*reader)->memory_bytes(), table.properties().index_bytes + table.properties().filter_bytes);
}

}  // namespace
}  // namespace seerdb
