// Keyspaces that come, change and go while others are merged into, read and compacted.
#include <atomic>
#include <thread>
#include <vector>

#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

constexpr uint64_t kMergesOfAThread = kSanitized ? 3'000 : 20'000;
constexpr uint64_t kCounters = 10;

std::string Counter(uint64_t n) { return "counter " + std::to_string(n); }

uint64_t Sum(const Keyspace& keyspace) {
  uint64_t sum = 0;
  for (const ScanEntry& entry : keyspace.Scan()) {
    EXPECT_OK(entry.status());
    if (!entry.ok()) return 0;
    sum += U64Value(entry.value()).value_or(0);
  }
  return sum;
}

TEST(KeyspaceConcurrency, CountersAreRightWhileOthersComeChangeAndGo) {
  const TempDirectory directory;
  Options options = TinyOptions();
  options.background_flush = options.background_compaction = true;
  options.wal_sync_policy = SyncPolicy::kNone;
  options.memtable_capacity = 64 << 10;
  const auto db = OpenOrFail(options, directory.path() + "/db");
  ASSERT_TRUE(db);
  KeyspaceOptions counting;
  counting.merge_operator = U64Add();
  const Result<Keyspace> counters = db->OpenKeyspace("counters", counting);
  ASSERT_TRUE(counters.ok());

  std::atomic<uint64_t> writers{2};
  const auto merge = [&] {
    for (uint64_t i = 0; i < kMergesOfAThread; ++i)
      EXPECT_OK(counters->Merge(Counter(i % kCounters), U64Operand(1)));
    --writers;
  };
  const auto change = [&] {
    for (uint64_t round = 0; writers > 0; ++round) {
      const Result<Keyspace> passing = db->OpenKeyspace("passing", counting);
      ASSERT_TRUE(passing.ok());
      EXPECT_OK(passing->Merge("k", U64Operand(round)));
      KeyspaceOptions other = counting;
      other.compression = round % 2 == 0 ? CompressionType::kLz4 : CompressionType::kNone;
      EXPECT_OK(db->OpenKeyspace("counters", other).status());
      EXPECT_OK(db->DropKeyspace(*passing));
      EXPECT_FALSE(passing->Get("k").ok());
    }
  };
  const auto read = [&] {
    uint64_t last = 0;
    while (writers > 0) {
      const uint64_t sum = Sum(*counters);
      EXPECT_GE(sum, last) << "a counter went back";
      last = sum;
      for (const KeyspaceInfo& info : db->ListKeyspaces()) EXPECT_FALSE(info.name.empty());
    }
  };
  std::vector<std::thread> threads;
  threads.emplace_back(merge);
  threads.emplace_back(merge);
  threads.emplace_back(change);
  threads.emplace_back(read);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Sum(*counters), 2 * kMergesOfAThread);
  EXPECT_OK(db->CompactRange());
  EXPECT_EQ(Sum(*counters), 2 * kMergesOfAThread);
  EXPECT_OK(db->Close());
}

}  // namespace
}  // namespace seerdb::testing
