// Gating test 3: several writers, flushes and compactions running, and then the end of the process or of the
// power, shown by clones of the disk. Processes that are really killed: tests/kill.
#include <atomic>
#include <cinttypes>
#include <cstdio>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "env/fault_file_system.h"
#include "env/memory_file_system.h"
#include "seerdb/db.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

constexpr int kWriters = 4;

// Writer w writes its units 1, 2, 3, ...: each a batch of a key of its own and the writer's counter.
std::string UnitKey(int writer, uint64_t unit) {
  char key[40];
  std::snprintf(key, sizeof key, "w%d/%08" PRIu64, writer, unit);
  return key;
}
std::string CounterKey(int writer) { return "counter" + std::to_string(writer); }

Status WriteUnit(DB& db, int writer, uint64_t unit) {
  WriteBatch batch;
  batch.Put(UnitKey(writer, unit), std::string(100, static_cast<char>('a' + unit % 26)));
  batch.Put(CounterKey(writer), std::to_string(unit));
  return db.Write(batch);
}

// Checks that each writer's units are 1..j with least[w] <= j <= most[w], and returns the j.
std::vector<uint64_t> CheckUnits(DB& db, const std::vector<uint64_t>& least,
                                 const std::vector<uint64_t>& most) {
  const Contents found = ReadAll(db);
  std::vector<uint64_t> last(kWriters, 0);
  for (int w = 0; w < kWriters; ++w) {
    const auto counter = found.find(CounterKey(w));
    if (counter != found.end()) last[w] = std::stoull(counter->second);
    EXPECT_GE(last[w], least[w]) << "writer " << w << ": acknowledged writes are gone";
    EXPECT_LE(last[w], most[w]) << "writer " << w << ": writes that nobody made";
    for (uint64_t unit = 1; unit <= last[w]; ++unit) {
      if (found.count(UnitKey(w, unit)) == 0) {
        ADD_FAILURE() << UnitKey(w, unit) << " is gone, though the counter says " << last[w];
        break;
      }
    }
    EXPECT_EQ(found.count(UnitKey(w, last[w] + 1)), 0u) << "half a batch of writer " << w;
  }
  return last;
}

Options KillOptions(SyncPolicy policy) {
  Options options = TinyOptions();
  options.memtable_capacity = 8 << 10;
  options.wal_segment_bytes = 8 << 10;
  options.background_flush = true;
  options.background_compaction = true;
  options.wal_sync_policy = policy;
  options.clock = nullptr;
  return options;
}

struct Moment {
  std::shared_ptr<MemoryFileSystem> disk;
  std::vector<uint64_t> least, most;
};

// Takes clones of the disk while the writers run, each with what was acknowledged before and submitted
// after the moment of the clone.
std::vector<Moment> CrashWhileWriting(SyncPolicy policy, CrashOptions::Kind kind, uint64_t units) {
  const auto disk = std::make_shared<MemoryFileSystem>();
  const auto watched = std::make_shared<FaultFileSystem>(disk);
  std::vector<std::atomic<uint64_t>> submitted(kWriters), acknowledged(kWriters);
  Mutex mutex;
  std::vector<Moment> moments;
  const uint64_t every = units * kWriters / 40 + 1;
  watched->SetHook([&](FileOp op, const std::string& path, uint64_t index) {
    const bool table = path.ends_with(".sst") || path.ends_with(".tmp") || op == FileOp::kDelete;
    if (index % (table ? every / 4 + 1 : every) != 0) return;
    Moment moment;
    for (const auto& count : acknowledged) moment.least.push_back(count.load());
    moment.disk = disk->CrashClone({index, kind, true});
    for (const auto& count : submitted) moment.most.push_back(count.load());
    MutexLock lock(&mutex);
    if (moments.size() < 120) moments.push_back(std::move(moment));
  });
  Options options = KillOptions(policy);
  options.file_system = watched;
  const std::unique_ptr<DB> db = OpenOrFail(options, "/db");
  if (!db) return {};
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      for (uint64_t unit = 1; unit <= units; ++unit) {
        submitted[w].store(unit);
        EXPECT_OK(WriteUnit(*db, w, unit));
        acknowledged[w].store(unit);
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  watched->SetHook(nullptr);
  EXPECT_GT(db->Stats().total_flushes, 10u);
  EXPECT_OK(db->Close());
  return moments;
}

void CheckMoments(SyncPolicy policy, CrashOptions::Kind kind) {
  SCOPED_TRACE(kind == CrashOptions::kProcessCrash ? "process crash" : "power cut");
  const std::vector<Moment> moments = CrashWhileWriting(policy, kind, kSanitized ? 200 : 1500);
  ASSERT_GT(moments.size(), 20u);
  for (const Moment& moment : moments) {
    Options options = KillOptions(policy);
    options.file_system = moment.disk;
    std::unique_ptr<DB> db = OpenOrFail(options, "/db");
    ASSERT_TRUE(db);
    const bool promised = kind == CrashOptions::kProcessCrash || policy == SyncPolicy::kSyncData;
    std::vector<uint64_t> last =
        CheckUnits(*db, promised ? moment.least : std::vector<uint64_t>(kWriters, 0), moment.most);
    // Writes on, crashes again, and must have both.
    for (int w = 0; w < kWriters; ++w) ASSERT_OK(WriteUnit(*db, w, ++last[w]));
    options.file_system = moment.disk->CrashClone({1, CrashOptions::kProcessCrash, true});
    db = OpenOrFail(options, "/db");
    ASSERT_TRUE(db);
    CheckUnits(*db, last, last);
    if (::testing::Test::HasFailure()) return;
  }
  std::printf("[ CRASHES  ] crash points explored: %zu\n", 2 * moments.size());
}

TEST(Gating, WritersDuringFlushThenKillLosesNothing) {
  CheckMoments(SyncPolicy::kNone, CrashOptions::kProcessCrash);
  CheckMoments(SyncPolicy::kNone, CrashOptions::kPowerCut);
  CheckMoments(SyncPolicy::kSyncData, CrashOptions::kPowerCut);
}

}  // namespace
}  // namespace seerdb::testing
