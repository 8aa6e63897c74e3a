#include "format/value_pointer.h"

#include <gtest/gtest.h>

#include "base/coding.h"
#include "format/file_name.h"
#include "seerdb/types.h"

namespace seerdb {
namespace {

std::string Encode(const ValuePointer& pointer) {
  std::string bytes;
  AppendValuePointer(&bytes, pointer);
  return bytes;
}

std::string Encode(const ValueBytesList& list) {
  std::string bytes;
  AppendValueBytesList(&bytes, list);
  return bytes;
}

std::string Varints(std::initializer_list<uint64_t> numbers) {
  std::string bytes;
  for (const uint64_t number : numbers) AppendVarint(&bytes, number);
  return bytes;
}

TEST(ValuePointer, RoundTripsAtTheLimits) {
  for (const ValuePointer& pointer :
       {ValuePointer{1, 0, 0, 0}, ValuePointer{17, 90, 5, 0x2166a389},
        ValuePointer{kMaxFileNumber, kMaxValueFileBytes, kMaxValueBytes, UINT32_MAX}}) {
    const std::string bytes = Encode(pointer);
    ValuePointer parsed;
    ASSERT_TRUE(ParseValuePointer(bytes, &parsed));
    EXPECT_EQ(parsed, pointer);
    for (size_t length = 0; length < bytes.size(); ++length) {
      EXPECT_FALSE(ParseValuePointer(Slice(bytes).substr(0, length), &parsed)) << length;
    }
    EXPECT_FALSE(ParseValuePointer(bytes + '\0', &parsed));
  }
}

TEST(ValuePointer, ValuesOutOfRangeAndOtherFormsAreRefused) {
  ValuePointer parsed;
  EXPECT_FALSE(ParseValuePointer(Encode({0, 90, 5, 1}), &parsed));
  EXPECT_FALSE(ParseValuePointer(Encode({kMaxFileNumber + 1, 90, 5, 1}), &parsed));
  EXPECT_FALSE(ParseValuePointer(Encode({1, kMaxValueFileBytes + 1, 5, 1}), &parsed));
  EXPECT_FALSE(ParseValuePointer(Encode({1, 90, uint64_t{kMaxValueBytes} + 1, 1}), &parsed));
  EXPECT_FALSE(ParseValuePointer(Encode({1, UINT64_MAX, UINT64_MAX, 1}), &parsed));
  for (int form = 1; form < 256; ++form) {
    std::string bytes = Encode({17, 90, 5, 1});
    bytes[0] = static_cast<char>(form);
    EXPECT_FALSE(ParseValuePointer(bytes, &parsed)) << form;
  }
}

TEST(ValueBytesList, RoundTrips) {
  for (const ValueBytesList& list :
       {ValueBytesList{}, ValueBytesList{{1, 1}}, ValueBytesList{{3, 70}, {4, 1}, {900, 5}},
        ValueBytesList{{kMaxFileNumber, kMaxValueFileBytes}}}) {
    ValueBytesList parsed{{7, 7}};
    ASSERT_TRUE(ParseValueBytesList(Encode(list), &parsed));
    EXPECT_EQ(parsed, list);
  }
  EXPECT_EQ(TotalBytes({{3, 70}, {4, 1}}), 71u);
}

TEST(ValueBytesList, HostileListsAreRefused) {
  ValueBytesList parsed;
  EXPECT_FALSE(ParseValueBytesList(Varints({0, 1}), &parsed)) << "segment 0";
  EXPECT_FALSE(ParseValueBytesList(Varints({3, 1, 0, 1}), &parsed)) << "the same again";
  EXPECT_FALSE(ParseValueBytesList(Varints({3, 0}), &parsed)) << "no bytes";
  EXPECT_FALSE(ParseValueBytesList(Varints({3, kMaxValueFileBytes + 1}), &parsed));
  EXPECT_FALSE(ParseValueBytesList(Varints({kMaxFileNumber + 1, 1}), &parsed));
  EXPECT_FALSE(ParseValueBytesList(Varints({2, 1, kMaxFileNumber - 1, 1}), &parsed)) << "their sum";
  EXPECT_FALSE(ParseValueBytesList(Varints({2, 1, UINT64_MAX, 1}), &parsed)) << "their sum overflows";
  EXPECT_FALSE(ParseValueBytesList(Varints({3}), &parsed));
  const std::string whole = Encode(ValueBytesList{{300, 70'000}, {301, 5}});
  for (const size_t length : {size_t{1}, size_t{2}, size_t{3}, size_t{4}, whole.size() - 1}) {
    EXPECT_FALSE(ParseValueBytesList(Slice(whole).substr(0, length), &parsed)) << length;
  }
  EXPECT_FALSE(ParseValueBytesList(std::string(11, '\xff'), &parsed));
}

}  // namespace
}  // namespace seerdb
