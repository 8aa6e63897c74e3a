// Crashes at every change of the file system: gating test 1, and its siblings for other histories.
#include <cinttypes>
#include <cstdio>

#include "tests/gating/crash_explorer.h"

namespace seerdb::testing {
namespace {

struct Mode {
  const char* name;
  SyncPolicy policy;
  bool cooperative;
};

constexpr Mode kModes[] = {
    {"none, foreground", SyncPolicy::kNone, false},
    {"synced, foreground", SyncPolicy::kSyncData, false},
    {"none, cooperative", SyncPolicy::kNone, true},
    {"synced, cooperative", SyncPolicy::kSyncData, true},
};

void ExploreInAllModes(const Trace& trace, uint64_t inner_stride) {
  uint64_t crash_points = 0;
  for (const Mode& mode : kModes) {
    SCOPED_TRACE(mode.name);
    Options options = TinyOptions();
    options.wal_sync_policy = mode.policy;
    CrashExplorer explorer(trace, options, mode.cooperative);
    explorer.Explore(kSanitized ? inner_stride * 16 : inner_stride);
    if (!::testing::Test::HasFailure()) explorer.ExploreTornAppends(kSanitized ? 24 : 6);
    crash_points += explorer.crash_points();
    if (::testing::Test::HasFailure()) break;
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
  ExploreInAllModes(trace, 3);
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
  ExploreInAllModes(trace, 6);
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
  ExploreInAllModes(trace, 8);
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
  ExploreInAllModes(trace, 8);
}

// Deletes and overwrites above and below live snapshots, compacted while they live and after.
TEST(Crash, SnapshotsAndTombstones) {
  Trace trace{"snapshots", {}};
  for (int i = 0; i < 8; ++i) trace.Put(Key(i), Value(i, 200));
  trace.Compact().Snapshot();
  for (int i = 0; i < 4; ++i) trace.Delete(Key(i));
  trace.Flush().Snapshot().Put(Key(0), "again").Compact().ReleaseSnapshots().Compact().Delete(Key(5)).Flush();
  ExploreInAllModes(trace, 8);
}

}  // namespace
}  // namespace seerdb::testing
