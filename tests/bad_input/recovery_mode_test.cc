// What each recovery mode promises, with damage in every record of a log that was not closed cleanly.
#include <algorithm>
#include <vector>

#include "env/fault_file_system.h"
#include "env/memory_file_system.h"
#include "seerdb/db.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

constexpr int kWrites = 30;

std::string Value(int i) { return "<value " + std::to_string(i) + ">" + std::string(300, 'v'); }

class RecoveryModeTest : public ::testing::Test {
 protected:
  // One table, then kWrites synced records in several segments; key i%10 overwrites.
  void SetUp() override {
    const auto fs = std::make_shared<MemoryFileSystem>();
    const auto db = OpenOrFail(WithMode(RecoveryMode::kTolerateTornTail, fs), kDbDirectory);
    ASSERT_TRUE(db);
    ASSERT_OK(db->Put("table", "old"));
    ASSERT_OK(db->Flush());
    states_.push_back({{"table", "old"}});
    for (int i = 0; i < kWrites; ++i) {
      Contents next = states_.back();
      const std::string key = "key" + std::to_string(i % 10);
      ASSERT_OK(db->Put(key, Value(i)));
      next[key] = Value(i);
      states_.push_back(next);
    }
    last_sequence_ = db->Stats().last_sequence;
    disk_ = Clone(*fs);
    const auto names = disk_->ListDirectory(kDbDirectory);
    ASSERT_TRUE(names.ok());
    for (const std::string& name : *names) {
      if (name.ends_with(".log")) logs_.push_back(kDbDirectory + ("/" + name));
    }
    std::sort(logs_.begin(), logs_.end());
    ASSERT_GE(logs_.size(), 3u);
  }

  static std::shared_ptr<MemoryFileSystem> Clone(MemoryFileSystem& fs) {
    return fs.CrashClone({0, CrashOptions::kProcessCrash, true});
  }

  Options WithMode(RecoveryMode mode, const std::shared_ptr<FileSystem>& fs) {
    Options options = TinyOptions();
    options.memtable_capacity = 64 << 10;
    options.recovery_mode = mode;
    options.file_system = fs;
    options.logger = [this](Slice line) { lines_ += std::string(line) + "\n"; };
    return options;
  }

  static void Store(FileSystem& fs, const std::string& path, const std::string& bytes) {
    auto file = fs.NewWritableFile(path, CreateMode::kTruncate);
    ASSERT_TRUE(file.ok());
    ASSERT_OK((*file)->Append(bytes));
    ASSERT_OK((*file)->SyncAll());
  }

  // Where record i lies: its log and an offset inside its value.
  std::pair<std::string, size_t> Find(int i) const {
    for (const std::string& log : logs_) {
      const std::string bytes = *ReadFileToString(*disk_, log);
      const size_t at = bytes.find("<value " + std::to_string(i) + ">");
      if (at != std::string::npos) return {log, at};
    }
    ADD_FAILURE() << "no record " << i;
    return {};
  }

  std::shared_ptr<MemoryFileSystem> WithDamage(const std::vector<int>& records) {
    const auto disk = Clone(*disk_);
    for (const int i : records) {
      const auto [log, offset] = Find(i);
      std::string bytes = *ReadFileToString(*disk, log);
      bytes[offset + 20] ^= 1;
      Store(*disk, log, bytes);
    }
    return disk;
  }

  // All writes but those of `records`.
  Contents Without(const std::vector<int>& records) const {
    Contents contents = states_.front();
    for (int i = 0; i < kWrites; ++i) {
      if (std::find(records.begin(), records.end(), i) == records.end()) {
        contents["key" + std::to_string(i % 10)] = Value(i);
      }
    }
    return contents;
  }

  // Opens, checks contents and report, writes on, and finds everything again in the default mode.
  void ExpectOpens(const std::shared_ptr<MemoryFileSystem>& disk, RecoveryMode mode, Contents wanted,
                   size_t losses) {
    lines_.clear();
    auto db = OpenOrFail(WithMode(mode, disk), kDbDirectory);
    ASSERT_TRUE(db);
    ASSERT_EQ(Difference(wanted, ReadAll(*db)), "");
    const DBStats stats = db->Stats();
    EXPECT_EQ(stats.recovery.losses.size(), losses) << stats.ToString();
    EXPECT_EQ(lines_.find("event=lost_at_open ") != std::string::npos, losses > 0) << lines_;
    if (losses > 0) {
      EXPECT_GT(stats.last_sequence, last_sequence_) << "a sequence is given again";
      EXPECT_NE(stats.ToString().find("lost at open: "), std::string::npos);
      EXPECT_EQ(stats.recovery.losses[0].file.substr(0, 4), "/db/");
    }
    ASSERT_OK(db->Put("key3", "after"));
    wanted["key3"] = "after";
    const auto crashed = Clone(*disk);
    db.reset();
    for (const auto& left : {disk, crashed}) {
      const auto reopened = OpenOrFail(WithMode(RecoveryMode::kAbsoluteConsistency, left), kDbDirectory);
      ASSERT_TRUE(reopened);
      ASSERT_EQ(Difference(wanted, ReadAll(*reopened)), "");
      EXPECT_OK(reopened->Verify().status());
    }
  }

  void ExpectRefuses(const std::shared_ptr<MemoryFileSystem>& disk, RecoveryMode mode,
                     const std::string& part) {
    const Status status = DB::Open(WithMode(mode, disk), kDbDirectory).status();
    EXPECT_TRUE(status.IsCorruption()) << status.ToString();
    EXPECT_NE(status.message().find(part), Slice::npos) << status.ToString();
  }

  std::shared_ptr<MemoryFileSystem> disk_;
  std::vector<std::string> logs_;
  std::vector<Contents> states_;  // after 0, 1, ... writes
  uint64_t last_sequence_ = 0;
  std::string lines_;
};

constexpr RecoveryMode kModes[] = {RecoveryMode::kTolerateTornTail, RecoveryMode::kAbsoluteConsistency,
                                   RecoveryMode::kPointInTime, RecoveryMode::kSalvage};

TEST_F(RecoveryModeTest, AWholeLogOpensInEveryMode) {
  for (const RecoveryMode mode : kModes) {
    SCOPED_TRACE(static_cast<int>(mode));
    ExpectOpens(Clone(*disk_), mode, states_.back(), 0);
  }
}

TEST_F(RecoveryModeTest, DamageInEveryRecord) {
  for (int i = 0; i < kWrites; ++i) {
    SCOPED_TRACE(i);
    const bool last = i == kWrites - 1;
    const std::string log = Find(i).first;
    // Nothing vouches for the last record of a log: its loss looks like a crash (rule 2).
    if (last) {
      ExpectOpens(WithDamage({i}), RecoveryMode::kTolerateTornTail, states_[i], 0);
    } else {
      ExpectRefuses(WithDamage({i}), RecoveryMode::kTolerateTornTail, log);
    }
    ExpectRefuses(WithDamage({i}), RecoveryMode::kAbsoluteConsistency, log);
    ExpectOpens(WithDamage({i}), RecoveryMode::kPointInTime, states_[i], last ? 0 : 1);
    ExpectOpens(WithDamage({i}), RecoveryMode::kSalvage, Without({i}), last ? 0 : 1);
    if (HasFailure()) return;
  }
}

TEST_F(RecoveryModeTest, DamageInSeveralRecords) {
  const std::vector<int> records = {2, 3, 11, 20, 29};
  ExpectOpens(WithDamage(records), RecoveryMode::kPointInTime, states_[2], 3);
  ExpectOpens(WithDamage(records), RecoveryMode::kSalvage, Without(records), 3);
}

TEST_F(RecoveryModeTest, TheReportSaysWhichRecords) {
  const auto db = OpenOrFail(WithMode(RecoveryMode::kSalvage, WithDamage({4, 5})), kDbDirectory);
  ASSERT_TRUE(db);
  const RecoveryReport report = db->Stats().recovery;
  ASSERT_EQ(report.losses.size(), 1u);
  EXPECT_EQ(report.losses[0].file, Find(4).first);
  EXPECT_LT(report.losses[0].offset, Find(4).second);
  EXPECT_EQ(report.losses[0].records, 2u);
  EXPECT_EQ(report.records_replayed, kWrites - 2u);
  EXPECT_EQ(report.intact_records_dropped, 0u);
  const auto prefix = OpenOrFail(WithMode(RecoveryMode::kPointInTime, WithDamage({4, 5})), kDbDirectory);
  ASSERT_TRUE(prefix);
  EXPECT_EQ(prefix->Stats().recovery.records_replayed, 4u);
  EXPECT_EQ(prefix->Stats().recovery.intact_records_dropped, kWrites - 6u);
  EXPECT_NE(lines_.find("event=dropped_at_open records=" + std::to_string(kWrites - 6)), std::string::npos)
      << lines_;
}

TEST_F(RecoveryModeTest, ATornTailIsNoDamageButForAbsoluteConsistency) {
  const auto [log, offset] = Find(kWrites - 1);
  for (const size_t more : {size_t{0}, size_t{100}}) {
    const auto torn = [&, log = log, offset = offset] {
      const auto disk = Clone(*disk_);
      Store(*disk, log, ReadFileToString(*disk, log)->substr(0, offset + more));
      return disk;
    };
    ExpectOpens(torn(), RecoveryMode::kTolerateTornTail, states_[kWrites - 1], 0);
    ExpectRefuses(torn(), RecoveryMode::kAbsoluteConsistency, log);
    ExpectOpens(torn(), RecoveryMode::kPointInTime, states_[kWrites - 1], 0);
    ExpectOpens(torn(), RecoveryMode::kSalvage, states_[kWrites - 1], 0);
  }
}

TEST_F(RecoveryModeTest, AnUnfinishedEditIsRefusedByAbsoluteConsistency) {
  const auto names = disk_->ListDirectory(kDbDirectory);
  for (const std::string& name : *names) {
    if (!name.starts_with("MANIFEST-")) continue;
    const std::string path = kDbDirectory + ("/" + name);
    Store(*disk_, path, *ReadFileToString(*disk_, path) + "half of an edit");
    ExpectRefuses(Clone(*disk_), RecoveryMode::kAbsoluteConsistency, name);
  }
  ExpectOpens(Clone(*disk_), RecoveryMode::kTolerateTornTail, states_.back(), 0);
}

TEST_F(RecoveryModeTest, AMissingLog) {
  for (const std::string& log : logs_) {
    SCOPED_TRACE(log);
    std::vector<int> gone;
    for (int i = 0; i < kWrites; ++i) {
      if (Find(i).first == log) gone.push_back(i);
    }
    const auto without = [&] {
      const auto disk = Clone(*disk_);
      EXPECT_OK(disk->DeleteFile(log));
      return disk;
    };
    ExpectRefuses(without(), RecoveryMode::kTolerateTornTail, log);
    ExpectRefuses(without(), RecoveryMode::kAbsoluteConsistency, log);
    if (gone.empty()) gone.push_back(kWrites);  // a spare segment
    ExpectOpens(without(), RecoveryMode::kPointInTime, states_[static_cast<size_t>(gone.front())], 1);
    ExpectOpens(without(), RecoveryMode::kSalvage, Without(gone), 1);
  }
}

// Salvage changes nothing that a crash in the middle of it could miss: the next one finds the same.
TEST_F(RecoveryModeTest, CrashAtEveryStepOfSalvage) {
  const std::vector<int> records = {3, 17};
  const auto disk = WithDamage(records);
  const auto fs = std::make_shared<FaultFileSystem>(disk);
  std::vector<std::shared_ptr<MemoryFileSystem>> crashes;
  fs->SetHook([&](FileOp, const std::string&, uint64_t) {
    crashes.push_back(Clone(*disk));
    crashes.push_back(disk->CrashClone({crashes.size(), CrashOptions::kPowerCut, true}));
  });
  auto db = OpenOrFail(WithMode(RecoveryMode::kSalvage, fs), kDbDirectory);
  ASSERT_TRUE(db);
  fs->SetHook(nullptr);
  db.reset();
  ASSERT_GE(crashes.size(), 20u);
  for (size_t i = 0; i < crashes.size(); ++i) {
    SCOPED_TRACE(i);
    const auto reopened = OpenOrFail(WithMode(RecoveryMode::kSalvage, crashes[i]), kDbDirectory);
    ASSERT_TRUE(reopened);
    ASSERT_EQ(Difference(Without(records), ReadAll(*reopened)), "");
  }
}

}  // namespace
}  // namespace seerdb::testing
