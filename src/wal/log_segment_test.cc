#include "wal/log_segment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "env/fault_file_system.h"
#include "env/memory_file_system.h"
#include "wal/log_replay.h"
#include "wal/log_test_util.h"

namespace seerdb {
namespace {

const LogIdentity kIdentity{{1, 2}, 3, 4};

class LogSegmentTest : public ::testing::Test {
 protected:
  LogSegmentTest() : memory_(std::make_shared<MemoryFileSystem>()), fs_(memory_) {
    EXPECT_TRUE(memory_->CreateDirectory("/db").ok());
    EXPECT_TRUE(memory_->SyncDirectory("/").ok());
  }

  std::unique_ptr<LogSegment> Open(const std::string& path, uint64_t first_record) {
    auto segment = OpenSegment(fs_, path, kIdentity, first_record);
    EXPECT_NE(segment, nullptr);
    return segment;
  }

  // "base:operations ..." of all records, or the error.
  static std::string Replay(FileSystem& fs, const std::string& path, uint64_t first_record) {
    std::string out;
    const auto summary = ReplayLogs(fs, {{path, kIdentity}}, {first_record},
                                    [&](SequenceNumber base, Slice operations) -> Status {
                                      out += std::to_string(base) + ":" + std::string(operations) + " ";
                                      return {};
                                    });
    return summary.ok() ? out : summary.status().ToString();
  }

  std::shared_ptr<MemoryFileSystem> memory_;
  FaultFileSystem fs_;
};

TEST_F(LogSegmentTest, WritesHeaderAndGroupInOneCall) {
  ASSERT_TRUE(PrepareLogFile(fs_, {"/db", "/db/3.log", LogMode::kBuffered, 4096, {}}).ok());
  EXPECT_EQ(fs_.calls(FileOp::kAppend), 0u);
  const auto segment = Open("/db/3.log", 7);
  EXPECT_EQ(segment->bytes(), 0u);
  ASSERT_TRUE(segment->Append({}, 6).ok());
  EXPECT_EQ(fs_.calls(FileOp::kAppend), 0u);

  ASSERT_TRUE(segment->Append({{100, "one"}, {101, "two"}, {105, ""}}, 6).ok());
  EXPECT_EQ(fs_.calls(FileOp::kAppend), 1u);
  EXPECT_EQ(segment->first_record(), 7u);
  EXPECT_EQ(segment->next_record(), 10u);
  EXPECT_EQ(segment->bytes(), kLogHeaderBytes + 3 * (kLogFrameHeadBytes + 8) + 6);
  ASSERT_TRUE(segment->Append({{106, "four"}}, 6).ok());
  EXPECT_EQ(fs_.calls(FileOp::kAppend), 2u);
  EXPECT_EQ(Replay(fs_, "/db/3.log", 7), "100:one 101:two 105: 106:four ");
  EXPECT_EQ(memory_->GetFileInfo("/db/3.log")->bytes, 4096u);
}

TEST_F(LogSegmentTest, LargeRecordsRoundTrip) {
  ASSERT_TRUE(PrepareLogFile(fs_, {"/db", "/db/3.log", LogMode::kBuffered, 4096, {}}).ok());
  const auto segment = Open("/db/3.log", 1);
  const std::string large(5'000'000, 'x');
  ASSERT_TRUE(segment->Append({{1, "a"}, {2, large}, {3, "b"}}, 0).ok());
  ASSERT_TRUE(segment->Append({{4, "c"}}, 0).ok());
  EXPECT_EQ(Replay(fs_, "/db/3.log", 1), "1:a 2:" + large + " 3:b 4:c ");
}

TEST_F(LogSegmentTest, SyncedRecordsSurviveAPowerCut) {
  ASSERT_TRUE(PrepareLogFile(fs_, {"/db", "/db/3.log", LogMode::kBuffered, 4096, {}}).ok());
  const auto segment = Open("/db/3.log", 1);
  for (const bool all : {false, true}) {
    ASSERT_TRUE(segment->Append({{1, all ? "two" : "one"}}, 0).ok());
    ASSERT_TRUE(segment->Sync(all).ok());
  }
  EXPECT_EQ(fs_.calls(FileOp::kSync), 1u);
  ASSERT_TRUE(segment->Append({{1, "three"}}, 2).ok());
  const auto after = memory_->CrashClone({0, CrashOptions::kDropUnsynced});
  EXPECT_EQ(Replay(*after, "/db/3.log", 1), "1:one 1:two ");
}

TEST_F(LogSegmentTest, PreparedFileIsDurableAndReadsAsZeros) {
  ASSERT_TRUE(PrepareLogFile(fs_, {"/db", "/db/3.log", LogMode::kBuffered, 4096, {}}).ok());
  const auto after = memory_->CrashClone({0, CrashOptions::kDropUnsynced});
  const auto contents = ReadFileToString(*after, "/db/3.log");
  ASSERT_TRUE(contents.ok()) << contents.status().ToString();
  EXPECT_EQ(*contents, std::string(4096, '\0'));
}

TEST_F(LogSegmentTest, PrepareWorksWhereAllocationIsNotSupported) {
  fs_.AddRule(FaultRule::Fail(FileOp::kAllocate, "", Status::NotSupported("allocate")));
  ASSERT_TRUE(PrepareLogFile(fs_, {"/db", "/db/3.log", LogMode::kBuffered, 4096, {}}).ok());
  ASSERT_TRUE(Open("/db/3.log", 1)->Append({{1, "one"}}, 0).ok());
  EXPECT_EQ(Replay(fs_, "/db/3.log", 1), "1:one ");
}

TEST_F(LogSegmentTest, PrepareNeverTouchesAnExistingLog) {
  ASSERT_TRUE(PrepareLogFile(fs_, {"/db", "/db/3.log", LogMode::kBuffered, 4096, {}}).ok());
  ASSERT_TRUE(Open("/db/3.log", 1)->Append({{1, "one"}}, 0).ok());
  const Status status = PrepareLogFile(fs_, {"/db", "/db/3.log", LogMode::kBuffered, 4096, {}}).status();
  EXPECT_EQ(status.detail(), StatusDetail::kAlreadyExists) << status.ToString();
  EXPECT_EQ(Replay(fs_, "/db/3.log", 1), "1:one ");
}

TEST_F(LogSegmentTest, RecyclesByRename) {
  ASSERT_TRUE(PrepareLogFile(fs_, {"/db", "/db/2.log", LogMode::kBuffered, 8192, {}}).ok());
  ASSERT_TRUE(Open("/db/2.log", 1)->Append({{1, "old"}, {2, "older"}}, 0).ok());
  const uint64_t appends = fs_.calls(FileOp::kAppend);
  ASSERT_TRUE(PrepareLogFile(fs_, {"/db", "/db/3.log", LogMode::kBuffered, 4096, "/db/2.log"}).ok());
  EXPECT_EQ(fs_.calls(FileOp::kAppend), appends);
  EXPECT_FALSE(memory_->GetFileInfo("/db/2.log").ok());
  EXPECT_EQ(memory_->GetFileInfo("/db/3.log")->bytes, 8192u);
  EXPECT_TRUE(memory_->CrashClone({0, CrashOptions::kDropUnsynced})->GetFileInfo("/db/3.log").ok());
  ASSERT_TRUE(Open("/db/3.log", 3)->Append({{9, "new"}}, 0).ok());
  EXPECT_EQ(Replay(fs_, "/db/3.log", 3), "9:new ");
}

TEST_F(LogSegmentTest, AFileWithASecondNameIsNotRecycled) {
  ASSERT_TRUE(PrepareLogFile(fs_, {"/db", "/db/2.log", LogMode::kBuffered, 4096, {}}).ok());
  ASSERT_TRUE(Open("/db/2.log", 1)->Append({{1, "old"}}, 0).ok());
  ASSERT_TRUE(memory_->LinkFile("/db/2.log", "/db/linked").ok());
  ASSERT_TRUE(PrepareLogFile(fs_, {"/db", "/db/3.log", LogMode::kBuffered, 4096, "/db/2.log"}).ok());
  ASSERT_TRUE(Open("/db/3.log", 2)->Append({{2, "new"}}, 0).ok());
  EXPECT_FALSE(memory_->GetFileInfo("/db/2.log").ok());
  EXPECT_EQ(Replay(fs_, "/db/linked", 1), "1:old ");
  EXPECT_EQ(Replay(fs_, "/db/3.log", 2), "2:new ");
}

TEST_F(LogSegmentTest, ARecycledFileThatIsGoneIsReplacedByANewOne) {
  ASSERT_TRUE(PrepareLogFile(fs_, {"/db", "/db/3.log", LogMode::kBuffered, 4096, "/db/2.log"}).ok());
  EXPECT_EQ(memory_->GetFileInfo("/db/3.log")->bytes, 4096u);
}

TEST_F(LogSegmentTest, PrepareFailsAtEachCallAndWorksAfterwards) {
  for (const FileOp op : {FileOp::kOpenWrite, FileOp::kAllocate, FileOp::kSyncAll, FileOp::kSyncDir}) {
    SCOPED_TRACE(FileOpName(op));
    const std::string path = std::string("/db/") + FileOpName(op) + ".log";
    fs_.AddRule(FaultRule::Fail(op, "", FaultRule::NoSpaceError()));
    const Status status = PrepareLogFile(fs_, {"/db", path, LogMode::kBuffered, 4096, {}}).status();
    const bool sync = op == FileOp::kSyncAll || op == FileOp::kSyncDir;
    EXPECT_EQ(status.detail(), sync ? StatusDetail::kSyncFailed : StatusDetail::kNoSpace)
        << status.ToString();
    fs_.ClearRules();
    EXPECT_TRUE(PrepareLogFile(fs_, {"/db", path, LogMode::kBuffered, 4096, {}}).ok());
  }
}

TEST_F(LogSegmentTest, SyncRunsBesideAppend) {
  ASSERT_TRUE(PrepareLogFile(fs_, {"/db", "/db/3.log", LogMode::kBuffered, 4096, {}}).ok());
  const auto segment = Open("/db/3.log", 1);
  std::atomic<bool> done{false};
  uint64_t synced = 0;
  std::thread syncer([&] {
    while (!done.load()) {
      const uint64_t appended = segment->next_record() - 1;
      EXPECT_TRUE(segment->Sync(false).ok());
      EXPECT_LE(synced, appended);
      synced = appended;
    }
  });
  std::string wanted;
  for (uint64_t i = 1; i <= 2000; ++i) {
    ASSERT_TRUE(segment->Append({{i, "v"}}, 0).ok());
    wanted += std::to_string(i) + ":v ";
  }
  done.store(true);
  syncer.join();
  EXPECT_EQ(Replay(fs_, "/db/3.log", 1), wanted);
  // Whatever a sync covered is there after a power cut.
  const auto after = memory_->CrashClone({0, CrashOptions::kDropUnsynced});
  const std::string kept = Replay(*after, "/db/3.log", 1);
  EXPECT_TRUE(wanted.starts_with(kept));
  EXPECT_GE(static_cast<uint64_t>(std::count(kept.begin(), kept.end(), ':')), synced);
}

TEST_F(LogSegmentTest, AFailedAppendIsSticky) {
  ASSERT_TRUE(PrepareLogFile(fs_, {"/db", "/db/3.log", LogMode::kBuffered, 4096, {}}).ok());
  const auto segment = Open("/db/3.log", 1);
  ASSERT_TRUE(segment->Append({{1, "one"}}, 0).ok());
  const uint64_t bytes = segment->bytes();
  fs_.AddRule(FaultRule::ShortWrite("3.log", 20, FaultRule::NoSpaceError()));
  const Status first = segment->Append({{2, "two"}}, 0);
  ASSERT_TRUE(first.IsNoSpace());
  EXPECT_EQ(segment->next_record(), 2u);
  EXPECT_EQ(segment->bytes(), bytes);
  const uint64_t appends = fs_.calls(FileOp::kAppend);
  EXPECT_EQ(segment->Append({{3, "three"}}, 0).ToString(), first.ToString());
  EXPECT_EQ(fs_.calls(FileOp::kAppend), appends);
  // What was acknowledged before can still be made durable; a sync that fails then outweighs the append.
  EXPECT_TRUE(segment->Sync(false).ok());
  fs_.AddRule(FaultRule::Fail(FileOp::kSync, "3.log", FaultRule::NoSpaceError()));
  const Status sync = segment->Sync(false);
  EXPECT_EQ(sync.detail(), StatusDetail::kSyncFailed);
  EXPECT_EQ(segment->Append({{3, "three"}}, 0).ToString(), sync.ToString());
  EXPECT_EQ(Replay(fs_, "/db/3.log", 1), "1:one ");
}

TEST_F(LogSegmentTest, AFailedSyncIsSticky) {
  for (const bool all : {false, true}) {
    const std::string path = all ? "/db/4.log" : "/db/3.log";
    ASSERT_TRUE(PrepareLogFile(fs_, {"/db", path, LogMode::kBuffered, 4096, {}}).ok());
    const auto segment = Open(path, 1);
    ASSERT_TRUE(segment->Append({{1, "one"}}, 0).ok());
    fs_.AddRule(FaultRule::Fail(all ? FileOp::kSyncAll : FileOp::kSync, path, FaultRule::DeviceError()));
    const Status first = segment->Sync(all);
    ASSERT_TRUE(first.IsIoError());
    EXPECT_EQ(segment->Sync(all).ToString(), first.ToString());
    EXPECT_EQ(segment->Append({{2, "two"}}, 0).ToString(), first.ToString());
  }
}

}  // namespace
}  // namespace seerdb
