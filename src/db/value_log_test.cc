#include "db/value_log.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <limits>
#include <new>
#include <thread>

#include "env/fault_file_system.h"
#include "env/memory_file_system.h"

#if defined(__SANITIZE_THREAD__)
#define SEERDB_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SEERDB_THREAD_SANITIZER 1
#endif
#endif

namespace {

// So many more calls of operator new on this thread succeed, and then one fails.
constexpr uint64_t kAllSucceed = std::numeric_limits<uint64_t>::max();
thread_local uint64_t allocations_left = kAllSucceed;

}  // namespace

#if defined(SEERDB_THREAD_SANITIZER)
constexpr bool kAllocationsFail = false;  // its own operators cannot be replaced
#else
constexpr bool kAllocationsFail = true;
// Not inlined: the compiler would miss that they belong together.
[[gnu::noinline]] void* operator new(size_t bytes) {
  if (allocations_left != kAllSucceed && allocations_left-- == 0) {
    allocations_left = kAllSucceed;
    throw std::bad_alloc();
  }
  if (void* const memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
  throw std::bad_alloc();
}
// All forms that one delete takes back, for sanitizers have their own.
[[gnu::noinline]] void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
  return std::malloc(bytes == 0 ? 1 : bytes);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }
#endif

namespace seerdb {
namespace {

const DatabaseId kDatabase{1, 2};
constexpr uint64_t kValueSegmentBytes = 64 << 10;

class ValueLogSegmentsTest : public ::testing::Test {
 protected:
  ValueLogSegmentsTest() {
    EXPECT_TRUE(memory_->CreateDirectory("/db").ok());
    ManifestState initial;
    initial.database_id = kDatabase;
    initial.num_levels = 2;
    initial.next_file_number = 2;
    auto versions = VersionSet::Create(*memory_, "/db", initial, nullptr);
    EXPECT_TRUE(versions.ok());
    versions_ = *std::move(versions);
    files_ = FilesOf(memory_);
    Start(1);
  }
  void Start(size_t max_active) {
    ValueLogOptions options{"/db",     kDatabase, 7, kValueSegmentBytes, [this] { return limit_.load(); },
                            max_active};
    log_ = std::make_unique<ValueLog>(fs_, std::move(options), versions_.get(), files_.get(), statistics_);
  }
  static std::unique_ptr<ValueFiles> FilesOf(const std::shared_ptr<MemoryFileSystem>& fs) {
    ValueOpenOptions options;
    options.database = kDatabase;
    auto remover = std::make_shared<FileRemover>(fs, nullptr, FileRemover::Pace::kAtOnce);
    return std::make_unique<ValueFiles>(fs, fs, "/db", options, remover);
  }
  // One write of one value.
  Status Write(size_t bytes, ValuePointer* pointer) {
    ValueLog::Writing writing(log_.get());
    if (Status status = writing.Add("p", "key", std::string(bytes, 'v'), pointer); !status.ok())
      return status;
    return writing.Flush();
  }
  // Its segment; 0 if it failed.
  uint64_t Write(size_t bytes) {
    ValuePointer pointer;
    return Write(bytes, &pointer).ok() ? pointer.segment : 0;
  }
  // The segment of a write of one value.
  ValueFilePtr WriteInto(size_t bytes) {
    ValuePointer pointer;
    ValueLog::Writing writing(log_.get());
    EXPECT_TRUE(writing.Add("p", "key", std::string(bytes, 'v'), &pointer).ok() && writing.Flush().ok());
    return writing.files().front();
  }
  // Sealed, and without writers.
  bool Idle(uint64_t segment) const { return files_->Idle().contains(segment); }
  // What a power cut now leaves of the value.
  std::string AfterPowerCut(const ValuePointer& pointer) {
    CrashOptions drop_all;
    drop_all.kind = CrashOptions::kDropUnsynced;
    const auto files = FilesOf(memory_->CrashClone(drop_all));
    const auto listed = std::make_shared<const ValueBytesList>(ValueBytesList{{pointer.segment, 1}});
    const ValueFileSet set = files->Of(Version(std::vector<Level>(2), nullptr, listed));
    FetchedValue value;
    const Status status = set.Find(pointer.segment)->Fetch(pointer, &value);
    return status.ok() ? std::string(value.bytes) : "none";
  }

  const std::shared_ptr<MemoryFileSystem> memory_ = std::make_shared<MemoryFileSystem>();
  const std::shared_ptr<FaultFileSystem> fs_ = std::make_shared<FaultFileSystem>(memory_);
  const std::shared_ptr<Statistics> statistics_ = std::make_shared<Statistics>(true);
  std::unique_ptr<VersionSet> versions_;
  std::unique_ptr<ValueFiles> files_;
  std::atomic<uint64_t> limit_{UINT64_MAX};
  std::unique_ptr<ValueLog> log_;
};

TEST_F(ValueLogSegmentsTest, ASegmentGivenBackIsLentAgain) {
  Start(2);
  ValueLog::Writing first(log_.get());
  ValuePointer held;
  ASSERT_TRUE(first.Add("p", "key", "value", &held).ok());
  const uint64_t other = Write(100);
  EXPECT_NE(other, held.segment) << "one appender at a time";
  EXPECT_EQ(Write(100), other);
  ASSERT_TRUE(first.Flush().ok());
  // While its write waits for its group.
  EXPECT_EQ(Write(100), held.segment) << "given back last";
  EXPECT_EQ(files_->count(), 2u);
  EXPECT_EQ(statistics_->Get(Counter::value_bytes_written), files_->bytes());
}

TEST_F(ValueLogSegmentsTest, AFullSegmentIsSealedAndNotLentAgain) {
  const uint64_t first = Write(kValueSegmentBytes / 2);
  EXPECT_EQ(Write(kValueSegmentBytes / 2), first);
  EXPECT_TRUE(Idle(first)) << "with its records it has as much as it may";
  const uint64_t second = Write(100);
  EXPECT_NE(second, first);
  EXPECT_FALSE(Idle(second));
  limit_ = 300;
  EXPECT_EQ(Write(100), second);
  EXPECT_TRUE(Idle(second)) << "the limit has come down";
  EXPECT_NE(Write(100), second);
}

TEST_F(ValueLogSegmentsTest, AWriteFillsAsManySegmentsAsItNeeds) {
  {
    ValueLog::Writing writing(log_.get());
    std::set<uint64_t> segments;
    for (int i = 0; i < 16; ++i) {
      ValuePointer pointer;
      ASSERT_TRUE(writing.Add("p", "key", std::string(kValueSegmentBytes / 4, 'v'), &pointer).ok());
      segments.insert(pointer.segment);
    }
    ASSERT_TRUE(writing.Flush().ok());
    EXPECT_EQ(segments.size(), 4u);
    EXPECT_EQ(writing.files().size(), 4u);
    EXPECT_TRUE(files_->Idle().empty()) << "no memtable knows its values yet";
  }
  EXPECT_EQ(files_->Idle().size(), 4u);
}

TEST_F(ValueLogSegmentsTest, AFailedSegmentIsNeverLentAgain) {
  const uint64_t first = Write(100);
  fs_->AddRule(FaultRule::Fail(FileOp::kAppend, ".vlog", FaultRule::DeviceError()));
  EXPECT_EQ(Write(100), 0u);
  EXPECT_TRUE(Idle(first));
  EXPECT_NE(Write(100), first);
}

// What lies in its buffer is no write's any more.
TEST_F(ValueLogSegmentsTest, ASegmentWithAnAbandonedValueIsNotLentAgain) {
  ValuePointer abandoned;
  {
    ValueLog::Writing writing(log_.get());
    ASSERT_TRUE(writing.Add("p", "key", "value", &abandoned).ok());
  }
  EXPECT_TRUE(Idle(abandoned.segment));
  EXPECT_NE(Write(100), abandoned.segment);
}

TEST_F(ValueLogSegmentsTest, WhatMayHaveBeenLoggedKeepsItsSegment) {
  ValuePointer pointer;
  {
    ValueLog::Writing writing(log_.get());
    ASSERT_TRUE(writing.Add("p", "key", std::string(kValueSegmentBytes, 'v'), &pointer).ok());
    writing.KeepUntilReopen();
  }
  EXPECT_FALSE(Idle(pointer.segment)) << "it has a writer for ever";
}

TEST_F(ValueLogSegmentsTest, AWriterWaitsUntilASegmentIsGivenBack) {
  std::atomic<bool> written{false};
  uint64_t waited_for = 0;
  std::thread waiting;
  ValuePointer held;
  {
    ValueLog::Writing holding(log_.get());
    ASSERT_TRUE(holding.Add("p", "key", "value", &held).ok());
    waiting = std::thread([&] {
      waited_for = Write(100);
      written = true;
    });
    for (int i = 0; i < 100; ++i) std::this_thread::yield();
    EXPECT_FALSE(written);
    EXPECT_TRUE(holding.Flush().ok());
  }
  waiting.join();
  EXPECT_EQ(waited_for, held.segment);
}

// One place, so that a lost one would let the next write wait for ever.
TEST_F(ValueLogSegmentsTest, ASegmentThatCannotBeCreatedTakesNobodysPlace) {
  fs_->AddRule(FaultRule::Fail(FileOp::kOpenWrite, ".vlog", FaultRule::NoSpaceError()));
  EXPECT_EQ(Write(100), 0u);
  fs_->AddRule(FaultRule::Fail(FileOp::kSyncDir, "/db", FaultRule::DeviceError()));
  EXPECT_EQ(Write(100), 0u);
  const uint64_t rule = fs_->AddRule(FaultRule::Observe(
      FileOp::kOpenWrite, ".vlog", [](FileOp, const std::string&) { throw std::bad_alloc(); }));
  ValuePointer pointer;
  EXPECT_THROW((void)Write(100, &pointer).ok(), std::bad_alloc);
  fs_->RemoveRule(rule);
  EXPECT_NE(Write(100), 0u);
}

TEST_F(ValueLogSegmentsTest, ASegmentWhoseNameIsNotDurableGoesAgain) {
  fs_->AddRule(FaultRule::Fail(FileOp::kSyncDir, "/db", FaultRule::NoDescriptorError()));
  EXPECT_EQ(Write(100), 0u);
  const auto names = memory_->ListDirectory("/db");
  for (const std::string& name : *names) {
    EXPECT_FALSE(name.ends_with(".vlog")) << name;
  }
}

// Wherever memory runs short: a segment that the log had lost would stay, unsynced, until the next open.
TEST_F(ValueLogSegmentsTest, WhereMemoryIsShortNoSegmentIsCreatedThatIsInNoList) {
  if (!kAllocationsFail) GTEST_SKIP() << "allocations cannot be made to fail here";
  constexpr uint64_t kMost = 1000;
  uint64_t failures = 0;
  for (uint64_t succeed = 0; succeed < kMost && failures == succeed; ++succeed) {
    Start(1);  // its lists are empty, so that they grow
    const std::string value(kValueSegmentBytes, 'v');
    try {
      ValuePointer pointer;
      ValueLog::Writing writing(log_.get());
      allocations_left = succeed;
      EXPECT_TRUE(writing.Add("p", "key", value, &pointer).ok() && writing.Flush().ok());
    } catch (const std::bad_alloc&) {
      ++failures;
    }
    allocations_left = kAllSucceed;
    EXPECT_NE(Write(kValueSegmentBytes), 0u);
    EXPECT_EQ(files_->Idle().size(), files_->count()) << succeed << " allocations succeed";
  }
  EXPECT_GT(failures, 5u);
  EXPECT_LT(failures, kMost);
  EXPECT_TRUE(log_->Sync().ok());
}

TEST_F(ValueLogSegmentsTest, ASyncCoversWhatWasFlushed) {
  ValuePointer first;
  ValuePointer second;
  ASSERT_TRUE(Write(100, &first).ok());
  EXPECT_EQ(AfterPowerCut(first), "none");
  ASSERT_TRUE(log_->Sync().ok());
  EXPECT_EQ(AfterPowerCut(first), std::string(100, 'v'));
  ASSERT_TRUE(Write(100, &second).ok());
  EXPECT_EQ(second.segment, first.segment);
  EXPECT_EQ(AfterPowerCut(second), "none");
  ASSERT_TRUE(log_->Sync().ok());
  EXPECT_EQ(AfterPowerCut(second), std::string(100, 'v'));
  const uint64_t syncs = fs_->calls(FileOp::kSync);
  ASSERT_TRUE(log_->Sync().ok());
  EXPECT_EQ(fs_->calls(FileOp::kSync), syncs) << "nothing is new";
}

TEST_F(ValueLogSegmentsTest, ASyncLetsGoOfASealedSegmentAndOfNoOther) {
  const ValueFilePtr full = WriteInto(kValueSegmentBytes);
  const ValueFilePtr open = WriteInto(100);
  ASSERT_TRUE(full->sealed());
  EXPECT_EQ(full.use_count(), 3) << "this test, ValueFiles, the log";
  ASSERT_TRUE(log_->Sync().ok());
  EXPECT_EQ(full.use_count(), 2);
  EXPECT_EQ(WriteInto(100), open);
}

TEST_F(ValueLogSegmentsTest, AFailedSyncIsNotForgotten) {
  const ValueFilePtr full = WriteInto(kValueSegmentBytes);
  fs_->AddRule(FaultRule::Fail(FileOp::kSync, full->path(), FaultRule::DeviceError()));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(log_->Sync().detail(), StatusDetail::kSyncFailed) << "it may never be durable";
  }
  EXPECT_EQ(full.use_count(), 3) << "this test, ValueFiles, the log";
}

}  // namespace
}  // namespace seerdb
