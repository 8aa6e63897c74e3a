// Calls that the file system refuses while the database runs: reads report them and never guess; a failed
// write stops all further ones until reopen, or until there is space again, and nothing acknowledged is lost.
#include <algorithm>
#include <cctype>
#include <iterator>
#include <string>
#include <vector>

#include "env/fault_file_system.h"
#include "env/memory_file_system.h"
#include "seerdb/db.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

struct Faulty {
  std::shared_ptr<MemoryFileSystem> memory = std::make_shared<MemoryFileSystem>();
  std::shared_ptr<FaultFileSystem> fs = std::make_shared<FaultFileSystem>(memory);
  Options options = TinyOptions();
  std::unique_ptr<DB> db;
  Contents contents;

  Faulty() {
    options.file_system = fs;
    options.table_access = TableAccess::kPread;
    options.block_cache_capacity = 0;
    options.wal_sync_policy = SyncPolicy::kSyncData;
  }
  void Fill(int count) {
    db = OpenOrFail(options, kDbDirectory);
    if (!db) return;
    for (int i = 0; i < count; ++i) {
      const std::string key = "key" + std::to_string(1000 + i);
      EXPECT_OK(db->Put(key, std::string(40, 'v')));
      contents[key] = std::string(40, 'v');
    }
  }
  void FailReads(uint64_t countdown, bool repeat) {
    FaultRule rule = FaultRule::Fail(FileOp::kRead, ".sst", FaultRule::DeviceError(), countdown);
    rule.repeat = repeat;
    fs->AddRule(rule);
  }
};

TEST(ReadFault, GetAndMultiGetReportIt) {
  Faulty f;
  f.Fill(200);
  ASSERT_TRUE(f.db);
  ASSERT_OK(f.db->CompactRange());
  f.FailReads(1, true);
  const auto got = f.db->Get("key1003");
  ASSERT_FALSE(got.ok());
  EXPECT_TRUE(got.status().IsIoError()) << got.status().ToString();
  EXPECT_NE(got.status().message().find(".sst"), Slice::npos) << got.status().ToString();
  const Slice keys[] = {"key1001", "key1190"};
  for (const auto& answer : f.db->MultiGet(ReadOptions(), keys)) {
    EXPECT_FALSE(answer.ok());
  }
  const Slice prefixes[] = {"key11"};
  EXPECT_FALSE(f.db->ScanPrefixes(ReadOptions(), prefixes).ok());
  EXPECT_FALSE(f.db->Verify().ok());
  f.fs->ClearRules();
  EXPECT_EQ(GetText(*f.db, "key1003"), "=" + std::string(40, 'v'));
  EXPECT_EQ(Difference(f.contents, ReadAll(*f.db)), "");
  ASSERT_OK(f.db->Close());
}

// An iterator hits the error at each of its reads in turn; it must never pass for the end.
TEST(ReadFault, IteratorStopsWithStatus) {
  Faulty f;
  f.Fill(300);
  ASSERT_TRUE(f.db);
  ASSERT_OK(f.db->CompactRange());
  int stopped = 0;
  for (uint64_t countdown = 1; countdown < 200; ++countdown) {
    SCOPED_TRACE("read " + std::to_string(countdown));
    f.FailReads(countdown, false);
    const auto it = f.db->NewIterator();
    size_t count = 0;
    auto want = f.contents.begin();
    const bool forward = countdown % 2 == 0;
    forward ? it->SeekToFirst() : it->SeekToLast();
    if (!forward) want = std::prev(f.contents.end());
    for (; it->Valid(); forward ? it->Next() : it->Prev()) {
      ASSERT_EQ(it->key(), want->first);
      if (++count == f.contents.size()) continue;
      forward ? ++want : --want;
    }
    const bool fired = f.fs->faults_fired() > static_cast<uint64_t>(stopped);
    f.fs->ClearRules();
    if (!fired) {
      EXPECT_OK(it->status());
      EXPECT_EQ(count, f.contents.size());
      break;
    }
    ++stopped;
    EXPECT_TRUE(it->status().IsIoError()) << "after " << count << " entries: " << it->status().ToString();
    EXPECT_LT(count, f.contents.size());
    it->SeekToFirst();  // positioning again clears the error
    EXPECT_TRUE(it->Valid());
    EXPECT_OK(it->status());
  }
  EXPECT_GT(stopped, 3);
  EXPECT_EQ(f.db->Stats().unobserved_iterator_errors, 0u);
  ASSERT_OK(f.db->Close());
}

TEST(ReadFault, ScanDeliversItAsAnItem) {
  Faulty f;
  f.Fill(300);
  ASSERT_TRUE(f.db);
  ASSERT_OK(f.db->CompactRange());
  for (const bool reverse : {false, true}) {
    f.FailReads(3, true);
    size_t entries = 0, errors = 0;
    Scan scan = f.db->Scan();
    if (reverse) scan = std::move(scan).Reverse();
    for (const ScanEntry& entry : scan) {
      EXPECT_EQ(errors, 0u) << "an item after the error";
      entry.ok() ? ++entries : ++errors;
    }
    EXPECT_EQ(errors, 1u);
    EXPECT_LT(entries, f.contents.size());
    f.fs->ClearRules();
  }
  ASSERT_OK(f.db->Close());
}

TEST(ReadFault, UnobservedErrorComesBackFromClose) {
  for (const int way : {0, 1, 2}) {
    SCOPED_TRACE(way);
    Faulty f;
    f.Fill(300);
    ASSERT_TRUE(f.db);
    ASSERT_OK(f.db->CompactRange());
    f.FailReads(2, true);
    {
      const auto it = f.db->NewIterator();
      for (it->SeekToFirst(); it->Valid(); it->Next()) {
      }
      if (way == 0) {
        EXPECT_FALSE(it->status().ok());  // asked: no debt is left
        if (way == 1) it->SeekToFirst();  // moved on without asking
      }
      f.fs->ClearRules();
    }
    EXPECT_EQ(f.db->Stats().unobserved_iterator_errors > 0, way != 0);
    const Status closed = f.db->Close();
    EXPECT_EQ(closed.ok(), way == 0) << closed.ToString();
    if (way != 0) {
      EXPECT_NE(closed.message().find(".sst"), Slice::npos) << closed.ToString();
    }
    f.db = OpenOrFail(f.options, kDbDirectory);
    ASSERT_TRUE(f.db);
    EXPECT_EQ(Difference(f.contents, ReadAll(*f.db)), "");
  }
}

// A compaction that cannot read an input installs nothing and drops nothing.
TEST(ReadFault, CompactionAborts) {
  Faulty f;
  f.options.memtable_capacity = 1 << 20;
  f.Fill(100);
  ASSERT_TRUE(f.db);
  ASSERT_OK(f.db->CompactRange());
  for (int i = 0; i < 100; i += 2) {
    const std::string key = "key" + std::to_string(1000 + i);
    ASSERT_OK(f.db->Delete(key));
    f.contents.erase(key);
  }
  ASSERT_OK(f.db->Flush());
  for (uint64_t countdown = 1; countdown < 6; ++countdown) {
    f.FailReads(countdown, false);
    const uint64_t fired = f.fs->faults_fired();
    const Status status = f.db->CompactRange();
    if (f.fs->faults_fired() > fired) {
      EXPECT_FALSE(status.ok()) << "read " << countdown << " failed silently";
    }
    f.fs->ClearRules();
    EXPECT_EQ(Difference(f.contents, ReadAll(*f.db)), "");
  }
  f.db->Close().IgnoreError("the failed compaction may be reported");
  f.db = OpenOrFail(f.options, kDbDirectory);
  ASSERT_TRUE(f.db);
  EXPECT_EQ(Difference(f.contents, ReadAll(*f.db)), "");
}

struct WriteFaultCase {
  const char* name;
  FileOp op;
  const char* path_part;
  bool no_space;
  uint64_t short_bytes;  // of a torn append; UINT64_MAX: nothing is written
};

constexpr WriteFaultCase kWriteFaults[] = {
    {"log append", FileOp::kAppend, ".log", false, UINT64_MAX},
    {"log append, torn", FileOp::kAppend, ".log", false, 20},
    {"log append, no space", FileOp::kAppend, ".log", true, 7},
    {"log sync", FileOp::kSync, ".log", false, UINT64_MAX},
    {"manifest append", FileOp::kAppend, "MANIFEST", false, UINT64_MAX},
    {"manifest append, torn", FileOp::kAppend, "MANIFEST", false, 9},
    {"manifest append, no space", FileOp::kAppend, "MANIFEST", true, 3},
    {"manifest sync", FileOp::kSync, "MANIFEST", false, UINT64_MAX},
    {"table append", FileOp::kAppend, ".sst", false, UINT64_MAX},
    {"table append, no space", FileOp::kAppend, ".sst", true, 50},
    {"table sync", FileOp::kSync, ".sst", false, UINT64_MAX},
    {"table rename", FileOp::kRename, ".sst", false, UINT64_MAX},
    {"directory sync", FileOp::kSyncDir, kDbDirectory, false, UINT64_MAX},
    {"new table", FileOp::kOpenWrite, ".sst", true, UINT64_MAX},
    {"new log", FileOp::kOpenWrite, ".log", true, UINT64_MAX},
};

// Writes until the fault shows, and returns the state of writes: acknowledged in `contents`, the failed
// ones in `maybe`.
bool WriteUntilItFails(Faulty* f, Contents* maybe) {
  for (int i = 0; i < 4000; ++i) {
    const std::string key = "new" + std::to_string(i);
    const std::string value(200, static_cast<char>('a' + i % 26));
    if (!f->db->Put(key, value).ok()) {
      (*maybe)[key] = value;
      return true;
    }
    f->contents[key] = value;
  }
  return false;
}

void CheckReadOnly(Faulty* f, Contents* maybe, const WriteFaultCase& c, const std::string& cause) {
  for (int i = 0; i < 5; ++i) {
    const std::string key = "refused" + std::to_string(i);
    const Status status = i % 2 ? f->db->Delete("key1001") : f->db->Put(key, "v");
    EXPECT_TRUE(status.IsReadOnly()) << status.ToString();
    EXPECT_NE(status.message().find(cause), Slice::npos)
        << status.ToString() << " lacks the cause: " << cause;
    EXPECT_EQ(status.IsNoSpace(), c.no_space) << status.ToString();
  }
  EXPECT_FALSE(f->db->Flush().ok());
  // What was refused is not visible; the one write that failed may be.
  Contents found = ReadAll(*f->db);
  for (const auto& [key, value] : *maybe) {
    const auto it = found.find(key);
    if (it == found.end()) continue;
    EXPECT_EQ(it->second, value);
    found.erase(it);
  }
  EXPECT_EQ(Difference(f->contents, found), "");
  EXPECT_EQ(GetText(*f->db, "key1001"), "=" + std::string(40, 'v'));
}

void RunWriteFault(const WriteFaultCase& c, bool background, uint64_t countdown) {
  Faulty f;
  f.options.background_flush = f.options.background_compaction = background;
  f.options.executor = background ? NewThreadPoolExecutor() : nullptr;
  f.Fill(50);
  ASSERT_TRUE(f.db);
  const Status error = c.no_space ? FaultRule::NoSpaceError() : FaultRule::DeviceError();
  FaultRule rule = FaultRule::Fail(c.op, c.path_part, error, countdown);
  if (c.short_bytes != UINT64_MAX) rule = FaultRule::ShortWrite(c.path_part, c.short_bytes, error, countdown);
  f.fs->AddRule(rule);
  Contents maybe;
  const bool failed = WriteUntilItFails(&f, &maybe);
  if (f.fs->faults_fired() == 0) GTEST_SKIP() << "the engine makes no such call";
  const bool optional = background && c.op == FileOp::kOpenWrite && std::string(c.path_part) == ".log";
  if (!failed && optional) {
    // The fault met the preparation of a spare log, which the next writer does again.
    EXPECT_EQ(Difference(f.contents, ReadAll(*f.db)), "");
    return;
  }
  ASSERT_TRUE(failed) << "the error was swallowed";
  f.fs->ClearRules();
  CheckReadOnly(&f, &maybe, c, std::string(error.message()));
  if (c.no_space) {
    ASSERT_OK(f.db->Resume());
    maybe.clear();  // once resumed, what failed is gone for good
    ASSERT_OK(f.db->Put("resumed", "here"));
    f.contents["resumed"] = "here";
    EXPECT_EQ(Difference(f.contents, ReadAll(*f.db)), "");
  } else {
    EXPECT_TRUE(f.db->Resume().IsReadOnly());
    EXPECT_FALSE(f.db->Close().ok()) << "Close hides the first failure";
    f.db.reset();
  }

  for (const CrashOptions::Kind kind : {CrashOptions::kProcessCrash, CrashOptions::kDropUnsynced}) {
    const auto disk = f.memory->CrashClone({0, kind, true});
    Options options = f.options;
    options.file_system = disk;
    const auto db = OpenOrFail(options, kDbDirectory);
    ASSERT_TRUE(db);
    Contents found = ReadAll(*db);
    for (const auto& [key, value] : maybe) found.erase(key);
    EXPECT_EQ(Difference(f.contents, found), "");
    ASSERT_OK(db->Put("after", "recovery"));
    ASSERT_OK(db->Close());
  }
}

class WriteFaultTest : public ::testing::TestWithParam<WriteFaultCase> {};

TEST_P(WriteFaultTest, StopsWrites) {
  for (const bool background : {false, true}) {
    for (const uint64_t countdown : {1, 3}) {
      SCOPED_TRACE(std::string(background ? "background" : "foreground") + ", match " +
                   std::to_string(countdown));
      RunWriteFault(GetParam(), background, countdown);
      if (HasFailure() || IsSkipped()) return;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(BadInput, WriteFaultTest, ::testing::ValuesIn(kWriteFaults), [](const auto& tested) {
  std::string name;
  for (const char c : std::string(tested.param.name)) {
    if (isalnum(static_cast<unsigned char>(c))) name += c;
  }
  return name;
});

using CrashKinds = std::vector<CrashOptions::Kind>;

// Each call of `ops` fails in turn while `open` opens what `f` had written when it crashed; a second attempt
// finds everything after crashes of each of `kinds`.
template <typename Open>
void FailEachCall(const Faulty& f, MemoryFileSystem* crashed, const std::vector<FileOp>& ops,
                  const CrashKinds& kinds, const Open& open) {
  for (const FileOp op : ops) {
    for (uint64_t countdown = 1; countdown < 60; ++countdown) {
      SCOPED_TRACE(std::string(FileOpName(op)) + " " + std::to_string(countdown));
      const auto disk = crashed->CrashClone({0, CrashOptions::kProcessCrash, true});
      const auto faulty = std::make_shared<FaultFileSystem>(disk);
      faulty->AddRule(FaultRule::Fail(op, kDbDirectory, FaultRule::DeviceError(), countdown));
      Options options = f.options;
      options.file_system = faulty;
      open(options, faulty.get());
      const bool fired = faulty->faults_fired() > 0;
      for (const CrashOptions::Kind kind : kinds) {
        options.file_system = disk->CrashClone({countdown, kind, true});
        const auto db = OpenOrFail(options, kDbDirectory);
        ASSERT_TRUE(db);
        EXPECT_EQ(Difference(f.contents, ReadAll(*db)), "");
      }
      if (::testing::Test::HasFailure()) return;
      if (!fired) break;
    }
  }
}

// Open itself fails at each of its calls in turn, and a second attempt finds everything.
TEST(OpenFault, EachCallOfOpenMayFail) {
  Faulty f;
  f.Fill(120);
  ASSERT_TRUE(f.db);
  const auto crashed = f.memory->CrashClone({0, CrashOptions::kProcessCrash, true});
  f.db.reset();
  FailEachCall(f, crashed.get(),
               {FileOp::kOpenRead, FileOp::kRead, FileOp::kOpenWrite, FileOp::kAppend, FileOp::kSync,
                FileOp::kSyncDir, FileOp::kRename, FileOp::kList, FileOp::kInfo, FileOp::kMap,
                FileOp::kSyncAll, FileOp::kAllocate, FileOp::kDelete},
               {CrashOptions::kPowerCut}, [&](const Options& options, FaultFileSystem* faulty) {
                 auto opened = DB::Open(options, kDbDirectory);
                 if (!opened.ok()) return;
                 faulty->ClearRules();
                 EXPECT_EQ(Difference(f.contents, ReadAll(**opened)), "");
                 (*opened)->Close().IgnoreError("the fault may be reported here");
               });
}

// The edit of a recovery is longer than a manifest may grow, so that another one is begun at once: whichever
// of them CURRENT names afterwards is there.
TEST(OpenFault, EachCallMayFailWhileTheManifestIsBegunAnew) {
  Faulty f;
  f.options.memtable_capacity = uint64_t{16} << 20;  // all of it is still in the log
  f.Fill(20);
  ASSERT_TRUE(f.db);
  for (int i = 0; i < 40; ++i) {
    const std::string key = "x" + std::string(30'000, 'r') + std::to_string(1000 + i);
    ASSERT_OK(f.db->DeleteRange(key, key + "z"));
  }
  const auto crashed = f.memory->CrashClone({0, CrashOptions::kProcessCrash, true});
  f.db.reset();
  uint64_t failed = 0;
  FailEachCall(f, crashed.get(),
               {FileOp::kOpenWrite, FileOp::kAppend, FileOp::kSync, FileOp::kSyncAll, FileOp::kSyncDir,
                FileOp::kRename},
               {CrashOptions::kProcessCrash, CrashOptions::kPowerCut},
               [&](const Options& options, FaultFileSystem*) {
                 auto opened = DB::Open(options, kDbDirectory);
                 if (opened.ok()) (*opened)->Close().IgnoreError("the fault may be reported here");
                 failed += opened.ok() ? 0 : 1;
               });
  EXPECT_GT(failed, 15u);
}

size_t TablesIn(FileSystem& fs) {
  const auto names = fs.ListDirectory(kDbDirectory);
  EXPECT_TRUE(names.ok());
  return static_cast<size_t>(std::count_if(names->begin(), names->end(),
                                           [](const std::string& name) { return name.ends_with(".sst"); }));
}

// Attempts that fail for want of space must not take more of it each time.
TEST(OpenFault, LeavesNoTableBehindIfItsLogCannotBeMade) {
  Faulty f;
  f.Fill(120);
  ASSERT_TRUE(f.db);
  const auto disk = f.memory->CrashClone({0, CrashOptions::kProcessCrash, true});
  f.db.reset();
  const size_t tables = TablesIn(*disk);
  const auto faulty = std::make_shared<FaultFileSystem>(disk);
  Options options = f.options;
  options.file_system = faulty;
  for (int i = 0; i < 3; ++i) {
    faulty->AddRule(FaultRule::Fail(FileOp::kAllocate, ".log", FaultRule::NoSpaceError()));
    EXPECT_TRUE(DB::Open(options, kDbDirectory).status().IsNoSpace());
    faulty->ClearRules();
    EXPECT_EQ(TablesIn(*disk), tables);
  }
  const auto db = OpenOrFail(options, kDbDirectory);
  ASSERT_TRUE(db);
  EXPECT_EQ(Difference(f.contents, ReadAll(*db)), "");
  EXPECT_GT(TablesIn(*disk), tables) << "what was in the log is in a table now";
}

}  // namespace
}  // namespace seerdb::testing
