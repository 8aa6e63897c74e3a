#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/random.h"
#include "base/vector_state_test_util.h"

namespace seerdb {
namespace {

TEST(Crc32c, KnownValues) {
  std::string rising(32, '\0');
  std::string falling(32, '\0');
  for (int i = 0; i < 32; ++i) {
    rising[i] = static_cast<char>(i);
    falling[i] = static_cast<char>(31 - i);
  }
  struct Case {
    std::string bytes;
    uint32_t crc;
  };
  // The check value of the polynomial, and those of RFC 3720, appendix B.4.
  for (const Case& c : std::vector<Case>{{"", 0},
                                         {"123456789", 0xe3069283},
                                         {std::string(32, '\0'), 0x8a9136aa},
                                         {std::string(32, '\xff'), 0x62a8ab43},
                                         {rising, 0x46dd794e},
                                         {falling, 0x113fdb5c}}) {
    EXPECT_EQ(crc32c::Value(c.bytes), c.crc) << c.bytes;
    for (const crc32c::Form& form : crc32c::Forms()) {
      EXPECT_EQ(form.extend(0, c.bytes.data(), c.bytes.size()), c.crc) << form.name << " " << c.bytes;
    }
  }
}

TEST(Crc32c, LeavesVectorRegistersAsSseWantsThem) {
  const std::string bytes(1000, 'b');
  for (const crc32c::Form& form : crc32c::Forms()) {
    SCOPED_TRACE(form.name);
    ExpectUpperHalvesClearAfter([&] { (void)form.extend(0, bytes.data(), bytes.size()); });
  }
}

TEST(Crc32c, AllFormsAgree) {
  const uint64_t seed = SystemSeed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  std::string bytes(40'000, '\0');
  for (char& c : bytes) c = static_cast<char>(random.Next());
  const auto check = [&](size_t begin, size_t n) {
    const uint32_t start = static_cast<uint32_t>(random.Next());
    const uint32_t crc = crc32c::Extend(start, bytes.data() + begin, n);
    for (const crc32c::Form& form : crc32c::Forms()) {
      ASSERT_EQ(form.extend(start, bytes.data() + begin, n), crc) << form.name << " " << begin << " " << n;
    }
  };
  EXPECT_STREQ(crc32c::Forms().back().name, "portable");
  for (size_t n = 0; n < 700; ++n) {
    for (size_t begin = 0; begin < 9; ++begin) check(begin, n);
  }
  // Around the length at which sse4.2 uses three lanes, and beyond.
  for (size_t n = 3040; n < 3110; ++n) check(n % 8, n);
  for (int i = 0; i < 500; ++i) {
    const size_t begin = random.Uniform(bytes.size());
    check(begin, random.Uniform(bytes.size() - begin + 1));
  }
}

TEST(Crc32c, ExtendContinues) {
  Random random(7);
  std::string bytes(9000, '\0');
  for (char& c : bytes) c = static_cast<char>(random.Next());
  const uint32_t whole = crc32c::Value(bytes);
  for (size_t cut = 0; cut <= bytes.size(); cut += 13) {
    EXPECT_EQ(crc32c::Extend(crc32c::Value(Slice(bytes).substr(0, cut)), Slice(bytes).substr(cut)), whole)
        << cut;
  }
}

TEST(Crc32c, SeesEveryFlippedBit) {
  std::string bytes = "some bytes that are protected";
  const uint32_t crc = crc32c::Value(bytes);
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    EXPECT_NE(crc32c::Value(bytes), crc) << bit;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
  }
}

}  // namespace
}  // namespace seerdb
