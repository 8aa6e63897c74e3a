// Range deletes beside readers: a batch that deletes everything and writes it anew is seen whole or not at
// all.
#include <atomic>
#include <thread>
#include <vector>

#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

constexpr int kDeletedKeys = 40;

TEST(RangeDeleteConcurrency, AGenerationIsSeenWholeOrNotAtAll) {
  const TempDirectory directory;
  Options options = TinyOptions();
  options.background_flush = options.background_compaction = true;
  options.wal_sync_policy = SyncPolicy::kNone;
  options.memtable_capacity = 32 << 10;
  const auto db = OpenOrFail(options, directory.path() + "/db");
  ASSERT_TRUE(db);
  const auto write = [&](uint64_t generation) {
    WriteBatch batch;
    batch.DeleteRange("", std::nullopt);
    // Each has keys of its own beside the common ones: what is left of another would be seen.
    for (int i = 0; i < kDeletedKeys; ++i) {
      batch.Put("k" + std::to_string(i) + (i % 2 == 0 ? "" : "/" + std::to_string(generation % 7)),
                std::to_string(generation));
    }
    return db->Write(batch);
  };
  ASSERT_OK(write(1));
  std::atomic<bool> done{false};
  std::atomic<uint64_t> checked{0};
  const auto read = [&](bool reverse) {
    uint64_t last = 0;
    while (!done) {
      std::string generation;
      int keys = 0;
      Scan scan = db->Scan();
      if (reverse) scan = std::move(scan).Reverse();
      for (const ScanEntry& entry : scan) {
        ASSERT_OK(entry.status());
        if (keys++ == 0) generation = entry.value();
        ASSERT_EQ(entry.value(), Slice(generation)) << "two generations in one view";
      }
      ASSERT_EQ(keys, kDeletedKeys);
      ASSERT_GE(std::stoull(generation), last) << "a generation came back";
      last = std::stoull(generation);
      const auto got = db->Get("k0");
      ASSERT_TRUE(got.ok() && got->has_value());
      ASSERT_GE(std::stoull(std::string((*got)->slice())), last);
      ++checked;
    }
  };
  std::thread forward([&] { read(false); });
  std::thread backward([&] { read(true); });
  const uint64_t generations = kSanitized ? 500 : 1'500;
  for (uint64_t generation = 2; generation <= generations; ++generation) {
    ASSERT_OK(write(generation));
    if (generation % 200 == 0) EXPECT_OK(db->CompactRange());
  }
  done = true;
  forward.join();
  backward.join();
  EXPECT_GT(checked, 10u);
  EXPECT_OK(db->WaitForCompaction());
  EXPECT_OK(db->Verify().status());
}

}  // namespace
}  // namespace seerdb::testing
