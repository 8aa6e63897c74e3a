// Writers, readers, iterators, snapshots, flushes and compactions at once. Run under TSan too.
//
// Every value carries the version of its key, so a reader can tell when time runs backwards; pairs of keys
// are written in one batch, so a view that shows half of one is seen at once.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <thread>
#include <vector>

#include "base/random.h"
#include "env/memory_file_system.h"
#include "seerdb/db.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

constexpr int kWriters = 3;
constexpr int kReaders = 3;
constexpr int kKeys = 64;  // of each writer
const uint64_t kWritesEach = kSanitized ? 3'000 : 30'000;

std::string PairKey(char side, int writer, int key) {
  char text[32];
  std::snprintf(text, sizeof text, "%c/%d/%03d", side, writer, key);
  return text;
}

std::string VersionValue(uint64_t version) {
  std::string value = std::to_string(version);
  value.resize(24 + version % 100, '.');
  return value;
}
uint64_t VersionOf(Slice value) { return std::stoull(std::string(value)); }

struct Shared {
  std::unique_ptr<DB> db;
  std::atomic<int> writers_left{kWriters};
  // Newest version of each pair that is acknowledged: a lower bound for every later read.
  std::vector<std::atomic<uint64_t>> acknowledged = std::vector<std::atomic<uint64_t>>(kWriters * kKeys);
  std::atomic<uint64_t> walks{0}, gets{0}, snapshots{0}, maintenance{0};

  bool Done() const { return writers_left.load() == 0; }
};

// Writes pairs (l/..., r/...) with rising versions; now and then deletes and rewrites a key of its own.
void WriteLoop(Shared* shared, int writer, uint64_t seed) {
  // The others run until every writer has left, also one that failed.
  const std::shared_ptr<void> leave(nullptr, [shared](void*) { shared->writers_left.fetch_sub(1); });
  Random random(seed);
  uint64_t version = 0;
  for (uint64_t i = 0; i < kWritesEach; ++i) {
    const int key = static_cast<int>(random.Uniform(kKeys));
    WriteBatch batch;
    batch.Put(PairKey('l', writer, key), VersionValue(++version));
    batch.Put(PairKey('r', writer, key), VersionValue(version));
    const WriteOptions options = random.OneIn(50) ? WriteOptions::Sync() : WriteOptions();
    ASSERT_OK(shared->db->Write(options, batch));
    shared->acknowledged[static_cast<size_t>(writer * kKeys + key)].store(version);
    const std::string own = PairKey('x', writer, key);
    if (random.OneIn(4)) ASSERT_OK(shared->db->Put(own, VersionValue(version)));
    if (random.OneIn(4)) {
      ASSERT_OK(shared->db->Delete(own));
      ASSERT_EQ(GetText(*shared->db, own), "none");
    }
  }
}

// Point reads never go back in time, nor behind what was acknowledged before the read began.
void GetLoop(Shared* shared, uint64_t seed) {
  Random random(seed);
  std::vector<uint64_t> seen(kWriters * kKeys, 0);
  while (!shared->Done()) {
    const int writer = static_cast<int>(random.Uniform(kWriters)),
              key = static_cast<int>(random.Uniform(kKeys));
    const size_t slot = static_cast<size_t>(writer * kKeys + key);
    const uint64_t least = std::max(seen[slot], shared->acknowledged[slot].load());
    const std::string left = PairKey('l', writer, key), right = PairKey('r', writer, key);
    const auto got = shared->db->Get(random.OneIn(2) ? left : right);
    ASSERT_TRUE(got.ok()) << got.status().ToString();
    const uint64_t version = got->has_value() ? VersionOf(**got) : 0;
    ASSERT_GE(version, least) << left << " went back in time";
    seen[slot] = version;
    const Slice both[] = {left, right};
    const auto pair = shared->db->MultiGet(ReadOptions(), both);
    ASSERT_TRUE(pair[0].ok() && pair[1].ok());
    ASSERT_EQ(pair[0]->has_value(), pair[1]->has_value()) << "half a batch";
    if (pair[0]->has_value()) {
      ASSERT_EQ((**pair[0]).slice(), (**pair[1]).slice()) << "half a batch";
    }
    shared->gets.fetch_add(1);
  }
}

// Reads all pairs through `it`: sorted, whole, and each version at least `least`; returns the versions.
void WalkPairs(Iterator* it, bool forward, std::vector<uint64_t>* left, std::vector<uint64_t>* right) {
  std::string last;
  bool first = true;
  forward ? it->SeekToFirst() : it->SeekToLast();
  for (; it->Valid(); forward ? it->Next() : it->Prev()) {
    const std::string key(it->key());
    if (!first) {
      ASSERT_TRUE(forward ? last < key : key < last) << last << ", then " << key;
    }
    first = false;
    last = key;
    if (key[0] == 'x') continue;
    const size_t slot =
        static_cast<size_t>(std::stoi(key.substr(2, 1)) * kKeys + std::stoi(key.substr(4, 3)));
    (key[0] == 'l' ? *left : *right)[slot] = VersionOf(it->value());
  }
  ASSERT_OK(it->status());
}

void WalkLoop(Shared* shared, uint64_t seed) {
  Random random(seed);
  constexpr size_t kSlots = kWriters * kKeys;
  std::vector<uint64_t> seen(kSlots, 0);
  do {
    std::vector<uint64_t> least(kSlots);
    for (size_t i = 0; i < kSlots; ++i) least[i] = std::max(seen[i], shared->acknowledged[i].load());
    const bool with_snapshot = random.OneIn(2);
    const Snapshot snapshot = with_snapshot ? shared->db->GetSnapshot() : Snapshot();
    ReadOptions options;
    if (with_snapshot) options.snapshot = &snapshot;
    std::vector<uint64_t> left(kSlots, 0), right(kSlots, 0);
    const auto it = shared->db->NewIterator(options);
    ASSERT_NO_FATAL_FAILURE(WalkPairs(it.get(), random.OneIn(2), &left, &right));
    ASSERT_EQ(left, right) << "an iterator shows half a batch";
    for (size_t i = 0; i < kSlots; ++i) {
      ASSERT_GE(left[i], least[i]) << "an iterator went back in time";
    }
    seen = left;
    shared->walks.fetch_add(1);
    if (!with_snapshot) continue;
    // The same again, later, through other calls: a snapshot is repeatable.
    std::vector<uint64_t> left_again(kSlots, 0), right_again(kSlots, 0);
    const auto again = shared->db->NewIterator(options);
    ASSERT_NO_FATAL_FAILURE(WalkPairs(again.get(), random.OneIn(2), &left_again, &right_again));
    ASSERT_EQ(left, left_again) << "a snapshot changed";
    for (int i = 0; i < 10; ++i) {
      const size_t slot = random.Uniform(kSlots);
      const std::string key = PairKey('l', static_cast<int>(slot / kKeys), static_cast<int>(slot % kKeys));
      const auto got = shared->db->Get(options, key);
      ASSERT_TRUE(got.ok());
      ASSERT_EQ(got->has_value() ? VersionOf(**got) : 0, left[slot]) << "a snapshot changed for " << key;
    }
    shared->snapshots.fetch_add(1);
  } while (!shared->Done());
}

void MaintenanceLoop(Shared* shared, uint64_t seed) {
  Random random(seed);
  while (!shared->Done()) {
    switch (random.Uniform(5)) {
      case 0:
        ASSERT_OK(shared->db->Flush());
        break;
      case 1:
        ASSERT_OK(shared->db->CompactRange());
        break;
      case 2:
        ASSERT_OK(shared->db->CompactRange("l/1", "r/1"));
        break;
      case 3: {
        const auto verified = shared->db->Verify();
        ASSERT_TRUE(verified.ok()) << verified.status().ToString();
        break;
      }
      default: {
        const DBStats stats = shared->db->Stats();
        ASSERT_FALSE(stats.ToString().empty());
        ASSERT_LE(shared->db->ApproximateSize("l", "m"), uint64_t{1} << 40);
      }
    }
    shared->maintenance.fetch_add(1);
  }
}

struct Mode {
  const char* name;
  bool background;
  TableAccess access;
  SyncPolicy policy;
  uint64_t group_delay_us;
};

class ConcurrencyTest : public ::testing::TestWithParam<Mode> {};

TEST_P(ConcurrencyTest, EverythingAtOnce) {
  const Mode& mode = GetParam();
  const uint64_t seed = TestSeed();
  Options options = TinyOptions();
  options.clock = nullptr;
  options.memtable_capacity = 32 << 10;
  options.wal_segment_bytes = 32 << 10;
  options.block_bytes = 512;
  options.target_file_size = 16 << 10;
  options.block_cache_capacity = 16 << 10;
  options.table_access = mode.access;
  options.background_flush = options.background_compaction = mode.background;
  options.max_background_compactions = 3;
  options.wal_sync_policy = mode.policy;
  options.group_commit_delay_us = mode.group_delay_us;
  options.barrier_interval_us = 1000;
  options.file_system = std::make_shared<MemoryFileSystem>();
  Shared shared;
  shared.db = OpenOrFail(options, "/db");
  ASSERT_TRUE(shared.db);
  std::vector<std::thread> threads;
  for (int w = 0; w < kWriters; ++w)
    threads.emplace_back(WriteLoop, &shared, w, seed + static_cast<uint64_t>(w));
  for (int r = 0; r < kReaders; ++r) {
    const uint64_t own_seed = seed + 100 + static_cast<uint64_t>(r);
    r % 2 == 0 ? threads.emplace_back(GetLoop, &shared, own_seed)
               : threads.emplace_back(WalkLoop, &shared, own_seed);
  }
  threads.emplace_back(MaintenanceLoop, &shared, seed + 200);
  for (std::thread& thread : threads) thread.join();

  const DBStats stats = shared.db->Stats();
  std::printf(
      "[ RACES    ] %s: %llu writes in %llu groups, %llu gets, %llu walks, %llu repeated snapshots, "
      "%llu flushes, %llu compactions\n",
      mode.name, static_cast<unsigned long long>(kWriters * kWritesEach),
      static_cast<unsigned long long>(stats.write_groups),
      static_cast<unsigned long long>(shared.gets.load()),
      static_cast<unsigned long long>(shared.walks.load()),
      static_cast<unsigned long long>(shared.snapshots.load()),
      static_cast<unsigned long long>(stats.total_flushes),
      static_cast<unsigned long long>(stats.total_compactions));
  EXPECT_GT(stats.total_flushes, 5u);
  EXPECT_GT(shared.walks.load(), 0u);
  const Contents before = ReadAll(*shared.db);
  ASSERT_OK(shared.db->Close());
  shared.db = OpenOrFail(options, "/db");
  ASSERT_TRUE(shared.db);
  EXPECT_EQ(Difference(before, ReadAll(*shared.db)), "");
}

INSTANTIATE_TEST_SUITE_P(
    Concurrency, ConcurrencyTest,
    ::testing::Values(Mode{"Background", true, TableAccess::kMapped, SyncPolicy::kNone, 0},
                      Mode{"Foreground", false, TableAccess::kMapped, SyncPolicy::kSyncData, 0},
                      Mode{"PreadBarrier", true, TableAccess::kPread, SyncPolicy::kBarrier, 0},
                      Mode{"GroupDelay", true, TableAccess::kPread, SyncPolicy::kSyncData, 20}),
    [](const auto& tested) { return tested.param.name; });

// Close right after the last write, with flushes and compactions still running: nothing is lost.
TEST(Concurrency, CloseDuringBackgroundWork) {
  for (int round = 0; round < (kSanitized ? 5 : 20); ++round) {
    Options options = TinyOptions();
    options.clock = nullptr;
    options.background_flush = options.background_compaction = true;
    options.file_system = std::make_shared<MemoryFileSystem>();
    auto db = OpenOrFail(options, "/db");
    ASSERT_TRUE(db);
    std::vector<std::atomic<uint64_t>> acknowledged(3);
    std::vector<std::thread> threads;
    std::atomic<bool> stop{false};
    for (size_t t = 0; t < 3; ++t) {
      threads.emplace_back([&, t] {
        for (uint64_t i = 1; !stop.load(); ++i) {
          ASSERT_OK(db->Put("t" + std::to_string(t) + "/" + std::to_string(i), std::string(50, 'v')));
          acknowledged[t].store(i);
        }
      });
    }
    while (acknowledged[0].load() + acknowledged[1].load() + acknowledged[2].load() < 200)
      std::this_thread::yield();
    stop.store(true);
    for (std::thread& thread : threads) thread.join();
    // Background work is still running.
    ASSERT_OK(db->Close());
    db = OpenOrFail(options, "/db");
    ASSERT_TRUE(db);
    uint64_t total = 0;
    for (const auto& count : acknowledged) total += count.load();
    EXPECT_EQ(ReadAll(*db).size(), total);
  }
}

}  // namespace
}  // namespace seerdb::testing
