#include "env/file_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "env/file_system_fixture.h"

namespace seerdb {
namespace {

using ::testing::HasSubstr;

class FileLockTest : public FileSystemFixture {};

TEST_P(FileLockTest, ALockExcludesAndNamesItsHolder) {
  auto first = fs_->LockFile(Path("LOCK"), "process 42,\nthe first");
  ASSERT_TRUE(first.ok()) << first.status().ToString();
  auto second = fs_->LockFile(Path("LOCK"), "the second");
  ASSERT_FALSE(second.ok());
  EXPECT_TRUE(second.status().IsBusy());
  EXPECT_EQ(second.status().detail(), StatusDetail::kLocked);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(Path("LOCK")));
  EXPECT_THAT(std::string(second.status().message()), HasSubstr("process 42, the first"));
  EXPECT_EQ(Get("LOCK"), "process 42, the first\n") << "a refused attempt leaves the text alone";
  EXPECT_TRUE(fs_->LockFile(Path("OTHER"), "x").ok());

  first = fs_->LockFile(Path("THIRD"), "y");  // assigning releases the first lock
  auto third = fs_->LockFile(Path("LOCK"), "the third");
  ASSERT_TRUE(third.ok()) << third.status().ToString();
  EXPECT_EQ(Get("LOCK"), "the third\n");
}

TEST_P(FileLockTest, OneLockAtATimeAmongThreads) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 200;
  std::atomic<int> holders{0};
  std::atomic<int> taken{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int done = 0; done < kRounds;) {
        auto lock = fs_->LockFile(Path("LOCK"), "thread");
        if (!lock.ok()) {
          ASSERT_TRUE(lock.status().IsBusy()) << lock.status().ToString();
          continue;
        }
        ASSERT_EQ(++holders, 1);
        --holders;
        ++taken;
        ++done;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken, kThreads * kRounds);
}

TEST(LockHolderLine, IsOneLineOfLimitedLength) {
  EXPECT_EQ(LockHolderLine("a\nb\tc\x7f"), "a b c ");
  EXPECT_LT(LockHolderLine(std::string(100000, 'x')).size(), 1000u);
}

INSTANTIATE_TEST_SUITE_P(All, FileLockTest, kAllFileSystems, FileSystemName);

}  // namespace
}  // namespace seerdb
