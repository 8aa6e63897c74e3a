// A real file system that is full, and a real limit on the size of files. Each test runs in a process of its
// own: mounts and limits end with it. Where the rights to mount are missing it says so and skips.
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

constexpr int kSkipped = 77;

// Runs `body` in a child. False if it called for a skip.
bool RunInChild(const std::function<int()>& body) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    const int outcome = body();
    std::fflush(nullptr);
    _exit(outcome != 0 ? outcome : ::testing::Test::HasFailure() ? 1 : 0);
  }
  int exit_status = 0;
  waitpid(child, &exit_status, 0);
  if (WIFEXITED(exit_status) && WEXITSTATUS(exit_status) == kSkipped) return false;
  EXPECT_TRUE(WIFEXITED(exit_status) && WEXITSTATUS(exit_status) == 0)
      << "the child ended with " << exit_status;
  return true;
}

bool WriteText(const char* path, const std::string& text) {
  std::ofstream out(path);
  out << text << std::flush;
  return out.good();
}

// Gives this process mounts of its own, by its rights or in a user namespace.
bool TakePrivateMounts() {
  const uid_t uid = getuid();
  const gid_t gid = getgid();
  if (unshare(CLONE_NEWNS) != 0) {
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    WriteText("/proc/self/setgroups", "deny");
    if (!WriteText("/proc/self/uid_map", "0 " + std::to_string(uid) + " 1")) return false;
    if (!WriteText("/proc/self/gid_map", "0 " + std::to_string(gid) + " 1")) return false;
  }
  return mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

bool MountTmpfs(const std::string& directory) {
  return mount("tmpfs", directory.c_str(), "tmpfs", 0, "size=8m") == 0;
}

bool MountExt4(const std::string& image, const std::string& directory) {
  if (!WriteText(image.c_str(), "")) return false;
  std::error_code error;
  std::filesystem::resize_file(image, 10 << 20, error);
  if (error) return false;
  const std::string command = "PATH=$PATH:/sbin:/usr/sbin; mkfs.ext4 -q -F -m 0 -O ^has_journal " + image +
                              " >/dev/null 2>&1 && mount -o loop " + image + " " + directory +
                              " >/dev/null 2>&1";
  return std::system(command.c_str()) == 0;
}

Options DiskOptions(SyncPolicy policy) {
  Options options;
  options.memtable_capacity = 256 << 10;
  options.wal_segment_bytes = 256 << 10;
  options.target_file_size = 256 << 10;
  options.base_level_size = 1 << 20;
  options.wal_sync_policy = policy;
  return options;
}

class FullDisk {
 public:
  FullDisk(const std::string& directory, SyncPolicy policy)
      : path_(directory + "/db"), ballast_(directory + "/ballast"), options_(DiskOptions(policy)) {}

  void Run() {
    WriteBallast(0);
    WriteBallast(1);
    db_ = OpenOrFail(options_, path_);
    if (!db_) return;
    FillUp();
    if (::testing::Test::HasFailure()) return;
    CheckWhileFull();
    // What failed until now must not come back once writes have resumed.
    const Contents gone = std::move(failed_);
    failed_.clear();
    FreeBallast(0);
    PutInTheEnd("resumed");
    EXPECT_EQ(Difference(acknowledged_, ReadAll(*db_)), "") << "after writes resumed";
    // A compaction may find the space that was freed too small, and stop writes once more.
    for (int i = 0; i < 100; ++i) PutInTheEnd("on" + std::to_string(i));
    FillUp();
    if (::testing::Test::HasFailure()) return;
    CheckWhileFull();
    const Status closed = db_->Close();
    EXPECT_TRUE(closed.ok() || closed.IsNoSpace()) << closed.ToString();
    db_.reset();
    Reopen(gone);
  }

 private:
  std::string BallastPath(int number) const { return ballast_ + std::to_string(number); }
  void WriteBallast(int number) {
    EXPECT_TRUE(WriteText(BallastPath(number).c_str(), std::string(5 << 19, 'b')));
  }
  void FreeBallast(int number) { std::filesystem::remove(BallastPath(number)); }

  Status Put(const std::string& key) {
    const std::string value(1000, static_cast<char>('a' + puts_++ % 26));
    const Status status = db_->Put(key, value);
    if (status.ok()) {
      acknowledged_[key] = value;
      failed_.clear();
    } else if (!status.IsReadOnly()) {
      failed_[key] = value;
    }
    return status;
  }

  void PutInTheEnd(const std::string& key) {
    for (Status status = Put(key); !status.ok(); status = Put(key)) {
      ASSERT_TRUE(status.IsReadOnly() || status.IsNoSpace()) << status.ToString();
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  void FillUp() {
    Status status;
    for (int i = 0; i < 40'000 && status.ok(); ++i) status = Put("fill" + std::to_string(puts_));
    EXPECT_TRUE(status.IsNoSpace()) << status.ToString();
  }

  void CheckWhileFull() {
    const Contents found = ReadAll(*db_);
    EXPECT_EQ(Difference(acknowledged_, found), "") << "while the disk is full";
    EXPECT_GT(found.size(), 500u);
    const auto got = db_->Get(acknowledged_.begin()->first);
    EXPECT_TRUE(got.ok() && got->has_value());
  }

  void Reopen(const Contents& gone) {
    auto opened = DB::Open(options_, path_);
    if (!opened.ok()) {
      EXPECT_TRUE(opened.status().IsNoSpace()) << opened.status().ToString();
      FreeBallast(1);
      opened = DB::Open(options_, path_);
    }
    if (!opened.ok()) {
      ADD_FAILURE() << opened.status().ToString();
      return;
    }
    Contents found = ReadAll(**opened);
    for (const auto& [key, value] : gone) EXPECT_EQ(found.count(key), acknowledged_.count(key)) << key;
    for (const auto& [key, value] : failed_) {
      if (acknowledged_.count(key) == 0) found.erase(key);
    }
    EXPECT_EQ(Difference(acknowledged_, found), "") << "after reopening";
    std::printf("[ FULL     ] %zu acknowledged writes, %zu failed\n", acknowledged_.size(),
                gone.size() + failed_.size());
  }

  const std::string path_;
  const std::string ballast_;
  const Options options_;
  std::unique_ptr<DB> db_;
  Contents acknowledged_;
  Contents failed_;  // since writes last went on
  uint64_t puts_ = 0;
};

class FullDiskTest : public ::testing::TestWithParam<bool> {};

TEST_P(FullDiskTest, WritesStopAndResume) {
  const bool ext4 = GetParam();
  for (const SyncPolicy policy : {SyncPolicy::kNone, SyncPolicy::kSyncData}) {
    TempDirectory place;
    const std::string mounted = place.path() + "/mounted";
    std::filesystem::create_directory(mounted);
    const bool ran = RunInChild([&] {
      if (!TakePrivateMounts()) return kSkipped;
      if (!(ext4 ? MountExt4(place.path() + "/image", mounted) : MountTmpfs(mounted))) return kSkipped;
      FullDisk(mounted, policy).Run();
      return 0;
    });
    if (!ran)
      GTEST_SKIP() << "SKIPPED: no right to mount " << (ext4 ? "ext4 on a loop device" : "tmpfs") << " here";
  }
}

INSTANTIATE_TEST_SUITE_P(Faults, FullDiskTest, ::testing::Bool(),
                         [](const auto& tested) { return std::string(tested.param ? "Ext4" : "Tmpfs"); });

void LimitFileSize(rlim_t bytes) {
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &limit), 0);
  limit.rlim_cur = bytes;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

// A file may not grow beyond the limit: a short write and EFBIG. That is no want of space, so a reopen is
// needed; `log` says whether it meets a log or a table.
void WriteToTheLimit(const std::string& path, SyncPolicy policy, bool log) {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  Options options = DiskOptions(policy);
  if (!log) options.wal_segment_bytes = 32 << 10;
  auto db = OpenOrFail(options, path);
  ASSERT_TRUE(db);
  LimitFileSize(100'000);
  Contents acknowledged, failed;
  Status status;
  for (int i = 0; i < 5000 && status.ok(); ++i) {
    const std::string key = "key" + std::to_string(i);
    const std::string value(500, static_cast<char>('a' + i % 26));
    status = db->Put(key, value);
    (status.ok() ? acknowledged : failed)[key] = value;
  }
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.message().find(log ? ".log" : ".sst"), Slice::npos) << status.ToString();
  EXPECT_NE(status.message().find("File too large"), Slice::npos) << status.ToString();
  EXPECT_FALSE(status.IsNoSpace());
  EXPECT_TRUE(db->Put("refused", "x").IsReadOnly());
  EXPECT_EQ(Difference(acknowledged, ReadAll(*db)), "");
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_TRUE(db->Resume().IsReadOnly());
  EXPECT_FALSE(db->Close().ok());
  db = OpenOrFail(options, path);
  ASSERT_TRUE(db);
  Contents found = ReadAll(*db);
  for (const auto& [key, value] : failed) found.erase(key);
  EXPECT_EQ(Difference(acknowledged, found), "");
  EXPECT_OK(db->Put("after", "x"));
  EXPECT_OK(db->Close());
}

TEST(FileSizeLimit, LogAndTable) {
  for (const SyncPolicy policy : {SyncPolicy::kNone, SyncPolicy::kSyncData}) {
    for (const bool log : {true, false}) {
      SCOPED_TRACE(log ? "log" : "table");
      TempDirectory place;
      RunInChild([&] {
        WriteToTheLimit(place.path() + "/db", policy, log);
        return 0;
      });
    }
  }
}

}  // namespace
}  // namespace seerdb::testing
