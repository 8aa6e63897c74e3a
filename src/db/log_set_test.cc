#include "db/log_set.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "env/fault_file_system.h"
#include "env/memory_file_system.h"

namespace seerdb {
namespace {

constexpr uint64_t kSegmentBytes = 64 << 10;

class LogSetTest : public ::testing::Test {
 protected:
  LogSetTest() { EXPECT_TRUE(fs_->CreateDirectory("/db").ok()); }

  void Start(LogMode mode, bool prepares_ahead = true) {
    ManifestState initial;
    initial.database_id = {1, 2};
    initial.num_levels = 4;
    initial.next_file_number = 2;
    auto versions = VersionSet::Create(*fs_, "/db", initial, nullptr);
    ASSERT_TRUE(versions.ok()) << versions.status().ToString();
    versions_ = *std::move(versions);
    log_ = std::make_unique<LogSet>(
        fs_, LogSetOptions{"/db", initial.database_id, 7, kSegmentBytes, mode, prepares_ahead, nullptr},
        versions_.get(), statistics_);
    const uint64_t number = *versions_->NewFileNumber();
    auto file = PrepareLogFile(*fs_, {"/db", "/db/first.log", LogSet::FirstMode(mode), kSegmentBytes, ""});
    ASSERT_TRUE(file.ok()) << file.status().ToString();
    log_->Start(*std::move(file), number, 1);
  }
  void Append(size_t bytes, LogSync sync = LogSync::kNone) {
    const std::string operations(bytes, 'o');
    EXPECT_TRUE(log_->Append({{next_sequence_++, operations}}, sync, false).ok());
  }
  // Of the groups that decide about the mode.
  void AppendMany(LogSync sync) {
    for (int i = 0; i < LogModeChooser::kAgreement; ++i) Append(10, sync);
  }

  // Whether the spare that is made now has pages that writes have filled.
  bool SpareIsFilled() {
    EXPECT_TRUE(log_->TakeSpareRequest());
    const uint64_t before = fs_->calls(FileOp::kAppend);
    EXPECT_TRUE(log_->PrepareSpare().ok());
    // One edit, which lists it.
    return fs_->calls(FileOp::kAppend) - before > 1;
  }

  std::shared_ptr<FaultFileSystem> fs_ =
      std::make_shared<FaultFileSystem>(std::make_shared<MemoryFileSystem>());
  std::shared_ptr<Statistics> statistics_ = std::make_shared<Statistics>(true);
  std::unique_ptr<VersionSet> versions_;
  std::unique_ptr<LogSet> log_;
  SequenceNumber next_sequence_ = 1;
};

TEST_F(LogSetTest, TheFirstSegmentAsksForASpareWhenHalfFullAndLaterOnesAtOnce) {
  Start(LogMode::kBuffered);
  Append(100);
  EXPECT_FALSE(log_->TakeSpareRequest()) << "little may ever be written";
  Append(kSegmentBytes / 2);
  EXPECT_TRUE(log_->TakeSpareRequest());
  EXPECT_FALSE(log_->TakeSpareRequest()) << "once for each segment";
  ASSERT_TRUE(log_->StartSegment().ok());
  EXPECT_TRUE(log_->TakeSpareRequest());
  EXPECT_FALSE(log_->TakeSpareRequest());
}

TEST_F(LogSetTest, AWriterThatFindsNoSpareGetsASegmentThatTakesNoTimeToPrepare) {
  Start(LogMode::kAuto);
  AppendMany(LogSync::kNone);
  ASSERT_TRUE(log_->StartSegment().ok());
  EXPECT_EQ(log_->active_mode(), LogMode::kBuffered);
  EXPECT_TRUE(log_->TakeSpareRequest());
  ASSERT_TRUE(log_->PrepareSpare().ok());
  Append(100);
  EXPECT_EQ(log_->active_mode(), LogMode::kMapped) << "the better one is taken when it is there";
}

TEST_F(LogSetTest, WhereNobodyPreparesAheadTheWriterTakesTheTime) {
  Start(LogMode::kAuto, /*prepares_ahead=*/false);
  AppendMany(LogSync::kNone);
  ASSERT_TRUE(log_->StartSegment().ok());
  EXPECT_EQ(log_->active_mode(), LogMode::kMapped);
  AppendMany(LogSync::kData);
  AppendMany(LogSync::kData);
  ASSERT_TRUE(log_->StartSegment().ok());
  EXPECT_EQ(log_->active_mode(), LogMode::kDirect);
}

TEST_F(LogSetTest, ANamedModeIsThatOfEverySegment) {
  for (const LogMode mode : {LogMode::kBuffered, LogMode::kMapped, LogMode::kDirect}) {
    SCOPED_TRACE(LogModeName(mode));
    fs_ = std::make_shared<FaultFileSystem>(std::make_shared<MemoryFileSystem>());
    ASSERT_TRUE(fs_->CreateDirectory("/db").ok());
    Start(mode);
    Append(100);
    ASSERT_TRUE(log_->StartSegment().ok());
    EXPECT_EQ(log_->active_mode(), mode);
  }
}

// A sync writes as much as a page for a byte: large pages are for logs that nobody syncs.
TEST_F(LogSetTest, ALogThatIsSyncedHasNoLargePages) {
  for (const bool by_group : {true, false}) {
    fs_ = std::make_shared<FaultFileSystem>(std::make_shared<MemoryFileSystem>());
    ASSERT_TRUE(fs_->CreateDirectory("/db").ok());
    Start(LogMode::kMapped);
    Append(kSegmentBytes / 2);
    EXPECT_TRUE(SpareIsFilled());
    ASSERT_TRUE(log_->StartSegment().ok());
    Append(100);
    EXPECT_TRUE(SpareIsFilled());
    // Neither the present segment nor the spare may take what is synced; later ones may.
    const uint64_t number = log_->mark().log_number;
    if (by_group) {
      Append(100, LogSync::kData);
    } else {
      EXPECT_TRUE(log_->Sync(/*all=*/false).ok());
      EXPECT_EQ(log_->mark().log_number, number) << "the next group leaves it";
      Append(100);
    }
    EXPECT_GT(log_->mark().log_number, number + 1);
    EXPECT_EQ(log_->active_mode(), LogMode::kBuffered);
    EXPECT_FALSE(SpareIsFilled());
    ASSERT_TRUE(log_->StartSegment().ok());
    EXPECT_EQ(log_->active_mode(), LogMode::kMapped);
    const uint64_t later = log_->mark().log_number;
    Append(100, LogSync::kData);
    EXPECT_EQ(log_->mark().log_number, later);
    EXPECT_FALSE(SpareIsFilled());
  }
}

TEST_F(LogSetTest, TheFirstMappedSegmentHasLargePagesAlready) {
  Start(LogMode::kAuto);
  AppendMany(LogSync::kNone);
  EXPECT_TRUE(SpareIsFilled());
  Append(100);
  EXPECT_EQ(log_->active_mode(), LogMode::kMapped);
  EXPECT_TRUE(SpareIsFilled());
}

TEST_F(LogSetTest, WhereLogsCannotBeMappedNoMoreThanOneIsFilled) {
  Start(LogMode::kAuto);
  AppendMany(LogSync::kNone);
  fs_->AddRule(FaultRule::Fail(FileOp::kOpenLog, "", Status::NotSupported("map")));
  EXPECT_TRUE(SpareIsFilled());
  AppendMany(LogSync::kNone);
  ASSERT_TRUE(log_->StartSegment().ok());
  EXPECT_EQ(log_->active_mode(), LogMode::kBuffered);
  AppendMany(LogSync::kNone);
  EXPECT_FALSE(SpareIsFilled());
}

TEST_F(LogSetTest, OtherModesHaveNoLargePages) {
  for (const LogMode mode : {LogMode::kBuffered, LogMode::kDirect}) {
    SCOPED_TRACE(LogModeName(mode));
    fs_ = std::make_shared<FaultFileSystem>(std::make_shared<MemoryFileSystem>());
    ASSERT_TRUE(fs_->CreateDirectory("/db").ok());
    Start(mode);
    Append(kSegmentBytes / 2);
    EXPECT_EQ(SpareIsFilled(), mode == LogMode::kDirect) << "a direct one is written once, durably";
  }
}

TEST_F(LogSetTest, SaysWhenTheActiveSegmentEnds) {
  Start(LogMode::kBuffered);
  Append(kSegmentBytes / 2);
  EXPECT_FALSE(log_->active_ends_within(kSegmentBytes / 4));
  EXPECT_TRUE(log_->active_ends_within(kSegmentBytes / 2));
}

}  // namespace
}  // namespace seerdb
