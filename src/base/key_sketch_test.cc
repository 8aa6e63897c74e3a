#include "base/key_sketch.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "base/hash.h"

namespace seerdb {
namespace {

uint64_t HashOf(uint64_t key) { return Hash64("key" + std::to_string(key)); }

TEST(KeySketch, EstimatesWithinFourStandardErrors) {
  KeySketch sketch;
  EXPECT_EQ(sketch.Estimate(), 0);
  uint64_t added = 0;
  for (const uint64_t count : {10u, 100u, 1000u, 5000u, 6000u, 20000u, 300000u}) {
    for (; added < count; ++added) sketch.Add(HashOf(added));
    EXPECT_NEAR(sketch.Estimate(), static_cast<double>(count), 0.092 * static_cast<double>(count) + 1);
  }
}

TEST(KeySketch, AKeyAddedAgainChangesNothing) {
  KeySketch once;
  KeySketch often;
  for (uint64_t key = 0; key < 3000; ++key) once.Add(HashOf(key));
  for (uint64_t i = 0; i < 30000; ++i) often.Add(HashOf(i % 3000));
  EXPECT_EQ(once, often);
}

TEST(KeySketch, AUnionCountsCommonKeysOnce) {
  KeySketch even;
  KeySketch low;
  KeySketch both;
  for (uint64_t key = 0; key < 40000; ++key) {
    if (key % 2 == 0) even.Add(HashOf(key));
    if (key < 20000) low.Add(HashOf(key));
    if (key % 2 == 0 || key < 20000) both.Add(HashOf(key));
  }
  KeySketch united = even;
  united.Unite(low);
  EXPECT_EQ(united, both);
  KeySketch from_bytes;
  EXPECT_TRUE(from_bytes.Unite(even.Encode()));
  EXPECT_TRUE(from_bytes.Unite(low.Encode()));
  EXPECT_EQ(from_bytes, both);
}

TEST(KeySketch, RefusesWhatIsNoSketch) {
  KeySketch sketch;
  EXPECT_FALSE(sketch.Unite(""));
  EXPECT_FALSE(sketch.Unite("abc"));
  EXPECT_FALSE(sketch.Unite(std::string(KeySketch::kBytes - 1, '\1')));
  EXPECT_FALSE(sketch.Unite(std::string(KeySketch::kBytes + 2, '\1')));
  std::string bytes(KeySketch::kBytes, '\1');
  bytes[7] = static_cast<char>(0xff);
  EXPECT_FALSE(sketch.Unite(bytes));
  EXPECT_EQ(sketch.Estimate(), 0);
}

TEST(KeySketch, ExtremeHashesStayInRange) {
  KeySketch sketch;
  sketch.Add(0);
  sketch.Add(UINT64_MAX);
  KeySketch other;
  EXPECT_TRUE(other.Unite(sketch.Encode()));
  EXPECT_EQ(other, sketch);
}

TEST(KeySketch, FewKeysTakeTwoBytesEach) {
  KeySketch sketch;
  for (uint64_t key = 0; key < 3000; ++key) {
    sketch.Add(HashOf(key));
    const std::string bytes = sketch.Encode();
    EXPECT_LE(bytes.size(), std::min<size_t>(2 * (key + 1), KeySketch::kBytes));
    KeySketch decoded;
    ASSERT_TRUE(decoded.Unite(bytes));
    ASSERT_EQ(decoded, sketch);
  }
  EXPECT_EQ(sketch.Encode().size(), KeySketch::kBytes);
}

}  // namespace
}  // namespace seerdb
