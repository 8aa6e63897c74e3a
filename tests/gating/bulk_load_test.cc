// Gating test 9: bulk loads over existing keys, with duplicates, with unsorted input that claims to be
// sorted.
#include <algorithm>

#include "env/fault_file_system.h"
#include "env/memory_file_system.h"
#include "seerdb/db.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

using Entries = std::vector<std::pair<std::string, std::string>>;

std::string BulkKey(int i) { return "key" + std::to_string(1000 + i); }

class BulkLoadGating : public ::testing::Test {
 protected:
  BulkLoadGating() {
    options_ = TinyOptions();
    options_.file_system = fs_;
    db_ = OpenOrFail(options_, kDbDirectory);
  }

  void Put(const std::string& key, const std::string& value) {
    ASSERT_OK(db_->Put(key, value));
    expected_[key] = value;
  }
  BulkLoadStats Load(const Entries& entries, const BulkLoadOptions& options) {
    const auto stats = db_->BulkLoad(options, entries);
    EXPECT_TRUE(stats.ok()) << stats.status().ToString();
    for (const auto& [key, value] : entries) expected_[key] = value;
    return stats.ok() ? *stats : BulkLoadStats();
  }
  // Now, after a reopen or a crash, and after compaction.
  void CheckEverywhere(const char* what) {
    SCOPED_TRACE(what);
    EXPECT_EQ(Difference(expected_, ReadAll(*db_)), "");
    for (const auto& [key, value] : expected_) EXPECT_EQ(GetText(*db_, key), "=" + value) << key;
    for (const bool crash : {true, false}) {
      if (!crash) ASSERT_OK(db_->Close());
      const auto left = fs_->CrashClone({0, CrashOptions::kProcessCrash, true});
      db_.reset();
      fs_ = left;
      options_.file_system = fs_;
      db_ = OpenOrFail(options_, kDbDirectory);
      ASSERT_TRUE(db_);
      EXPECT_EQ(Difference(expected_, ReadAll(*db_)), "") << (crash ? "crash" : "close");
    }
    const auto verified = db_->Verify();
    EXPECT_TRUE(verified.ok()) << verified.status().ToString();
    ASSERT_OK(db_->CompactRange());
    EXPECT_EQ(Difference(expected_, ReadAll(*db_)), "") << "after compaction";
  }
  size_t Leftovers() { return LeftoversOf(*fs_); }
  static size_t LeftoversOf(FileSystem& fs) {
    const auto names = fs.ListDirectory(kDbDirectory);
    EXPECT_TRUE(names.ok());
    return static_cast<size_t>(std::count_if(names->begin(), names->end(),
                                             [](const std::string& name) { return name.ends_with(".tmp"); }));
  }

  std::shared_ptr<MemoryFileSystem> fs_ = std::make_shared<MemoryFileSystem>();
  Options options_;
  std::unique_ptr<DB> db_;
  Contents expected_;
};

// The load is newer than what is in the memtable, in L0, and in every level below.
TEST_F(BulkLoadGating, NewestWinsOverEveryLevel) {
  // L0 keeps what is flushed.
  options_.l0_compaction_trigger = 50;
  options_.l0_slowdown_writes_trigger = 60;
  options_.l0_stop_writes_trigger = 70;
  db_.reset();
  db_ = OpenOrFail(options_, kDbDirectory);
  ASSERT_TRUE(db_);
  int round = 0;
  for (const bool sorted : {true, false}) {
    for (const uint32_t target : {0u, 1u, 2u, 6u}) {
      SCOPED_TRACE("target " + std::to_string(target) + (sorted ? ", sorted" : ", unsorted"));
      // Old entries everywhere: the whole range deep down, parts of it in the levels above.
      for (int i = 0; i < 300; ++i) Put(BulkKey(i), "deep " + std::string(50, 'd'));
      ASSERT_OK(db_->CompactRange());
      for (int i = 0; i < 300; i += 10) Put(BulkKey(i), "above");
      ASSERT_OK(db_->CompactRange(Slice(BulkKey(0)), Slice(BulkKey(100))));
      for (int i = 50; i < 250; i += 25) Put(BulkKey(i), "in L0");
      ASSERT_OK(db_->Flush());
      // Where nothing lies deep down, in a table of its own.
      const int fresh = 1000 * ++round;
      for (int i = 5; i < 50; i += 10) Put(BulkKey(fresh + i), "in L0 alone");
      ASSERT_OK(db_->Flush());
      for (int i = 5; i < 300; i += 60) Put(BulkKey(i), "in memory");
      ASSERT_OK(db_->Delete(BulkKey(7)));
      expected_.erase(BulkKey(7));
      const Contents before = expected_;
      const Snapshot snapshot = db_->GetSnapshot();
      const auto iterator = db_->NewIterator();

      Entries entries;
      for (int i = 0; i < 300; i += 3) entries.emplace_back(BulkKey(i), "loaded " + std::to_string(target));
      entries.emplace_back(BulkKey(7), "back");
      for (int i = 0; i < 50; ++i) entries.emplace_back(BulkKey(fresh + i), "loaded behind all");
      std::sort(entries.begin(), entries.end());
      if (!sorted) std::reverse(entries.begin(), entries.end());
      const auto options = BulkLoadOptions().AlreadySorted(sorted).WithTargetLevel(target).WithMaxEntries(25);
      const BulkLoadStats stats = Load(entries, options);
      EXPECT_EQ(stats.entries_loaded, entries.size());
      EXPECT_GE(stats.sstables_created, 4u);
      EXPECT_EQ(stats.target_level, std::min(target, options_.num_levels - 1));
      uint64_t tables = 0;
      for (size_t level = 0; level < stats.tables_in_level.size(); ++level) {
        EXPECT_TRUE(level <= stats.target_level || stats.tables_in_level[level] == 0);
        tables += stats.tables_in_level[level];
      }
      EXPECT_EQ(tables, stats.sstables_created);
      // A get stops at the first level that has the key, a walk compares sequences.
      for (const auto& [key, value] : entries) EXPECT_EQ(GetText(*db_, key), "=" + value) << key;
      EXPECT_EQ(Difference(expected_, ReadAll(*db_)), "") << "at once";
      EXPECT_EQ(Difference(before, ReadAll(*db_, &snapshot)), "") << "a snapshot from before";
      iterator->SeekToFirst();
      for (const auto& [key, value] : before) {
        ASSERT_TRUE(iterator->Valid());
        ASSERT_EQ(iterator->key(), key);
        ASSERT_EQ(iterator->value(), value) << key << " in an iterator from before";
        iterator->Next();
      }
      // What comes later wins over the load.
      Put(BulkKey(3), "later");
      ASSERT_OK(db_->Delete(BulkKey(6)));
      expected_.erase(BulkKey(6));
      EXPECT_EQ(Difference(expected_, ReadAll(*db_)), "");
      ASSERT_OK(db_->CompactRange());
      EXPECT_EQ(Difference(before, ReadAll(*db_, &snapshot)), "")
          << "a snapshot from before, after compaction";
      if (HasFailure()) return;
    }
  }
  CheckEverywhere("at the end");
}

TEST_F(BulkLoadGating, EachLoadThroughReopenAndCompaction) {
  Load({}, {});
  CheckEverywhere("nothing");
  Load({{"", "empty key"}, {"a", ""}}, BulkLoadOptions().AlreadySorted());
  CheckEverywhere("into an empty database");
  Load({{"b", "1"}, {"a", "2"}, {"b", "3"}, {"a", "4"}, {"c", "5"}, {"b", "6"}}, {});
  CheckEverywhere("unsorted, with duplicates");
  Load({{"a", "7"}, {"a", "8"}, {"b", "9"}, {"c", "10"}, {"c", "11"}}, BulkLoadOptions().AlreadySorted());
  CheckEverywhere("sorted, with duplicates");
  Put("b", "put");
  Load({{"c", "12"}, {"b", "13"}}, BulkLoadOptions().WithTargetLevel(0));
  CheckEverywhere("over a memtable");
  EXPECT_EQ(GetText(*db_, "b"), "=13");
}

// What is written while a load goes on is older than the load, even in its last moments: here in the middle
// of the flush that makes room for it.
TEST_F(BulkLoadGating, WritesDuringALoadAreOlder) {
  ASSERT_OK(db_->Close());
  const auto faults = std::make_shared<FaultFileSystem>(fs_);
  options_.file_system = faults;
  options_.executor = NewCooperativeExecutor();
  options_.background_flush = true;
  options_.background_compaction = true;
  db_ = OpenOrFail(options_, kDbDirectory);
  ASSERT_TRUE(db_);
  Put("before", "the load");
  int late = 0;
  faults->AddRule(FaultRule::Observe(FileOp::kRename, ".sst.tmp", [&](FileOp, const std::string&) {
    if (late++ > 0) return;
    Put("both", "put");
    Put("put alone", "put");
  }));
  Entries entries = {{"both", "loaded"}, {"loaded alone", "loaded"}};
  BulkLoadOptions options = BulkLoadOptions().AlreadySorted();
  int reports = 0;
  options.progress = [&](const BulkLoadProgress&) {
    if (reports++ == 0) Put("early", "put");
  };
  Load(entries, options);
  EXPECT_GT(late, 1) << "nothing was written in the flush before the load";
  EXPECT_EQ(GetText(*db_, "both"), "=loaded");
  faults->ClearRules();
  options_.executor = nullptr;
  options_.background_flush = false;
  options_.background_compaction = false;
  CheckEverywhere("after the load");
}

// Order that was promised and is not there is refused by its entry, and nothing is changed.
TEST_F(BulkLoadGating, UnsortedInputClaimedSortedIsRefused) {
  Put("b", "before");
  for (const size_t bad : {size_t{1}, size_t{50}, size_t{99}}) {
    Entries entries;
    for (int i = 0; i < 100; ++i) entries.emplace_back(BulkKey(i), "never seen");
    entries[bad].first = "a";
    const auto stats = db_->BulkLoad(BulkLoadOptions().AlreadySorted().WithMaxEntries(10), entries);
    EXPECT_TRUE(stats.status().IsInvalidArgument());
    EXPECT_NE(
        stats.status().message().find("entry " + std::to_string(bad + 1) + ": found key 'a' behind key"),
        std::string::npos)
        << stats.status().ToString();
    EXPECT_EQ(Leftovers(), 0u);
    EXPECT_EQ(db_->Stats().total_bulk_loads, 0u);
    EXPECT_EQ(Difference(expected_, ReadAll(*db_)), "");
  }
  CheckEverywhere("after refused loads");
}

TEST_F(BulkLoadGating, OptionsAreChecked) {
  const Entries entries = {{"a", "1"}};
  BulkLoadOptions options;
  options.memory_bytes = 100;
  EXPECT_TRUE(db_->BulkLoad(options, entries).status().IsInvalidArgument());
  EXPECT_TRUE(db_->BulkLoad(BulkLoadOptions().WithMaxEntries(0), entries).status().IsInvalidArgument());
  ASSERT_OK(db_->Close());
  EXPECT_TRUE(db_->BulkLoad({}, entries).status().IsShutdown());
}

// Older entries in L0 would keep every table there: they go down first, where damage does not forbid it.
TEST_F(BulkLoadGating, ALargeLoadStaysOutOfL0) {
  options_.l0_compaction_trigger = 50;
  options_.l0_slowdown_writes_trigger = 60;
  options_.l0_stop_writes_trigger = 70;
  ASSERT_OK(db_->Close());
  db_ = OpenOrFail(options_, kDbDirectory);
  for (int round = 0; round < 3; ++round) {
    Entries entries;
    for (int i = 0; i < 200; ++i) entries.emplace_back(BulkKey(i), "round " + std::to_string(round));
    Put(BulkKey(0), "first");
    Put(BulkKey(199), "last");
    ASSERT_OK(db_->Flush());
    Put(BulkKey(100), "in memory");
    const BulkLoadStats stats = Load(entries, BulkLoadOptions().AlreadySorted().WithMaxEntries(10));
    EXPECT_EQ(stats.sstables_created, 20u);
    EXPECT_LE(stats.tables_in_level[0], 4u);
    EXPECT_EQ(Difference(expected_, ReadAll(*db_)), "");
  }
  CheckEverywhere("at the end");
}

// Whatever call fails: the error comes out, what was there is there, and an error that does no harm to the
// rest leaves the database writable.
TEST_F(BulkLoadGating, EveryFailedCallLeavesTheDatabaseAsItWas) {
  ASSERT_OK(db_->Close());
  db_.reset();
  uint64_t refused = 0;
  for (const bool no_space : {true, false}) {
    for (uint64_t call = 1;; ++call) {
      SCOPED_TRACE("call " + std::to_string(call) + (no_space ? ", no space" : ", device error"));
      const auto memory = std::make_shared<MemoryFileSystem>();
      const auto faults = std::make_shared<FaultFileSystem>(memory);
      options_.file_system = faults;
      auto db = OpenOrFail(options_, kDbDirectory);
      ASSERT_TRUE(db);
      Contents want;
      for (int i = 0; i < 20; ++i) {
        ASSERT_OK(db->Put(BulkKey(i), "before"));
        want[BulkKey(i)] = "before";
      }
      Contents loaded = want;
      Entries entries;
      for (int i = 25; i >= 0; --i) {
        entries.emplace_back(BulkKey(i), "loaded");
        loaded[BulkKey(i)] = "loaded";
      }
      faults->AddRule(FaultRule::Fail(FileOp::kAny, "/db",
                                      no_space ? FaultRule::NoSpaceError() : FaultRule::DeviceError(), call));
      const auto stats = db->BulkLoad(BulkLoadOptions().WithMaxEntries(8), entries);
      const bool fired = faults->faults_fired() > 0;
      faults->ClearRules();
      refused += !stats.ok();
      EXPECT_EQ(Difference(stats.ok() ? loaded : want, ReadAll(*db)), "");
      db.reset();
      options_.file_system = memory;
      db = OpenOrFail(options_, kDbDirectory);
      ASSERT_TRUE(db);
      const Contents found = ReadAll(*db);
      // A failed manifest write may take effect at the next open; whole, if so.
      EXPECT_TRUE(found == loaded || (!stats.ok() && found == want)) << Difference(want, found);
      EXPECT_EQ(LeftoversOf(*memory), 0u);
      const auto verified = db->Verify();
      EXPECT_TRUE(verified.ok()) << verified.status().ToString();
      if (HasFailure()) return;
      if (!fired) break;
    }
  }
  EXPECT_GT(refused, 40u);
}

// A failure of the load's own files is no reason to stop writing.
TEST_F(BulkLoadGating, AFailedLoadDoesNotStopWrites) {
  const auto faults = std::make_shared<FaultFileSystem>(fs_);
  ASSERT_OK(db_->Close());
  options_.file_system = faults;
  db_ = OpenOrFail(options_, kDbDirectory);
  ASSERT_TRUE(db_);
  Put("a", "before");
  Entries entries;
  for (int i = 0; i < 100; ++i) entries.emplace_back(BulkKey(i), std::string(1000, 'v'));
  for (const FileOp op : {FileOp::kOpenWrite, FileOp::kAppend, FileOp::kSync, FileOp::kRename}) {
    // Not the memtable's table: the load's come before and after it.
    const uint64_t number =
        faults->AddRule(FaultRule::Fail(op, ".sst", FaultRule::DeviceError(), op == FileOp::kRename ? 2 : 1));
    const auto stats = db_->BulkLoad(BulkLoadOptions().AlreadySorted().WithMaxEntries(30), entries);
    EXPECT_TRUE(stats.status().IsIoError()) << FileOpName(op) << ": " << stats.status().ToString();
    faults->RemoveRule(number);
    EXPECT_EQ(Leftovers(), 0u);
    Put("a", FileOpName(op));
    ASSERT_OK(db_->Flush());
    EXPECT_EQ(Difference(expected_, ReadAll(*db_)), "");
  }
  Load(entries, BulkLoadOptions().AlreadySorted());
  EXPECT_EQ(Difference(expected_, ReadAll(*db_)), "");
}

}  // namespace
}  // namespace seerdb::testing
