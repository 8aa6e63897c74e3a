// Range deletes: hidden at once from every read that comes later and from none before, wherever the entries
// lie, and gone when nobody can see them.
#include <algorithm>

#include "base/units.h"
#include "env/manual_clock.h"
#include "seerdb/keyspace.h"
#include "tests/data_model/data_model_fixture.h"

namespace seerdb::testing {
namespace {

class RangeDeleteTest : public DataModelFixture {
 protected:
  RangeDeleteTest() {
    options_.clock = clock_;
    CompactOnlyWhenAsked();
    Reopen();
  }
  static std::string KeyOf(uint64_t number) {
    char key[16];
    std::snprintf(key, sizeof key, "k%06llu", static_cast<unsigned long long>(number));
    return key;
  }
  void PutSome(uint64_t from, uint64_t to, const std::string& value) {
    for (uint64_t i = from; i < to; ++i) ASSERT_OK(db_->Put(KeyOf(i), value));
  }
  // That every way to read shows these contents and no other.
  void ExpectAll(const Contents& want, const Snapshot* snapshot = nullptr) {
    EXPECT_EQ(Difference(want, ReadAll(*db_, snapshot)), "");
    ReadOptions options;
    options.snapshot = snapshot;
    Contents backward;
    for (const ScanEntry& entry : db_->Scan(options).Reverse()) {
      EXPECT_OK(entry.status());
      backward.emplace(entry.key(), entry.value());
    }
    EXPECT_EQ(Difference(want, backward), "");
    for (const char* key : {"a", "b", "c", "d", "e", "f"}) {
      const auto found = want.find(key);
      EXPECT_EQ(GetText(*db_, key, snapshot), found == want.end() ? "none" : "=" + found->second) << key;
      const std::vector<Slice> keys{key};
      EXPECT_EQ(Text(db_->MultiGet(options, keys)[0]), GetText(*db_, key, snapshot));
      const auto it = db_->NewIterator(options);
      it->Seek(key);
      const auto at_least = want.lower_bound(key);
      ASSERT_EQ(it->Valid(), at_least != want.end()) << key;
      if (it->Valid()) {
        EXPECT_EQ(it->key(), at_least->first);
      }
      it->SeekForPrev(key);
      const auto behind = want.upper_bound(key);
      ASSERT_EQ(it->Valid(), behind != want.begin()) << key;
      if (it->Valid()) {
        EXPECT_EQ(it->key(), std::prev(behind)->first);
      }
    }
  }
  uint64_t Entries() {
    uint64_t entries = 0;
    for (const LevelStats& level : db_->Stats().levels) entries += level.entries;
    return entries;
  }
  uint64_t Listed() { return db_->Stats().range_tombstones; }

  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
};

TEST_F(RangeDeleteTest, HidesFromItsBeginUpToItsEndWhereverEntriesLie) {
  // Of each pair one in a deep table, one in L0, one in the memtable.
  EXPECT_OK(db_->Put("a", "1"));
  EXPECT_OK(db_->Put("b", "1"));
  EXPECT_OK(db_->CompactRange());
  EXPECT_OK(db_->Put("c", "2"));
  EXPECT_OK(db_->Put("e", "2"));
  EXPECT_OK(db_->Flush());
  EXPECT_OK(db_->Put("d", "3"));
  EXPECT_OK(db_->Put("f", "3"));
  const Snapshot before = db_->GetSnapshot();
  const Contents all = ReadAll(*db_);
  const std::unique_ptr<Iterator> held = db_->NewIterator();
  EXPECT_OK(db_->DeleteRange("b", "e"));
  const Contents left{{"a", "1"}, {"e", "2"}, {"f", "3"}};
  ExpectAll(left);
  ExpectAll(all, &before);
  EXPECT_OK(db_->Flush());
  ExpectAll(left);
  ExpectAll(all, &before);
  EXPECT_OK(db_->CompactRange());
  ExpectAll(left);
  ExpectAll(all, &before);
  Contents seen;
  for (held->SeekToFirst(); held->Valid(); held->Next()) seen.emplace(held->key(), held->value());
  EXPECT_EQ(seen, all) << "an iterator shows what was there when it was made";
}

TEST_F(RangeDeleteTest, WhatIsPutLaterStays) {
  EXPECT_OK(db_->Put("b", "old"));
  EXPECT_OK(db_->DeleteRange("a", "z"));
  EXPECT_OK(db_->Put("c", "new"));
  EXPECT_OK(db_->Put("d", "new"));
  EXPECT_OK(db_->DeleteRange("d", "e"));
  for (const char* step : {"in memory", "flushed", "compacted", "reopened"}) {
    SCOPED_TRACE(step);
    if (step == std::string("flushed")) EXPECT_OK(db_->Flush());
    if (step == std::string("compacted")) EXPECT_OK(db_->CompactRange());
    if (step == std::string("reopened")) Reopen();
    ExpectAll({{"c", "new"}});
  }
  EXPECT_EQ(Entries(), 1u);
}

TEST_F(RangeDeleteTest, IsThereAgainAfterEveryCrash) {
  options_.wal_sync_policy = SyncPolicy::kSyncData;
  Reopen();
  EXPECT_OK(db_->Put("a", "1"));
  EXPECT_OK(db_->Put("b", "1"));
  EXPECT_OK(db_->Put("c", "1"));
  EXPECT_OK(db_->CompactRange());
  EXPECT_OK(db_->DeleteRange("b", "c"));
  for (int crash = 0; crash < 3; ++crash) {
    Crash(CrashOptions::kPowerCut);
    ExpectAll({{"a", "1"}, {"c", "1"}});
    EXPECT_EQ(Listed(), 1u) << "recovery puts it into the manifest";
  }
  EXPECT_OK(db_->Put("b", "again"));
  Crash(CrashOptions::kPowerCut);
  ExpectAll({{"a", "1"}, {"b", "again"}, {"c", "1"}});
}

TEST_F(RangeDeleteTest, AnOpenEndIsThatOfTheKeyspace) {
  const Keyspace first = Open("first"), second = Open("second");
  const auto fill = [&] {
    EXPECT_OK(db_->Put("a", "default"));
    EXPECT_OK(db_->Put(std::string(5, '\xff'), "default"));
    EXPECT_OK(first.Put("", "first"));
    EXPECT_OK(first.Put(std::string(5, '\xff'), "first"));
    EXPECT_OK(second.Put("", "second"));
  };
  fill();
  EXPECT_OK(db_->Flush());
  EXPECT_OK(first.DeleteRange("", std::nullopt));
  EXPECT_EQ(Text(first.Get("")), "none");
  EXPECT_EQ(Text(first.Get(std::string(5, '\xff'))), "none");
  EXPECT_EQ(Text(second.Get("")), "=second");
  EXPECT_EQ(ReadAll(*db_).size(), 2u);
  EXPECT_OK(db_->DeleteRange("", std::nullopt));
  EXPECT_EQ(ReadAll(*db_).size(), 0u);
  EXPECT_EQ(Text(second.Get("")), "=second");
  EXPECT_OK(db_->CompactRange());
  EXPECT_EQ(Text(second.Get("")), "=second");
  EXPECT_EQ(Entries(), 1u);
}

TEST_F(RangeDeleteTest, ARangeThatIsNoneIsRefusedOrDoesNothing) {
  EXPECT_OK(db_->Put("b", "v"));
  const Status inverted = db_->DeleteRange("c", "a");
  EXPECT_TRUE(inverted.IsInvalidArgument()) << inverted.ToString();
  EXPECT_OK(db_->DeleteRange("b", "b"));
  EXPECT_OK(db_->DeleteRange("", ""));
  EXPECT_TRUE(db_->DeleteRange(std::string(kMaxKeyBytes + 1, 'k'), std::nullopt).IsInvalidArgument());
  EXPECT_TRUE(db_->DeleteRange("", std::string(kMaxKeyBytes + 1, 'k')).IsInvalidArgument());
  WriteBatch batch;
  batch.Put("x", "v");
  batch.DeleteRange("c", "a");
  EXPECT_TRUE(db_->Write(batch).IsInvalidArgument());
  EXPECT_EQ(ReadAll(*db_), (Contents{{"b", "v"}})) << "nothing of the batch";
  batch.Clear();
  batch.DeleteRange("b", "b");
  EXPECT_TRUE(batch.empty());
  EXPECT_OK(db_->Write(batch));
  EXPECT_EQ(ReadAll(*db_), (Contents{{"b", "v"}}));
  EXPECT_TRUE(Keyspace().DeleteRange("a", "b").IsInvalidArgument());
  const Keyspace dropped = Open("dropped");
  EXPECT_OK(db_->DropKeyspace(dropped));
  EXPECT_EQ(dropped.DeleteRange("a", "b").detail(), StatusDetail::kNotFound);
}

TEST_F(RangeDeleteTest, InABatchItHidesWhatComesBeforeIt) {
  const Keyspace other = Open("other");
  EXPECT_OK(db_->Put("b", "old"));
  WriteBatch batch;
  batch.Put("a", "in front");
  batch.Put(other, "a", "in front");
  batch.DeleteRange("a", "d");
  batch.Put("c", "behind");
  batch.DeleteRange(other, "", std::nullopt);
  batch.Put(other, "z", "behind");
  EXPECT_OK(db_->Write(batch));
  for (int crash = 0; crash < 2; ++crash) {
    ExpectAll({{"c", "behind"}});
    EXPECT_EQ(Text(Open("other").Get("a")), "none");
    EXPECT_EQ(Text(Open("other").Get("z")), "=behind");
    Crash(CrashOptions::kProcessCrash);
  }
}

TEST_F(RangeDeleteTest, AMergeBehindItStartsFromNothing) {
  EXPECT_OK(db_->Put("a", "base"));
  EXPECT_OK(db_->Merge("b", "old"));
  const Snapshot before = db_->GetSnapshot();
  EXPECT_OK(db_->Flush());
  EXPECT_OK(db_->DeleteRange("a", "c"));
  EXPECT_OK(db_->Merge("a", "new"));
  EXPECT_OK(db_->Merge("b", "new"));
  EXPECT_OK(db_->Merge("b", "newer"));
  const Contents want{{"a", "new"}, {"b", "new+newer"}};
  ExpectAll(want);
  EXPECT_OK(db_->Flush());
  ExpectAll(want);
  ExpectAll({{"a", "base"}, {"b", "old"}}, &before);
  EXPECT_OK(db_->CompactRange());
  ExpectAll(want);
  ExpectAll({{"a", "base"}, {"b", "old"}}, &before);
  Reopen();
  EXPECT_OK(db_->CompactRange());
  ExpectAll(want);
  EXPECT_EQ(Entries(), 2u);
}

// More operands than are looked up one by one, with the range deletes among them.
TEST_F(RangeDeleteTest, EndsAChainOfManyOperands) {
  for (const bool flushed : {false, true}) {
    std::string want;
    for (int i = 0; i < 60; ++i) {
      if (i == 20 || i == 30) {
        EXPECT_OK(db_->DeleteRange("a", "b"));
        want.clear();
      }
      EXPECT_OK(db_->Merge("a", std::to_string(i)));
      want += (want.empty() ? "" : "+") + std::to_string(i);
      if (flushed && i % 7 == 0) EXPECT_OK(db_->Flush());
      ASSERT_EQ(GetText(*db_, "a"), "=" + want) << i;
      ASSERT_EQ(ReadAll(*db_)["a"], want);
    }
    EXPECT_OK(db_->CompactRange());
    EXPECT_EQ(GetText(*db_, "a"), "=" + want);
    EXPECT_OK(db_->DeleteRange("", std::nullopt));
  }
}

TEST_F(RangeDeleteTest, ASnapshotKeepsWhatItSeesAndNoMore) {
  EXPECT_OK(db_->Put("b", "1"));
  const Snapshot one = db_->GetSnapshot();
  EXPECT_OK(db_->DeleteRange("a", "c"));
  EXPECT_OK(db_->Put("b", "2"));
  const Snapshot two = db_->GetSnapshot();
  EXPECT_OK(db_->DeleteRange("a", "c"));
  EXPECT_OK(db_->Put("b", "3"));
  EXPECT_OK(db_->DeleteRange("a", "c"));
  EXPECT_OK(db_->CompactRange());
  ExpectAll({{"b", "1"}}, &one);
  ExpectAll({{"b", "2"}}, &two);
  ExpectAll({});
  EXPECT_EQ(Entries(), 2u);
  EXPECT_GE(Listed(), 2u) << "they hide something from who reads now";
}

TEST_F(RangeDeleteTest, IsForgottenWhenNothingIsLeftToHide) {
  PutSome(0, 400, std::string(40, 'v'));
  EXPECT_OK(db_->CompactRange());
  EXPECT_OK(db_->DeleteRange(KeyOf(100), KeyOf(300)));
  EXPECT_OK(db_->Flush());
  EXPECT_EQ(Listed(), 1u);
  EXPECT_OK(db_->CompactRange());
  EXPECT_EQ(Listed(), 0u);
  EXPECT_EQ(Entries(), 200u);
  EXPECT_EQ(ReadAll(*db_).size(), 200u);
  Reopen();
  EXPECT_EQ(Listed(), 0u);
  EXPECT_EQ(ReadAll(*db_).size(), 200u);
  EXPECT_OK(db_->DeleteRange(KeyOf(500), KeyOf(600)));
  EXPECT_OK(db_->Flush());
  EXPECT_EQ(Listed(), 0u) << "there never was anything to hide";
}

TEST_F(RangeDeleteTest, TablesThatItCoversWhollyGoWithoutBeingRead) {
  PutSome(0, 1'000, std::string(40, 'v'));
  EXPECT_OK(db_->CompactRange());
  const uint64_t tables = db_->Stats().total_sstables;
  ASSERT_GT(tables, 8u);
  const Snapshot before = db_->GetSnapshot();
  EXPECT_OK(db_->DeleteRange(KeyOf(0), KeyOf(1'000)));
  EXPECT_OK(db_->Flush());
  EXPECT_OK(db_->WaitForCompaction());
  EXPECT_EQ(db_->Stats().total_sstables, tables) << "a snapshot sees them";
  EXPECT_EQ(ReadAll(*db_, &before).size(), 1'000u);
  const DBStats held = db_->Stats();
  Reopen();  // which lets go of the snapshot
  EXPECT_OK(db_->Put("a", "makes somebody look"));
  EXPECT_OK(db_->Flush());
  EXPECT_OK(db_->WaitForCompaction());
  const DBStats stats = db_->Stats();
  EXPECT_EQ(stats.total_dropped_tables, tables);
  EXPECT_EQ(stats.compaction_bytes_read, 0u);
  EXPECT_EQ(stats.range_tombstones, 0u);
  EXPECT_EQ(Entries(), 1u);
  EXPECT_GT(held.range_tombstones, 0u);
}

TEST_F(RangeDeleteTest, ATableWithSomethingNewerOrOutsideStays) {
  PutSome(0, 10, "old");
  EXPECT_OK(db_->Flush());  // wholly covered
  EXPECT_OK(db_->Put(KeyOf(5), "old"));
  EXPECT_OK(db_->Put("z", "outside"));
  EXPECT_OK(db_->Flush());
  EXPECT_OK(db_->DeleteRange(KeyOf(0), KeyOf(10)));
  EXPECT_OK(db_->Put(KeyOf(3), "new"));
  EXPECT_OK(db_->Flush());
  EXPECT_OK(db_->WaitForCompaction());
  EXPECT_EQ(db_->Stats().total_dropped_tables, 1u);
  EXPECT_EQ(ReadAll(*db_), (Contents{{KeyOf(3), "new"}, {"z", "outside"}}));
  EXPECT_EQ(Listed(), 1u);
}

TEST_F(RangeDeleteTest, OldOnesHaveTheirTablesWrittenAnew) {
  options_.tombstone_max_age_s = 100;
  options_.adaptive_compaction = false;
  Reopen();
  PutSome(0, 300, std::string(40, 'v'));
  EXPECT_OK(db_->CompactRange());
  EXPECT_OK(db_->DeleteRange(KeyOf(101), KeyOf(103)));
  EXPECT_OK(db_->Flush());
  EXPECT_OK(db_->WaitForCompaction());
  EXPECT_EQ(Entries(), 300u);
  clock_->Advance(99 * kMicrosPerSecond);
  EXPECT_OK(db_->WaitForCompaction());
  EXPECT_EQ(Entries(), 300u);
  clock_->Advance(2 * kMicrosPerSecond);
  EXPECT_OK(db_->Put("a", "makes somebody look"));
  EXPECT_OK(db_->Flush());
  EXPECT_OK(db_->WaitForCompaction());
  EXPECT_EQ(Entries(), 299u);
  EXPECT_EQ(Listed(), 0u);
}

TEST_F(RangeDeleteTest, ScansStepOverLongStretchesInMemtablesAndTables) {
  constexpr uint64_t kKeys = 20'000;
  options_.memtable_capacity = 256 << 10;
  options_.target_file_size = 64 << 10;
  options_.block_bytes = 4096;
  options_.block_cache_capacity = 0;
  Reopen();
  PutSome(0, kKeys, std::string(20, 'v'));
  ASSERT_GT(db_->Stats().total_sstables, 2u);
  const Snapshot keeps = db_->GetSnapshot();  // so that no table goes
  EXPECT_OK(db_->DeleteRange(KeyOf(1), KeyOf(kKeys - 1)));
  const Contents want{{KeyOf(0), std::string(20, 'v')}, {KeyOf(kKeys - 1), std::string(20, 'v')}};
  for (const char* step : {"in memory", "flushed"}) {
    if (step == std::string("flushed")) EXPECT_OK(db_->Flush());
    const DBStats before = db_->Stats();
    EXPECT_EQ(ReadAll(*db_), want) << step;
    const DBStats after = db_->Stats();
    EXPECT_LT(after.scan_entries_skipped - before.scan_entries_skipped, 20u) << step;
    EXPECT_LT(after.iterator_blocks_read - before.iterator_blocks_read, 20u) << step;
  }
  EXPECT_EQ(ReadAll(*db_, &keeps).size(), kKeys);
}

TEST_F(RangeDeleteTest, ManyEntriesOfTheActiveMemtableAreSteppedOverToo) {
  constexpr uint64_t kKeys = 9'000;
  options_.memtable_capacity = 16 << 20;
  options_.wal_segment_bytes = 16 << 20;
  Reopen();
  const Contents want{{KeyOf(0), "v"}, {KeyOf(kKeys - 1), "v"}};
  for (const bool twice : {false, true}) {
    PutSome(0, kKeys, "v");
    if (twice) {
      // Small ones do not use up what may be looked at.
      for (uint64_t i = 0; i < 500; ++i) EXPECT_OK(db_->DeleteRange(KeyOf(i), KeyOf(i + 1)));
      EXPECT_OK(db_->Put(KeyOf(0), "v"));
    }
    EXPECT_OK(db_->DeleteRange(KeyOf(1), KeyOf(kKeys - 1)));
    const uint64_t before = db_->Stats().scan_entries_skipped;
    EXPECT_EQ(ReadAll(*db_), want);
    EXPECT_LT(db_->Stats().scan_entries_skipped - before, 20u);
  }
  const uint64_t sealed = db_->Stats().total_flushes + db_->Stats().immutable_memtables;
  PutSome(0, 2'000, "v");
  for (uint64_t i = 0; i < 2'000; i += 10) EXPECT_OK(db_->DeleteRange(KeyOf(i), KeyOf(i + 9)));
  EXPECT_EQ(db_->Stats().total_flushes + db_->Stats().immutable_memtables, sealed)
      << "few entries each: no reason to flush early";
}

TEST_F(RangeDeleteTest, ABulkLoadBehindItStaysAndOneBeforeItGoes) {
  const auto load = [&](const std::string& value) {
    const std::vector<std::pair<std::string, std::string>> entries{{"b", value}, {"d", value}};
    EXPECT_OK(db_->BulkLoad({}, entries).status());
  };
  load("first");
  EXPECT_OK(db_->DeleteRange("a", "c"));
  ExpectAll({{"d", "first"}});
  load("second");
  ExpectAll({{"b", "second"}, {"d", "second"}});
  EXPECT_OK(db_->CompactRange());
  ExpectAll({{"b", "second"}, {"d", "second"}});
  EXPECT_EQ(Entries(), 2u);
}

TEST_F(RangeDeleteTest, HidesWhatWouldHaveExpired) {
  EXPECT_OK(db_->Put("b", "for ever"));
  EXPECT_OK(db_->Put(WriteOptions::Ttl(100), "b", "short"));
  EXPECT_OK(db_->DeleteRange("a", "c"));
  EXPECT_OK(db_->Put(WriteOptions::Ttl(100), "c", "short"));
  EXPECT_OK(db_->CompactRange());
  ExpectAll({{"c", "short"}});
  clock_->Advance(100);
  ExpectAll({});
}

TEST_F(RangeDeleteTest, ThousandsAreKeptApartThroughFlushReopenAndCompaction) {
  constexpr uint64_t kKeys = 6'000;
  PutSome(0, kKeys, "v");
  EXPECT_OK(db_->CompactRange());
  Contents want;
  for (uint64_t i = 0; i < kKeys; ++i) {
    if (i % 3 == 0) {
      EXPECT_OK(db_->DeleteRange(KeyOf(i), KeyOf(i + 1)));
    } else {
      want[KeyOf(i)] = "v";
    }
  }
  EXPECT_EQ(Difference(want, ReadAll(*db_)), "");
  Reopen();
  EXPECT_EQ(Difference(want, ReadAll(*db_)), "");
  EXPECT_EQ(Listed(), kKeys / 3);
  EXPECT_OK(db_->CompactRange());
  EXPECT_EQ(Listed(), 0u);
  EXPECT_EQ(Difference(want, ReadAll(*db_)), "");
}

TEST_F(RangeDeleteTest, OfTheSameRangeOnlyTheNewestIsListed) {
  EXPECT_OK(db_->Put("b", "v"));
  EXPECT_OK(db_->Flush());
  const Snapshot snapshot = db_->GetSnapshot();
  for (int i = 0; i < 1'000; ++i) EXPECT_OK(db_->DeleteRange("a", "c"));
  EXPECT_OK(db_->Flush());
  EXPECT_LT(Listed(), 300u) << "one for each memtable";
}

TEST_F(RangeDeleteTest, TakesPartInTheMemoryBudget) {
  options_.max_memory_bytes = 8 << 20;
  options_.memtable_capacity = 1 << 20;
  options_.wal_segment_bytes = 1 << 20;
  Reopen();
  for (uint64_t i = 0; i < 5'000; ++i) {
    const Status status = db_->DeleteRange(KeyOf(i), KeyOf(i + 2));
    ASSERT_OK(status);
    ASSERT_LE(db_->memory_usage().total_bytes, uint64_t{8} << 20) << i;
  }
  EXPECT_GT(db_->Stats().total_flushes, 2u) << "the memtable knows what they take";
  // With something to hide for each they would fill the budget, were they not finished early.
  for (uint64_t round = 0; round < 4; ++round) {
    for (uint64_t i = 0; i < 4'000; ++i) {
      ASSERT_OK(db_->Put(KeyOf(2 * i), "v"));
      if (i % 2 == 0) ASSERT_OK(db_->DeleteRange(KeyOf(2 * i), KeyOf(2 * i + 1)));
    }
    ASSERT_OK(db_->Flush());
    ASSERT_OK(db_->WaitForCompaction());
    ASSERT_LE(Listed(), 400u) << round;
  }
  EXPECT_EQ(ReadAll(*db_).size(), 2'000u);
  WriteBatch large;
  for (uint64_t i = 0; i < 20'000; ++i) large.DeleteRange(KeyOf(i), KeyOf(i + 1));
  EXPECT_EQ(db_->Write(large).detail(), StatusDetail::kMemoryFull);
}

TEST_F(RangeDeleteTest, ABatchHasAtMostSoMany) {
  WriteBatch batch;
  for (uint32_t i = 0; i <= kMaxRangeDeletesPerBatch; ++i) batch.DeleteRange("a", "b");
  const Status refused = db_->Write(batch);
  EXPECT_TRUE(refused.IsInvalidArgument()) << refused.ToString();
}

// Many small ones over old entries: a call that may pass so many entries stops all the same.
TEST_F(RangeDeleteTest, MaxSkippedStopsAmongManyRanges) {
  constexpr uint64_t kKeys = 20'000;
  options_.memtable_capacity = 64 << 20;
  options_.wal_segment_bytes = 64 << 20;
  Reopen();
  PutSome(0, kKeys, "v");
  EXPECT_OK(db_->Flush());
  for (uint64_t i = 0; i < kKeys; ++i) EXPECT_OK(db_->DeleteRange(KeyOf(i), KeyOf(i) + '\0'));
  EXPECT_OK(db_->Put("z", "last"));
  for (const bool reverse : {false, true}) {
    ReadOptions read;
    read.max_skipped = 10;
    const auto it = db_->NewIterator(read);
    uint64_t stops = 0;
    if (reverse) {
      it->SeekToLast();
      EXPECT_EQ(it->key(), "z");
      it->Prev();
    } else {
      it->SeekToFirst();
    }
    while (!it->Valid() && it->status().detail() == StatusDetail::kSkipLimit) {
      ++stops;
      reverse ? it->Prev() : it->Next();
    }
    EXPECT_OK(it->status());
    EXPECT_EQ(it->Valid(), !reverse);
    EXPECT_GT(stops, 20u);
  }
}

// What they hide is kept by a snapshot, so nothing can finish them: other writes must not suffer.
TEST_F(RangeDeleteTest, UnderASnapshotTooManyAreRefusedAndOtherWritesGoOn) {
  options_.max_memory_bytes = 8 << 20;
  options_.memtable_capacity = 256 << 10;
  options_.wal_segment_bytes = 256 << 10;
  Reopen();
  PutSome(0, 4'000, "v");
  Snapshot snapshot = db_->GetSnapshot();
  Status status;
  uint64_t taken = 0;
  for (; taken < 100'000 && status.ok(); ++taken) {
    status = db_->DeleteRange(KeyOf(taken % 4'000), KeyOf(taken % 4'000) + '\0');
  }
  EXPECT_EQ(status.detail(), StatusDetail::kMemoryFull) << status.ToString();
  EXPECT_GT(taken, 300u);
  for (uint64_t i = 0; i < 20'000; ++i) ASSERT_OK(db_->Put("other", std::string(100, 'o')));
  EXPECT_EQ(ReadAll(*db_, &snapshot).size(), 4'000u);
  snapshot.Release();
  EXPECT_OK(db_->CompactRange());
  EXPECT_OK(db_->DeleteRange("a", "b"));
  EXPECT_EQ(Listed(), 0u);
}

TEST_F(RangeDeleteTest, HandlerIsToldOfThem) {
  class Recorder final : public WriteBatch::Handler {
   public:
    void Put(uint32_t, Slice, Slice) override {}
    void Delete(uint32_t, Slice) override {}
    void Merge(uint32_t, Slice, Slice) override {}
    void PutWithTtl(uint32_t, Slice, Slice, uint64_t) override {}
    void DeleteRange(uint32_t keyspace, Slice begin, std::optional<Slice> end) override {
      text +=
          std::to_string(keyspace) + ":" + std::string(begin) + ".." + std::string(end.value_or("*")) + " ";
    }
    std::string text;
  };
  WriteBatch batch;
  batch.DeleteRange("a", "b");
  batch.DeleteRange(Open("other"), "c", std::nullopt);
  Recorder recorder;
  batch.Iterate(&recorder);
  EXPECT_EQ(recorder.text, "0:a..b 1:c..* ");
}

}  // namespace
}  // namespace seerdb::testing
