#include "compaction/value_output.h"

#include <gtest/gtest.h>

#include "base/coding.h"
#include "env/fault_file_system.h"
#include "env/memory_file_system.h"
#include "format/entry_payload.h"
#include "vlog/value_reader.h"

namespace seerdb {
namespace {

constexpr uint64_t kSeparation = 100;
const DatabaseId kDatabase{1, 2};

// Values of a segment in memory, by their offsets.
class Known final : public ValueSource {
 public:
  Status Fetch(const ValuePointer& pointer, FetchedValue* value) const override {
    if (pointer.offset == 1) return Status::Corruption("damaged", StatusDetail::kValueCorruption);
    if (pointer.offset == 2) return Status::IoError("the device fails");
    value->bytes = kText;
    return {};
  }
  static constexpr Slice kText = "what lay there";
};

class ValueOutputTest : public ::testing::Test {
 protected:
  ValueOutputTest() {
    EXPECT_TRUE(memory_->CreateDirectory("/db").ok());
    EXPECT_TRUE(memory_->SyncDirectory("/").ok());
    options_.directory = "/db";
    options_.database = kDatabase;
    options_.segment_bytes = 1000;
    options_.new_file_number = [this]() -> Result<uint64_t> { return next_number_++; };
    options_.source = &known_;
    options_.count = [this](uint64_t bytes) { counted_ += bytes; };
  }
  // What becomes of an entry with this payload.
  Status Place(ValueOutput* output, ValueType type, const std::string& payload) {
    uint64_t trailer = PackTrailer(7, type);
    Slice value = payload;
    const Status status = output->Place("key", kSeparation, &trailer, &value);
    EXPECT_EQ(TrailerSequence(trailer), 7u);
    type_ = TrailerType(trailer);
    payload_.assign(value);
    return status;
  }
  std::string Read(FileSystem& fs) {
    EntryPayload parsed;
    ValuePointer pointer;
    EXPECT_TRUE(ParsePayload(type_, payload_, &parsed) && ParseValuePointer(parsed.value, &pointer));
    ValueOpenOptions open;
    open.access = TableAccess::kPread;
    open.database = kDatabase;
    open.segment = pointer.segment;
    const auto reader = ValueReader::Open(fs, "/db/0000" + std::to_string(pointer.segment) + ".vlog", open);
    FetchedValue value;
    if (!reader.ok() || !(*reader)->Read(pointer, &value).ok()) return "unreadable";
    return std::string(value.bytes);
  }
  static std::string Pointer(uint64_t segment, uint64_t offset = 90) {
    std::string bytes;
    AppendValuePointer(&bytes, {segment, offset, 14, 5});
    return bytes;
  }
  size_t Files() { return memory_->ListDirectory("/db")->size(); }

  const std::shared_ptr<MemoryFileSystem> memory_ = std::make_shared<MemoryFileSystem>();
  FaultFileSystem fs_{memory_};
  const Known known_;
  uint64_t next_number_ = 20;
  uint64_t counted_ = 0;
  ValueOutputOptions options_;
  ValueType type_ = ValueType::kDeletion;
  std::string payload_;
};

TEST_F(ValueOutputTest, LargeValuesGoApartAndOthersStay) {
  ValueOutput output(fs_, options_);
  const std::string small(kSeparation - 1, 's');
  const std::string large(kSeparation, 'l');
  for (const auto& [type, payload] : std::vector<std::pair<ValueType, std::string>>{
           {ValueType::kValue, small},
           {ValueType::kMerge, large},
           {ValueType::kDeletion, ""},
           {ValueType::kExpiringValue, std::string(8, 't') + small},
           {ValueType::kExpiringMerge, large},
           {ValueType::kValuePointer, Pointer(17)},
           {ValueType::kExpiringValue, "short"}}) {
    ASSERT_TRUE(Place(&output, type, payload).ok());
    EXPECT_EQ(type_, type);
    EXPECT_EQ(payload_, payload);
  }
  EXPECT_TRUE(output.empty());
  EXPECT_EQ(Files(), 0u);
  ASSERT_TRUE(Place(&output, ValueType::kValue, large).ok());
  EXPECT_EQ(type_, ValueType::kValuePointer);
  ASSERT_TRUE(output.Sync().ok());
  EXPECT_EQ(Read(*memory_), large);
  std::string expiring;
  AppendU64(&expiring, 12345);
  ASSERT_TRUE(Place(&output, ValueType::kExpiringValue, expiring + large).ok());
  EXPECT_EQ(type_, ValueType::kExpiringPointer);
  EXPECT_TRUE(Slice(payload_).starts_with(expiring));
  ASSERT_TRUE(output.Finish().ok());
  EXPECT_EQ(Read(*memory_), large);
  EXPECT_EQ(counted_, output.bytes_written());
  EXPECT_GT(counted_, 2 * kSeparation);
}

TEST_F(ValueOutputTest, WhatLiesInASegmentToBeEmptiedIsMovedWhateverItsSize) {
  options_.empties = {17};
  ValueOutput output(fs_, options_);
  ASSERT_TRUE(Place(&output, ValueType::kValuePointer, Pointer(18)).ok());
  EXPECT_EQ(payload_, Pointer(18));
  ASSERT_TRUE(Place(&output, ValueType::kValuePointer, Pointer(17)).ok());
  EXPECT_NE(payload_, Pointer(17));
  ASSERT_TRUE(output.Sync().ok());
  EXPECT_EQ(Read(*memory_), Known::kText);
  std::string expiring;
  AppendU64(&expiring, 12345);
  ASSERT_TRUE(Place(&output, ValueType::kExpiringPointer, expiring + Pointer(17)).ok());
  EXPECT_EQ(type_, ValueType::kExpiringPointer);
  EXPECT_TRUE(Slice(payload_).starts_with(expiring));
  ASSERT_TRUE(output.Finish().ok());
  EXPECT_EQ(Read(*memory_), Known::kText);
}

TEST_F(ValueOutputTest, WhatIsDamagedStaysAndWhatCannotBeReadNowIsAnError) {
  options_.empties = {17};
  ValueOutput output(fs_, options_);
  ASSERT_TRUE(Place(&output, ValueType::kValuePointer, Pointer(17, 1)).ok());
  EXPECT_EQ(payload_, Pointer(17, 1));
  ASSERT_TRUE(Place(&output, ValueType::kValuePointer, "malformed").ok());
  EXPECT_EQ(payload_, "malformed");
  EXPECT_TRUE(Place(&output, ValueType::kValuePointer, Pointer(17, 2)).IsIoError());
}

TEST_F(ValueOutputTest, SegmentsEndAndAreDurableWhenItIsFinished) {
  ValueOutput output(fs_, options_);
  std::vector<std::pair<ValueType, std::string>> placed;
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(Place(&output, ValueType::kValue, std::string(400, static_cast<char>('a' + i))).ok());
    placed.emplace_back(type_, payload_);
  }
  ASSERT_TRUE(output.Finish().ok());
  output.Keep();
  EXPECT_GE(Files(), 3u);
  ASSERT_TRUE(memory_->SyncDirectory("/db").ok());
  const auto survivor = memory_->CrashClone({1, CrashOptions::kDropUnsynced, true});
  for (int i = 0; i < 10; ++i) {
    std::tie(type_, payload_) = placed[static_cast<size_t>(i)];
    EXPECT_EQ(Read(*survivor), std::string(400, static_cast<char>('a' + i))) << i;
  }
}

TEST_F(ValueOutputTest, WhatIsNotKeptIsRemoved) {
  {
    ValueOutput output(fs_, options_);
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(Place(&output, ValueType::kValue, std::string(900, 'x')).ok());
    EXPECT_GE(Files(), 2u);
  }
  EXPECT_EQ(Files(), 0u);
}

TEST_F(ValueOutputTest, ErrorsOfWritingAndSyncingAreReturned) {
  {
    ValueOutput output(fs_, options_);
    fs_.AddRule(FaultRule::Fail(FileOp::kOpenWrite, ".vlog", FaultRule::NoSpaceError()));
    EXPECT_TRUE(Place(&output, ValueType::kValue, std::string(900, 'x')).IsNoSpace());
  }
  for (const FileOp op : {FileOp::kAppend, FileOp::kSync}) {
    ValueOutput output(fs_, options_);
    ASSERT_TRUE(Place(&output, ValueType::kValue, std::string(900, 'x')).ok());
    fs_.AddRule(FaultRule::Fail(op, ".vlog", FaultRule::DeviceError()));
    EXPECT_TRUE(output.Finish().IsIoError());
    EXPECT_FALSE(output.Finish().ok()) << "an error is there to stay";
  }
  EXPECT_EQ(Files(), 0u);
}

}  // namespace
}  // namespace seerdb
