// Bulk loads on the real file system: large enough for several tables and sorted runs, with files and
// descriptors counted, and read again after a reopen and after compaction.
#include <dirent.h>

#include <algorithm>
#include <numeric>

#include "base/random.h"
#include "seerdb/db.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

constexpr int kEntries = 60'000;

std::string LoadedKey(int i) { return "key" + std::to_string(1'000'000 + i); }
std::string ValueOf(int i, int version) {
  return std::to_string(version) + "/" + std::to_string(i) + std::string(static_cast<size_t>(i % 200), '.');
}

size_t OpenDescriptors() {
  size_t count = 0;
  DIR* const directory = ::opendir("/proc/self/fd");
  if (directory == nullptr) return 0;
  while (::readdir(directory) != nullptr) ++count;
  ::closedir(directory);
  return count;
}

class BulkLoadFiles : public ::testing::TestWithParam<CompressionType> {
 protected:
  BulkLoadFiles() {
    options_.compression = GetParam();
    options_.target_file_size = 1 << 20;
    options_.wal_sync_policy = SyncPolicy::kNone;
    Reopen();
  }
  void Reopen() {
    if (db_ != nullptr) EXPECT_OK(db_->Close());
    db_.reset();
    db_ = OpenOrFail(options_, directory_.path() + "/db");
  }
  // `order` names the entries, in the order of their coming; each comes `times` times, the last one counts.
  void Load(const std::vector<int>& order, int times, const BulkLoadOptions& load) {
    std::vector<std::pair<std::string, std::string>> entries;
    for (int round = 1; round <= times; ++round) {
      ++version_;
      for (const int i : order) {
        entries.emplace_back(LoadedKey(i), ValueOf(i, version_));
        expected_[LoadedKey(i)] = entries.back().second;
      }
    }
    if (load.already_sorted) {
      std::stable_sort(entries.begin(), entries.end(),
                       [](const auto& a, const auto& b) { return a.first < b.first; });
    }
    const size_t descriptors = OpenDescriptors();
    const auto stats = db_->BulkLoad(load, entries);
    ASSERT_TRUE(stats.ok()) << stats.status().ToString();
    EXPECT_EQ(stats->entries_loaded, order.size());
    EXPECT_EQ(stats->duplicates_dropped, order.size() * static_cast<size_t>(times - 1));
    EXPECT_GT(stats->sstables_created, 1u);
    EXPECT_EQ(stats->runs_spilled > 2, !load.already_sorted);
    // Those of the tables, and of what compaction does meanwhile, but none of a run.
    EXPECT_LE(OpenDescriptors(), descriptors + stats->sstables_created + 8);
    const auto names = PosixFileSystem()->ListDirectory(directory_.path() + "/db");
    ASSERT_TRUE(names.ok());
    for (const std::string& name : *names) {
      EXPECT_FALSE(name.ends_with(".run.tmp")) << name;
    }
    EXPECT_EQ(Difference(expected_, ReadAll(*db_)), "");
  }

  const TempDirectory directory_;
  Options options_;
  std::unique_ptr<DB> db_;
  Contents expected_;
  int version_ = 0;
};

TEST_P(BulkLoadFiles, LoadsOverLoadsOverWrites) {
  ASSERT_TRUE(db_);
  for (int i = 0; i < kEntries; i += 3) {
    ASSERT_OK(db_->Put(LoadedKey(i), "put"));
    expected_[LoadedKey(i)] = "put";
  }
  std::vector<int> order(kEntries);
  std::iota(order.begin(), order.end(), 0);
  Load(order, 1, BulkLoadOptions().AlreadySorted());
  Random random(TestSeed());
  for (size_t i = order.size() - 1; i > 0; --i) std::swap(order[i], order[random.Uniform(i + 1)]);
  BulkLoadOptions unsorted;
  unsorted.memory_bytes = uint64_t{2} << 20;
  unsorted.max_entries_per_sst = 20'000;
  Load(order, 2, unsorted);
  Reopen();
  ASSERT_TRUE(db_);
  EXPECT_EQ(Difference(expected_, ReadAll(*db_)), "") << "after a reopen";
  Load(order, 2, BulkLoadOptions().AlreadySorted().WithTargetLevel(1));
  ASSERT_OK(db_->CompactRange());
  EXPECT_EQ(Difference(expected_, ReadAll(*db_)), "") << "after compaction";
  const auto verified = db_->Verify();
  EXPECT_TRUE(verified.ok()) << verified.status().ToString();
}

INSTANTIATE_TEST_SUITE_P(Compressions, BulkLoadFiles,
                         ::testing::Values(CompressionType::kNone, CompressionType::kLz4));

}  // namespace
}  // namespace seerdb::testing
