// Writers of large values, readers, snapshots, flushes and garbage collection at once.
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "env/memory_file_system.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

constexpr int kWriters = 3;
constexpr int kReaders = 2;
constexpr int kKeysEach = 40;
constexpr int kWritesEach = kSanitized ? 1500 : 6000;

// Says whose it is, and which; of many sizes.
std::string ValueOf(const std::string& key, int version) {
  const std::string text = key + "#" + std::to_string(version) + ";";
  std::string value;
  const size_t bytes = 20 + static_cast<size_t>(version) * 7919 % 3000;
  while (value.size() < bytes) value += text;
  return value;
}
// The version in a value, or -1 if it is not one that was written under the key.
int VersionIn(const std::string& key, Slice value) {
  if (!value.starts_with(key + "#")) return -1;
  const int version = std::atoi(std::string(value.substr(key.size() + 1, 12)).c_str());
  return Slice(ValueOf(key, version)) == value ? version : -1;
}
std::string KeyOf(int writer, int number) {
  return "writer" + std::to_string(writer) + "/" + std::to_string(1000 + number);
}

Options SmallEverything() {
  Options options = TinyOptions();
  options.file_system = std::make_shared<MemoryFileSystem>();
  options.separation_bytes = 200;
  options.value_segment_bytes = 64 << 10;
  options.background_flush = options.background_compaction = true;
  options.wal_sync_policy = SyncPolicy::kNone;
  return options;
}

void Write(DB* db, int writer, std::vector<std::atomic<int>>* newest) {
  Random random(static_cast<uint64_t>(writer) + 1);
  for (int i = 1; i <= kWritesEach; ++i) {
    const int number = static_cast<int>(random.Uniform(kKeysEach));
    const std::string key = KeyOf(writer, number);
    if (random.OneIn(10)) {
      // A second key in the same batch, which never has another version than the first.
      WriteBatch batch;
      batch.Put(key, ValueOf(key, i));
      batch.Put(key + "/twin", ValueOf(key + "/twin", i));
      ASSERT_OK(db->Write(batch));
    } else {
      const WriteOptions options = random.OneIn(50) ? WriteOptions::Sync() : WriteOptions();
      ASSERT_OK(db->Put(options, key, ValueOf(key, i)));
    }
    (*newest)[static_cast<size_t>(writer * kKeysEach + number)].store(i, std::memory_order_release);
  }
}

void Read(DB* db, uint64_t seed, const std::vector<std::atomic<int>>* newest, const std::atomic<bool>* stop) {
  Random random(seed);
  for (uint64_t round = 0; !stop->load(); ++round) {
    const int writer = static_cast<int>(random.Uniform(kWriters));
    const int number = static_cast<int>(random.Uniform(kKeysEach));
    const std::string key = KeyOf(writer, number);
    const int least =
        (*newest)[static_cast<size_t>(writer * kKeysEach + number)].load(std::memory_order_acquire);
    const auto got = db->Get(key);
    ASSERT_TRUE(got.ok()) << got.status().ToString();
    ASSERT_TRUE(least == 0 || got->has_value()) << key;
    if (got->has_value()) {
      ASSERT_GE(VersionIn(key, (*got)->slice()), std::max(least, 1)) << key;
    }
    if (round % 50 != 0) continue;
    const Snapshot snapshot = db->GetSnapshot();
    ReadOptions options;
    options.snapshot = &snapshot;
    const auto it = db->NewIterator(options);
    for (it->SeekToFirst(); it->Valid(); it->Next()) {
      ASSERT_GT(VersionIn(std::string(it->key()), it->value()), 0) << it->key();
    }
    ASSERT_OK(it->status());
  }
}

TEST(ValueConcurrency, WritersReadersAndGarbageCollectionAtOnce) {
  const Options options = SmallEverything();
  auto db = OpenOrFail(options, "/db");
  ASSERT_TRUE(db);
  std::vector<std::atomic<int>> newest(kWriters * kKeysEach);
  std::atomic<bool> stop{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < kReaders; ++i) {
    readers.emplace_back([&, i] { Read(db.get(), 100 + static_cast<uint64_t>(i), &newest, &stop); });
  }
  std::vector<std::thread> writers;
  for (int i = 0; i < kWriters; ++i) writers.emplace_back([&, i] { Write(db.get(), i, &newest); });
  for (std::thread& writer : writers) writer.join();
  stop.store(true);
  for (std::thread& reader : readers) reader.join();
  EXPECT_OK(db->WaitForCompaction());
  EXPECT_OK(db->Verify().status());
  const auto expect_newest = [&] {
    for (int i = 0; i < kWriters * kKeysEach; ++i) {
      const int version = newest[static_cast<size_t>(i)].load();
      const std::string key = KeyOf(i / kKeysEach, i % kKeysEach);
      if (version == 0) continue;
      EXPECT_TRUE(GetText(*db, key) == "=" + ValueOf(key, version)) << key;
    }
  };
  expect_newest();
  EXPECT_OK(db->Close());
  db = OpenOrFail(options, "/db");
  ASSERT_TRUE(db);
  expect_newest();
}

}  // namespace
}  // namespace seerdb::testing
