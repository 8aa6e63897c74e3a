// FileSystemFixture: for tests of what all file systems have in common, an empty directory on each of them.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "env/fault_file_system.h"
#include "env/memory_file_system.h"
#include "env/scratch_directory.h"
#include "seerdb/file_system.h"

namespace seerdb {

enum class FileSystemKind { kPosix, kMemory, kFaultOverMemory };

class FileSystemFixture : public ::testing::TestWithParam<FileSystemKind> {
 protected:
  void SetUp() override {
    switch (GetParam()) {
      case FileSystemKind::kPosix:
        fs_ = PosixFileSystem();
        root_ = scratch_.path();
        ASSERT_FALSE(root_.empty());
        return;
      case FileSystemKind::kMemory:
        fs_ = std::make_shared<MemoryFileSystem>();
        break;
      case FileSystemKind::kFaultOverMemory:
        fs_ = std::make_shared<FaultFileSystem>(std::make_shared<MemoryFileSystem>());
        break;
    }
    root_ = "/root";
    ASSERT_TRUE(fs_->CreateDirectory(root_).ok());
  }

  std::string Path(const std::string& name) const { return root_ + "/" + name; }

  std::unique_ptr<WritableFile> Open(const std::string& name, CreateMode mode = CreateMode::kTruncate) {
    auto file = fs_->NewWritableFile(Path(name), mode);
    EXPECT_TRUE(file.ok()) << file.status().ToString();
    return file.ok() ? *std::move(file) : nullptr;
  }

  void Put(const std::string& name, const std::string& text) {
    const auto file = Open(name);
    ASSERT_TRUE(file->Append(text).ok());
    ASSERT_TRUE(file->Close().ok());
  }

  std::string Get(const std::string& name) {
    auto text = ReadFileToString(*fs_, Path(name));
    return text.ok() ? *text : text.status().ToString();
  }

  void ExpectError(const Status& status, StatusDetail detail, const std::string& path) {
    EXPECT_EQ(status.code(), StatusCode::kIoError) << status.ToString();
    EXPECT_EQ(status.detail(), detail) << status.ToString();
    EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr(path));
  }

  ScratchDirectory scratch_;
  std::shared_ptr<FileSystem> fs_;
  std::string root_;
};

inline const auto kAllFileSystems =
    ::testing::Values(FileSystemKind::kPosix, FileSystemKind::kMemory, FileSystemKind::kFaultOverMemory);
inline std::string FileSystemName(const ::testing::TestParamInfo<FileSystemKind>& kind) {
  switch (kind.param) {
    case FileSystemKind::kPosix:
      return "Posix";
    case FileSystemKind::kMemory:
      return "Memory";
    case FileSystemKind::kFaultOverMemory:
      return "FaultOverMemory";
  }
  return "Unknown";
}

}  // namespace seerdb
