// The failpoints (src/base/failpoint.h): each fires, as an error and as the end of the process, and what was
// acknowledged before is there afterwards. Without SEERDB_FAILPOINTS in the build the tests say so and skip.
#include "base/failpoint.h"

#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <regex>
#include <set>
#include <sstream>

#include "tests/faults/fault_run.h"

namespace seerdb::testing {
namespace {

constexpr const char* kFailpoints[] = {
    "flush::after_sstable_write",      // table written, in no manifest: the log still has everything
    "flush::before_wal_clear",         // table listed, log not yet released: replay is idempotent
    "compaction::after_output_write",  // outputs written, in no manifest: the inputs still serve
    "wal::after_sync",                 // a log is synced: synced data survives
    "vlog::after_create",              // a value segment is there, and nothing points into it
    "wal::after_prepare",              // a log file is there, in no manifest
    "wal::before_rotate",              // it is listed, and not yet in use
    "manifest::before_edit",           //
    "manifest::before_sync",           // an edit is written, perhaps not durable
    "manifest::after_edit",            // it is durable, and nobody knows yet
    "current::before_rename",          // CURRENT.tmp is durable
    "current::after_rename",           // CURRENT has changed, perhaps not durably
    "open::before_install",            // logs are replayed into tables that nothing lists
    "open::before_sweep",              // they are listed, and the old logs not yet removed
    "bulk_load::after_data",           // a load's tables lack their ends, and are in no manifest
    "bulk_load::before_install",       // they are whole, and in no manifest
    "resume::before_release",          // the log that failed is sealed, and still listed
};

std::string ReadText(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// Those in the sources, those here and those in the documentation are the same.
TEST(Failpoint, AllAreListed) {
  const std::filesystem::path root = SEERDB_SOURCE_DIR;
  std::set<std::string> in_sources;
  const std::regex use("SEERDB_FAILPOINT\\(\"([a-z_:]+)\"\\)");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root / "src")) {
    if (entry.path().extension() != ".cc") continue;
    const std::string text = ReadText(entry.path());
    for (std::sregex_iterator it(text.begin(), text.end(), use), end; it != end; ++it) {
      EXPECT_TRUE(in_sources.insert((*it)[1]).second) << (*it)[1] << " stands in two places";
    }
  }
  EXPECT_EQ(in_sources, std::set<std::string>(std::begin(kFailpoints), std::end(kFailpoints)));
  const std::string documentation = ReadText(root / "docs" / "testing.md");
  for (const std::string& name : in_sources) {
    EXPECT_NE(documentation.find("`" + name + "`"), std::string::npos)
        << name << " is not in docs/testing.md";
  }
}

#if defined(SEERDB_FAILPOINTS)

Options SmallOptions(bool background) {
  Options options = TinyOptions();
  options.wal_sync_policy = SyncPolicy::kSyncData;
  options.background_flush = options.background_compaction = background;
  options.separation_bytes = 100;  // units lie apart, the counter does not
  return options;
}

std::string UnitKey(uint64_t unit) { return "unit" + std::to_string(1000 + unit); }

// Writes units 1, 2, 3, ... with flushes, compactions, reopenings and a resumption between them, until
// something fails. Each unit is a batch of its key and the counter.
Status WriteUnits(const Options& options, FaultFileSystem* faults, const std::string& path,
                  const std::function<void(uint64_t unit)>& acknowledged) {
  std::unique_ptr<DB> db;
  const auto reopen = [&]() -> Status {
    db.reset();
    auto opened = DB::Open(options, path);
    if (!opened.ok()) return opened.status();
    db = *std::move(opened);
    return {};
  };
  SEERDB_RETURN_IF_ERROR(reopen());
  for (uint64_t unit = 1; unit <= 150; ++unit) {
    WriteBatch batch;
    batch.Put(UnitKey(unit), std::string(150, 'u'));
    batch.Put("counter", std::to_string(unit));
    if (unit % 40 == 20) {
      for (const FileOp op : {FileOp::kAppend, FileOp::kAppendSynced}) {
        FaultRule rule = FaultRule::ShortWrite(".log", UINT64_MAX, FaultRule::NoSpaceError());
        rule.op = op;
        faults->AddRule(rule);
      }
      if (db->Write(batch).ok()) return Status::InvalidArgument("the log append should have failed");
      faults->ClearRules();
      SEERDB_RETURN_IF_ERROR(db->Resume());
    }
    if (unit % 20 == 5) {
      const std::vector<std::pair<std::string, std::string>> entries = {
          {UnitKey(unit), std::string(150, 'u')}, {"counter", std::to_string(unit)}};
      SEERDB_RETURN_IF_ERROR(db->BulkLoad({}, entries).status());
    } else {
      SEERDB_RETURN_IF_ERROR(db->Write(batch));
    }
    acknowledged(unit);
    if (unit % 10 == 0) SEERDB_RETURN_IF_ERROR(db->Flush());
    if (unit % 35 == 0) SEERDB_RETURN_IF_ERROR(db->CompactRange());
    if (unit % 50 == 0) SEERDB_RETURN_IF_ERROR(reopen());  // as after a crash: the destructor drops errors
  }
  return db->Close();
}

void CheckUnits(const Options& options, const std::string& path, uint64_t acknowledged) {
  const auto db = OpenOrFail(options, path);
  if (!db) return;
  const Contents found = ReadAll(*db);
  const auto counter = found.find("counter");
  const uint64_t last = counter == found.end() ? 0 : std::stoull(counter->second);
  EXPECT_GE(last, acknowledged);
  EXPECT_LE(last, acknowledged + 1);
  for (uint64_t unit = 1; unit <= last; ++unit) {
    EXPECT_EQ(found.count(UnitKey(unit)), 1u) << UnitKey(unit) << " of " << last;
  }
  EXPECT_EQ(found.size(), last == 0 ? 0 : last + 1);
  EXPECT_OK(db->Put("takes", "writes"));
  EXPECT_OK(db->Close());
}

class FailpointTest : public ::testing::TestWithParam<const char*> {
 protected:
  void TearDown() override { DisarmFailpoints(); }
};

TEST_P(FailpointTest, ErrorIsReportedAndNothingIsLost) {
  uint64_t fired = 0;
  for (const bool background : {false, true}) {
    for (const bool no_space : {false, true}) {
      for (const uint64_t countdown : {1, 2, 5}) {
        SCOPED_TRACE(std::string(background ? "background" : "foreground") + (no_space ? ", no space" : "") +
                     ", passage " + std::to_string(countdown));
        const auto disk = std::make_shared<MemoryFileSystem>();
        const auto faults = std::make_shared<FaultFileSystem>(disk);
        Options options = SmallOptions(background);
        options.file_system = faults;
        DisarmFailpoints();
        const Status error = no_space ? FaultRule::NoSpaceError() : FaultRule::DeviceError();
        ArmFailpoint(GetParam(), {countdown, false, error});
        uint64_t acknowledged = 0;
        const Status status =
            WriteUnits(options, faults.get(), kFaultDirectory, [&](uint64_t unit) { acknowledged = unit; });
        const bool passed = FailpointPassages(GetParam()) >= countdown;
        if (passed) {
          ++fired;
          // In the background, or where the work is done again, an error may meet nobody.
          const bool named = status.message().find(GetParam()) != Slice::npos;
          EXPECT_TRUE(status.ok() || named) << status.ToString();
        } else {
          EXPECT_OK(status);
        }
        DisarmFailpoints();
        for (const CrashOptions& crash : AllCrashes()) {
          options.file_system = disk->CrashClone(crash);
          CheckUnits(options, kFaultDirectory, acknowledged);
        }
        if (HasFailure()) return;
      }
    }
  }
  EXPECT_GE(fired, 6u);
}

TEST_P(FailpointTest, EndOfTheProcessLosesNothing) {
  uint64_t ended = 0;
  for (const bool background : {false, true}) {
    for (const uint64_t countdown : {1, 3}) {
      SCOPED_TRACE(std::string(background ? "background" : "foreground") + ", passage " +
                   std::to_string(countdown));
      TempDirectory directory;
      const std::string path = directory.path() + "/db";
      int ends[2];
      ASSERT_EQ(pipe(ends), 0);
      const pid_t child = fork();
      if (child == 0) {
        const auto faults = std::make_shared<FaultFileSystem>(PosixFileSystem());
        Options options = SmallOptions(background);
        options.file_system = faults;
        ArmFailpoint(GetParam(), {countdown, true, Status()});
        const Status status = WriteUnits(options, faults.get(), path, [&](uint64_t unit) {
          if (write(ends[1], &unit, sizeof unit) != sizeof unit) _exit(2);
        });
        _exit(status.ok() ? 0 : 3);
      }
      close(ends[1]);
      uint64_t acknowledged = 0;
      uint64_t unit = 0;
      while (read(ends[0], &unit, sizeof unit) == static_cast<ssize_t>(sizeof unit)) acknowledged = unit;
      close(ends[0]);
      int exit_status = 0;
      waitpid(child, &exit_status, 0);
      ASSERT_TRUE(WIFEXITED(exit_status)) << exit_status;
      const int code = WEXITSTATUS(exit_status);
      EXPECT_TRUE(code == kFailpointExitCode || code == 0) << "exit code " << code;
      if (code == kFailpointExitCode) ++ended;
      CheckUnits(SmallOptions(background), path, acknowledged);
      if (HasFailure()) return;
    }
  }
  EXPECT_GE(ended, 3u);
}

INSTANTIATE_TEST_SUITE_P(Faults, FailpointTest, ::testing::ValuesIn(kFailpoints), [](const auto& tested) {
  std::string name = tested.param;
  name.replace(name.find("::"), 2, "_");
  return name;
});

#else

TEST(Failpoint, AreCompiledIn) {
  GTEST_SKIP() << "SKIPPED: this build has no failpoints; configure with -DSEERDB_FAILPOINTS=ON";
}

#endif

}  // namespace
}  // namespace seerdb::testing
