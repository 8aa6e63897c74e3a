#include "env/fault_file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "env/memory_file_system.h"

namespace seerdb {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class FaultFileSystemTest : public ::testing::Test {
 protected:
  std::unique_ptr<WritableFile> Open(const std::string& path) {
    auto file = fs_.NewWritableFile(path, CreateMode::kTruncate);
    EXPECT_TRUE(file.ok()) << file.status().ToString();
    return *std::move(file);
  }
  std::string Get(const std::string& path) { return ReadFileToString(*base_, path).value_or("<none>"); }

  const std::shared_ptr<MemoryFileSystem> base_ = std::make_shared<MemoryFileSystem>();
  FaultFileSystem fs_{base_};
};

TEST_F(FaultFileSystemTest, AShortWriteOfADirectLogEndsAtASector) {
  ASSERT_TRUE(Open("/f")->Append(std::string(8192, 'o')).ok());
  auto log = fs_.NewLogFile("/f", LogMode::kDirect);
  ASSERT_TRUE(log.ok());
  FaultRule rule = FaultRule::ShortWrite("f", 1500, FaultRule::DeviceError());
  rule.op = FileOp::kAppendSynced;
  fs_.AddRule(rule);
  EXPECT_TRUE((*log)->AppendSynced(std::string(4096, 'n'), false).IsIoError());
  EXPECT_EQ(Get("/f"), std::string(1024, 'n') + std::string(7168, 'o'));
}

// Each operation once, by name; returns which calls failed.
std::vector<std::string> CallAll(FileSystem& fs) {
  std::vector<std::string> failed;
  const auto note = [&](const char* name, bool ok) {
    if (!ok) failed.push_back(name);
  };
  auto writer = fs.NewWritableFile("/f", CreateMode::kTruncate);
  note("open-write", writer.ok());
  if (writer.ok()) {
    note("append", (*writer)->Append("12345").ok());
    (*writer)->StartWriteback(0, 5);  // no call that is counted
    note("sync", (*writer)->Sync().ok());
    note("sync-all", (*writer)->SyncAll().ok());
    note("allocate", (*writer)->Allocate(8, false).ok());
    note("truncate", (*writer)->Truncate(5).ok());
    note("append-synced", (*writer)->AppendSynced("6", false).ok());
    note("close", (*writer)->Close().ok());
  }
  note("open-log", fs.NewLogFile("/x", LogMode::kBuffered).ok());
  auto reader = fs.NewRandomAccessFile("/f");
  note("open-read", reader.ok());
  if (reader.ok()) {
    char scratch[8];
    note("read", (*reader)->Read(0, 8, scratch).ok());
    note("map", (*reader)->Map().ok());
    note("info", (*reader)->Size().ok());
    (*reader)->ForgetClean();
  }
  note("list", fs.ListDirectory("/").ok());
  note("create-dir", fs.CreateDirectory("/d").ok());
  note("rename", fs.RenameFile("/f", "/g").ok());
  note("sync-dir", fs.SyncDirectory("/").ok());
  note("info", fs.GetFileInfo("/").ok());
  note("info", fs.GetSpaceInfo("/").ok());
  note("lock", fs.LockFile("/LOCK", "x").ok());
  note("delete", fs.DeleteFile("/x").ok());
  return failed;
}

TEST(FaultFileSystem, EachOperationFailsOnItsRuleAndOnNoOther) {
  for (size_t i = 0; i < kFileOpCount; ++i) {
    const auto op = static_cast<FileOp>(i);
    SCOPED_TRACE(FileOpName(op));
    FaultFileSystem fs(std::make_shared<MemoryFileSystem>());
    ASSERT_TRUE(fs.NewWritableFile("/x", CreateMode::kTruncate).ok());
    EXPECT_THAT(CallAll(fs), ElementsAre());
    EXPECT_GT(fs.calls(op), op == FileOp::kOpenWrite ? 1u : 0u);
    FaultFileSystem failing(std::make_shared<MemoryFileSystem>());
    // The files are there already, so that a failure to make one fails nothing else.
    for (const char* name : {"/f", "/x"}) {
      ASSERT_TRUE(failing.NewWritableFile(name, CreateMode::kTruncate).ok());
    }
    failing.AddRule(FaultRule::Fail(op, "", FaultRule::DeviceError()));
    if (op == FileOp::kForget) {
      EXPECT_THAT(CallAll(failing), ElementsAre()) << "a hint cannot fail";
    } else {
      EXPECT_THAT(CallAll(failing), ElementsAre(FileOpName(op)));
    }
    EXPECT_EQ(failing.faults_fired(), 1u);
  }
}

TEST_F(FaultFileSystemTest, AFailedCallIsNotPerformedAndNamesItself) {
  auto file = Open("/f");
  fs_.AddRule(FaultRule::Fail(FileOp::kAppend, "f", FaultRule::NoSpaceError()));
  const Status status = file->Append("lost");
  EXPECT_TRUE(status.IsNoSpace());
  EXPECT_THAT(std::string(status.message()), HasSubstr("append /f"));
  EXPECT_EQ(Get("/f"), "");
  EXPECT_TRUE(file->Append("kept").ok()) << "a rule fires once";
  EXPECT_EQ(Get("/f"), "kept");
}

TEST_F(FaultFileSystemTest, TheCountdownCountsMatches) {
  auto f = Open("/f");
  auto g = Open("/g");
  fs_.AddRule(FaultRule::Fail(FileOp::kSync, "/f", FaultRule::DeviceError(), 3));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(g->Sync().ok());
  EXPECT_TRUE(f->Sync().ok());
  EXPECT_TRUE(f->Append("x").ok());
  EXPECT_TRUE(f->Sync().ok());
  EXPECT_FALSE(f->Sync().ok());
  EXPECT_TRUE(f->Sync().ok());
}

TEST_F(FaultFileSystemTest, ARepeatedRuleFiresUntilRemoved) {
  auto f = Open("/f");
  FaultRule rule = FaultRule::Fail(FileOp::kAny, "", FaultRule::DeviceError(), 2);
  rule.repeat = true;
  const uint64_t number = fs_.AddRule(rule);
  EXPECT_TRUE(f->Sync().ok());
  EXPECT_FALSE(f->Sync().ok());
  EXPECT_FALSE(fs_.ListDirectory("/").ok());
  EXPECT_FALSE(fs_.RenameFile("/f", "/g").ok());
  fs_.RemoveRule(number);
  EXPECT_TRUE(f->Sync().ok());
  EXPECT_EQ(fs_.faults_fired(), 3u);
  fs_.AddRule(rule);
  fs_.ClearRules();
  EXPECT_TRUE(f->Sync().ok());
  EXPECT_TRUE(f->Sync().ok());
}

TEST_F(FaultFileSystemTest, AShortWriteLeavesItsFirstBytes) {
  auto f = Open("/f");
  fs_.AddRule(FaultRule::ShortWrite("/f", 3, FaultRule::NoSpaceError()));
  EXPECT_TRUE(f->Append("abcdef").IsNoSpace());
  EXPECT_EQ(Get("/f"), "abc");
}

TEST_F(FaultFileSystemTest, APerformedCallMayStillReportFailure) {
  Open("/f");
  FaultRule rule = FaultRule::Fail(FileOp::kRename, "/g", FaultRule::DeviceError());
  rule.perform = true;
  fs_.AddRule(rule);
  EXPECT_FALSE(fs_.RenameFile("/f", "/g").ok()) << "the rule names the second path";
  EXPECT_EQ(Get("/g"), "");
  EXPECT_EQ(Get("/f"), "<none>");
}

TEST_F(FaultFileSystemTest, ObserversSeeCallsAndMayUseTheFileSystem) {
  std::vector<std::string> seen;
  fs_.AddRule(FaultRule::Observe(FileOp::kAppend, "", [&](FileOp op, const std::string& path) {
    seen.push_back(std::string(FileOpName(op)) + path + Get(path));
    EXPECT_TRUE(fs_.GetFileInfo(path).ok());
  }));
  auto f = Open("/f");
  EXPECT_TRUE(f->Append("1").ok());
  EXPECT_TRUE(f->Append("2").ok());
  EXPECT_THAT(seen, ElementsAre("append/f", "append/f1"));
  EXPECT_EQ(Get("/f"), "12");
}

TEST_F(FaultFileSystemTest, TheCallbackOfAShortWriteSeesThePart) {
  std::string part;
  FaultRule rule = FaultRule::ShortWrite("", 2, FaultRule::DeviceError());
  rule.callback = [&](FileOp, const std::string& path) { part = Get(path); };
  fs_.AddRule(rule);
  EXPECT_FALSE(Open("/f")->Append("abcd").ok());
  EXPECT_EQ(part, "ab");
}

TEST_F(FaultFileSystemTest, TheHookSeesTheStateBeforeEachMutation) {
  std::vector<std::string> trace;
  fs_.SetHook([&](FileOp op, const std::string& path, uint64_t index) {
    trace.push_back(std::to_string(index) + " " + FileOpName(op) + " " + path + " " + Get("/f"));
  });
  auto f = Open("/f");
  EXPECT_TRUE(f->Append("1").ok());
  EXPECT_TRUE(fs_.ListDirectory("/").ok());
  EXPECT_TRUE(fs_.NewRandomAccessFile("/f").ok());
  EXPECT_TRUE(f->Append("2").ok());
  EXPECT_TRUE(f->Sync().ok());
  EXPECT_TRUE(fs_.RenameFile("/f", "/g").ok());
  EXPECT_THAT(trace, ElementsAre("0 open-write /f <none>", "1 append /f ", "2 append /f 1", "3 sync /f 12",
                                 "4 rename /f 12"));
  EXPECT_EQ(fs_.mutations(), 5u);
  EXPECT_EQ(fs_.calls(FileOp::kAppend), 2u);
  EXPECT_EQ(fs_.calls(FileOp::kAny), 7u);
  fs_.SetHook(nullptr);
  EXPECT_TRUE(f->Append("3").ok());
  EXPECT_EQ(trace.size(), 5u);
}

TEST_F(FaultFileSystemTest, ManyThreadsGetEachNumberOnce) {
  constexpr int kThreads = 4;
  constexpr int kAppends = 300;
  std::vector<std::atomic<int>> seen(kThreads * (kAppends + 1));
  fs_.SetHook([&](FileOp, const std::string&, uint64_t index) { ++seen[index]; });
  fs_.AddRule(FaultRule::Fail(FileOp::kAppend, "", FaultRule::DeviceError(), kThreads * kAppends / 2));
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      auto file = Open("/f" + std::to_string(t));
      for (int i = 0; i < kAppends; ++i) failures += file->Append("x").ok() ? 0 : 1;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& count : seen) EXPECT_EQ(count, 1);
  EXPECT_EQ(failures, 1);
}

}  // namespace
}  // namespace seerdb
