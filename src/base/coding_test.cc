#include "base/coding.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/random.h"

namespace seerdb {
namespace {

TEST(Coding, FixedWidthIsLittleEndian) {
  std::string out;
  AppendU16(&out, 0x0102);
  AppendU32(&out, 0x03040506);
  AppendU64(&out, 0x0708090a0b0c0d0e);
  EXPECT_EQ(out, std::string("\x02\x01\x06\x05\x04\x03\x0e\x0d\x0c\x0b\x0a\x09\x08\x07"));
  EXPECT_EQ(LoadU16(out.data()), 0x0102);
  EXPECT_EQ(LoadU32(out.data() + 2), 0x03040506u);
  EXPECT_EQ(LoadU64(out.data() + 6), 0x0708090a0b0c0d0eu);
}

TEST(Coding, VarintBytes) {
  struct Case {
    uint64_t value;
    std::string bytes;
  };
  for (const Case& c : std::vector<Case>{{0, std::string(1, '\0')},
                                         {1, "\x01"},
                                         {127, "\x7f"},
                                         {128, "\x80\x01"},
                                         {300, "\xac\x02"},
                                         {16383, "\xff\x7f"},
                                         {16384, "\x80\x80\x01"},
                                         {UINT32_MAX, "\xff\xff\xff\xff\x0f"},
                                         {UINT64_MAX, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"}}) {
    SCOPED_TRACE(c.value);
    std::string out;
    AppendVarint(&out, c.value);
    EXPECT_EQ(out, c.bytes);
    EXPECT_EQ(VarintBytes(c.value), c.bytes.size());
    uint64_t value = 0;
    const char* limit = out.data() + out.size();
    ASSERT_EQ(DecodeVarint(out.data(), limit, &value), limit);
    EXPECT_EQ(value, c.value);
    for (size_t n = 0; n < out.size(); ++n) {
      EXPECT_EQ(DecodeVarint(out.data(), out.data() + n, &value), nullptr) << n;
    }
  }
}

TEST(Coding, VarintsBeyond64BitsAreRefused) {
  for (const std::string& bytes :
       {std::string("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
        std::string("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x00", 11), std::string(20, '\x80')}) {
    uint64_t value = 0;
    EXPECT_EQ(DecodeVarint(bytes.data(), bytes.data() + bytes.size(), &value), nullptr);
  }
}

TEST(Coding, VarintRoundTripOfRandomWidths) {
  Random random(1);
  for (int i = 0; i < 20'000; ++i) {
    const uint64_t value = random.Next() >> random.Uniform(64);
    char bytes[kMaxVarint64Bytes];
    const char* end = EncodeVarint(bytes, value);
    ASSERT_EQ(static_cast<size_t>(end - bytes), VarintBytes(value));
    uint64_t decoded = 0;
    ASSERT_EQ(DecodeVarint(bytes, end, &decoded), end);
    ASSERT_EQ(decoded, value);
  }
}

TEST(Decoder, ReadsWhatWasAppended) {
  std::string out("\x09", 1);
  AppendU16(&out, 1);
  AppendU32(&out, 2);
  AppendU64(&out, 3);
  AppendVarint(&out, 400);
  AppendVarint(&out, UINT32_MAX);
  out += "raw";
  AppendLengthPrefixed(&out, std::string("a\0b", 3));
  out += "rest";
  Decoder in(out);
  uint8_t u8 = 0;
  uint16_t u16 = 0;
  uint32_t u32 = 0;
  uint64_t u64 = 0;
  uint64_t varint = 0;
  uint32_t varint32 = 0;
  Slice raw;
  Slice prefixed;
  ASSERT_TRUE(in.ReadU8(&u8) && in.ReadU16(&u16) && in.ReadU32(&u32) && in.ReadU64(&u64) &&
              in.ReadVarint(&varint) && in.ReadVarint32(&varint32) && in.ReadBytes(3, &raw) &&
              in.ReadLengthPrefixed(&prefixed));
  EXPECT_EQ(u8, 9);
  EXPECT_EQ(u16, 1);
  EXPECT_EQ(u32, 2u);
  EXPECT_EQ(u64, 3u);
  EXPECT_EQ(varint, 400u);
  EXPECT_EQ(varint32, UINT32_MAX);
  EXPECT_EQ(raw, "raw");
  EXPECT_EQ(prefixed, Slice("a\0b", 3));
  EXPECT_EQ(in.remaining(), "rest");
  EXPECT_FALSE(in.empty());
}

TEST(Decoder, FailsForGoodWhenTheInputIsShort) {
  uint8_t u8 = 0;
  uint16_t u16 = 0;
  uint32_t u32 = 0;
  uint64_t u64 = 0;
  Slice bytes;
  const std::string long_varint("\xff\xff\xff\xff\x1f", 5);
  struct Case {
    std::string input;
    bool (*read)(Decoder*, uint8_t*, uint16_t*, uint32_t*, uint64_t*, Slice*);
  };
  const Case cases[] = {
      {"", [](Decoder* in, uint8_t* v, uint16_t*, uint32_t*, uint64_t*, Slice*) { return in->ReadU8(v); }},
      {"1", [](Decoder* in, uint8_t*, uint16_t* v, uint32_t*, uint64_t*, Slice*) { return in->ReadU16(v); }},
      {"123",
       [](Decoder* in, uint8_t*, uint16_t*, uint32_t* v, uint64_t*, Slice*) { return in->ReadU32(v); }},
      {"1234567",
       [](Decoder* in, uint8_t*, uint16_t*, uint32_t*, uint64_t* v, Slice*) { return in->ReadU64(v); }},
      {"\x80",
       [](Decoder* in, uint8_t*, uint16_t*, uint32_t*, uint64_t* v, Slice*) { return in->ReadVarint(v); }},
      {long_varint,
       [](Decoder* in, uint8_t*, uint16_t*, uint32_t* v, uint64_t*, Slice*) { return in->ReadVarint32(v); }},
      {"123",
       [](Decoder* in, uint8_t*, uint16_t*, uint32_t*, uint64_t*, Slice* v) { return in->ReadBytes(4, v); }},
      {"\x04"
       "123",
       [](Decoder* in, uint8_t*, uint16_t*, uint32_t*, uint64_t*, Slice* v) {
         return in->ReadLengthPrefixed(v);
       }},
      {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", [](Decoder* in, uint8_t*, uint16_t*, uint32_t*, uint64_t*,
                                                      Slice* v) { return in->ReadLengthPrefixed(v); }},
  };
  for (const Case& c : cases) {
    Decoder in(c.input);
    EXPECT_FALSE(c.read(&in, &u8, &u16, &u32, &u64, &bytes));
    EXPECT_FALSE(in.ok());
    EXPECT_TRUE(in.empty());
    EXPECT_FALSE(in.ReadU8(&u8));
  }
}

}  // namespace
}  // namespace seerdb
