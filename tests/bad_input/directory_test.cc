// Paths that cannot be a database, and databases that somebody else has open.
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "env/fault_file_system.h"
#include "env/memory_file_system.h"
#include "seerdb/db.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

void ExpectNames(const Status& status, const std::string& part) {
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.message().find(part), Slice::npos) << status.ToString() << " does not name " << part;
}

TEST(BadInput, PathIsAFile) {
  TempDirectory directory;
  const std::string path = directory.path() + "/plain";
  std::ofstream(path) << "hello";
  ExpectNames(DB::Open(Options(), path).status(), "plain");
  ExpectNames(DB::Open(Options(), path + "/below").status(), "plain");
  std::ifstream in(path);
  std::string text;
  in >> text;
  EXPECT_EQ(text, "hello") << "a refused open changed the file";
  EXPECT_FALSE(DB::Open(Options(), "").ok());
}

TEST(BadInput, MissingAndExisting) {
  Options options = TinyOptions();
  options.file_system = std::make_shared<MemoryFileSystem>();
  options.create_if_missing = false;
  ExpectNames(DB::Open(options, "/absent").status(), "absent");
  EXPECT_FALSE(options.file_system->GetFileInfo("/absent").ok());
  options.create_if_missing = true;
  ASSERT_OK(OpenOrFail(options, "/db")->Close());
  options.error_if_exists = true;
  ExpectNames(DB::Open(options, "/db").status(), "db");
  options.error_if_exists = options.create_if_missing = false;
  EXPECT_TRUE(OpenOrFail(options, "/db"));
}

// A directory with other people's files is not taken over, emptied or destroyed.
TEST(BadInput, ForeignFilesAreLeftAlone) {
  TempDirectory directory;
  const std::string path = directory.path() + "/db";
  std::filesystem::create_directory(path);
  std::ofstream(path + "/notes.txt") << "mine";
  std::ofstream(path + "/123.sst.bak") << "mine";
  std::filesystem::create_directory(path + "/sub.sst");
  Options options = TinyOptions();
  {
    const auto db = OpenOrFail(options, path);
    ASSERT_TRUE(db);
    ASSERT_OK(db->Put("k", "v"));
    ASSERT_OK(db->Close());
  }
  ASSERT_TRUE(OpenOrFail(options, path));
  EXPECT_TRUE(std::filesystem::exists(path + "/notes.txt"));
  EXPECT_TRUE(std::filesystem::exists(path + "/123.sst.bak"));
  DestroyDatabase(options, path).IgnoreError("files of others may be reported");
  EXPECT_TRUE(std::filesystem::exists(path + "/notes.txt"));
  EXPECT_TRUE(std::filesystem::exists(path + "/123.sst.bak"));
  EXPECT_FALSE(std::filesystem::exists(path + "/CURRENT"));
}

TEST(BadInput, DirectoryWithoutPermission) {
  if (geteuid() != 0) {
    TempDirectory directory;
    const std::string path = directory.path() + "/closed";
    std::filesystem::create_directory(path);
    std::filesystem::permissions(path, std::filesystem::perms::none);
    const Status status = DB::Open(TinyOptions(), path).status();
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    ExpectNames(status, "closed");
    EXPECT_EQ(status.detail(), StatusDetail::kPermission) << status.ToString();
  }
  // Root may do everything, so the file system refuses instead: each call that open makes, in turn.
  for (const FileOp op : {FileOp::kCreateDir, FileOp::kLock, FileOp::kList, FileOp::kOpenWrite}) {
    SCOPED_TRACE(FileOpName(op));
    const auto fs = std::make_shared<FaultFileSystem>(std::make_shared<MemoryFileSystem>());
    const Status refusal = Status::IoError("Permission denied", StatusDetail::kPermission);
    FaultRule rule = FaultRule::Fail(op, "", refusal);
    rule.repeat = true;
    fs->AddRule(rule);
    Options options = TinyOptions();
    options.file_system = fs;
    const Status status = DB::Open(options, "/closed").status();
    if (fs->faults_fired() == 0) continue;
    ExpectNames(status, "closed");
    EXPECT_EQ(status.detail(), StatusDetail::kPermission) << status.ToString();
    fs->ClearRules();
    EXPECT_TRUE(OpenOrFail(options, "/closed")) << "the refused open left something in the way";
  }
}

TEST(BadInput, SecondOpenInThisProcessNamesTheHolder) {
  for (const bool real : {true, false}) {
    TempDirectory directory;
    Options options = TinyOptions();
    if (!real) options.file_system = std::make_shared<MemoryFileSystem>();
    const std::string path = real ? directory.path() + "/db" : "/db";
    auto db = OpenOrFail(options, path);
    ASSERT_TRUE(db);
    ASSERT_OK(db->Put("k", "v"));
    const Status second = DB::Open(options, path).status();
    EXPECT_TRUE(second.IsBusy()) << second.ToString();
    EXPECT_EQ(second.detail(), StatusDetail::kLocked);
    ExpectNames(second, std::to_string(getpid()));
    EXPECT_TRUE(DestroyDatabase(options, path).IsBusy());
    ASSERT_OK(db->Put("k2", "v"));  // the refused open disturbed nothing
    ASSERT_OK(db->Close());
    db = OpenOrFail(options, path);
    ASSERT_TRUE(db);
    EXPECT_EQ(ReadAll(*db).size(), 2u);
    ASSERT_OK(db->Close());
    db.reset();
    ASSERT_OK(DestroyDatabase(options, path));
  }
}

TEST(BadInput, SecondProcessNamesTheHolder) {
  TempDirectory directory;
  const std::string path = directory.path() + "/db";
  int opened[2], release[2];
  ASSERT_EQ(pipe(opened), 0);
  ASSERT_EQ(pipe(release), 0);
  const pid_t child = fork();
  if (child == 0) {
    char byte = 'o';
    const auto db = DB::Open(TinyOptions(), path);
    if (!db.ok() || !(*db)->Put("k", "v").ok()) byte = 'x';
    close(release[1]);
    if (write(opened[1], &byte, 1) != 1) _exit(1);
    [[maybe_unused]] const ssize_t ignored = read(release[0], &byte, 1);
    _exit(0);  // without closing: as a crash does
  }
  char byte = 0;
  ASSERT_EQ(read(opened[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'o');
  const Status second = DB::Open(TinyOptions(), path).status();
  EXPECT_TRUE(second.IsBusy()) << second.ToString();
  EXPECT_EQ(second.detail(), StatusDetail::kLocked);
  ExpectNames(second, std::to_string(child));
  close(release[1]);
  waitpid(child, nullptr, 0);
  const auto db = OpenOrFail(TinyOptions(), path);  // the lock died with its holder
  ASSERT_TRUE(db);
  EXPECT_EQ(GetText(*db, "k"), "=v");
  for (const int fd : {opened[0], opened[1], release[0]}) close(fd);
}

}  // namespace
}  // namespace seerdb::testing
