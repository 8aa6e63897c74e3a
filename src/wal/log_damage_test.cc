// Damages a small log of three segments at every byte and cuts it at every length. The outcome is known
// exactly: all records, or a prefix, or kCorruption if an intact record says that a missing one was durable.
// Salvage brings back every record that is whole, and names the place of each that is not.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/coding.h"
#include "base/random.h"
#include "env/memory_file_system.h"
#include "wal/log_replay.h"
#include "wal/log_salvage.h"
#include "wal/log_segment.h"
#include "wal/log_test_util.h"

namespace seerdb {
namespace {

const DatabaseId kDatabase{3, 4};
constexpr uint64_t kFirstRecord = 5;

struct Written {
  uint64_t record;
  uint64_t durable;
  uint64_t log;
  uint64_t begin;
  uint64_t end;
  std::string operations;
};

class LogDamageTest : public ::testing::Test {
 protected:
  LogDamageTest() {
    EXPECT_TRUE(fs_.CreateDirectory("/db").ok());
    // An earlier life of what becomes segment 3.
    EXPECT_TRUE(PrepareLogFile(fs_, {"/db", LogPath(9), LogMode::kBuffered, 400, {}}).ok());
    Write(9, 1, 0, 6);
    written_.clear();
    Prepare(1, "");
    Prepare(2, "");
    Prepare(3, LogPath(9));
    Write(1, kFirstRecord, 0, 3);
    Write(1, kFirstRecord + 3, kFirstRecord + 2, 2);
    Write(2, kFirstRecord + 5, kFirstRecord + 2, 2);
    Write(3, kFirstRecord + 7, kFirstRecord + 5, 2);
    for (uint64_t log = 1; log <= 3; ++log) {
      logs_.push_back({LogPath(log), {kDatabase, log, 100 + log}});
      contents_[log] = *ReadFileToString(fs_, LogPath(log));
    }
  }

  void Prepare(uint64_t log, const std::string& recycle) {
    EXPECT_TRUE(PrepareLogFile(fs_, {"/db", LogPath(log), LogMode::kBuffered, 400, recycle}).ok());
  }

  void Write(uint64_t log, uint64_t first, uint64_t durable, uint64_t count) {
    auto& segment = segments_[log];
    if (segment == nullptr) segment = OpenSegment(fs_, LogPath(log), {kDatabase, log, 100 + log}, first);
    for (uint64_t record = first; record < first + count; ++record) {
      const std::string operations = "record " + std::to_string(record) + std::string(record % 4, 'x');
      const uint64_t begin = std::max<uint64_t>(segment->bytes(), kLogHeaderBytes);
      EXPECT_TRUE(segment->Append({{record * 7, operations}}, durable).ok());
      written_.push_back({record, durable, log, begin, segment->bytes(), operations});
    }
  }

  // The first record for which `lost` holds decides.
  template <typename Lost>
  std::string Expected(const Lost& lost) const {
    const auto missing = std::find_if(written_.begin(), written_.end(), lost);
    if (missing == written_.end()) return std::to_string(written_.size()) + " records";
    for (auto it = missing; it != written_.end(); ++it) {
      if (!lost(*it) && it->durable >= missing->record) return "corruption";
    }
    return std::to_string(missing - written_.begin()) + " records";
  }

  // What ReplayLogs says of `log` having these bytes.
  std::string Replay(uint64_t log, const std::string& bytes) {
    auto file = fs_.NewWritableFile(LogPath(log), CreateMode::kTruncate);
    EXPECT_TRUE((*file)->Append(bytes).ok());
    size_t count = 0;
    const auto summary =
        ReplayLogs(fs_, logs_, {kFirstRecord}, [&](SequenceNumber base, Slice operations) -> Status {
          if (count < written_.size()) {
            EXPECT_EQ(base, written_[count].record * 7);
            EXPECT_EQ(operations, written_[count].operations);
          }
          ++count;
          return {};
        });
    if (summary.ok()) {
      EXPECT_EQ(summary->records, count);
      return std::to_string(count) + " records";
    }
    EXPECT_EQ(summary.status().detail(), StatusDetail::kWalCorruption) << summary.status().ToString();
    EXPECT_NE(summary.status().message().find(".log @"), Slice::npos) << summary.status().ToString();
    return summary.status().IsCorruption() ? "corruption" : summary.status().ToString();
  }

  // Which records SalvageLogs applies while `log` has these bytes. Checks what it says of the others.
  template <typename Lost>
  void CheckSalvage(uint64_t log, const std::string& bytes, const Lost& lost) {
    auto file = fs_.NewWritableFile(LogPath(log), CreateMode::kTruncate);
    EXPECT_TRUE((*file)->Append(bytes).ok());
    std::vector<uint64_t> whole, prefix;
    for (const Written& w : written_) {
      if (lost(w)) continue;
      if (whole.size() + kFirstRecord == w.record) prefix.push_back(w.record);
      whole.push_back(w.record);
    }
    for (const bool all : {false, true}) {
      std::vector<uint64_t> applied, skipped;
      const SalvageVisitor visitor{[&](SequenceNumber base, Slice operations) -> Status {
                                     EXPECT_EQ(operations, written_.at(base / 7 - kFirstRecord).operations);
                                     applied.push_back(base / 7);
                                     return {};
                                   },
                                   [&](SequenceNumber base, Slice) { skipped.push_back(base / 7); }};
      const auto summary =
          SalvageLogs(fs_, logs_, {kFirstRecord},
                      all ? SalvageExtent::kWhateverIsLeft : SalvageExtent::kBeforeDamage, visitor);
      ASSERT_TRUE(summary.ok()) << summary.status().ToString();
      ASSERT_EQ(applied, all ? whole : prefix);
      ASSERT_EQ(applied.size() + skipped.size(), whole.size());
      EXPECT_EQ(summary->skipped, skipped.size());
      CheckGaps(*summary, whole);
    }
  }

  // Each missing record with a whole one behind it lies in exactly one gap.
  void CheckGaps(const SalvageSummary& summary, const std::vector<uint64_t>& whole) {
    std::vector<uint64_t> missing, listed;
    const uint64_t end = whole.empty() ? kFirstRecord : whole.back() + 1;
    for (uint64_t record = kFirstRecord; record < end; ++record) {
      if (!std::binary_search(whole.begin(), whole.end(), record)) missing.push_back(record);
    }
    for (const LogGap& gap : summary.gaps) {
      const Written& first = written_.at(gap.first_record - kFirstRecord);
      // A segment whose header is lost too is named by the end of the one before.
      EXPECT_LE(gap.path, LogPath(first.log)) << gap.first_record;
      if (gap.path == LogPath(first.log)) {
        EXPECT_EQ(gap.offset, first.begin) << gap.first_record;
      }
      for (uint64_t i = 0; i < gap.records; ++i) {
        if (gap.first_record + i < end) listed.push_back(gap.first_record + i);
      }
    }
    EXPECT_EQ(listed, missing);
    EXPECT_GE(summary.next_record, end);
  }

  void Restore(uint64_t log) {
    EXPECT_EQ(Replay(log, contents_[log]), std::to_string(written_.size()) + " records");
  }

  MemoryFileSystem fs_;
  std::map<uint64_t, std::unique_ptr<LogSegment>> segments_;
  std::vector<Written> written_;
  std::vector<ReplayLog> logs_;
  std::map<uint64_t, std::string> contents_;
};

TEST_F(LogDamageTest, EveryByteFlipped) {
  std::map<std::string, int> outcomes;
  for (uint64_t log = 1; log <= 3; ++log) {
    for (size_t i = 0; i < contents_[log].size(); ++i) {
      for (const int mask : {0x01, 0x80, 0xff}) {
        std::string bytes = contents_[log];
        bytes[i] = static_cast<char>(bytes[i] ^ mask);
        const std::string wanted =
            Expected([&](const Written& w) { return w.log == log && w.begin <= i && i < w.end; });
        ASSERT_EQ(Replay(log, bytes), wanted) << "log " << log << " byte " << i << " mask " << mask;
        ++outcomes[wanted];
      }
    }
    Restore(log);
  }
  // Whole, corrupt, and cut off before each record nothing vouches for.
  EXPECT_EQ(outcomes.size(), 5u);
}

TEST_F(LogDamageTest, CutAtEveryLength) {
  for (uint64_t log = 1; log <= 3; ++log) {
    for (size_t n = 0; n < contents_[log].size(); ++n) {
      const std::string wanted = Expected([&](const Written& w) { return w.log == log && n < w.end; });
      ASSERT_EQ(Replay(log, contents_[log].substr(0, n)), wanted) << "log " << log << " cut to " << n;
    }
    Restore(log);
  }
}

TEST_F(LogDamageTest, EveryRangeZeroed) {
  for (uint64_t log = 1; log <= 3; ++log) {
    for (size_t i = 0; i < contents_[log].size(); i += 3) {
      for (const size_t n : {4, 16, 40, 100, 400}) {
        std::string bytes = contents_[log];
        for (size_t k = i; k < std::min(i + n, bytes.size()); ++k) bytes[k] = 0;
        const auto lost = [&](const Written& w) {
          return w.log == log &&
                 bytes.substr(w.begin, w.end - w.begin) != contents_[log].substr(w.begin, w.end - w.begin);
        };
        ASSERT_EQ(Replay(log, bytes), Expected(lost)) << "log " << log << " " << n << " bytes from " << i;
      }
    }
    Restore(log);
  }
}

TEST_F(LogDamageTest, SegmentsSwapped) {
  const std::string one = contents_[1];
  Replay(1, contents_[2]);
  EXPECT_EQ(Replay(2, one), Expected([](const Written& w) { return w.log <= 2; }));
}

TEST_F(LogDamageTest, RandomBytesNeverPass) {
  const uint64_t seed = SystemSeed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  for (int round = 0; round < 3000; ++round) {
    const uint64_t log = 1 + random.Uniform(3);
    std::string bytes = contents_[log];
    const size_t begin = random.Uniform(bytes.size());
    const size_t end = begin + random.Uniform(bytes.size() - begin + 1);
    // Small values make heads that look like heads.
    const uint64_t limit = random.OneIn(2) ? 256 : 1 + random.Uniform(16);
    for (size_t i = begin; i < end; ++i) bytes[i] = static_cast<char>(random.Uniform(limit));
    const auto lost = [&](const Written& w) {
      return w.log == log &&
             bytes.substr(w.begin, w.end - w.begin) != contents_[log].substr(w.begin, w.end - w.begin);
    };
    ASSERT_EQ(Replay(log, bytes), Expected(lost)) << "round " << round;
    Restore(log);
  }
}

TEST_F(LogDamageTest, SalvageAfterEveryByteFlipped) {
  for (uint64_t log = 1; log <= 3; ++log) {
    for (size_t i = 0; i < contents_[log].size(); ++i) {
      SCOPED_TRACE("log " + std::to_string(log) + " byte " + std::to_string(i));
      std::string bytes = contents_[log];
      bytes[i] = static_cast<char>(bytes[i] ^ (i % 2 == 0 ? 0xff : 0x01));
      CheckSalvage(log, bytes, [&](const Written& w) { return w.log == log && w.begin <= i && i < w.end; });
      if (HasFailure()) return;
    }
    Restore(log);
  }
}

TEST_F(LogDamageTest, SalvageAfterRandomDamage) {
  const uint64_t seed = SystemSeed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  for (int round = 0; round < 2000 && !HasFailure(); ++round) {
    const uint64_t log = 1 + random.Uniform(3);
    std::string bytes = contents_[log];
    const size_t begin = random.Uniform(bytes.size());
    const size_t end = begin + random.Uniform(bytes.size() - begin + 1);
    const uint64_t limit = random.OneIn(2) ? 1 : 256;
    for (size_t i = begin; i < end; ++i) bytes[i] = static_cast<char>(random.Uniform(limit));
    if (random.OneIn(4)) bytes.resize(random.Uniform(bytes.size()));
    CheckSalvage(log, bytes, [&](const Written& w) {
      if (w.log != log) return false;
      return bytes.size() < w.end ||
             bytes.substr(w.begin, w.end - w.begin) != contents_[log].substr(w.begin, w.end - w.begin);
    });
    Restore(log);
  }
}

TEST_F(LogDamageTest, SalvageWithoutOneFile) {
  for (uint64_t log = 1; log <= 3; ++log) {
    SCOPED_TRACE(log);
    ASSERT_TRUE(fs_.DeleteFile(LogPath(log)).ok());
    std::vector<uint64_t> applied;
    const auto apply = [&](SequenceNumber base, Slice) -> Status {
      applied.push_back(base / 7);
      return {};
    };
    const auto summary =
        SalvageLogs(fs_, logs_, {kFirstRecord}, SalvageExtent::kWhateverIsLeft, {apply, nullptr});
    ASSERT_TRUE(summary.ok()) << summary.status().ToString();
    std::vector<uint64_t> wanted;
    for (const Written& w : written_) {
      if (w.log != log) wanted.push_back(w.record);
    }
    EXPECT_EQ(applied, wanted);
    ASSERT_EQ(summary->gaps.size(), 1u);
    EXPECT_EQ(summary->gaps[0].path, LogPath(log));
    EXPECT_EQ(summary->gaps[0].records, log == 3 ? 0 : written_.size() - wanted.size());
    EXPECT_TRUE(ReplayLogs(fs_, logs_, {kFirstRecord}, apply).status().IsCorruption());
    auto file = fs_.NewWritableFile(LogPath(log), CreateMode::kMustNotExist);
    ASSERT_TRUE((*file)->Append(contents_[log]).ok());
  }
}

// A record that cannot be applied is a damaged one; other errors are not the log's.
TEST_F(LogDamageTest, SalvageWhenApplyRefuses) {
  uint64_t applied = 0, skipped = 0;
  const auto refuse_third = [&](SequenceNumber base, Slice) -> Status {
    if (base == (kFirstRecord + 2) * 7) return Status::Corruption("no batch");
    ++applied;
    return {};
  };
  const auto skip = [&](SequenceNumber, Slice) { ++skipped; };
  auto summary =
      SalvageLogs(fs_, logs_, {kFirstRecord}, SalvageExtent::kWhateverIsLeft, {refuse_third, skip});
  ASSERT_TRUE(summary.ok());
  EXPECT_EQ(applied, written_.size() - 1);
  EXPECT_EQ(skipped, 1u);
  ASSERT_EQ(summary->gaps.size(), 1u);
  EXPECT_EQ(summary->gaps[0].first_record, kFirstRecord + 2);
  EXPECT_EQ(summary->gaps[0].reason, "no batch");
  applied = skipped = 0;
  summary = SalvageLogs(fs_, logs_, {kFirstRecord}, SalvageExtent::kBeforeDamage, {refuse_third, skip});
  ASSERT_TRUE(summary.ok());
  EXPECT_EQ(applied, 2u);
  EXPECT_EQ(skipped, written_.size() - 2);
  const auto full = [](SequenceNumber, Slice) -> Status { return Status::Busy("full"); };
  summary = SalvageLogs(fs_, logs_, {kFirstRecord}, SalvageExtent::kWhateverIsLeft, {full, nullptr});
  EXPECT_TRUE(summary.status().IsBusy());
}

}  // namespace
}  // namespace seerdb
