// Logs of every mode: which file is made, what a frame's place is, and what replay makes of the gaps.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/system_memory.h"
#include "env/fault_file_system.h"
#include "env/manual_clock.h"
#include "env/memory_file_system.h"
#include "wal/log_mode_chooser.h"
#include "wal/log_replay.h"
#include "wal/log_segment.h"
#include "wal/log_test_util.h"

namespace seerdb {
namespace {

constexpr LogMode kModes[] = {LogMode::kBuffered, LogMode::kMapped, LogMode::kDirect};
constexpr uint64_t kFileBytes = 64 * 1024;

LogIdentity Identity(uint64_t log) { return {{1, 2}, log, 100 + log}; }
class LogModes : public ::testing::TestWithParam<LogMode> {
 protected:
  LogModes() : memory_(std::make_shared<MemoryFileSystem>()), fs_(memory_) {
    EXPECT_TRUE(memory_->CreateDirectory("/db").ok());
    EXPECT_TRUE(memory_->SyncDirectory("/").ok());
  }

  std::unique_ptr<LogSegment> Make(uint64_t log, uint64_t first_record, const std::string& recycle = {}) {
    auto file = PrepareLogFile(fs_, {"/db", LogPath(log), GetParam(), kFileBytes, recycle});
    EXPECT_TRUE(file.ok()) << file.status().ToString();
    EXPECT_EQ(file->mode, GetParam());
    return std::make_unique<LogSegment>(*std::move(file), Identity(log), first_record);
  }

  // The sequences of the records replayed, and "torn" if something follows them.
  static std::string Replay(FileSystem& fs, std::vector<uint64_t> logs, uint64_t first_record) {
    std::vector<ReplayLog> listed;
    for (const uint64_t log : logs) listed.push_back({LogPath(log), Identity(log)});
    std::string out;
    const auto summary = ReplayLogs(fs, listed, {first_record}, [&](SequenceNumber base, Slice) -> Status {
      out += std::to_string(base) + " ";
      return {};
    });
    if (!summary.ok()) return summary.status().ToString();
    return out + (summary->torn ? "torn" : "");
  }

  const std::shared_ptr<MemoryFileSystem> memory_;
  FaultFileSystem fs_;
};

TEST_P(LogModes, GroupsAreReplayedAcrossTheGapsBetweenThem) {
  const auto segment = Make(1, 1);
  ASSERT_TRUE(segment->Append({{1, "one"}, {2, "two"}}, 0).ok());
  ASSERT_TRUE(segment->AppendSynced({{3, std::string(5000, 'x')}}, 2, false).ok());
  ASSERT_TRUE(segment->AppendSynced({{4, "four"}, {5, "five"}}, 3, true).ok());
  EXPECT_EQ(segment->next_record(), 6u);
  EXPECT_EQ(segment->bytes() % 4096 == 0, GetParam() == LogMode::kDirect);
  EXPECT_EQ(Replay(fs_, {1}, 1), "1 2 3 4 5 ");
}

TEST_P(LogModes, AFrameThatFillsItsBlockIsFollowedByTheNextBlock) {
  const auto segment = Make(1, 1);
  // 64 + 16 + 8 + operations = 4096 minus 0 .. 17 bytes: no room for a head, or just.
  uint64_t sequence = 0;
  std::string wanted;
  for (size_t left = 0; left <= 17 && segment->HasRoom(2 * 4096); ++left) {
    const size_t header_bytes = segment->bytes() == 0 ? kLogHeaderBytes : 0;
    const std::string operations(4096 - header_bytes - kLogFrameHeadBytes - 8 - left, 'o');
    ++sequence;
    ASSERT_TRUE(segment->AppendSynced({{sequence, operations}}, sequence - 1, false).ok());
    wanted += std::to_string(sequence) + " ";
  }
  EXPECT_EQ(Replay(fs_, {1}, 1), wanted);
}

TEST_P(LogModes, ALostRecordBetweenGapsIsFoundIfItWasDurable) {
  const auto segment = Make(1, 1);
  uint64_t end[5] = {};
  for (uint64_t i = 1; i <= 4; ++i) {
    ASSERT_TRUE(segment->AppendSynced({{i, "operations"}}, i - 1, false).ok());
    end[i] = segment->bytes();
  }
  const std::string bytes = *ReadFileToString(fs_, LogPath(1));
  for (uint64_t lost = 1; lost <= 4; ++lost) {
    std::string damaged = bytes;
    const uint64_t frame = lost == 1 ? kLogHeaderBytes : end[lost - 1];
    damaged[frame + 20] ^= 1;
    auto file = *fs_.NewWritableFile(LogPath(1), CreateMode::kOverwrite);
    ASSERT_TRUE(file->Append(damaged).ok());
    const std::string found = Replay(fs_, {1}, 1);
    if (lost < 4) {
      EXPECT_NE(found.find("says that all up to"), std::string::npos) << found;
    } else {
      EXPECT_EQ(found, "1 2 3 torn") << "nothing vouches for the last group";
    }
  }
}

// It is filled in memory alone, once its space and size are durable: a power cut leaves the same file.
TEST(LargePages, AreNotSynced) {
  constexpr uint64_t kBytes = (uint64_t{4} << 20) + 4096;
  const auto memory = std::make_shared<MemoryFileSystem>();
  ASSERT_TRUE(memory->CreateDirectory("/db").ok());
  ASSERT_TRUE(memory->SyncDirectory("/").ok());
  FaultFileSystem fs(memory);
  std::string calls;
  fs.SetHook([&calls](FileOp op, const std::string& path, uint64_t) {
    if (path != LogPath(1)) return;
    if (op == FileOp::kAppend) calls += 'a';
    if (op == FileOp::kSync || op == FileOp::kSyncAll) calls += 's';
  });
  LargePageGauge gauge(nullptr);
  LogFileSpec spec{"/db", LogPath(1), LogMode::kMapped, kBytes, {}, &gauge};
  const auto file = PrepareLogFile(fs, spec);
  ASSERT_TRUE(file.ok()) << file.status().ToString();
  EXPECT_EQ(calls, "s" + std::string(2 * 8 + 1, 'a')) << "eight parts of a call";
  EXPECT_TRUE(file->large_pages);
  const auto after = memory->CrashClone({});
  EXPECT_EQ(*ReadFileToString(*after, LogPath(1)), std::string(kBytes, '\0'));
  EXPECT_EQ(file->mode, LogMode::kMapped);
  EXPECT_EQ(file->written_bytes, 0u) << "nothing that the device has";
  EXPECT_EQ(*ReadFileToString(fs, LogPath(1)), std::string(kBytes, '\0'));
}

// Notes the sizes of calls, each of which takes so long.
class TimedFile final : public WritableFile {
 public:
  explicit TimedFile(ManualClock* clock) : clock_(*clock) {}
  Status Append(Slice bytes) override { return Note(bytes.size()); }
  Status AppendParts(std::span<const Slice> parts) override {
    uint64_t bytes = 0;
    for (const Slice& part : parts) {
      EXPECT_EQ(part, Slice(std::string(part.size(), '\0')));
      bytes += part.size();
    }
    return Note(bytes);
  }
  Status Sync() override { return {}; }
  Status SyncAll() override { return {}; }
  Status Allocate(uint64_t, bool) override { return {}; }
  Status Truncate(uint64_t) override { return {}; }
  Status Close() override { return {}; }

  uint64_t call_us = 0;
  size_t calls_left = SIZE_MAX;  // before one fails
  std::vector<uint64_t> calls;

 private:
  Status Note(uint64_t bytes) {
    if (calls.size() == calls_left) return Status::IoError("append: no memory");
    calls.push_back(bytes);
    clock_.Advance(call_us);
    return {};
  }

  ManualClock& clock_;
};

// The first call takes so long that the next ones are smaller; the bytes are the same.
TEST(LargePages, AreFilledByPartsWhileTheyAreDear) {
  const auto clock = std::make_shared<ManualClock>();
  LargePageGauge gauge(clock);
  TimedFile file(clock.get());
  file.call_us = LargePageGauge::kDearUs + 1;
  ASSERT_TRUE(FillLargePages(file, 2 * kHugePageBytes + 4096, &gauge).ok());
  std::vector<uint64_t> expected = {kHugePageBytes};
  expected.insert(expected.end(), 8, kHugePageBytes / 8);
  expected.push_back(4096);
  EXPECT_EQ(file.calls, expected);
  EXPECT_FALSE(gauge.PrefersLarge());
}

TEST(LargePages, AreFilledByOneCallEachWhileTheyAreCheap) {
  const auto clock = std::make_shared<ManualClock>();
  LargePageGauge gauge(clock);
  TimedFile file(clock.get());
  file.call_us = LargePageGauge::kDearUs;
  ASSERT_TRUE(FillLargePages(file, 3 * kHugePageBytes, &gauge).ok());
  EXPECT_EQ(file.calls, std::vector<uint64_t>(3, kHugePageBytes));
  EXPECT_TRUE(gauge.PrefersLarge());
}

// Whichever call fails: in one of large pages, of parts, or of the rest.
TEST(LargePages, EachFailedCallIsReportedAndSaysNothingOfTheirPrice) {
  for (size_t calls = 0; calls < 1 + 8 + 1; ++calls) {
    const auto clock = std::make_shared<ManualClock>();
    LargePageGauge gauge(clock);
    TimedFile file(clock.get());
    file.call_us = LargePageGauge::kDearUs + 1;
    file.calls_left = calls;
    EXPECT_TRUE(FillLargePages(file, 2 * kHugePageBytes + 4096, &gauge).IsIoError()) << calls;
    EXPECT_FALSE(gauge.PrefersLarge()) << calls;
  }
}

TEST(LargePages, ThatCannotBeFilledMakeABufferedLog) {
  constexpr uint64_t kBytes = uint64_t{4} << 20;
  const auto memory = std::make_shared<MemoryFileSystem>();
  ASSERT_TRUE(memory->CreateDirectory("/db").ok());
  FaultFileSystem fs(memory);
  fs.AddRule(FaultRule::Fail(FileOp::kAppend, LogPath(1), FaultRule::DeviceError()));
  LargePageGauge gauge(nullptr);
  const auto file = PrepareLogFile(fs, {"/db", LogPath(1), LogMode::kMapped, kBytes, {}, &gauge});
  ASSERT_TRUE(file.ok()) << file.status().ToString();
  EXPECT_EQ(fs.faults_fired(), 1u);
  EXPECT_EQ(file->mode, LogMode::kBuffered);
  EXPECT_EQ(*ReadFileToString(fs, LogPath(1)), std::string(kBytes, '\0'));
}

// A process may die in the middle of a copy into a mapping, or of a write.
TEST_P(LogModes, AnAppendCutAtEachByteLeavesAPrefix) {
  uint64_t log = 0;
  const uint64_t step = GetParam() == LogMode::kDirect ? 512 : 1;
  for (uint64_t cut = 0; cut <= 120; ++cut) {
    const auto segment = Make(++log, 1);
    ASSERT_TRUE(segment->Append({{1, "one"}}, 0).ok());
    FaultRule rule = FaultRule::ShortWrite(LogPath(log), cut * step, FaultRule::DeviceError());
    const bool synced = cut % 2 == 0;
    if (synced && GetParam() == LogMode::kDirect) rule.op = FileOp::kAppendSynced;
    fs_.AddRule(rule);
    const std::vector<LogSegment::Record> records = {{2, "two"}, {3, "three"}, {4, "four"}};
    const bool failed = synced && GetParam() == LogMode::kDirect
                            ? !segment->AppendSynced(records, 0, false).ok()
                            : !segment->Append(records, 0).ok();
    ASSERT_TRUE(failed);
    const std::string found = Replay(fs_, {log}, 1);
    const std::string whole = "1 2 3 4 ";
    const std::string prefix = found.substr(0, found.find('t'));
    EXPECT_TRUE(whole.starts_with(prefix)) << found;
    EXPECT_GE(prefix.size(), 2u) << found;
  }
}

TEST_P(LogModes, APowerCutKeepsWhatWasSynced) {
  const auto segment = Make(1, 1);
  ASSERT_TRUE(segment->AppendSynced({{1, "one"}}, 0, false).ok());
  ASSERT_TRUE(segment->AppendSynced({{2, std::string(9000, 'x')}}, 1, false).ok());
  ASSERT_TRUE(segment->Append({{3, std::string(9000, 'y')}, {4, "z"}}, 2).ok());
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const auto left = memory_->CrashClone({seed, CrashOptions::kPowerCut});
    const std::string found = Replay(*left, {1}, 1);
    EXPECT_TRUE(found.starts_with("1 2 ")) << found;
    EXPECT_TRUE(std::string("1 2 3 4 torn").starts_with(found) || found == "1 2 torn" ||
                found == "1 2 3 torn")
        << found;
  }
}

TEST_P(LogModes, FramesOfARecycledFileAreNotReplayed) {
  if (GetParam() == LogMode::kMapped) GTEST_SKIP() << "mapped logs are not recycled";
  auto segment = Make(1, 1);
  for (uint64_t i = 1; i <= 8; ++i) ASSERT_TRUE(segment->AppendSynced({{i, "old"}}, i - 1, false).ok());
  segment.reset();
  segment = Make(2, 9, LogPath(1));
  EXPECT_EQ(Replay(fs_, {2}, 9), "");
  ASSERT_TRUE(segment->AppendSynced({{9, "new"}}, 8, false).ok());
  EXPECT_EQ(Replay(fs_, {2}, 9), "9 ") << "bytes of an earlier life are not a torn tail";
  EXPECT_EQ(fs_.GetFileInfo(LogPath(1)).status().detail(), StatusDetail::kNotFound);
}

TEST_P(LogModes, APreparedFileIsDurableBeforeItIsUsed) {
  ASSERT_NE(Make(1, 1), nullptr);
  const auto left = memory_->CrashClone({0, CrashOptions::kDropUnsynced});
  EXPECT_EQ((*left->GetFileInfo(LogPath(1))).bytes, kFileBytes);
  EXPECT_EQ(Replay(*left, {1}, 1), "");
}

INSTANTIATE_TEST_SUITE_P(AllModes, LogModes, ::testing::ValuesIn(kModes),
                         [](const auto& mode) { return std::string(LogModeName(mode.param)); });

TEST(PrepareLogFile, FallsBackToWriteCallsWhereTheModeIsRefused) {
  for (const LogMode mode : {LogMode::kMapped, LogMode::kDirect}) {
    // The file system refuses at open; and, as some do for direct writes, at the first write.
    for (const FileOp op : {FileOp::kOpenLog, FileOp::kAppend}) {
      if (mode == LogMode::kMapped && op == FileOp::kAppend) continue;
      const auto memory = std::make_shared<MemoryFileSystem>();
      FaultFileSystem fs(memory);
      ASSERT_TRUE(fs.CreateDirectory("/db").ok());
      fs.AddRule(FaultRule::Fail(op, "", Status::NotSupported("refused")));
      const auto file = PrepareLogFile(fs, {"/db", LogPath(1), mode, kFileBytes, {}});
      ASSERT_TRUE(file.ok()) << file.status().ToString();
      EXPECT_EQ(file->mode, LogMode::kBuffered);
      EXPECT_EQ(fs.GetFileInfo(LogPath(1))->bytes, kFileBytes);
      EXPECT_TRUE(file->file->Append("x").ok());
    }
  }
}

TEST(PrepareLogFile, AnErrorLeavesNoFile) {
  for (const LogMode mode : kModes) {
    for (uint64_t call = 1;; ++call) {
      const auto memory = std::make_shared<MemoryFileSystem>();
      FaultFileSystem fs(memory);
      ASSERT_TRUE(fs.CreateDirectory("/db").ok());
      FileOp met = FileOp::kAny;
      FaultRule rule = FaultRule::Fail(FileOp::kAny, "/db", FaultRule::NoSpaceError(), call);
      rule.callback = [&met](FileOp op, const std::string&) { met = op; };
      fs.AddRule(std::move(rule));
      const auto file = PrepareLogFile(fs, {"/db", LogPath(1), mode, kFileBytes, {}});
      if (fs.faults_fired() == 0) {
        EXPECT_TRUE(file.ok());
        EXPECT_GT(call, 5u);
        break;
      }
      const bool sync = met == FileOp::kSync || met == FileOp::kSyncAll || met == FileOp::kSyncDir;
      EXPECT_EQ(file.status().detail(), sync ? StatusDetail::kSyncFailed : StatusDetail::kNoSpace)
          << file.status().ToString();
      EXPECT_EQ(memory->GetFileInfo(LogPath(1)).status().detail(), StatusDetail::kNotFound);
    }
  }
}

TEST(LogModeChooser, FollowsWhatIsWritten) {
  LogModeChooser chooser(LogMode::kAuto);
  EXPECT_EQ(chooser.wanted(), LogMode::kBuffered);
  const auto note = [&](bool synced, int times) {
    for (int i = 0; i < times; ++i) chooser.NoteGroup(synced, /*apart=*/false);
    return chooser.wanted();
  };
  EXPECT_EQ(note(true, LogModeChooser::kAgreement - 1), LogMode::kBuffered) << "a short stretch says nothing";
  EXPECT_EQ(note(true, 1), LogMode::kDirect);
  EXPECT_EQ(note(false, 1), LogMode::kDirect) << "one exception changes nothing";
  EXPECT_EQ(note(true, 1000), LogMode::kDirect);
  EXPECT_EQ(note(false, 2 * LogModeChooser::kAgreement), LogMode::kMapped);
  for (int i = 0; i < 1000; ++i) {
    note(true, 1);
    EXPECT_EQ(note(false, 1), LogMode::kMapped) << "a mixture stays where it is";
  }
  EXPECT_EQ(note(true, 3 * LogModeChooser::kAgreement), LogMode::kDirect);
}

TEST(LogModeChooser, ValuesThatAreSyncedApartLeaveADirectLogNothingToGain) {
  LogModeChooser chooser(LogMode::kAuto);
  const auto note = [&](bool synced, bool apart, int times) {
    for (int i = 0; i < times; ++i) chooser.NoteGroup(synced, apart);
    return chooser.wanted();
  };
  EXPECT_EQ(note(true, true, 1000), LogMode::kBuffered);
  EXPECT_EQ(note(true, false, LogModeChooser::kAgreement - 1), LogMode::kBuffered)
      << "a short stretch says nothing";
  EXPECT_EQ(note(true, false, 1), LogMode::kDirect);
  for (int i = 0; i < 1000; ++i) {
    note(true, true, 1);
    EXPECT_EQ(note(true, false, 1), LogMode::kDirect) << "a mixture stays where it is";
  }
  EXPECT_EQ(note(true, true, LogModeChooser::kAgreement), LogMode::kBuffered);
  EXPECT_EQ(note(false, true, 2 * LogModeChooser::kAgreement), LogMode::kMapped);
}

TEST(LogModeChooser, DoesNotAskForWhatWasRefused) {
  LogModeChooser chooser(LogMode::kAuto);
  for (int i = 0; i < 200; ++i) chooser.NoteGroup(false, false);
  chooser.NoteRefused(LogMode::kMapped);
  EXPECT_EQ(chooser.wanted(), LogMode::kBuffered);
  for (int i = 0; i < 200; ++i) chooser.NoteGroup(false, false);
  EXPECT_EQ(chooser.wanted(), LogMode::kBuffered);
  for (int i = 0; i < 200; ++i) chooser.NoteGroup(true, false);
  EXPECT_EQ(chooser.wanted(), LogMode::kDirect);
}

TEST(LogModeChooser, AnOptionThatNamesAModeIsObeyed) {
  LogModeChooser chooser(LogMode::kMapped);
  for (int i = 0; i < 200; ++i) chooser.NoteGroup(true, false);
  EXPECT_EQ(chooser.wanted(), LogMode::kMapped);
}

}  // namespace
}  // namespace seerdb
