#include "vlog/value_writer.h"

#include "env/fault_file_system.h"
#include "vlog/value_test_util.h"

namespace seerdb {
namespace {

class ValueWriterTest : public ::testing::Test {
 protected:
  ValueWriterTest() {
    auto created = ValueWriter::Create(fs_, kTestPath, {kTestDatabase, kTestSegment, 5});
    EXPECT_TRUE(created.ok());
    writer_ = *std::move(created);
  }
  ValuePointer Add(const std::string& value) {
    ValuePointer pointer;
    const Status status = writer_->Add("k", "ey", value, &pointer);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return pointer;
  }
  bool Reads(const ValuePointer& pointer, const std::string& value) {
    std::shared_ptr<ValueReader> reader;
    FetchedValue found;
    return OpenTestSegment(*memory_, &reader).ok() && reader->Read(pointer, &found).ok() &&
           found.bytes == Slice(value);
  }

  const std::shared_ptr<MemoryFileSystem> memory_ = NewTestFileSystem();
  FaultFileSystem fs_{memory_};
  std::unique_ptr<ValueWriter> writer_;
};

TEST_F(ValueWriterTest, SmallValuesWaitForFlushAndLargeOnesDoNot) {
  const std::string small = TestValue(100);
  const ValuePointer first = Add(small);
  EXPECT_EQ(writer_->bytes(), 0u);
  EXPECT_GT(writer_->buffered_bytes(), 100u);
  EXPECT_FALSE(Reads(first, small));
  const std::string large = TestValue(40'000);
  const ValuePointer second = Add(large);
  EXPECT_EQ(writer_->buffered_bytes(), 0u);
  EXPECT_TRUE(Reads(first, small));
  EXPECT_TRUE(Reads(second, large));
  const ValuePointer third = Add(small);
  EXPECT_FALSE(Reads(third, small));
  ASSERT_TRUE(writer_->Flush().ok());
  EXPECT_TRUE(Reads(third, small));
  EXPECT_EQ(writer_->bytes(), TestFileBytes(*memory_).size());
}

TEST_F(ValueWriterTest, AnExistingFileIsNotWrittenTo) {
  EXPECT_FALSE(ValueWriter::Create(fs_, kTestPath, {kTestDatabase, kTestSegment, 6}).ok());
}

// A large value goes to the file from where it lies.
TEST_F(ValueWriterTest, LargeValuesAreNotCopied) {
  Add("small");
  const std::string large = TestValue(1 << 20);
  Add(large);
  EXPECT_EQ(writer_->buffered_bytes(), 0u);
  EXPECT_EQ(fs_.calls(FileOp::kAppend), 3u) << "what was buffered with its head, the value, its checksums";
}

TEST_F(ValueWriterTest, AfterAFailedAppendTheSegmentIsLeftAndEarlierPointersAreGood) {
  const std::string value = TestValue(3000);
  const ValuePointer good = Add(value);
  ASSERT_TRUE(writer_->Flush().ok());
  const uint64_t bytes = writer_->bytes();
  fs_.AddRule(FaultRule::ShortWrite(".vlog", 1000, FaultRule::NoSpaceError()));
  ValuePointer pointer;
  EXPECT_TRUE(writer_->Add("k", "ey", TestValue(50'000), &pointer).IsNoSpace());
  EXPECT_TRUE(writer_->failed());
  EXPECT_EQ(writer_->bytes(), bytes);
  EXPECT_FALSE(writer_->Add("k", "ey", "more", &pointer).ok());
  EXPECT_FALSE(writer_->Flush().ok());
  EXPECT_TRUE(Reads(good, value));
  EXPECT_TRUE(writer_->Sync().ok()) << "what was written is good";
  EXPECT_TRUE(writer_->Close().ok());
  const auto survivor = memory_->CrashClone({1, CrashOptions::kProcessCrash, true});
  EXPECT_GE(TestFileBytes(*survivor).size(), bytes);
}

TEST_F(ValueWriterTest, SyncMakesDurableWhatWasFlushedAndAsksOnce) {
  ASSERT_TRUE(memory_->SyncDirectory("/db").ok() && memory_->SyncDirectory("/").ok());
  Add(TestValue(200));
  ASSERT_TRUE(writer_->Sync().ok());
  EXPECT_EQ(fs_.calls(FileOp::kSync), 0u) << "nothing was flushed";
  ASSERT_TRUE(writer_->Flush().ok());
  ASSERT_TRUE(writer_->Sync().ok());
  ASSERT_TRUE(writer_->Sync().ok());
  EXPECT_EQ(fs_.calls(FileOp::kSync), 1u);
  const auto survivor = memory_->CrashClone({1, CrashOptions::kDropUnsynced, true});
  EXPECT_EQ(TestFileBytes(*survivor).size(), writer_->bytes());
}

// The kernel may have dropped what it could not write: that a later sync succeeds says nothing.
TEST_F(ValueWriterTest, AFailedSyncFailsForGood) {
  Add(TestValue(200));
  ASSERT_TRUE(writer_->Flush().ok());
  ASSERT_TRUE(writer_->Sync().ok());
  Add(TestValue(200));
  ASSERT_TRUE(writer_->Sync().ok()) << "nothing new was flushed";
  ASSERT_TRUE(writer_->Flush().ok());
  fs_.AddRule(FaultRule::Fail(FileOp::kSync, ".vlog", FaultRule::DeviceError()));
  EXPECT_EQ(writer_->Sync().detail(), StatusDetail::kSyncFailed);
  EXPECT_EQ(fs_.faults_fired(), 1u);
  EXPECT_EQ(writer_->Sync().detail(), StatusDetail::kSyncFailed);
}

TEST_F(ValueWriterTest, HeadsTellOfEveryRecord) {
  Add("one");
  Add(TestValue(70'000));
  Add("");
  ASSERT_TRUE(writer_->Flush().ok());
  const std::string bytes = TestFileBytes(*memory_);
  uint64_t offset = kValueSegmentHeaderBytes;
  for (const uint64_t value_bytes : {3, 70'000, 0}) {
    ValueRecordHead head;
    ASSERT_TRUE(DecodeValueRecordHead(Slice(bytes).substr(offset), &head));
    EXPECT_EQ(head.value_bytes, value_bytes);
    EXPECT_EQ(head.key_bytes, 3u);
    EXPECT_TRUE(CheckValueRecordHead(kTestSegment, offset, Slice(bytes).substr(offset, kValueRecordHeadBytes),
                                     "key"));
    offset += ValueRecordBytes(head.key_bytes, head.value_bytes);
  }
  EXPECT_EQ(offset, bytes.size());
}

}  // namespace
}  // namespace seerdb
