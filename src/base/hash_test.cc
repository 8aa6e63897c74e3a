#include "base/hash.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace seerdb {
namespace {

// Filters on disk depend on these values.
TEST(Hash64, PersistentValues) {
  EXPECT_EQ(Hash64(""), 0x2d06800538d394c2u);
  EXPECT_EQ(Hash64("a"), 0xe6c632b61e964e1fu);
  EXPECT_EQ(Hash64("abc"), 0x78af5f94892f3950u);
}

TEST(Hash64, EveryByteAndTheLengthCount) {
  std::set<uint64_t> seen;
  for (size_t n = 0; n < 300; ++n) EXPECT_TRUE(seen.insert(Hash64(std::string(n, '\0'))).second) << n;
  for (size_t i = 0; i < 300; ++i) {
    std::string bytes(300, '\0');
    bytes[i] = 1;
    EXPECT_TRUE(seen.insert(Hash64(bytes)).second) << i;
  }
}

}  // namespace
}  // namespace seerdb
