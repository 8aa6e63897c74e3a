#include "env/memory_limit.h"

#include <gtest/gtest.h>

#include <map>

namespace seerdb {
namespace {

using Files = std::map<std::string, std::string>;

uint64_t Limit(const std::string& groups, const Files& files) {
  return GroupLimitBytes(groups, [&](const std::string& path) -> std::optional<std::string> {
    const auto found = files.find(path);
    if (found == files.end()) return std::nullopt;
    return found->second;
  });
}

TEST(MemoryLimit, TheLeastOfTheGroupsOnTheWayUpCounts) {
  const Files files = {{"/sys/fs/cgroup/a/b/memory.max", "max\n"},
                       {"/sys/fs/cgroup/a/memory.max", "3000\n"},
                       {"/sys/fs/cgroup/memory.max", "5000\n"},
                       {"/sys/fs/cgroup/memory/v1/one/memory.limit_in_bytes", "9223372036854771712\n"},
                       {"/sys/fs/cgroup/memory/v1/memory.limit_in_bytes", "2000\n"}};
  EXPECT_EQ(Limit("0::/a/b\n", files), 3000u);
  EXPECT_EQ(Limit("0::/a\n", files), 3000u);
  EXPECT_EQ(Limit("0::/\n", files), 5000u);
  EXPECT_EQ(Limit("0::/elsewhere/c\n", files), 5000u) << "a container's own group is its root";
  EXPECT_EQ(Limit("5:cpu,memory:/v1/one\n0::/a/b\n", files), 2000u);
  EXPECT_EQ(Limit("5:cpu:/v1/one\n", files), UINT64_MAX);
}

TEST(MemoryLimit, WhatCannotBeReadLimitsNothing) {
  for (const char* groups : {"", "\n", "0", "0:", "0:/a", "::::", "0::", "0::a", "x:memory"}) {
    EXPECT_EQ(Limit(groups, {}), UINT64_MAX) << groups;
  }
  EXPECT_EQ(Limit("0::/\n", {{"/sys/fs/cgroup/memory.max", ""}}), UINT64_MAX);
  EXPECT_EQ(Limit("0::/\n", {{"/sys/fs/cgroup/memory.max", "many"}}), UINT64_MAX);
}

TEST(MemoryLimit, ThisProcessMayUseSome) { EXPECT_GT(MemoryLimitBytes(), uint64_t{1} << 20); }

}  // namespace
}  // namespace seerdb
