#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "env/scratch_directory.h"
#include "seerdb/file_system.h"

namespace {
// Called between the opening of a file and its flock; stands in for what another process does then.
std::function<void()> before_flock;
}  // namespace

// Takes the place of the C library's function in this program.
extern "C" int flock(int fd, int operation) noexcept {
  if (before_flock) before_flock();
  return static_cast<int>(::syscall(SYS_flock, fd, operation));
}

namespace seerdb {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class PosixFileSystemTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_FALSE(scratch_.path().empty()); }
  void TearDown() override { before_flock = nullptr; }
  std::string Path(const std::string& name) const { return scratch_.path() + "/" + name; }
  static size_t OpenDescriptors() {
    size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      if (!entry.path().empty()) ++count;
    }
    return count;
  }

  ScratchDirectory scratch_;
  const std::shared_ptr<FileSystem> fs_ = PosixFileSystem();
};

TEST_F(PosixFileSystemTest, AppendPartsWritesThemOneBehindTheOther) {
  const std::string large(3 << 20, 'l');
  std::string want;
  auto file = fs_->NewWritableFile(Path("f"), CreateMode::kMustNotExist);
  ASSERT_TRUE(file.ok());
  const auto append = [&](std::vector<Slice> parts) {
    EXPECT_TRUE((*file)->AppendParts(parts).ok());
    for (const Slice part : parts) want += part;
  };
  append({});
  append({"", "", ""});
  append({"one"});
  append({"", "two", "", "three", ""});
  append({"head", large, "tail"});
  append({"1", "2", "3", "4", "5", "6", "7", "8"});
  append({"1", "2", "3", "4", "5", "6", "7", "8", "9", "10"});
  ASSERT_TRUE((*file)->Append("end").ok());
  want += "end";
  ASSERT_TRUE((*file)->Close().ok());
  const auto found = ReadFileToString(*fs_, Path("f"));
  ASSERT_TRUE(found.ok());
  EXPECT_TRUE(*found == want);
}

// Runs `body` in a forked child; returns its exit code.
template <typename Body>
int InChild(Body body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// A limit of the file's size makes the kernel take a part of what it is given, and refuse the rest.
TEST_F(PosixFileSystemTest, AppendPartsGoesOnBehindAShortWriteAndSaysWhatWentWrong) {
  for (const rlim_t limit : {1u, 3u, 5u, 1005u, 1007u}) {
    const std::string path = Path("f" + std::to_string(limit));
    const int code = InChild([&] {
      ::signal(SIGXFSZ, SIG_IGN);
      const rlimit bytes{limit, limit};
      if (::setrlimit(RLIMIT_FSIZE, &bytes) != 0) return 1;
      auto file = fs_->NewWritableFile(path, CreateMode::kMustNotExist);
      const std::string large(1000, 'l');
      const Slice parts[] = {"head", large, "tail"};
      if (!file.ok()) return 2;
      return (*file)->AppendParts(parts).IsIoError() ? 0 : 3;
    });
    EXPECT_EQ(code, 0);
    const auto found = ReadFileToString(*fs_, path);
    ASSERT_TRUE(found.ok());
    EXPECT_TRUE(*found == ("head" + std::string(1000, 'l') + "tail").substr(0, limit)) << limit;
  }
}

// The flags that the system keeps of the mapping that begins at `start`.
std::string FlagsOfMapping(const void* start) {
  char address[32];
  std::snprintf(address, sizeof address, "%zx-", reinterpret_cast<size_t>(start));
  std::ifstream maps("/proc/self/smaps");
  bool found = false;
  for (std::string line; std::getline(maps, line);) {
    if (line.starts_with(address)) found = true;
    if (found && line.starts_with("VmFlags:")) return line + " ";
  }
  return "";
}

TEST_F(PosixFileSystemTest, TheSystemIsToldOfRandomReads) {
  auto writer = fs_->NewWritableFile(Path("f"), CreateMode::kMustNotExist);
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->Append(std::string(100'000, 'm')).ok());
  auto file = fs_->NewRandomAccessFile(Path("f"));
  ASSERT_TRUE(file.ok());
  auto region = (*file)->Map();
  ASSERT_TRUE(region.ok());
  const std::string before = FlagsOfMapping((*region)->bytes().data());
  if (before.empty()) GTEST_SKIP() << "no flags of mappings here";
  EXPECT_THAT(before, Not(HasSubstr(" rr ")));
  (*region)->ExpectRandomReads();
  EXPECT_THAT(FlagsOfMapping((*region)->bytes().data()), HasSubstr(" rr "));
}

TEST_F(PosixFileSystemTest, IsOneObject) { EXPECT_EQ(fs_, PosixFileSystem()); }

TEST_F(PosixFileSystemTest, ALockExcludesAnotherProcess) {
  auto lock = fs_->LockFile(Path("LOCK"), "the parent");
  ASSERT_TRUE(lock.ok());
  const auto attempt = [&] {
    auto second = fs_->LockFile(Path("LOCK"), "the child");
    if (second.ok()) return 1;
    if (second.status().detail() != StatusDetail::kLocked) return 2;
    return second.status().message().find("the parent") == Slice::npos ? 3 : 0;
  };
  EXPECT_EQ(InChild(attempt), 0);
  *lock = nullptr;
  EXPECT_EQ(InChild(attempt), 1) << "released: now the child gets it";
}

TEST_F(PosixFileSystemTest, ALockEndsWithItsProcess) {
  EXPECT_EQ(InChild([&] {
              auto lock = fs_->LockFile(Path("LOCK"), "a child that is killed");
              const bool ok = lock.ok();
              if (ok) (*lock).release();  // never destroyed
              return ok ? 0 : 1;
            }),
            0);
  auto text = ReadFileToString(*fs_, Path("LOCK"));
  ASSERT_TRUE(text.ok());
  EXPECT_EQ(*text, "a child that is killed\n");
  EXPECT_TRUE(fs_->LockFile(Path("LOCK"), "the parent").ok());
}

TEST_F(PosixFileSystemTest, AForkedCopyOfTheLockDoesNotReleaseIt) {
  auto lock = fs_->LockFile(Path("LOCK"), "the parent");
  ASSERT_TRUE(lock.ok());
  EXPECT_EQ(InChild([&] {
              *lock = nullptr;
              return 0;
            }),
            0);
  EXPECT_FALSE(fs_->LockFile(Path("LOCK"), "another").ok());
}

TEST_F(PosixFileSystemTest, ALockOnADeletedFileDoesNotCount) {
  auto first = fs_->LockFile(Path("LOCK"), "first");
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(fs_->DeleteFile(Path("LOCK")).ok());
  auto second = fs_->LockFile(Path("LOCK"), "second");
  ASSERT_TRUE(second.ok());
  *first = nullptr;
  auto third = fs_->LockFile(Path("LOCK"), "third");
  ASSERT_FALSE(third.ok());
  EXPECT_THAT(std::string(third.status().message()), HasSubstr("second"));
}

TEST_F(PosixFileSystemTest, ALockWhoseFileIsDeletedMeanwhileIsTakenAgain) {
  int deletions_left = 1;
  const auto delete_before_flock = [&] {
    if (deletions_left == 0) return;
    --deletions_left;
    ::unlink(Path("LOCK").c_str());
  };
  before_flock = delete_before_flock;
  auto first = fs_->LockFile(Path("LOCK"), "first");
  ASSERT_TRUE(first.ok()) << first.status().ToString();
  EXPECT_EQ(deletions_left, 0);
  EXPECT_FALSE(fs_->LockFile(Path("LOCK"), "second").ok()) << "the first holds a file without a name";

  *first = nullptr;
  deletions_left = 1000000;
  EXPECT_TRUE(fs_->LockFile(Path("LOCK"), "third").status().IsBusy()) << "it gives up in the end";
  EXPECT_GT(deletions_left, 0);
}

TEST_F(PosixFileSystemTest, RefusesSpecialFilesWithoutWaiting) {
  ASSERT_EQ(::mkfifo(Path("pipe").c_str(), 0600), 0);
  EXPECT_TRUE(fs_->NewRandomAccessFile(Path("pipe")).status().IsIoError());
  EXPECT_TRUE(fs_->NewWritableFile(Path("pipe"), CreateMode::kOverwrite).status().IsIoError());
}

TEST_F(PosixFileSystemTest, ReportsPermission) {
  ASSERT_TRUE(fs_->CreateDirectory(Path("closed")).ok());
  ASSERT_EQ(::chmod(Path("closed").c_str(), 0), 0);
  // In a child, which gives up the rights of the superuser if it has them.
  EXPECT_EQ(InChild([&] {
              if (::geteuid() == 0 && (::chmod(scratch_.path().c_str(), 0755) != 0 || ::seteuid(65534) != 0))
                return 1;
              const Status status = fs_->NewWritableFile(Path("closed/f"), CreateMode::kTruncate).status();
              if (status.detail() != StatusDetail::kPermission) return 2;
              if (status.message().find(Path("closed/f")) == Slice::npos) return 3;
              return fs_->CreateDirectory(Path("closed/d")).detail() == StatusDetail::kPermission ? 0 : 4;
            }),
            0);
}

// A file size limit makes the kernel write less than asked before it refuses.
TEST_F(PosixFileSystemTest, AppendContinuesAfterAShortWrite) {
  constexpr uint64_t kLimitBytes = 10000;
  EXPECT_EQ(InChild([&] {
              ::signal(SIGXFSZ, SIG_IGN);
              const rlimit limit{kLimitBytes, kLimitBytes};
              if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
              auto file = fs_->NewWritableFile(Path("f"), CreateMode::kTruncate);
              if (!file.ok()) return 2;
              const Status status = (*file)->Append(std::string(kLimitBytes + 5000, 'x'));
              if (status.code() != StatusCode::kIoError) return 3;
              // The position in the message shows that the second write began where the first ended.
              return status.message().find("@10000") == Slice::npos ? 4 : 0;
            }),
            0);
  auto info = fs_->GetFileInfo(Path("f"));
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->bytes, kLimitBytes);
}

TEST_F(PosixFileSystemTest, SeesHardLinks) {
  { std::ofstream(Path("f")) << "x"; }
  ASSERT_EQ(::link(Path("f").c_str(), Path("g").c_str()), 0);
  auto info = fs_->GetFileInfo(Path("f"));
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->links, 2u);
}

TEST_F(PosixFileSystemTest, LeaksNoDescriptorAndPassesNoneOn) {
  const size_t before = OpenDescriptors();
  {
    auto writer = fs_->NewWritableFile(Path("f"), CreateMode::kTruncate);
    auto reader = fs_->NewRandomAccessFile(Path("f"));
    auto lock = fs_->LockFile(Path("LOCK"), "x");
    ASSERT_TRUE(writer.ok() && reader.ok() && lock.ok());
    EXPECT_EQ(OpenDescriptors(), before + 3);
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      std::error_code ignored;
      const std::string target = std::filesystem::read_symlink(entry.path(), ignored).string();
      if (target.rfind(scratch_.path(), 0) != 0) continue;
      const int fd = std::stoi(entry.path().filename().string());
      EXPECT_TRUE(::fcntl(fd, F_GETFD) & FD_CLOEXEC) << target;
    }
  }
  EXPECT_FALSE(fs_->NewRandomAccessFile(scratch_.path()).ok());
  EXPECT_FALSE(fs_->NewWritableFile(scratch_.path(), CreateMode::kTruncate).ok());
  EXPECT_TRUE(fs_->ListDirectory(scratch_.path()).ok());
  EXPECT_TRUE(fs_->SyncDirectory(scratch_.path()).ok());
  EXPECT_EQ(OpenDescriptors(), before);
}

TEST_F(PosixFileSystemTest, CreateDirectoryTakesRelativePaths) {
  const auto here = std::filesystem::current_path();
  std::filesystem::current_path(scratch_.path());
  const Status deep = fs_->CreateDirectory("x/y");
  const Status here_again = fs_->CreateDirectory(".");
  std::filesystem::current_path(here);
  EXPECT_TRUE(deep.ok()) << deep.ToString();
  EXPECT_TRUE(here_again.ok()) << here_again.ToString();
  EXPECT_TRUE(std::filesystem::is_directory(Path("x/y")));
}

}  // namespace
}  // namespace seerdb
