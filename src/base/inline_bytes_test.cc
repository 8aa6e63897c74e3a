#include "base/inline_bytes.h"

#include <gtest/gtest.h>

#include <string>

namespace seerdb {
namespace {

std::string Pattern(size_t bytes, size_t seed) {
  std::string text(bytes, '\0');
  for (size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>('a' + (i * 7 + seed) % 26);
  return text;
}

TEST(InlineBytes, HoldsWhatItWasGivenWhateverItsSize) {
  InlineBytes bytes;
  for (size_t n = 0; n < 300; ++n) {
    const std::string text = Pattern(n, n);
    bytes.Assign(text);
    EXPECT_EQ(bytes.slice(), Slice(text)) << n;
  }
  bytes.Assign("short again");
  EXPECT_EQ(bytes.slice(), Slice("short again"));
}

TEST(InlineBytes, AppendsBehindWhatIsThere) {
  for (size_t first = 0; first < 80; ++first) {
    for (size_t second = 0; second < 80; ++second) {
      InlineBytes bytes;
      bytes.Assign(Pattern(first, 1));
      bytes.Append(Pattern(second, 2));
      ASSERT_EQ(bytes.slice(), Slice(Pattern(first, 1) + Pattern(second, 2))) << first << " " << second;
    }
  }
}

TEST(InlineBytes, KeepsItsBeginningWhenItGrows) {
  InlineBytes bytes;
  bytes.Assign("begin");
  bytes.Reserve(10'000, 5);
  EXPECT_EQ(Slice(bytes.data(), 5), Slice("begin"));
  EXPECT_EQ(bytes.slice(), Slice("begin"));
}

}  // namespace
}  // namespace seerdb
