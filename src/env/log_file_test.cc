// Files opened as logs: the contract of FileSystem::NewLogFile, on the file systems that are here.
#include <gtest/gtest.h>

#include <string>

#include "env/file_system_fixture.h"

namespace seerdb {
namespace {

constexpr uint64_t kFileBytes = 64 * 1024;
constexpr uint64_t kBlockBytes = 4096;

class LogFile : public FileSystemFixture {
 protected:
  // A file that satisfies what each mode asks for, or null if this file system lacks the mode.
  std::unique_ptr<WritableFile> OpenLog(const std::string& name, LogMode mode) {
    const auto file = Open(name);
    EXPECT_TRUE(file->Append(std::string(kFileBytes, '.')).ok());
    EXPECT_TRUE(file->SyncAll().ok());
    EXPECT_TRUE(file->Close().ok());
    auto log = fs_->NewLogFile(Path(name), mode);
    if (log.status().IsNotSupported() && GetParam() == FileSystemKind::kPosix) return nullptr;
    EXPECT_TRUE(log.ok()) << log.status().ToString();
    return *std::move(log);
  }
};

TEST_P(LogFile, AppendsOverwriteFromTheBeginningInEachMode) {
  for (const LogMode mode : {LogMode::kBuffered, LogMode::kMapped, LogMode::kDirect}) {
    SCOPED_TRACE(LogModeName(mode));
    const std::string name = LogModeName(mode);
    const auto log = OpenLog(name, mode);
    if (log == nullptr) {
      std::printf("no %s logs in %s\n", LogModeName(mode), root_.c_str());
      continue;
    }
    const uint64_t unit = log->append_unit_bytes();
    EXPECT_EQ(unit, mode == LogMode::kDirect ? kBlockBytes : 1u);
    const std::string first(3 * unit, 'a');
    const std::string second(unit, 'b');
    const std::string third(2 * unit, 'c');
    EXPECT_TRUE(log->Append(first).ok());
    EXPECT_TRUE(log->AppendSynced(second, false).ok());
    EXPECT_TRUE(log->AppendSynced(third, true).ok());
    EXPECT_TRUE(log->Sync().ok());
    EXPECT_TRUE(log->SyncAll().ok());
    const std::string written = first + second + third;
    EXPECT_EQ(Get(name), written + std::string(kFileBytes - written.size(), '.'));
    EXPECT_TRUE(log->Close().ok());
    EXPECT_EQ(Get(name), written + std::string(kFileBytes - written.size(), '.'));
  }
}

TEST_P(LogFile, AMappedLogDoesNotGrow) {
  const auto log = OpenLog("f", LogMode::kMapped);
  if (log == nullptr) GTEST_SKIP() << "no mapped logs here";
  EXPECT_TRUE(log->Append(std::string(kFileBytes - 1, 'x')).ok());
  EXPECT_TRUE(log->Append("yz").IsIoError());
  EXPECT_TRUE(log->Append("y").ok());
  EXPECT_EQ(Get("f"), std::string(kFileBytes - 1, 'x') + "y");
  EXPECT_TRUE(log->Append("z").IsIoError());
}

// Whether all, a part or nothing of its space was written to.
TEST_P(LogFile, AMappedLogKeepsWhatTheFileHas) {
  constexpr uint64_t kBytes = (uint64_t{5} << 20) + 3 * kBlockBytes;
  for (const uint64_t written_bytes : {uint64_t{0}, uint64_t{1}, kBytes / 2, kBytes}) {
    const auto file = Open("f");
    const std::string there(written_bytes, '.');
    ASSERT_TRUE(file->Append(there).ok());
    if (file->Allocate(kBytes, /*extend=*/true).IsNotSupported())
      GTEST_SKIP() << "no space is set aside here";
    ASSERT_TRUE(file->Close().ok());
    auto log = fs_->NewLogFile(Path("f"), LogMode::kMapped);
    if (log.status().IsNotSupported()) GTEST_SKIP() << "no mapped logs here";
    ASSERT_TRUE(log.ok()) << log.status().ToString();
    EXPECT_EQ(Get("f"), there + std::string(kBytes - written_bytes, '\0'));
    const std::string large(kBytes - 1, 'l');
    EXPECT_TRUE((*log)->Append(large).ok());
    EXPECT_TRUE((*log)->Close().ok());
    const char last = written_bytes == kBytes ? '.' : '\0';
    EXPECT_EQ(Get("f"), large + std::string(1, last));
  }
}

TEST_P(LogFile, ADirectLogTakesWholeBlocksOfAnySizeAndAlignment) {
  const auto log = OpenLog("f", LogMode::kDirect);
  if (log == nullptr) GTEST_SKIP() << "no direct logs here";
  EXPECT_TRUE(log->Append(std::string(100, 'x')).IsIoError());
  EXPECT_TRUE(log->AppendSynced(std::string(kBlockBytes + 100, 'x'), false).IsIoError());
  const std::string large((size_t{3} << 20) + kBlockBytes, 'l');
  EXPECT_TRUE(log->AppendSynced(Slice(large).substr(1, large.size() - kBlockBytes), false).ok());
  EXPECT_TRUE(log->AppendSynced(std::string(kBlockBytes, 'm'), false).ok());
  EXPECT_EQ(Get("f"), large.substr(kBlockBytes) + std::string(kBlockBytes, 'm')) << "behind its end it grows";
}

TEST_P(LogFile, WhatIsMissingIsSaid) {
  for (const LogMode mode : {LogMode::kBuffered, LogMode::kMapped, LogMode::kDirect}) {
    const Status status = fs_->NewLogFile(Path("none"), mode).status();
    ExpectError(status, StatusDetail::kNotFound, Path("none"));
  }
}

INSTANTIATE_TEST_SUITE_P(AllFileSystems, LogFile, kAllFileSystems, FileSystemName);

TEST(MemoryLogFile, ASyncedAppendMakesItsOwnBytesDurableAndNoOthers) {
  MemoryFileSystem fs;
  {
    auto file = *fs.NewWritableFile("/f", CreateMode::kTruncate);
    ASSERT_TRUE(file->Append(std::string(4 * kBlockBytes, '0')).ok());
    ASSERT_TRUE(file->Sync().ok());
    ASSERT_TRUE(fs.SyncDirectory("/").ok());
  }
  const auto log = *fs.NewLogFile("/f", LogMode::kDirect);
  ASSERT_TRUE(log->Append(std::string(kBlockBytes, '1')).ok());
  ASSERT_TRUE(log->AppendSynced(std::string(kBlockBytes, '2'), false).ok());
  ASSERT_TRUE(log->Append(std::string(kBlockBytes, '3')).ok());
  const auto left = fs.CrashClone({0, CrashOptions::kDropUnsynced});
  EXPECT_EQ(*ReadFileToString(*left, "/f"), std::string(kBlockBytes, '0') + std::string(kBlockBytes, '2') +
                                                std::string(2 * kBlockBytes, '0'));
  ASSERT_TRUE(log->Sync().ok());
  const auto all = fs.CrashClone({0, CrashOptions::kDropUnsynced});
  EXPECT_EQ(*ReadFileToString(*all, "/f"), std::string(kBlockBytes, '1') + std::string(kBlockBytes, '2') +
                                               std::string(kBlockBytes, '3') + std::string(kBlockBytes, '0'));
}

}  // namespace
}  // namespace seerdb
