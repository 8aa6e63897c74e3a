#include "wal/log_format.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/coding.h"

namespace seerdb {
namespace {

const LogIdentity kFormatIdentity{{0x1122334455667788, 0x99aabbccddeeff00}, 12, 0xfeedfacecafebeef};

std::string Header(const LogHeader& header) {
  char bytes[kLogHeaderBytes];
  EncodeLogHeader(header, bytes);
  return std::string(bytes, sizeof bytes);
}

TEST(LogHeader, RoundTrip) {
  const std::string bytes = Header({kFormatIdentity, 77});
  LogHeader header;
  ASSERT_TRUE(DecodeLogHeader(bytes, &header));
  EXPECT_EQ(header.identity, kFormatIdentity);
  EXPECT_EQ(header.first_record, 77u);
  EXPECT_EQ(header.format_version, kLogFormatVersion);
}

TEST(LogHeader, AnyFlippedBitAndAnyCutIsSeen) {
  const std::string good = Header({kFormatIdentity, 77});
  LogHeader header;
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    EXPECT_FALSE(DecodeLogHeader(bad, &header)) << "bit " << bit;
  }
  for (size_t n = 0; n < good.size(); ++n) {
    EXPECT_FALSE(DecodeLogHeader(Slice(good).substr(0, n), &header)) << n << " bytes";
  }
}

TEST(LogHeader, LaterVersionIsRefused) {
  LogHeader header;
  EXPECT_FALSE(DecodeLogHeader(Header({kFormatIdentity, 77, kLogFormatVersion + 1}), &header));
}

TEST(LogFrame, FieldsAndChecksum) {
  std::string out = "before";
  constexpr uint64_t kSequence = 0x3837363534333231;  // "12345678"
  AppendLogFrame(&out, kFormatIdentity,
                 {(uint64_t{5} << 32) + 9, (uint64_t{5} << 32) + 2, kSequence, "tail!"});
  const char* frame = out.data() + 6;
  ASSERT_EQ(out.size(), 6 + kLogFrameHeadBytes + 13);
  const LogFrameHead head = DecodeLogFrameHead(frame);
  EXPECT_EQ(head.length, 13u);
  EXPECT_EQ(head.record, 9u);
  EXPECT_EQ(head.lag, 6u);
  EXPECT_EQ(Slice(frame + kLogFrameHeadBytes, 13), "12345678tail!");
  EXPECT_EQ(head.crc, LogFrameCrc(kFormatIdentity, (uint64_t{5} << 32) + 9, frame, "12345678tail!"));
}

TEST(LogFrame, LagSaturates) {
  struct Case {
    uint64_t record;
    uint64_t durable;
    uint32_t lag;
  };
  for (const Case& c : std::vector<Case>{{1, 0, 0},
                                         {10, 9, 0},
                                         {10, 0, 9},
                                         {uint64_t{UINT32_MAX} + 1, 0, UINT32_MAX},
                                         {uint64_t{UINT32_MAX}, 0, UINT32_MAX - 1},
                                         {uint64_t{1} << 40, 7, UINT32_MAX}}) {
    std::string out;
    AppendLogFrame(&out, kFormatIdentity, {c.record, c.durable, 1, Slice()});
    EXPECT_EQ(DecodeLogFrameHead(out.data()).lag, c.lag) << c.record << " " << c.durable;
  }
}

TEST(LogFrame, ChecksumDependsOnIdentityAndPosition) {
  std::string out;
  AppendLogFrame(&out, kFormatIdentity, {9, 0, 1, "value"});
  const Slice payload = Slice(out).substr(kLogFrameHeadBytes);
  const uint32_t crc = DecodeLogFrameHead(out.data()).crc;
  ASSERT_EQ(LogFrameCrc(kFormatIdentity, 9, out.data(), payload), crc);

  std::vector<LogIdentity> others(4, kFormatIdentity);
  others[0].database.high ^= 1;
  others[1].database.low ^= 1;
  others[2].log_number ^= 1;
  others[3].epoch ^= 1;
  for (const LogIdentity& other : others) EXPECT_NE(LogFrameCrc(other, 9, out.data(), payload), crc);
  EXPECT_NE(LogFrameCrc(kFormatIdentity, 10, out.data(), payload), crc);
  EXPECT_NE(LogFrameCrc(kFormatIdentity, 9 + (uint64_t{1} << 32), out.data(), payload), crc);
  for (size_t i = 4; i < out.size(); ++i) {
    std::string bad = out;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    EXPECT_NE(LogFrameCrc(kFormatIdentity, 9, bad.data(), Slice(bad).substr(kLogFrameHeadBytes)), crc) << i;
  }
}

}  // namespace
}  // namespace seerdb
