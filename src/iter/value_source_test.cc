#include "iter/value_source.h"

#include <gtest/gtest.h>

#include "base/coding.h"

namespace seerdb {
namespace {

// Knows one segment.
class OneSegment final : public ValueSource {
 public:
  Status Fetch(const ValuePointer& pointer, FetchedValue* value) const override {
    if (pointer.segment != 17) return Status::Corruption("no such segment", StatusDetail::kValueCorruption);
    if (pointer.crc == 0) return Status::IoError("the device fails");
    value->bytes = "the value";
    return {};
  }
};

std::string Pointer(uint64_t segment, uint32_t crc = 1) {
  std::string bytes;
  AppendValuePointer(&bytes, {segment, 90, 9, crc});
  return bytes;
}

TEST(BringIn, PutsTheValueInThePlaceOfThePointer) {
  const OneSegment values;
  ValueType type = ValueType::kValuePointer;
  std::string payload = Pointer(17);
  ASSERT_TRUE(BringIn(&values, &type, &payload).ok());
  EXPECT_EQ(type, ValueType::kValue);
  EXPECT_EQ(payload, "the value");
}

TEST(BringIn, KeepsTheTime) {
  const OneSegment values;
  ValueType type = ValueType::kExpiringPointer;
  std::string payload;
  AppendU64(&payload, 12345);
  payload += Pointer(17);
  ASSERT_TRUE(BringIn(&values, &type, &payload).ok());
  EXPECT_EQ(type, ValueType::kExpiringValue);
  EntryPayload parsed;
  ASSERT_TRUE(ParsePayload(type, payload, &parsed));
  EXPECT_EQ(parsed.expires_us, 12345u);
  EXPECT_EQ(parsed.value, "the value");
}

// Whatever is wrong, the entry stays what it was.
TEST(BringIn, AnEntryWhoseValueCannotBeHadStaysAsItIs) {
  const OneSegment values;
  const auto bring = [&](const ValueSource* source, ValueType given, const std::string& bytes) {
    ValueType type = given;
    std::string payload = bytes;
    const Status status = BringIn(source, &type, &payload);
    EXPECT_EQ(type, given);
    EXPECT_EQ(payload, bytes);
    return status;
  };
  EXPECT_TRUE(bring(&values, ValueType::kValuePointer, Pointer(18)).IsCorruption());
  EXPECT_TRUE(bring(&values, ValueType::kValuePointer, Pointer(17, 0)).IsIoError());
  EXPECT_TRUE(bring(nullptr, ValueType::kValuePointer, Pointer(17)).IsCorruption());
  EXPECT_TRUE(bring(&values, ValueType::kValuePointer, "").IsCorruption());
  EXPECT_TRUE(bring(&values, ValueType::kValuePointer, Pointer(17) + "x").IsCorruption());
  EXPECT_TRUE(bring(&values, ValueType::kExpiringPointer, "short").IsCorruption());
  EXPECT_TRUE(bring(&values, ValueType::kExpiringPointer, Pointer(17)).IsCorruption());
}

}  // namespace
}  // namespace seerdb
