// What a recycled file held before is not taken for frames of the log, however much it looks like them.
#include <gtest/gtest.h>

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

const DatabaseId kStaleDatabase{3, 4};
constexpr uint64_t kFirstStaleRecord = 5;

void WriteFile(FileSystem& fs, const std::string& path, const std::string& bytes) {
  auto file = fs.NewWritableFile(path, CreateMode::kTruncate);
  ASSERT_TRUE(file.ok() && (*file)->Append(bytes).ok());
}

std::string Header(const LogIdentity& identity, uint64_t first_record) {
  std::string out(kLogHeaderBytes, '\0');
  EncodeLogHeader({identity, first_record}, out.data());
  return out;
}

std::string Frame(const LogIdentity& identity, uint64_t record, uint64_t durable, SequenceNumber sequence,
                  const std::string& operations) {
  std::string out;
  AppendLogFrame(&out, identity, {record, durable, sequence, operations});
  return out;
}

// A file that has no header says nothing of the numbers in it, so that records of a great many may lie there,
// and of random values many look like their heads.
TEST(LogStaleBytes, OfASpareAreNotTakenForFrames) {
  constexpr uint64_t kBytes = uint64_t{16} << 20;
  constexpr SequenceNumber kSequence = uint64_t{1} << 50;
  const uint64_t seed = SystemSeed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  MemoryFileSystem fs;
  ASSERT_TRUE(fs.CreateDirectory("/db").ok());
  const std::vector<ReplayLog> logs = {{LogPath(1), {kStaleDatabase, 1, 101}},
                                       {LogPath(2), {kStaleDatabase, 2, 101}}};
  ASSERT_TRUE(PrepareLogFile(fs, {"/db", LogPath(1), LogMode::kBuffered, 4096, {}}).ok());
  auto segment = OpenSegment(fs, LogPath(1), logs[0].identity, kFirstStaleRecord);
  ASSERT_TRUE(segment->Append({{kSequence, "one"}, {kSequence + 1, "two"}}, kFirstStaleRecord - 1).ok());
  // Of an earlier life: values; the file was not filled.
  std::string stale;
  while (stale.size() < kBytes / 2) AppendU64(&stale, random.Next());
  stale.resize(kBytes);
  WriteFile(fs, LogPath(2), stale);
  for (const LogStart& start : {LogStart{kFirstStaleRecord, kSequence - 5}, LogStart{kFirstStaleRecord}}) {
    const auto summary = ReplayLogs(fs, logs, start, [](SequenceNumber, Slice) -> Status { return {}; });
    ASSERT_TRUE(summary.ok()) << summary.status().ToString();
    EXPECT_EQ(summary->records, 2u);
    EXPECT_FALSE(summary->torn);
  }
  // A frame of its own among them is found all the same, and is proof.
  const std::string frame =
      Frame(logs[1].identity, kFirstStaleRecord + 3, kFirstStaleRecord + 2, kSequence + 3, "x");
  stale.replace(kBytes / 4, frame.size(), frame);
  WriteFile(fs, LogPath(2), stale);
  for (const LogStart& start : {LogStart{kFirstStaleRecord, kSequence - 5}, LogStart{kFirstStaleRecord}}) {
    const auto summary = ReplayLogs(fs, logs, start, [](SequenceNumber, Slice) -> Status { return {}; });
    EXPECT_EQ(summary.status().detail(), StatusDetail::kWalCorruption) << summary.status().ToString();
    EXPECT_NE(summary.status().message().find("says that all up to"), Slice::npos);
  }
}

// Values that are mostly zeros look like frames at many offsets, but for their sequence: it would be zero.
TEST(LogStaleBytes, ZerosAreNotTakenForSequences) {
  constexpr uint64_t kBytes = uint64_t{16} << 20;
  const uint64_t seed = SystemSeed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  std::string stale;
  while (stale.size() < kBytes) {
    AppendU64(&stale, random.Next());
    AppendU32(&stale, static_cast<uint32_t>(random.Next()));
    stale.append(108, '\0');
  }
  stale.resize(kBytes);
  MemoryFileSystem fs;
  ASSERT_TRUE(fs.CreateDirectory("/db").ok());
  const std::vector<ReplayLog> logs = {{LogPath(1), {kStaleDatabase, 1, 101}},
                                       {LogPath(2), {kStaleDatabase, 2, 101}}};
  // One that was begun, and one that was not.
  WriteFile(fs, LogPath(1), stale);
  auto segment = OpenSegment(fs, LogPath(1), logs[0].identity, kFirstStaleRecord);
  ASSERT_TRUE(segment->Append({{1000, "one"}, {1001, "two"}}, kFirstStaleRecord - 1).ok());
  stale.replace(0, kLogHeaderBytes, Header({kStaleDatabase, 1, 100}, 1));
  WriteFile(fs, LogPath(2), stale);
  const LogStart start{kFirstStaleRecord, 999};
  const auto ignore = [](SequenceNumber, Slice) -> Status { return {}; };
  const auto summary = ReplayLogs(fs, logs, start, ignore);
  ASSERT_TRUE(summary.ok()) << summary.status().ToString();
  EXPECT_EQ(summary->records, 2u);
  // The frame of a later record is found behind them all, and is proof that one is missing.
  const std::string frame = Frame(logs[1].identity, kFirstStaleRecord + 3, kFirstStaleRecord + 2, 1002, "x");
  stale.replace(kBytes - frame.size(), frame.size(), frame);
  WriteFile(fs, LogPath(2), stale);
  const Status status = ReplayLogs(fs, logs, start, ignore).status();
  EXPECT_NE(status.message().find("says that all up to"), Slice::npos) << status.ToString();
  // Salvage reads it, too.
  uint64_t applied = 0;
  const auto count = [&](SequenceNumber, Slice) -> Status {
    ++applied;
    return {};
  };
  const auto salvaged = SalvageLogs(fs, logs, start, SalvageExtent::kWhateverIsLeft, {count, nullptr});
  ASSERT_TRUE(salvaged.ok()) << salvaged.status().ToString();
  EXPECT_EQ(applied, 3u);
}

// A file of `bytes` bytes that held the first records of the database: synced one by one, so that each begins
// a block.
std::string EarlierLife(uint64_t bytes) {
  const LogIdentity earlier{kStaleDatabase, 1, 100};
  std::string out = Header(earlier, 1);
  for (uint64_t record = 1; out.size() < bytes; ++record) {
    out += Frame(earlier, record, record - 1, record, "operations" + std::string(500, 'v'));
    out.resize(NextLogBlock(out.size()), '\0');
  }
  out.resize(bytes);
  return out;
}

// Seen a byte too early, a frame of record 7 is the head of one of record 1792, as far as numbers go.
TEST(LogStaleBytes, OfEarlierRecordsAreNotTakenForLaterFrames) {
  constexpr uint64_t kBytes = uint64_t{16} << 20;
  constexpr uint64_t kRecord = 5000;
  const std::string stale = EarlierLife(kBytes);
  MemoryFileSystem fs;
  ASSERT_TRUE(fs.CreateDirectory("/db").ok());
  const std::vector<ReplayLog> logs = {{LogPath(1), {kStaleDatabase, 11, 101}},
                                       {LogPath(2), {kStaleDatabase, 12, 101}}};
  for (const ReplayLog& log : logs) WriteFile(fs, log.path, stale);
  auto segment = OpenSegment(fs, LogPath(1), logs[0].identity, kRecord);
  ASSERT_TRUE(segment->Append({{kRecord, ""}, {kRecord + 1, ""}}, kRecord - 1).ok());
  const auto ignore = [](SequenceNumber, Slice) -> Status { return {}; };
  const auto may_be_operations = [](Slice first, uint64_t) { return first.empty() || first[0] == 'o'; };
  auto summary = ReplayLogs(fs, logs, {kRecord, kRecord - 1, may_be_operations}, ignore);
  ASSERT_TRUE(summary.ok()) << summary.status().ToString();
  EXPECT_EQ(summary->records, 2u);
  EXPECT_FALSE(summary->torn);
  // Where nothing is known of the operations, the header of the earlier life says that there can be no more
  // records than the files before it have room for.
  segment = OpenSegment(fs, LogPath(1), logs[0].identity, kRecord);
  ASSERT_TRUE(segment->Append({{kRecord, std::string(kBytes - 300, 'v')}}, kRecord - 1).ok());
  summary = ReplayLogs(fs, logs, {kRecord, kRecord - 1}, ignore);
  ASSERT_TRUE(summary.ok()) << summary.status().ToString();
  EXPECT_EQ(summary->records, 1u);
}

// A log cut short held nobody knows how many records; the next one, whose first block was not written, has a
// frame that says they were durable.
TEST(LogStaleBytes, BehindALogThatWasCutShortHideNoFrame) {
  constexpr uint64_t kBytes = uint64_t{1} << 20;
  MemoryFileSystem fs;
  ASSERT_TRUE(fs.CreateDirectory("/db").ok());
  const std::vector<ReplayLog> logs = {{LogPath(1), {kStaleDatabase, 11, 101}},
                                       {LogPath(2), {kStaleDatabase, 12, 101}}};
  WriteFile(fs, LogPath(1), Header(logs[0].identity, kFirstStaleRecord));
  constexpr uint64_t kFound = kFirstStaleRecord + 60'000;
  const std::string frame = Frame(logs[1].identity, kFound, kFound - 5, kFound, "x");
  std::string bytes = EarlierLife(kBytes);
  bytes.replace(4096, frame.size(), frame);
  WriteFile(fs, LogPath(2), bytes);
  const auto ignore = [](SequenceNumber, Slice) -> Status { return {}; };
  const Status status = ReplayLogs(fs, logs, {kFirstStaleRecord, kFirstStaleRecord - 1}, ignore).status();
  EXPECT_EQ(status.detail(), StatusDetail::kWalCorruption);
  EXPECT_NE(status.message().find("says that all up to"), Slice::npos) << status.ToString();
}

}  // namespace
}  // namespace seerdb
