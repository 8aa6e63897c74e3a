// tests/golden/v1/log.log is read for ever, and what is written today is the same bytes.
// SEERDB_REWRITE=1 writes it anew.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "env/memory_file_system.h"
#include "wal/log_replay.h"
#include "wal/log_segment.h"
#include "wal/log_test_util.h"

namespace seerdb {
namespace {

const LogIdentity kGoldenIdentity{{0x0123456789abcdef, 0xfedcba9876543210}, 12, 0x5eed5eed5eed5eed};

TEST(LogGolden, BytesAreThoseOfVersion1) {
  MemoryFileSystem memory;
  ASSERT_TRUE(memory.CreateDirectory("/db").ok());
  ASSERT_TRUE(PrepareLogFile(memory, {"/db", "/db/000012.log", LogMode::kBuffered, 0, {}}).ok());
  const auto segment = OpenSegment(memory, "/db/000012.log", kGoldenIdentity, 7);
  ASSERT_NE(segment, nullptr);
  // put "\0k1" = "value one"; delete "\0k1".
  const std::string put("\x01\x03\0k1\x09value one", 14 + 1);
  const std::string erase("\x00\x03\0k1", 5);
  ASSERT_TRUE(segment->Append({{100, put}}, 6).ok());
  ASSERT_TRUE(segment->Append({{101, erase}, {102, put + erase}}, 7).ok());
  const std::string written = *ReadFileToString(memory, "/db/000012.log");

  const auto fs = PosixFileSystem();
  const std::string path = std::string(SEERDB_SOURCE_DIR) + "/tests/golden/v1/log.log";
  if (std::getenv("SEERDB_REWRITE") != nullptr) {
    const auto file = fs->NewWritableFile(path, CreateMode::kTruncate);
    ASSERT_TRUE(file.ok() && (*file)->Append(written).ok());
  }
  const auto golden = ReadFileToString(*fs, path);
  ASSERT_TRUE(golden.ok()) << golden.status().ToString();
  EXPECT_TRUE(*golden == written) << "the bytes of the log have changed";

  std::string replayed;
  const auto summary =
      ReplayLogs(*fs, {{path, kGoldenIdentity}}, {7}, [&](SequenceNumber base, Slice operations) -> Status {
        replayed += std::to_string(base) + ":" + std::to_string(operations.size()) + " ";
        return {};
      });
  ASSERT_TRUE(summary.ok()) << summary.status().ToString();
  EXPECT_EQ(replayed, "100:15 101:5 102:20 ");
  EXPECT_EQ(summary->next_record, 10u);
  EXPECT_FALSE(summary->torn);
}

}  // namespace
}  // namespace seerdb
