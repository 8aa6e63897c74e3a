// Crashes at every change of the file system, of histories that write large values: counted apart from those
// of gating/crash_test.cc, because here every change is one of a database with value segments.
#include <cinttypes>
#include <cstdio>

#include "tests/gating/crash_explorer.h"

namespace seerdb::testing {
namespace {

#ifdef SEERDB_MUTANTS
constexpr bool kSampled = true;
#else
constexpr bool kSampled = kSanitized;
#endif

constexpr SyncPolicy kPolicies[] = {SyncPolicy::kNone, SyncPolicy::kBarrier, SyncPolicy::kSyncData,
                                    SyncPolicy::kSyncAll};
constexpr LogMode kLogModes[] = {LogMode::kBuffered, LogMode::kMapped, LogMode::kDirect};

// Told apart by `i`.
std::string Value(int i, size_t bytes) {
  std::string value = "value " + std::to_string(i) + ":";
  while (value.size() < bytes)
    value += static_cast<char>('a' + (value.size() * 7 + static_cast<size_t>(i)) % 26);
  value.resize(bytes);
  return value;
}
std::string Key(int i) { return "key" + std::to_string(i % 7); }

// Every sync policy with every log mode, in turn with the work of the background done by the writer and
// cooperatively, and with two shapes of the tree.
void ExploreInAllModes(const Trace& trace, uint64_t inner_stride) {
  uint64_t crash_points = 0;
  uint64_t combination = 0;
  for (const SyncPolicy policy : kPolicies) {
    for (const LogMode mode : kLogModes) {
      ++combination;
      if (kSampled && combination % (kSanitized ? 7 : 2) != 0) continue;
      // The sync of a barrier is a task for a time, which a thread would run when it likes.
      const bool cooperative = policy == SyncPolicy::kBarrier || combination % 2 == 0;
      SCOPED_TRACE("policy " + std::to_string(static_cast<int>(policy)) + ", log " + LogModeName(mode) +
                   (cooperative ? ", cooperative" : ", foreground"));
      Options options = TinyOptions();
      options.separation_bytes = 64;
      options.value_segment_bytes = uint64_t{64} << 10;
      options.wal_sync_policy = policy;
      options.log_mode = mode;
      if (combination % 3 == 0) options.space_amplification_target = 1.5;
      options.table_access = combination % 4 == 1 ? TableAccess::kPread : TableAccess::kAuto;
      CrashExplorer explorer(trace, options, cooperative);
      explorer.Explore(LongRun() ? 1 : (kSanitized ? 13 : 1) * inner_stride);
      if (!::testing::Test::HasFailure()) explorer.ExploreTornAppends(LongRun() ? 1 : kSampled ? 80 : 40);
      crash_points += explorer.crash_points();
      if (::testing::Test::HasFailure()) return;
    }
  }
  std::printf("[ CRASHES  ] %s: crash points explored: %" PRIu64 "\n", trace.name.c_str(), crash_points);
}

// Large values in the log alone, beside small ones: recovery replays pointers, and a second crash follows.
TEST(ValueCrash, LogsThatPointToValues) {
  Trace trace{"values in logs", {}};
  for (int i = 0; i < 14; ++i) {
    const WriteOptions options = i % 5 == 4   ? WriteOptions::Sync()
                                 : i % 3 == 0 ? WriteOptions::NoSync()
                                              : WriteOptions();
    trace.Put(Key(i), Value(i, i % 4 == 1 ? 20 : 90 + static_cast<size_t>(i) * 31), options);
  }
  trace.Delete(Key(3)).Reopen();
  for (int i = 14; i < 22; ++i) trace.Put(Key(i), Value(i, i % 3 == 1 ? 30 : 400));
  trace.Flush().Put("after", Value(90, 200)).Delete("key1").Reopen().Put("after", Value(91, 70));
  ExploreInAllModes(trace, 120);
}

// Overwritten values, flushed and compacted until segments are emptied and removed.
TEST(ValueCrash, SegmentsThatAreEmptied) {
  Trace trace{"emptied segments", {}};
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 5; ++i) {
      trace.Put(Key(i + round), Value(10 * round + i, 700));
      if (i == 3) trace.Delete(Key(i + 1));
    }
    if (round == 1) trace.Snapshot();
    if (round % 2 == 0) trace.Flush();
    if (round == 1) trace.Reopen();
    if (round == 2) trace.Compact().ReleaseSnapshots();
  }
  trace.Compact().Put("x", Value(70, 300)).Compact().Put("x", Value(71, 300)).Reopen().Compact();
  ExploreInAllModes(trace, 200);
}

// Values of several chunks, that end segments within a batch and are written past the writer's buffer.
TEST(ValueCrash, BatchesOfLongValuesAreWholeOrAbsent) {
  Trace trace{"long values", {}};
  for (int i = 0; i < 4; ++i) {
    std::vector<Operation> operations;
    operations.emplace_back("long" + std::to_string(i % 2), Value(i, 70'000));
    operations.emplace_back("medium", Value(100 + i, 34'000));
    operations.emplace_back("small", Value(200 + i, 10));
    operations.emplace_back("large" + std::to_string(i), Value(300 + i, 5000));
    trace.Batch(std::move(operations));
    if (i == 1) trace.Flush();
    if (i == 2) trace.Reopen();
  }
  trace.Compact();
  ExploreInAllModes(trace, 200);
}

// Loads and merges of tables write segments of their own.
TEST(ValueCrash, LoadedValues) {
  Trace trace{"loaded values", {}};
  const auto entries = [](int from, int to, int round) {
    std::vector<Operation> operations;
    for (int i = from; i < to; ++i) {
      operations.emplace_back("key" + std::to_string(i), Value(round * 100 + i, i % 3 == 0 ? 30 : 300));
    }
    return operations;
  };
  trace.Put("key3", Value(900, 500)).BulkLoad(entries(0, 8, 1), BulkLoadOptions().AlreadySorted());
  trace.Put("key4", Value(901, 500)).Delete("key5").BulkLoad(entries(2, 6, 2)).Reopen();
  trace.Put("key2", Value(902, 800)).Flush().Compact().Delete("key7");
  ExploreInAllModes(trace, 200);
}

TEST(ValueCrash, EnoughWasExplored) {
  if (::testing::GTEST_FLAG(filter) != "*" && ::testing::GTEST_FLAG(filter) != "ValueCrash.*") {
    GTEST_SKIP() << "not all traces have run";
  }
  const CrashCensus& census = GlobalCrashCensus();
  std::printf("%scrash points explored of value segments: %" PRIu64 "\n", census.Table().c_str(),
              census.total());
  if (kSampled) return;
  EXPECT_GE(census.total(), 20'000u);
  for (const SyncPolicy policy : kPolicies) {
    for (const LogMode mode : kLogModes) {
      EXPECT_GE(census.count(policy, mode, Boundary::kValues), 300u)
          << "policy " << static_cast<int>(policy) << ", log " << LogModeName(mode);
    }
  }
}

}  // namespace
}  // namespace seerdb::testing
