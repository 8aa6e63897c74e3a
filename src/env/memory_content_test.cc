#include "env/memory_content.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/random.h"

namespace seerdb {
namespace {

std::string BytesOf(const MemoryContent& content) {
  std::string bytes(content.size(), 'x');
  EXPECT_EQ(content.Read(0, bytes.size(), bytes.data()), bytes.size());
  return bytes;
}

TEST(MemoryContent, SharedBytesNeverChange) {
  MemoryContent content;
  content.Write(0, "before");
  const auto shared = content.Share();
  MemoryContent clone = content.Clone();
  content.Write(0, "after!");
  clone.Resize(2);
  EXPECT_EQ(*shared, "before");
  EXPECT_EQ(BytesOf(content), "after!");
  EXPECT_EQ(BytesOf(clone), "be");
}

// Random operations, compared with a plain model of the same rules.
TEST(MemoryContent, RandomOperationsKeepTheModel) {
  const uint64_t start_seed = SystemSeed();
  SCOPED_TRACE("seed " + std::to_string(start_seed));
  Random random(start_seed);
  MemoryContent content;
  std::string now, durable;
  for (int step = 0; step < 6000; ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    switch (random.Uniform(5)) {
      case 0:
      case 1: {
        const std::string bytes(1 + random.Uniform(1500), static_cast<char>('a' + random.Uniform(26)));
        const size_t offset = random.OneIn(2) ? now.size() : random.Uniform(9000);
        if (offset + bytes.size() > 30000) break;
        content.Write(offset, bytes);
        now.resize(std::max(now.size(), offset + bytes.size()), '\0');
        now.replace(offset, bytes.size(), bytes);
        break;
      }
      case 2:
        content.Sync();
        durable = now;
        break;
      case 3:
        now.resize(random.Uniform(8000), '\0');
        content.Resize(now.size());
        break;
      default: {
        if (random.OneIn(4)) content = content.Clone();
        ASSERT_EQ(BytesOf(content), now);
        ASSERT_EQ(BytesOf(content.DurableOnly()), durable);
        const std::string left = BytesOf(content.AfterPowerCut(&random));
        ASSERT_GE(left.size(), std::min(now.size(), durable.size()));
        ASSERT_LE(left.size(), std::max(now.size(), durable.size()));
        for (size_t i = 0; i < left.size(); ++i) {
          const char new_byte = i < now.size() ? now[i] : '\0';
          const char old_byte = i < durable.size() ? durable[i] : '\0';
          ASSERT_TRUE(left[i] == new_byte || left[i] == old_byte) << "@" << i;
        }
      }
    }
  }
}

}  // namespace
}  // namespace seerdb
