// Bulk loads beside writers, readers, snapshots, flushes and compactions of the same range. Run under TSan
// too.
//
// Every load stores one number under all of its keys, so that a view that shows half of one is seen at once;
// keys of writers lie between those of the loads.
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

constexpr int kLoadedKeys = 150;
constexpr int kLoadingWriters = 2;
const int kLoads = kSanitized ? 25 : 120;

std::string LoadKey(int i) {
  char text[32];
  std::snprintf(text, sizeof text, "k/%04d/load", i);
  return text;
}
// Written after each load, with its number: whoever sees it sees the load.
const char kAfterLoad[] = "k/after";
std::string WriterKey(int i, int writer) {
  char text[32];
  std::snprintf(text, sizeof text, "k/%04d/writer%d", i, writer);
  return text;
}
int NumberOf(Slice value) { return std::stoi(std::string(value)); }

struct Loading {
  std::unique_ptr<DB> db;
  std::atomic<int> loaded{0};  // the number of the last load that was acknowledged
  std::atomic<bool> done{false};
  std::atomic<uint64_t> writes{0}, walks{0};
};

void KeepLoading(Loading* shared) {
  const std::shared_ptr<void> leave(nullptr, [shared](void*) { shared->done.store(true); });
  for (int load = 1; load <= kLoads; ++load) {
    std::vector<std::pair<std::string, std::string>> entries;
    for (int i = 0; i < kLoadedKeys; ++i) entries.emplace_back(LoadKey(i), std::to_string(load));
    const bool sorted = load % 2 == 0;
    if (!sorted) std::reverse(entries.begin(), entries.end());
    const auto options = BulkLoadOptions()
                             .AlreadySorted(sorted)
                             .WithMaxEntries(load % 3 == 0 ? 20 : 1000)
                             .WithTargetLevel(static_cast<uint32_t>(load % 5));
    const auto stats = shared->db->BulkLoad(options, entries);
    ASSERT_TRUE(stats.ok()) << stats.status().ToString();
    shared->loaded.store(load);
    ASSERT_OK(shared->db->Put(kAfterLoad, std::to_string(load)));
  }
}

void KeepWriting(Loading* shared, int writer) {
  Random random(static_cast<uint64_t>(writer) + 1);
  std::vector<int> versions(kLoadedKeys);
  for (int version = 1; !shared->done.load(); ++version) {
    const int i = static_cast<int>(random.Uniform(kLoadedKeys));
    ASSERT_OK(shared->db->Put(WriterKey(i, writer), std::to_string(version)));
    versions[static_cast<size_t>(i)] = version;
    const int again = static_cast<int>(random.Uniform(kLoadedKeys));
    if (versions[static_cast<size_t>(again)] == 0) continue;
    ASSERT_EQ(GetText(*shared->db, WriterKey(again, writer)),
              "=" + std::to_string(versions[static_cast<size_t>(again)]));
    shared->writes.fetch_add(1);
  }
}

// One view shows one load, whole, and none before those acknowledged.
void CheckView(Loading* shared, const Snapshot* snapshot, int at_least) {
  ReadOptions options;
  options.snapshot = snapshot;
  const auto it = shared->db->NewIterator(options);
  int number = -1;
  int found = 0;
  int after = -1;
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    if (it->key() == kAfterLoad) after = NumberOf(it->value());
    if (!it->key().ends_with("/load")) continue;
    if (found++ == 0) number = NumberOf(it->value());
    ASSERT_EQ(NumberOf(it->value()), number) << it->key();
  }
  ASSERT_OK(it->status());
  ASSERT_TRUE(found == kLoadedKeys || (found == 0 && at_least == 0)) << found;
  ASSERT_GE(number, found == 0 ? -1 : at_least);
  ASSERT_GE(number, after) << "a write after a load is seen, and the load is not";
}

void KeepReading(Loading* shared, uint64_t seed) {
  Random random(seed);
  while (!shared->done.load()) {
    const int at_least = shared->loaded.load();
    if (random.OneIn(2)) {
      CheckView(shared, nullptr, at_least);
    } else {
      const Snapshot snapshot = shared->db->GetSnapshot();
      CheckView(shared, &snapshot, at_least);
      const std::string key = LoadKey(static_cast<int>(random.Uniform(kLoadedKeys)));
      const std::string before = GetText(*shared->db, key, &snapshot);
      std::this_thread::yield();
      ASSERT_EQ(GetText(*shared->db, key, &snapshot), before);
    }
    shared->walks.fetch_add(1);
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(BulkLoadConcurrency, LoadsBesideEverything) {
  Loading shared;
  Options options = TinyOptions();
  options.file_system = std::make_shared<MemoryFileSystem>();
  options.background_flush = true;
  options.background_compaction = true;
  shared.db = OpenOrFail(options, "/db");
  ASSERT_TRUE(shared.db);
  std::vector<std::thread> threads;
  threads.emplace_back(KeepLoading, &shared);
  for (int writer = 0; writer < kLoadingWriters; ++writer) threads.emplace_back(KeepWriting, &shared, writer);
  for (uint64_t seed = 10; seed < 12; ++seed) threads.emplace_back(KeepReading, &shared, seed);
  threads.emplace_back([&shared] {
    while (!shared.done.load()) {
      ASSERT_OK(shared.db->CompactRange());
      ASSERT_OK(shared.db->Flush());
    }
  });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(shared.loaded.load(), kLoads);
  EXPECT_GT(shared.writes.load(), 0u);
  EXPECT_GT(shared.walks.load(), 0u);
  const auto verified = shared.db->Verify();
  EXPECT_TRUE(verified.ok()) << verified.status().ToString();
  ASSERT_OK(shared.db->Close());
  shared.db = OpenOrFail(options, "/db");
  ASSERT_TRUE(shared.db);
  CheckView(&shared, nullptr, kLoads);
}

// Two loads at once, and a third that is cut short by Close.
TEST(BulkLoadConcurrency, LoadsBesideLoadsAndClose) {
  Options options = TinyOptions();
  const auto fs = std::make_shared<MemoryFileSystem>();
  options.file_system = fs;
  options.background_flush = true;
  options.background_compaction = true;
  auto db = OpenOrFail(options, "/db");
  ASSERT_TRUE(db);
  std::vector<std::thread> threads;
  for (int loader = 0; loader < 2; ++loader) {
    threads.emplace_back([&db, loader] {
      for (int round = 0; round < 10; ++round) {
        std::vector<std::pair<std::string, std::string>> entries;
        for (int i = 0; i < kLoadedKeys; ++i) {
          entries.emplace_back(LoadKey(i), std::to_string(100 * loader + round));
        }
        const auto stats = db->BulkLoad(BulkLoadOptions().AlreadySorted().WithMaxEntries(20), entries);
        ASSERT_TRUE(stats.ok()) << stats.status().ToString();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::string last = GetText(*db, LoadKey(0));
  EXPECT_TRUE(last == "=9" || last == "=109") << last;
  for (int i = 0; i < kLoadedKeys; ++i) EXPECT_EQ(GetText(*db, LoadKey(i)), last);

  class Endless final : public BulkLoadSource {
   public:
    Status Next(std::vector<BulkLoadEntry>* entries) override {
      key_ = std::to_string(1'000'000'000 + next_++);
      entries->push_back({key_, "endless"});
      started_.store(true);
      return {};
    }
    bool started() const { return started_.load(); }

   private:
    int next_ = 0;
    std::string key_;
    std::atomic<bool> started_{false};
  };
  Endless source;
  Status ended;
  std::thread loader([&] { ended = db->BulkLoad(BulkLoadOptions().AlreadySorted(), source).status(); });
  while (!source.started()) std::this_thread::yield();
  ASSERT_OK(db->Close());
  loader.join();
  EXPECT_TRUE(ended.IsShutdown()) << ended.ToString();
  db = OpenOrFail(options, "/db");
  ASSERT_TRUE(db);
  EXPECT_EQ(GetText(*db, LoadKey(0)), last);
}

// Gives entries until it is told to end, and says when it was asked first.
class EndlessSource final : public BulkLoadSource {
 public:
  Status Next(std::vector<BulkLoadEntry>* entries) override {
    key_ = LoadKey(next_++);
    entries->push_back({key_, key_});
    asked.store(true);
    return {};
  }
  std::atomic<bool> asked{false};

 private:
  int next_ = 0;
  std::string key_;
};

// A load that went on after Close would share the directory with whoever opens it next.
TEST(BulkLoadConcurrency, CloseEndsALoadAndWaitsForIt) {
  for (const bool sorted : {true, false}) {
    Options options = TinyOptions();
    options.file_system = std::make_shared<MemoryFileSystem>();
    options.clock = nullptr;
    const auto db = OpenOrFail(options, "/db");
    ASSERT_TRUE(db);
    EndlessSource source;
    std::atomic<bool> ended{false};
    Status status;
    std::thread load([&] {
      status = db->BulkLoad(BulkLoadOptions().AlreadySorted(sorted).WithMaxEntries(5), source).status();
      ended.store(true);
    });
    while (!source.asked) std::this_thread::yield();
    EXPECT_OK(db->Close());
    const auto names = options.file_system->ListDirectory("/db");
    ASSERT_TRUE(names.ok());
    for (const std::string& name : *names) EXPECT_FALSE(name.ends_with(".tmp")) << name;
    load.join();
    EXPECT_TRUE(ended);
    EXPECT_TRUE(status.IsShutdown()) << status.ToString();
  }
}

// A compaction asked for by hand goes on from plan to plan; writers beside a load that waits for it do not
// wait.
TEST(BulkLoadConcurrency, WritersGoOnWhileALoadWaitsForACompactRange) {
  Options options = TinyOptions();
  options.file_system = std::make_shared<MemoryFileSystem>();
  options.clock = nullptr;
  options.background_flush = options.background_compaction = true;
  const auto db = OpenOrFail(options, "/db");
  ASSERT_TRUE(db);
  std::atomic<bool> over{false};
  std::thread compactor([&] {
    while (!over) EXPECT_OK(db->CompactRange());
  });
  std::thread loader([&] {
    for (int n = 1; n <= 10; ++n) {
      std::vector<std::pair<std::string, std::string>> entries;
      for (int i = 0; i < kLoadedKeys; ++i) entries.emplace_back(LoadKey(i), std::to_string(n));
      EXPECT_OK(db->BulkLoad(BulkLoadOptions().AlreadySorted(), entries).status());
    }
    over = true;
  });
  for (int i = 0; !over; ++i) EXPECT_OK(db->Put(WriterKey(i % kLoadedKeys, 1), std::to_string(i)));
  loader.join();
  compactor.join();
  EXPECT_EQ(GetText(*db, LoadKey(7)), "=10");
  EXPECT_OK(db->Close());
}

}  // namespace
}  // namespace seerdb::testing
