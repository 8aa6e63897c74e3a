#include "db/file_remover.h"

#include <gtest/gtest.h>

#include <thread>
#include <utility>
#include <vector>

#include "base/units.h"
#include "env/memory_file_system.h"

namespace seerdb {
namespace {

using Pace = FileRemover::Pace;

// Keeps tasks, with their delays, until told to run one.
class HeldExecutor final : public Executor {
 public:
  void Schedule(Lane lane, std::function<void()> task) override { ScheduleAfter(0, lane, std::move(task)); }
  void ScheduleAfter(uint64_t delay_us, Lane lane, std::function<void()> task) override {
    EXPECT_EQ(lane, Lane::kCleanup);
    tasks_.emplace_back(delay_us, std::move(task));
  }
  bool cooperative() const override { return false; }
  bool RunOne() override { return false; }

  size_t tasks() const { return tasks_.size(); }
  uint64_t delay_us() const { return tasks_.front().first; }
  void Run() {
    const auto task = std::move(tasks_.front());
    tasks_.erase(tasks_.begin());
    task.second();
  }

 private:
  std::vector<std::pair<uint64_t, std::function<void()>>> tasks_;
};

class FileRemoverTest : public ::testing::Test {
 protected:
  FileRemoverTest() { EXPECT_TRUE(fs_->CreateDirectory("/db").ok()); }

  std::shared_ptr<FileRemover> New(Pace pace) { return std::make_shared<FileRemover>(fs_, executor_, pace); }
  std::string Path(int i) const { return "/db/" + std::to_string(i); }
  // A file that nobody lists, and whose last holder lets go of it.
  void LetGo(FileRemover* remover, int i, uint64_t bytes) {
    ASSERT_TRUE(fs_->NewWritableFile(Path(i), CreateMode::kTruncate).ok());
    remover->NoteObsolete(bytes);
    remover->Remove(Path(i), bytes);
  }
  bool Exists(int i) const { return fs_->GetFileInfo(Path(i)).ok(); }

  std::shared_ptr<MemoryFileSystem> fs_ = std::make_shared<MemoryFileSystem>();
  std::shared_ptr<HeldExecutor> executor_ = std::make_shared<HeldExecutor>();
};

TEST_F(FileRemoverTest, WhoLetsGoDoesNoIoAndOneTaskRemovesOneFile) {
  const auto remover = New(Pace::kCalm);
  for (int i = 0; i < 3; ++i) LetGo(remover.get(), i, 64 * kMiB);
  EXPECT_EQ(remover->obsolete_bytes(), 192 * kMiB) << "counted until they are gone";
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(executor_->tasks(), 1u);
    EXPECT_EQ(executor_->delay_us() == 0, i == 0);
    EXPECT_TRUE(Exists(i));
    executor_->Run();
    EXPECT_FALSE(Exists(i)) << "in the order in which they came";
    EXPECT_EQ(remover->obsolete_bytes(), (2 - i) * 64 * kMiB);
  }
  EXPECT_EQ(executor_->tasks(), 0u);
  LetGo(remover.get(), 7, kMiB);
  EXPECT_EQ(executor_->tasks(), 1u) << "it begins anew";
}

TEST_F(FileRemoverTest, OnlyTheCalmOnePausesAndABacklogShortensIt) {
  const auto soon = New(Pace::kSoon);
  for (int i = 0; i < 2; ++i) LetGo(soon.get(), i, 64 * kMiB);
  executor_->Run();
  EXPECT_EQ(executor_->delay_us(), 0u);
  EXPECT_EQ(RemovalPauseUs(64 * kMiB, 0), kMicrosPerSecond / 4);
  EXPECT_EQ(RemovalPauseUs(64 * kMiB, 64 * kMiB), kMicrosPerSecond / 4);
  EXPECT_EQ(RemovalPauseUs(64 * kMiB, 64 * 1024 * kMiB), kMicrosPerSecond / 256);
  EXPECT_EQ(RemovalPauseUs(UINT64_MAX, 0), kMicrosPerSecond)
      << "however large it was, the next one is not forgotten";
}

TEST_F(FileRemoverTest, AtOnceAsksNoExecutor) {
  const auto remover = New(Pace::kAtOnce);
  LetGo(remover.get(), 1, kMiB);
  EXPECT_FALSE(Exists(1));
  EXPECT_EQ(remover->obsolete_bytes(), 0u);
  EXPECT_EQ(executor_->tasks(), 0u);
}

TEST_F(FileRemoverTest, WhatIsQueuedGoesBeforeTheDirectoryIsGivenUpAndNothingAfter) {
  auto remover = New(Pace::kCalm);
  for (int i = 0; i < 3; ++i) LetGo(remover.get(), i, kMiB);
  remover->RemoveQueued();
  EXPECT_EQ(remover->obsolete_bytes(), 0u);
  LetGo(remover.get(), 3, kMiB);
  remover->Stop();
  for (int i = 0; i <= 3; ++i) EXPECT_FALSE(Exists(i)) << i;
  // An iterator lets go after Close: the name may be another database's.
  LetGo(remover.get(), 4, kMiB);
  EXPECT_EQ(remover->obsolete_bytes(), 0u);
  EXPECT_EQ(executor_->tasks(), 1u);
  executor_->Run();
  EXPECT_TRUE(Exists(4));
  EXPECT_EQ(executor_->tasks(), 0u);
  LetGo(remover.get(), 5, kMiB);
  EXPECT_TRUE(Exists(5));
}

TEST_F(FileRemoverTest, ATaskThatOutlivesItDoesNothing) {
  auto remover = New(Pace::kCalm);
  LetGo(remover.get(), 1, kMiB);
  remover.reset();
  executor_->Run();
  EXPECT_TRUE(Exists(1)) << "for the next open to sweep";
}

TEST_F(FileRemoverTest, AFailureIsNoReasonToStop) {
  const auto remover = New(Pace::kCalm);
  LetGo(remover.get(), 1, kMiB);
  LetGo(remover.get(), 2, kMiB);
  ASSERT_TRUE(fs_->DeleteFile(Path(1)).ok());
  executor_->Run();
  executor_->Run();
  EXPECT_FALSE(Exists(2));
  EXPECT_EQ(remover->obsolete_bytes(), 0u);
}

TEST(FileRemoverThreads, RemovesWhatManyThreadsLetGoOf) {
  const auto fs = std::make_shared<MemoryFileSystem>();
  ASSERT_TRUE(fs->CreateDirectory("/db").ok());
  constexpr int kThreads = 4, kFiles = 200;
  for (int i = 0; i < kThreads * kFiles; ++i) {
    ASSERT_TRUE(fs->NewWritableFile("/db/" + std::to_string(i), CreateMode::kTruncate).ok());
  }
  const auto remover = std::make_shared<FileRemover>(fs, NewThreadPoolExecutor(), Pace::kSoon);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kFiles; ++i) {
        remover->NoteObsolete(1);
        remover->Remove("/db/" + std::to_string(t * kFiles + i), 1);
        if (i == kFiles / 2) remover->RemoveQueued();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  remover->Stop();
  EXPECT_EQ(remover->obsolete_bytes(), 0u);
  const auto left = fs->ListDirectory("/db");
  ASSERT_TRUE(left.ok());
  EXPECT_TRUE(left->empty());
}

}  // namespace
}  // namespace seerdb
