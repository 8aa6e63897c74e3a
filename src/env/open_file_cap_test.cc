#include "env/open_file_cap.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "base/random.h"
#include "env/fault_file_system.h"
#include "env/memory_file_system.h"

namespace seerdb {
namespace {

class OpenFileCapTest : public ::testing::Test {
 protected:
  static constexpr int kFiles = 20;

  OpenFileCapTest() : memory_(std::make_shared<MemoryFileSystem>()) {
    for (int i = 0; i < kFiles; ++i) {
      auto file = memory_->NewWritableFile(Path(i), CreateMode::kTruncate);
      EXPECT_TRUE((*file)->Append("file " + std::to_string(i)).ok());
    }
  }
  std::shared_ptr<FileSystem> Capped(size_t max_files) {
    OpenFileEvents events;
    events.opened = [this] { ++opened_; };
    events.evicted = [this] { ++evicted_; };
    return NewOpenFileCap(memory_, max_files, std::move(events));
  }
  static std::string Path(int i) { return "/f" + std::to_string(i); }
  static std::string Read(const RandomAccessFile& file) {
    char scratch[32];
    const Result<Slice> read = file.Read(0, sizeof scratch, scratch);
    return read.ok() ? std::string(*read) : read.status().ToString();
  }

  const std::shared_ptr<MemoryFileSystem> memory_;
  std::atomic<int> opened_{0};
  std::atomic<int> evicted_{0};
};

TEST_F(OpenFileCapTest, MoreFilesThanDescriptorsAreReadInAnyOrder) {
  const auto fs = Capped(4);
  std::vector<std::unique_ptr<RandomAccessFile>> files;
  for (int i = 0; i < kFiles; ++i) {
    auto file = fs->NewRandomAccessFile(Path(i));
    ASSERT_TRUE(file.ok());
    files.push_back(*std::move(file));
    EXPECT_LE(opened_ - evicted_, 4);
  }
  Random random(1);
  for (int step = 0; step < 1000; ++step) {
    const int i = static_cast<int>(random.Uniform(kFiles));
    EXPECT_EQ(Read(*files[i]), "file " + std::to_string(i));
    EXPECT_LE(opened_ - evicted_, 4);
  }
  EXPECT_GT(opened_, 500);
}

TEST_F(OpenFileCapTest, AFileOfAnotherLengthIsNotTakenForTheEvictedOne) {
  const auto fs = Capped(1);
  const auto first = *fs->NewRandomAccessFile(Path(0));
  const auto second = *fs->NewRandomAccessFile(Path(1));
  auto replaced = memory_->NewWritableFile(Path(0), CreateMode::kTruncate);
  ASSERT_TRUE((*replaced)->Append("something else").ok());
  EXPECT_EQ(Read(*first),
            "Corruption: open /f0 again: found 14 bytes, expected 6: it was replaced while in use");
  EXPECT_EQ(Read(*second), "file 1");
}

TEST_F(OpenFileCapTest, WhatFitsIsOpenedOnce) {
  const auto fs = Capped(4);
  std::vector<std::unique_ptr<RandomAccessFile>> files;
  for (int i = 0; i < 4; ++i) files.push_back(*fs->NewRandomAccessFile(Path(i)));
  for (int step = 0; step < 100; ++step) Read(*files[step % 4]);
  EXPECT_EQ(opened_, 4);
  EXPECT_EQ(evicted_, 0);
  files.clear();
  // Their places are free again.
  for (int i = 4; i < 8; ++i) files.push_back(*fs->NewRandomAccessFile(Path(i)));
  EXPECT_EQ(evicted_, 0);
}

TEST_F(OpenFileCapTest, AFileInUseKeepsItsDescriptor) {
  const auto fs = Capped(4);
  const auto used = *fs->NewRandomAccessFile(Path(0));
  std::vector<std::unique_ptr<RandomAccessFile>> others;
  for (int i = 1; i < 4; ++i) others.push_back(*fs->NewRandomAccessFile(Path(i)));
  for (int i = 4; i < kFiles; ++i) {
    others.push_back(*fs->NewRandomAccessFile(Path(i)));
    Read(*used);
  }
  // Given up once at most, when all had been used alike.
  EXPECT_LE(opened_, kFiles + 1);
}

TEST_F(OpenFileCapTest, ErrorsOfOpeningAgainAreReported) {
  const auto fs = Capped(1);
  const auto first = *fs->NewRandomAccessFile(Path(0));
  const auto second = *fs->NewRandomAccessFile(Path(1));
  ASSERT_TRUE(memory_->DeleteFile(Path(0)).ok());
  char scratch[8];
  EXPECT_EQ(first->Read(0, 8, scratch).status().detail(), StatusDetail::kNotFound);
  EXPECT_EQ(Read(*second), "file 1");
  EXPECT_FALSE(fs->NewRandomAccessFile("/none").ok());
}

TEST_F(OpenFileCapTest, WhereTheProcessHasNoneLeftOneIsGivenUpBelowTheCap) {
  const auto faults = std::make_shared<FaultFileSystem>(memory_);
  int evicted = 0;
  OpenFileEvents events;
  events.evicted = [&] { ++evicted; };
  const auto fs = NewOpenFileCap(faults, 8, std::move(events));
  faults->AddRule(FaultRule::Fail(FileOp::kOpenRead, Path(0), FaultRule::NoDescriptorError()));
  EXPECT_EQ(fs->NewRandomAccessFile(Path(0)).status().detail(), StatusDetail::kNoResources)
      << "there is none to give up";
  const auto first = *fs->NewRandomAccessFile(Path(0));
  const auto second = *fs->NewRandomAccessFile(Path(1));
  faults->AddRule(FaultRule::Fail(FileOp::kOpenRead, Path(2), FaultRule::NoDescriptorError()));
  const auto third = fs->NewRandomAccessFile(Path(2));
  ASSERT_TRUE(third.ok()) << third.status().ToString();
  EXPECT_EQ(evicted, 1);
  EXPECT_EQ(Read(*first) + Read(*second) + Read(**third), "file 0file 1file 2");
}

TEST_F(OpenFileCapTest, ManyThreads) {
  const auto fs = Capped(3);
  std::vector<std::unique_ptr<RandomAccessFile>> shared;
  for (int i = 0; i < kFiles; ++i) shared.push_back(*fs->NewRandomAccessFile(Path(i)));
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      Random random(t + 1);
      for (int step = 0; step < 5000; ++step) {
        const int i = static_cast<int>(random.Uniform(kFiles));
        const std::string want = "file " + std::to_string(i);
        if (Read(*shared[i]) != want) ++wrong;
        if (step % 16 == 0 && Read(**fs->NewRandomAccessFile(Path(i))) != want) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace seerdb
