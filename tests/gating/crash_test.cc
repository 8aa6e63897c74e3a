// Crashes at every change of the file system: gating test 1, and its siblings for other histories.
#include <cinttypes>
#include <cstdio>

#include "tests/gating/crash_explorer.h"

namespace seerdb::testing {
namespace {

constexpr SyncPolicy kPolicies[] = {SyncPolicy::kNone, SyncPolicy::kBarrier, SyncPolicy::kSyncData,
                                    SyncPolicy::kSyncAll};
constexpr LogMode kLogModes[] = {LogMode::kBuffered, LogMode::kMapped, LogMode::kDirect};
constexpr CompressionType kCompressions[] = {CompressionType::kNone, CompressionType::kLz4,
                                             CompressionType::kZstd};

#ifdef SEERDB_MUTANTS
constexpr bool kSampled = true;
#else
constexpr bool kSampled = kSanitized;
#endif

// Shapes of trees that have several runs in their levels, or one, or change.
void ShapeTree(uint64_t combination, Options* options) {
  constexpr CompactionPolicy kShapes[] = {CompactionPolicy::kLeveled, CompactionPolicy::kTiered,
                                          CompactionPolicy::kLazyLeveling};
  options->adaptive_compaction = combination % 4 == 3;
  options->compaction_policy = kShapes[combination % 4 % std::size(kShapes)];
  if (options->compaction_policy != CompactionPolicy::kLeveled) options->size_ratio = 3;
  if (combination % 3 == 0) options->space_amplification_target = 1.5;
}

// Every sync policy with every log mode, the work of the background done by the writer or cooperatively, and
// the compressions and shapes in turn.
void ExploreInAllModes(const Trace& trace, uint64_t inner_stride, std::optional<Boundary> focus = {}) {
  const uint64_t strides = (kSanitized ? 20 : kSampled ? 16 : 1) * inner_stride;
  uint64_t crash_points = 0;
  uint64_t combination = 0;
  for (const SyncPolicy policy : kPolicies) {
    for (const LogMode mode : kLogModes) {
      for (const bool cooperative : {false, true}) {
        // The sync of a barrier is a task for a time, which a thread would run when it likes.
        if (policy == SyncPolicy::kBarrier && !cooperative) continue;
        ++combination;
        if (kSampled && combination % (kSanitized ? 7 : 4) != 0) continue;
        SCOPED_TRACE("policy " + std::to_string(static_cast<int>(policy)) + ", log " + LogModeName(mode) +
                     (cooperative ? ", cooperative" : ", foreground"));
        Options options = TinyOptions();
        options.wal_sync_policy = policy;
        options.log_mode = mode;
        options.compression = kCompressions[combination % std::size(kCompressions)];
        ShapeTree(combination, &options);
        CrashExplorer explorer(trace, options, cooperative);
        if (focus) explorer.Focus(*focus);
        explorer.Explore(LongRun() ? 1 : strides);
        if (!focus && !::testing::Test::HasFailure())
          explorer.ExploreTornAppends(LongRun() ? 1 : kSampled ? 24 : 8);
        crash_points += explorer.crash_points();
        if (::testing::Test::HasFailure()) return;
      }
    }
  }
  std::printf("[ CRASHES  ] %s: crash points explored: %" PRIu64 "\n", trace.name.c_str(), crash_points);
}

std::string Value(int i, size_t bytes = 40) {
  return "value " + std::to_string(i) + std::string(bytes, static_cast<char>('a' + i % 26));
}

std::string Key(int i) { return "key" + std::to_string(i % 7); }

// Puts and deletes only: what is acknowledged lives in logs, recovery replays it, and a second crash follows
// before anything was flushed.
TEST(Gating, CrashOpenCrashOpenLosesNothing) {
  Trace trace{"logs", {}};
  for (int i = 0; i < 12; ++i) trace.Put(Key(i), Value(i));
  trace.Delete(Key(3)).Reopen();
  for (int i = 12; i < 20; ++i) trace.Put(Key(i), Value(i));
  trace.Flush().Put("after", "flush").Delete("key1").Reopen().Put("after", "reopen");
  ExploreInAllModes(trace, 6);
}

// Memtables that fill, flushes and compactions between the writes.
TEST(Crash, FlushAndCompactionLoseNothing) {
  Trace trace{"flush and compaction", {}};
  for (int i = 0; i < 30; ++i) {
    trace.Put(Key(i), Value(i, 300));
    if (i % 5 == 4) trace.Delete(Key(i + 2));
    if (i % 11 == 10) trace.Flush();
  }
  trace.Compact();
  for (int i = 30; i < 40; ++i) trace.Put(Key(i), Value(i, 700));
  trace.Reopen().Put("x", "1").Compact().Put("x", "2");
  ExploreInAllModes(trace, 16);
}

// Batches as large as a log segment: each is in one log and one memtable, whole or not at all.
TEST(Crash, BatchesAreWholeOrAbsent) {
  Trace trace{"batches", {}};
  for (int i = 0; i < 14; ++i) {
    std::vector<Operation> operations;
    for (int j = 0; j < 4; ++j) operations.emplace_back("k" + std::to_string(j), Value(i, 350));
    operations.emplace_back("gone" + std::to_string(i % 3),
                            i % 2 ? std::optional<std::string>("x") : std::nullopt);
    trace.Batch(std::move(operations));
  }
  ExploreInAllModes(trace, 20);
}

TEST(Crash, TransactionsAreWholeOrAbsent) {
  Trace trace{"transactions", {}};
  for (int i = 0; i < 12; ++i) {
    std::vector<Operation> operations;
    for (int j = 0; j < 4; ++j) operations.emplace_back("k" + std::to_string(j), Value(i, 350));
    operations.emplace_back("gone" + std::to_string(i % 3),
                            i % 2 ? std::optional<std::string>("x") : std::nullopt);
    trace.Transaction(std::move(operations), i % 3 == 0 ? WriteOptions::Sync() : WriteOptions());
    if (i % 4 == 3) trace.Put("k" + std::to_string(i % 4), "plain");
  }
  trace.Reopen().Transaction({{"k0", "last"}, {"k1", std::nullopt}});
  ExploreInAllModes(trace, 40);
}

// Unsynced writes between synced ones: a power cut keeps a prefix that reaches at least the last synced one.
TEST(Crash, PowerCutKeepsAPrefix) {
  Trace trace{"mixed syncs", {}};
  for (int i = 0; i < 24; ++i) {
    const WriteOptions options = i % 5 == 4   ? WriteOptions::Sync()
                                 : i % 2 == 0 ? WriteOptions::NoSync()
                                              : WriteOptions();
    trace.Put("p" + std::to_string(i), Value(i, 250), options);
  }
  ExploreInAllModes(trace, 20);
}

// Deletes and overwrites above and below live snapshots, compacted while they live and after.
TEST(Crash, SnapshotsAndTombstones) {
  Trace trace{"snapshots", {}};
  for (int i = 0; i < 8; ++i) trace.Put(Key(i), Value(i, 200));
  trace.Compact().Snapshot();
  for (int i = 0; i < 4; ++i) trace.Delete(Key(i));
  trace.Flush().Snapshot().Put(Key(0), "again").Compact().ReleaseSnapshots().Compact().Delete(Key(5)).Flush();
  ExploreInAllModes(trace, 20);
}

// Loads, sorted and not, over older entries of every level, beside a snapshot, and above a memtable: each is
// there whole or not at all.
TEST(Crash, BulkLoadsAreWholeOrAbsent) {
  const auto entries = [](int from, int to, int step, int round) {
    std::vector<Operation> operations;
    for (int i = from; i != to; i += step)
      operations.emplace_back("key" + std::to_string(i), Value(round, 90));
    return operations;
  };
  Trace trace{"bulk loads", {}};
  const auto few = BulkLoadOptions().WithMaxEntries(3);
  trace.BulkLoad(entries(10, 20, 1, 1), few.AlreadySorted()).Put("key11", "put").Delete("key12");
  trace.Snapshot().BulkLoad(entries(19, 10, -1, 2), few).Put("key13", "put");
  std::vector<Operation> again = entries(10, 20, 2, 3);
  again.insert(again.begin(), again.back());
  trace.BulkLoad({}).BulkLoad(again).Reopen().Put("key14", "put").Flush().Compact().ReleaseSnapshots();
  trace.BulkLoad(entries(15, 25, 1, 4), few.AlreadySorted().WithTargetLevel(1)).Compact().Delete("key16");
  ExploreInAllModes(trace, 24);
}

// Each record fills a segment, and each segment is a released one renamed.
TEST(Crash, RecycledLogsLoseNothing) {
  Trace trace{"recycled logs", {}};
  for (int i = 0; i < 460; ++i) trace.Put(Key(i), Value(i, 2200));
  ExploreInAllModes(trace, 100, Boundary::kRecycle);
}

// After the traces above: each kind of boundary was crashed at often enough under each policy and log mode.
TEST(Crash, EveryBoundaryOfEveryPolicyAndModeWasExplored) {
  const CrashCensus& census = GlobalCrashCensus();
  if (kSampled || ::testing::GTEST_FLAG(filter) != "*") GTEST_SKIP() << "not all traces have run";
  for (const SyncPolicy policy : kPolicies) {
    for (const LogMode mode : kLogModes) {
      for (size_t i = 0; i < static_cast<size_t>(Boundary::kOther); ++i) {
        const auto boundary = static_cast<Boundary>(i);
        // A mapped log is never recycled.
        if (boundary == Boundary::kRecycle && mode == LogMode::kMapped) continue;
        EXPECT_GE(census.count(policy, mode, boundary), 1000u)
            << "policy " << static_cast<int>(policy) << ", log " << LogModeName(mode) << ", boundary " << i;
      }
    }
  }
  std::printf("%scrash points explored: %" PRIu64 "\n", census.Table().c_str(), census.total());
}

}  // namespace
}  // namespace seerdb::testing
