// DB::Repair: after the loss of each file, after damage in every kind of file, and after a crash at each of
// its own steps. What comes back is compared with what was written, key by key: outside the ranges that the
// report names it must be exact, inside it must be something that the key once was.
#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <set>
#include <vector>

#include "base/random.h"
#include "env/fault_file_system.h"
#include "env/memory_file_system.h"
#include "seerdb/db.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

using Disk = std::shared_ptr<MemoryFileSystem>;

Disk Clone(const Disk& disk) { return disk->CrashClone({0, CrashOptions::kProcessCrash, true}); }

void Store(const Disk& disk, const std::string& name, const std::string& bytes) {
  auto file = disk->NewWritableFile(std::string(kDbDirectory) + "/" + name, CreateMode::kTruncate);
  ASSERT_TRUE(file.ok());
  ASSERT_OK((*file)->Append(bytes));
  ASSERT_OK((*file)->SyncAll());
}

class RepairTest : public ::testing::Test {
 protected:
  static Options WithDisk(const std::shared_ptr<FileSystem>& disk) {
    Options options = TinyOptions();
    options.memtable_capacity = 64 << 10;
    options.file_system = disk;
    return options;
  }

  void Put(DB& db, int i, const std::string& value) {
    const std::string key = "key" + std::to_string(100 + i);
    ASSERT_OK(db.Put(key, value));
    contents_[key] = value;
    history_[key].insert(value);
  }
  void Remove(DB& db, int i) {
    const std::string key = "key" + std::to_string(100 + i);
    ASSERT_OK(db.Delete(key));
    contents_.erase(key);
  }

  // Tables in L0 and below, some versions and tombstones over older ones, and a log of several segments that
  // was not closed. Every key's versions are in different files.
  void SetUp() override {
    const auto fs = std::make_shared<MemoryFileSystem>();
    const auto db = OpenOrFail(WithDisk(fs), kDbDirectory);
    ASSERT_TRUE(db);
    for (int i = 0; i < 60; ++i) Put(*db, i, "bottom " + std::to_string(i) + std::string(60, 'b'));
    ASSERT_OK(db->CompactRange());
    for (int i = 10; i < 30; ++i) Put(*db, i, "middle " + std::to_string(i));
    for (int i = 5; i < 8; ++i) Remove(*db, i);
    ASSERT_OK(db->Flush());
    for (int i = 25; i < 40; ++i) Put(*db, i, "logged " + std::to_string(i) + std::string(400, 'l'));
    Remove(*db, 20);
    Remove(*db, 41);
    disk_ = Clone(fs);
    const auto names = disk_->ListDirectory(kDbDirectory);
    ASSERT_TRUE(names.ok());
    for (const std::string& name : *names) {
      if (name != "LOCK") files_.push_back(name);
    }
    std::sort(files_.begin(), files_.end());
  }

  std::vector<std::string> Files(const std::string& part) const {
    std::vector<std::string> found;
    for (const std::string& name : files_) {
      if (name.find(part) != std::string::npos) found.push_back(name);
    }
    EXPECT_FALSE(found.empty()) << part;
    return found;
  }
  std::string Bytes(const std::string& name) const {
    return *ReadFileToString(*disk_, std::string(kDbDirectory) + "/" + name);
  }
  Disk Without(const std::vector<std::string>& names) const {
    const Disk disk = Clone(disk_);
    for (const std::string& name : names) EXPECT_OK(disk->DeleteFile(std::string(kDbDirectory) + "/" + name));
    return disk;
  }

  static bool InRange(const RepairLoss& loss, const std::string& key) {
    return (!loss.smallest_key.has_value() || *loss.smallest_key <= key) &&
           (!loss.largest_key.has_value() || *loss.largest_key >= key);
  }

  // The repaired database opens, verifies, holds what it must, and takes new writes that stay.
  // `cut_log`: a log that was cut may look like one that was never used (docs/testing.md).
  void CheckResult(const Disk& disk, const RepairReport& report, bool cut_log = false) {
    auto db = OpenOrFail(WithDisk(disk), kDbDirectory);
    ASSERT_TRUE(db);
    EXPECT_OK(db->Verify().status());
    const Contents found = ReadAll(*db);
    std::set<std::string> keys;
    for (const auto& [key, values] : history_) keys.insert(key);
    for (const auto& [key, value] : found) keys.insert(key);
    for (const std::string& key : keys) {
      const auto at = found.find(key);
      const auto want = contents_.find(key);
      const bool exact = (at != found.end()) == (want != contents_.end()) &&
                         (at == found.end() || at->second == want->second);
      const bool lost = cut_log || std::any_of(report.losses.begin(), report.losses.end(),
                                               [&](const RepairLoss& loss) { return InRange(loss, key); });
      EXPECT_TRUE(exact || lost) << key << " is wrong and not reported";
      EXPECT_TRUE(at == found.end() || history_[key].contains(at->second)) << key << " was never that";
    }
    ASSERT_OK(db->Put("key100", "new"));
    ASSERT_OK(db->Delete("key159"));
    const uint64_t sequence = db->Stats().last_sequence;
    ASSERT_OK(db->CompactRange());
    db.reset();
    db = OpenOrFail(WithDisk(disk), kDbDirectory);
    ASSERT_TRUE(db);
    EXPECT_EQ(GetText(*db, "key100"), "=new");
    EXPECT_EQ(GetText(*db, "key159"), "none");
    EXPECT_GE(db->Stats().last_sequence, sequence);
  }

  RepairReport RepairAndCheck(const Disk& disk, bool cut_log = false) {
    const auto report = DB::Repair(WithDisk(disk), kDbDirectory);
    EXPECT_TRUE(report.ok()) << report.status().ToString();
    if (!report.ok()) return {};
    SCOPED_TRACE(report->ToString());
    CheckResult(disk, *report, cut_log);
    return *report;
  }

  // Crashes before each change of the file system; each must be repaired to the same contents.
  void CrashEverywhere(const Disk& disk) {
    const auto fs = std::make_shared<FaultFileSystem>(disk);
    std::vector<Disk> crashes;
    fs->SetHook([&](FileOp, const std::string&, uint64_t) {
      crashes.push_back(Clone(disk));
      crashes.push_back(disk->CrashClone({0, CrashOptions::kPowerCut, true}));
      crashes.push_back(disk->CrashClone({crashes.size(), CrashOptions::kPowerCut, true}));
    });
    const auto first = DB::Repair(WithDisk(fs), kDbDirectory);
    ASSERT_TRUE(first.ok()) << first.status().ToString();
    ASSERT_GE(crashes.size(), 30u);
    for (size_t i = 0; i < crashes.size(); ++i) {
      SCOPED_TRACE("crash " + std::to_string(i) + " of " + std::to_string(crashes.size()));
      const bool unfinished = crashes[i]->GetFileInfo(std::string(kDbDirectory) + "/REPAIR").ok();
      const auto second = DB::Repair(WithDisk(crashes[i]), kDbDirectory);
      ASSERT_TRUE(second.ok()) << second.status().ToString();
      // The losses are those that the first one found, also when only files were left to be moved.
      CheckResult(crashes[i], *first);
      if (unfinished && !second->finished_earlier) {
        EXPECT_EQ(second->ToString(), first->ToString());
      }
      if (HasFailure()) return;
    }
    crash_points_ += crashes.size();
  }

  Disk disk_;
  std::vector<std::string> files_;
  Contents contents_;
  std::map<std::string, std::set<std::string>> history_;
  uint64_t crash_points_ = 0;
};

TEST_F(RepairTest, AWholeDatabaseStaysAsItIs) {
  const RepairReport report = RepairAndCheck(Clone(disk_));
  EXPECT_TRUE(report.manifest_kept);
  EXPECT_TRUE(report.lossless()) << report.ToString();
  EXPECT_EQ(report.tables_intact, Files(".sst").size());
  EXPECT_EQ(report.tables_salvaged + report.tables_lost, 0u);
  EXPECT_EQ(report.log_records, 17u);
}

TEST_F(RepairTest, WithoutCurrent) {
  const Disk disk = Without({"CURRENT"});
  EXPECT_FALSE(DB::Open(WithDisk(disk), kDbDirectory).ok());
  const RepairReport report = RepairAndCheck(disk);
  EXPECT_TRUE(report.manifest_kept);
  EXPECT_TRUE(report.lossless()) << report.ToString();
}

TEST_F(RepairTest, WithoutManifest) {
  for (const bool current_too : {false, true}) {
    std::vector<std::string> gone = Files("MANIFEST");
    if (current_too) gone.push_back("CURRENT");
    const Disk disk = Without(gone);
    EXPECT_FALSE(DB::Open(WithDisk(disk), kDbDirectory).ok());
    const RepairReport report = RepairAndCheck(disk);
    EXPECT_FALSE(report.manifest_kept);
    EXPECT_TRUE(report.lossless()) << report.ToString();
    EXPECT_EQ(report.log_records, 17u);
    const auto kept = disk->ListDirectory(std::string(kDbDirectory) + "/lost");
    ASSERT_TRUE(kept.ok());
    for (const std::string& table : Files(".sst")) {
      EXPECT_NE(std::find(kept->begin(), kept->end(), table), kept->end());
      EXPECT_EQ(*ReadFileToString(*disk, std::string(kDbDirectory) + "/lost/" + table), Bytes(table));
    }
  }
}

TEST_F(RepairTest, WithoutOneTable) {
  for (const std::string& table : Files(".sst")) {
    for (const bool manifest_too : {false, true}) {
      SCOPED_TRACE(table + (manifest_too ? " and the manifest" : ""));
      std::vector<std::string> gone = {table};
      if (manifest_too) gone.push_back(Files("MANIFEST")[0]);
      const Disk disk = Without(gone);
      const auto report = DB::Repair(WithDisk(disk), kDbDirectory);
      ASSERT_TRUE(report.ok()) << report.status().ToString();
      if (manifest_too) {
        // Nothing says that there was such a table, unless sequences are missing in front of the log's.
        EXPECT_TRUE(OpenOrFail(WithDisk(disk), kDbDirectory));
        continue;
      }
      EXPECT_TRUE(report->manifest_kept);
      EXPECT_EQ(report->tables_lost, 1u);
      ASSERT_EQ(report->losses.size(), 1u);
      EXPECT_NE(report->losses[0].file.find(table), std::string::npos);
      EXPECT_TRUE(report->losses[0].smallest_key.has_value());
      CheckResult(disk, *report);
    }
  }
}

TEST_F(RepairTest, WithoutOneLog) {
  size_t lossy = 0;
  for (const std::string& log : Files(".log")) {
    SCOPED_TRACE(log);
    const RepairReport report = RepairAndCheck(Without({log}));
    EXPECT_EQ(report.tables_intact, Files(".sst").size());
    lossy += report.lossless() ? 0 : 1;
  }
  EXPECT_GE(lossy, 2u);
}

TEST_F(RepairTest, WithTablesAlone) {
  std::vector<std::string> gone = {"CURRENT"};
  for (const char* part : {"MANIFEST", ".log"}) {
    for (const std::string& name : Files(part)) gone.push_back(name);
  }
  const auto report = DB::Repair(WithDisk(Without(gone)), kDbDirectory);
  ASSERT_TRUE(report.ok()) << report.status().ToString();
  EXPECT_EQ(report->tables_intact, Files(".sst").size());
}

// Bytes of every file changed, and every file cut, one at a time; with and without the manifest.
TEST_F(RepairTest, DamageInEveryFile) {
  uint64_t checked = 0, lossless = 0, kept = 0;
  const size_t step = LongRun() ? 1 : kSanitized ? 101 : 13;
  for (const std::string& name : files_) {
    const std::string whole = Bytes(name);
    for (size_t i = 0; i < whole.size(); i += step) {
      // A log is allocated ahead; far behind its end nothing is read.
      if (i > 8192) break;
      for (const bool cut : {false, true}) {
        SCOPED_TRACE(name + (cut ? " cut to " : " changed at ") + std::to_string(i));
        const Disk disk = Clone(disk_);
        std::string bytes = cut ? whole.substr(0, i) : whole;
        if (!cut) bytes[i] = static_cast<char>(bytes[i] ^ (i % 2 == 0 ? 0xff : 0x01));
        Store(disk, name, bytes);
        const RepairReport report = RepairAndCheck(disk, cut && name.ends_with(".log"));
        ++checked;
        lossless += report.lossless();
        kept += report.manifest_kept;
        if (HasFailure()) return;
      }
    }
  }
  std::printf("[ REPAIRS  ] %" PRIu64 " damages: %" PRIu64 " without loss, %" PRIu64
              " with the manifest kept\n",
              checked, lossless, kept);
  EXPECT_GT(lossless, checked / 10);
  EXPECT_LT(lossless, checked);
}

TEST_F(RepairTest, DamagedTablesWithoutManifest) {
  const size_t step = LongRun() ? 1 : kSanitized ? 101 : 29;
  for (const std::string& name : Files(".sst")) {
    const std::string whole = Bytes(name);
    for (size_t i = 0; i < whole.size(); i += step) {
      SCOPED_TRACE(name + " changed at " + std::to_string(i));
      const Disk disk = Without({"CURRENT", Files("MANIFEST")[0]});
      std::string bytes = whole;
      bytes[i] = static_cast<char>(bytes[i] ^ 0x55);
      Store(disk, name, bytes);
      const RepairReport report = RepairAndCheck(disk);
      EXPECT_EQ(report.tables_intact + report.tables_salvaged, Files(".sst").size());
      if (HasFailure()) return;
    }
  }
}

TEST_F(RepairTest, CrashAtEveryStep) {
  CrashEverywhere(Clone(disk_));
  CrashEverywhere(Without({"CURRENT"}));
  CrashEverywhere(Without({"CURRENT", Files("MANIFEST")[0]}));
  const Disk damaged = Clone(disk_);
  for (const char* part : {".sst", ".log", "CURRENT"}) {
    const std::string name = Files(part)[0];
    std::string bytes = Bytes(name);
    bytes[bytes.size() < 200 ? 3 : 150] ^= 0x11;
    Store(damaged, name, bytes);
  }
  CrashEverywhere(damaged);
  std::printf("[ REPAIRS  ] %" PRIu64 " crash points\n", crash_points_);
}

// While a repair is unfinished the database does not open: the sweep of an open would delete what it needs.
TEST_F(RepairTest, AnUnfinishedRepairIsNotOpened) {
  const Disk disk = Without({"CURRENT"});
  const auto fs = std::make_shared<FaultFileSystem>(disk);
  size_t refused = 0, opened = 0;
  fs->SetHook([&](FileOp, const std::string&, uint64_t) {
    const Disk crash = Clone(disk);
    const Status status = DB::Open(WithDisk(crash), kDbDirectory).status();
    refused += status.IsCorruption() && status.message().find("REPAIR") != Slice::npos;
    opened += status.ok();
  });
  ASSERT_TRUE(DB::Repair(WithDisk(fs), kDbDirectory).ok());
  EXPECT_GE(refused, 10u);
  EXPECT_LE(opened, 1u) << "only behind the removal of the marker";
}

// What CURRENT named is the result, whole; what was there before is on its way to lost/.
TEST_F(RepairTest, ARepairThatWasFinishedIsNotBegunAnewForWantOfCurrent) {
  const Disk disk = Without({"CURRENT", Files("MANIFEST")[0]});
  std::vector<Disk> finished;  // at each call behind the step that counts
  const auto fs = std::make_shared<FaultFileSystem>(disk);
  fs->SetHook([&](FileOp, const std::string&, uint64_t) {
    const Disk crash = Clone(disk);
    const bool begun = crash->GetFileInfo(std::string(kDbDirectory) + "/REPAIR").ok();
    if (begun && crash->GetFileInfo(std::string(kDbDirectory) + "/CURRENT").ok()) finished.push_back(crash);
  });
  ASSERT_TRUE(DB::Repair(WithDisk(fs), kDbDirectory).ok());
  ASSERT_GE(finished.size(), 10u);
  for (const Disk& crash : finished) {
    const Disk gone = Clone(crash);
    ASSERT_OK(gone->DeleteFile(std::string(kDbDirectory) + "/CURRENT"));
    EXPECT_TRUE(RepairAndCheck(gone).lossless());
    const Disk damaged = Clone(crash);
    Store(damaged, "CURRENT", "MANIFEST-0000");
    EXPECT_TRUE(RepairAndCheck(damaged).lossless());
    // It cannot be read this time.
    const auto failing = std::make_shared<FaultFileSystem>(crash);
    failing->AddRule(FaultRule::Fail(FileOp::kAny, "CURRENT", FaultRule::DeviceError(), 1));
    EXPECT_FALSE(DB::Repair(WithDisk(failing), kDbDirectory).ok());
    EXPECT_TRUE(RepairAndCheck(crash).lossless());
    if (HasFailure()) return;
  }
}

TEST_F(RepairTest, OneThatCannotBeginLeavesTheDatabaseAsItWas) {
  for (uint64_t nth = 1; nth <= 5; ++nth) {
    SCOPED_TRACE(nth);
    const Disk disk = Clone(disk_);
    const auto fs = std::make_shared<FaultFileSystem>(disk);
    fs->AddRule(FaultRule::Fail(FileOp::kAny, "REPAIR", FaultRule::NoSpaceError(), nth));
    const auto report = DB::Repair(WithDisk(fs), kDbDirectory);
    if (fs->faults_fired() == 0) break;
    // Behind the result in force only the marker is left, and the next repair removes it.
    if (!report.ok() && disk->GetFileInfo(std::string(kDbDirectory) + "/lost").ok()) continue;
    ASSERT_FALSE(report.ok());
    const auto db = OpenOrFail(WithDisk(disk), kDbDirectory);
    ASSERT_TRUE(db);
    EXPECT_EQ(ReadAll(*db), contents_);
  }
}

// An error leaves the database as it was, and the next repair succeeds.
TEST_F(RepairTest, EachCallFailsOnce) {
  uint64_t calls = 0;
  for (uint64_t nth = 1;; ++nth) {
    SCOPED_TRACE(nth);
    const Disk disk = Without({"CURRENT", Files("MANIFEST")[0]});
    const auto fs = std::make_shared<FaultFileSystem>(disk);
    fs->AddRule(FaultRule::Fail(FileOp::kAny, "",
                                nth % 2 == 0 ? FaultRule::DeviceError() : FaultRule::NoSpaceError(), nth));
    const auto report = DB::Repair(WithDisk(fs), kDbDirectory);
    if (fs->faults_fired() == 0) break;
    calls = nth;
    if (!report.ok()) RepairAndCheck(disk);
    if (HasFailure()) return;
  }
  EXPECT_GE(calls, 50u);
}

TEST_F(RepairTest, WhatIsNoDatabaseIsRefused) {
  const Disk disk = std::make_shared<MemoryFileSystem>();
  EXPECT_TRUE(DB::Repair(WithDisk(disk), "/absent").status().IsInvalidArgument());
  ASSERT_OK(disk->CreateDirectory("/empty"));
  EXPECT_TRUE(DB::Repair(WithDisk(disk), "/empty").status().IsInvalidArgument());
  const Disk used = Clone(disk_);
  const auto db = OpenOrFail(WithDisk(used), kDbDirectory);
  EXPECT_TRUE(DB::Repair(WithDisk(used), kDbDirectory).status().IsBusy());
}

// A longer history, with deletions all over, whose manifest is gone: the same contents come back.
TEST_F(RepairTest, RandomHistoryWithoutManifest) {
  Random random(TestSeed());
  for (const CompressionType compression :
       {CompressionType::kNone, CompressionType::kLz4, CompressionType::kZstd}) {
    const Disk disk = std::make_shared<MemoryFileSystem>();
    Options options = TinyOptions();
    options.compression = compression;
    options.file_system = disk;
    auto db = OpenOrFail(options, kDbDirectory);
    ASSERT_TRUE(db);
    Contents contents;
    std::set<SequenceNumber> deletions;
    for (int i = 0; i < 3000; ++i) {
      const std::string key = "k" + std::to_string(random.Uniform(400));
      if (random.OneIn(3)) {
        ASSERT_OK(db->Delete(key));
        deletions.insert(db->Stats().last_sequence);
        contents.erase(key);
      } else {
        contents[key] = std::to_string(i) + std::string(random.Uniform(60), 'v');
        ASSERT_OK(db->Put(key, contents[key]));
      }
    }
    const Disk crashed = Clone(disk);
    const auto names = crashed->ListDirectory(kDbDirectory);
    for (const std::string& name : *names) {
      if (name.starts_with("MANIFEST"))
        ASSERT_OK(crashed->DeleteFile(std::string(kDbDirectory) + "/" + name));
    }
    options.file_system = crashed;
    const auto report = DB::Repair(options, kDbDirectory);
    ASSERT_TRUE(report.ok()) << report.status().ToString();
    // A deletion that a compaction has dropped, last in what was flushed, is in no table; nor is it missing.
    for (const RepairLoss& loss : report->losses) {
      SequenceNumber first = 0, last = 0;
      ASSERT_EQ(std::sscanf(loss.reason.c_str(), "operations %" SCNu64 " to %" SCNu64 " are in no table",
                            &first, &last),
                2)
          << report->ToString();
      for (; first <= last; ++first) EXPECT_TRUE(deletions.contains(first)) << report->ToString();
    }
    const auto repaired = OpenOrFail(options, kDbDirectory);
    ASSERT_TRUE(repaired);
    EXPECT_EQ(Difference(contents, ReadAll(*repaired)), "");
    EXPECT_OK(repaired->Verify().status());
  }
}

// The log is there although its entries are in a table. A range delete never is in one.
TEST_F(RepairTest, WithoutManifestRangeDeletesOfFlushedLogsCount) {
  const Disk disk = std::make_shared<MemoryFileSystem>();
  Options options = TinyOptions();
  options.file_system = disk;
  options.log_mode = LogMode::kBuffered;
  const auto db = OpenOrFail(options, kDbDirectory);
  ASSERT_TRUE(db);
  ASSERT_OK(db->Put("k", "deleted"));
  ASSERT_OK(db->Put("l", "stays"));
  ASSERT_OK(db->Flush());
  ASSERT_OK(db->DeleteRange("k", "l"));
  ASSERT_OK(db->Put("z", "later"));
  const Disk before = Clone(disk);
  ASSERT_OK(db->Flush());
  const Disk left = Clone(disk);
  const std::vector<std::string> logs = *before->ListDirectory(kDbDirectory);
  for (const std::string& name : logs) {
    const std::string path = std::string(kDbDirectory) + "/" + name;
    if (name.ends_with(".log")) Store(left, name, *ReadFileToString(*before, path));
  }
  const std::vector<std::string> names = *left->ListDirectory(kDbDirectory);
  for (const std::string& name : names) {
    if (name == "CURRENT" || name.starts_with("MANIFEST")) {
      ASSERT_OK(left->DeleteFile(std::string(kDbDirectory) + "/" + name));
    }
  }
  options.file_system = left;
  const auto report = DB::Repair(options, kDbDirectory);
  ASSERT_TRUE(report.ok()) << report.status().ToString();
  const auto repaired = OpenOrFail(options, kDbDirectory);
  ASSERT_TRUE(repaired);
  EXPECT_EQ(ReadAll(*repaired), (Contents{{"l", "stays"}, {"z", "later"}})) << report->ToString();
}

}  // namespace
}  // namespace seerdb::testing
