// Bulk loads within min_disk_space_bytes and a memory budget: what is refused, when, and that it leaves
// nothing.
#include <algorithm>

#include "base/units.h"
#include "env/memory_file_system.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

// `count` entries of 1,000 bytes, descending, made when they are asked for.
class Descending final : public BulkLoadSource {
 public:
  explicit Descending(int count) : left_(count) {}

  Status Next(std::vector<BulkLoadEntry>* entries) override {
    keys_.clear();
    for (; left_ > 0 && keys_.size() < 1000; --left_)
      keys_.push_back("key" + std::to_string(1'000'000 + left_));
    for (const std::string& key : keys_) entries->push_back({key, value_});
    if (each_batch_ != nullptr) each_batch_();
    return {};
  }
  void OnEachBatch(std::function<void()> call) { each_batch_ = std::move(call); }
  int left() const { return left_; }

 private:
  int left_;
  std::vector<std::string> keys_;
  const std::string value_ = std::string(990, 'v');
  std::function<void()> each_batch_;
};

class BulkLoadLimits : public ::testing::Test {
 protected:
  BulkLoadLimits() { options_.file_system = fs_; }

  uint64_t TemporaryFiles() {
    const auto names = fs_->ListDirectory("/db");
    EXPECT_TRUE(names.ok());
    return static_cast<uint64_t>(
        std::count_if(names->begin(), names->end(), [](const auto& name) { return name.ends_with(".tmp"); }));
  }
  void ExpectNothingLeft(DB& db) {
    EXPECT_EQ(TemporaryFiles(), 0u);
    EXPECT_EQ(ReadAll(db), (Contents{{"a", "before"}}));
    EXPECT_EQ(db.Stats().total_bulk_loads, 0u);
    EXPECT_EQ(db.memory_usage().bulk_load_bytes, 0u);
    EXPECT_OK(db.Flush());
  }

  const std::shared_ptr<MemoryFileSystem> fs_ = std::make_shared<MemoryFileSystem>();
  Options options_ = TinyOptions();
};

TEST_F(BulkLoadLimits, DiskGuardIsAskedBeforeAndDuringALoad) {
  options_.min_disk_space_bytes = 100 * kMiB;
  fs_->SetSpaceInfo({1000 * kMiB, 2000 * kMiB});
  auto db = OpenOrFail(options_, "/db");
  ASSERT_TRUE(db);
  ASSERT_OK(db->Put("a", "before"));
  const auto expect_refused = [&](const BulkLoadOptions& load, Descending* source) {
    const Status status = db->BulkLoad(load, *source).status();
    EXPECT_TRUE(status.IsIoError() && status.detail() == StatusDetail::kDiskSpaceFull) << status.ToString();
  };
  // Before: not an entry is read.
  fs_->SetSpaceInfo({100 * kMiB, 2000 * kMiB});
  Descending unread(10);
  expect_refused({}, &unread);
  EXPECT_EQ(unread.left(), 10);
  ExpectNothingLeft(*db);
  // During: while runs are written, and while tables are.
  for (const uint64_t memory_bytes : {kMiB, 64 * kMiB}) {
    fs_->SetSpaceInfo({1000 * kMiB, 2000 * kMiB});
    BulkLoadOptions load;
    load.memory_bytes = memory_bytes;
    Descending source(30'000);
    source.OnEachBatch([&] {
      if (source.left() == 0) fs_->SetSpaceInfo({101 * kMiB, 2000 * kMiB});
    });
    expect_refused(load, &source);
    ExpectNothingLeft(*db);
  }
  EXPECT_EQ(db->Stats().disk_guard_refusals, 3u);
  // A refusal is no error of the database.
  fs_->SetSpaceInfo({1000 * kMiB, 2000 * kMiB});
  EXPECT_OK(db->Put("b", "after"));
  Descending source(3000);
  EXPECT_OK(db->BulkLoad({}, source).status());
  EXPECT_EQ(ReadAll(*db).size(), 3002u);
}

TEST_F(BulkLoadLimits, SortsWithinTheBudget) {
  options_ = Options();
  options_.file_system = fs_;
  options_.max_memory_bytes = 16 * kMiB;
  options_.wal_sync_policy = SyncPolicy::kNone;
  auto db = OpenOrFail(options_, "/db");
  ASSERT_TRUE(db);
  Descending source(20'000);
  uint64_t most_bytes = 0;
  source.OnEachBatch([&] {
    const MemoryUsage usage = db->memory_usage();
    most_bytes = std::max(most_bytes, usage.bulk_load_bytes);
    EXPECT_LE(usage.total_bytes, 16 * kMiB);
    EXPECT_OK(db->Put("beside", std::string(1000, 'v')));
  });
  const auto stats = db->BulkLoad({}, source);
  ASSERT_TRUE(stats.ok()) << stats.status().ToString();
  EXPECT_GT(stats->runs_spilled, 5u);
  EXPECT_GT(stats->bytes_spilled, 19'000'000u);
  EXPECT_GE(most_bytes, 2 * kMiB);
  EXPECT_LE(most_bytes, 5 * kMiB);
  EXPECT_EQ(db->memory_usage().bulk_load_bytes, 0u);
  EXPECT_EQ(TemporaryFiles(), 0u);
  EXPECT_GE(db->Stats().bulk_load_bytes_written, stats->bytes_written + stats->bytes_spilled);
  EXPECT_EQ(ReadAll(*db).size(), 20'001u);
}

// As in a Put: what is compacted later has to fit the budget too.
TEST_F(BulkLoadLimits, ValuesFitTheBudget) {
  options_.max_memory_bytes = 8 * kMiB;
  auto db = OpenOrFail(options_, "/db");
  ASSERT_TRUE(db);
  ASSERT_OK(db->Put("a", "before"));
  const std::vector<std::pair<std::string, std::string>> entries = {{"b", std::string(kMiB, 'v')},
                                                                    {"c", std::string(kMiB + 1, 'v')}};
  for (const bool sorted : {true, false}) {
    const Status status = db->BulkLoad(BulkLoadOptions().AlreadySorted(sorted), entries).status();
    EXPECT_TRUE(status.IsInvalidArgument() && status.detail() == StatusDetail::kMemoryFull)
        << status.ToString();
    EXPECT_NE(status.message().find("entry 2"), Slice::npos) << status.ToString();
    ExpectNothingLeft(*db);
  }
}

// Memory that others hold: the load takes less, and says so when not even that is there.
TEST_F(BulkLoadLimits, ABudgetThatIsTakenRefusesTheLoad) {
  const auto budget = MemoryBudget::Create(16 * kMiB);
  ASSERT_TRUE(budget.ok());
  options_ = Options();
  options_.file_system = fs_;
  options_.memory_budget = *budget;
  options_.wal_sync_policy = SyncPolicy::kNone;
  auto db = OpenOrFail(options_, "/db");
  ASSERT_TRUE(db);
  // Iterators keep memtables that are long flushed.
  std::vector<std::unique_ptr<Iterator>> iterators;
  Status status;
  for (int i = 0; i < 200 && status.ok(); ++i) {
    for (int n = 0; n < 10 && status.ok(); ++n)
      status = db->Put("pinned" + std::to_string(i), std::string(50'000, 'v'));
    iterators.push_back(db->NewIterator());
    iterators.back()->SeekToFirst();
    if (status.ok()) status = db->Flush();
  }
  ASSERT_EQ(status.detail(), StatusDetail::kMemoryFull) << status.ToString();
  Descending source(3000);
  status = db->BulkLoad({}, source).status();
  EXPECT_TRUE(status.IsBusy() && status.detail() == StatusDetail::kMemoryFull) << status.ToString();
  EXPECT_EQ(source.left(), 3000);
  iterators.clear();
  EXPECT_OK(db->BulkLoad({}, source).status());
  EXPECT_NE(GetText(*db, "key1000001"), "none");
}

}  // namespace
}  // namespace seerdb::testing
