// Times to live: hidden on time everywhere, covering what is older, and gone with the next compactions.
#include <algorithm>

#include "env/manual_clock.h"
#include "env/memory_file_system.h"
#include "seerdb/keyspace.h"
#include "tests/data_model/data_model_fixture.h"

namespace seerdb::testing {
namespace {

class ExpiryTest : public DataModelFixture {
 protected:
  ExpiryTest() {
    options_.clock = clock_;
    CompactOnlyWhenAsked();
    Reopen();
  }
  void PutFor(uint64_t ttl_us, Slice key, Slice value) {
    EXPECT_OK(db_->Put(WriteOptions::Ttl(ttl_us), key, value));
  }
  Keyspace Open(Slice name, uint64_t default_ttl_us) {
    KeyspaceOptions options;
    options.default_ttl_us = default_ttl_us;
    return DataModelFixture::Open(name, options);
  }
  // That every way to read shows these contents and no other.
  void ExpectAll(const Contents& want, const Snapshot* snapshot = nullptr) {
    EXPECT_EQ(ReadAll(*db_, snapshot), want);
    const std::vector<Slice> keys{"a", "b", "c", "k", "x"};
    ReadOptions options;
    options.snapshot = snapshot;
    const auto all = db_->MultiGet(options, keys);
    for (size_t i = 0; i < keys.size(); ++i) {
      const auto found = want.find(std::string(keys[i]));
      const std::string text = found == want.end() ? "none" : "=" + found->second;
      EXPECT_EQ(GetText(*db_, keys[i], snapshot), text) << keys[i];
      EXPECT_EQ(Text(all[i]), text) << keys[i];
    }
  }
  uint64_t Entries() {
    uint64_t entries = 0;
    for (const LevelStats& level : db_->Stats().levels) entries += level.entries;
    return entries;
  }

  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
};

TEST_F(ExpiryTest, HidesOnTimeFromEveryReadAndFromSnapshots) {
  EXPECT_OK(db_->Put("a", "stays"));
  PutFor(100, "b", "short");
  PutFor(200, "c", "longer");
  EXPECT_OK(db_->Put("x", "stays"));
  const Snapshot snapshot = db_->GetSnapshot();
  const std::unique_ptr<Iterator> held = db_->NewIterator();
  for (const bool flushed : {false, true}) {
    if (flushed) EXPECT_OK(db_->Flush());
    ExpectAll({{"a", "stays"}, {"b", "short"}, {"c", "longer"}, {"x", "stays"}}, &snapshot);
  }
  clock_->Advance(99);
  ExpectAll({{"a", "stays"}, {"b", "short"}, {"c", "longer"}, {"x", "stays"}});
  clock_->Advance(1);
  ExpectAll({{"a", "stays"}, {"c", "longer"}, {"x", "stays"}});
  ExpectAll({{"a", "stays"}, {"c", "longer"}, {"x", "stays"}}, &snapshot);
  clock_->Advance(100);
  ExpectAll({{"a", "stays"}, {"x", "stays"}});
  ExpectAll({{"a", "stays"}, {"x", "stays"}}, &snapshot);
  held->Seek("b");
  ASSERT_TRUE(held->Valid());
  EXPECT_EQ(held->key(), "b") << "an iterator shows what was there when it was made";
  EXPECT_EQ(held->value(), "short");
}

TEST_F(ExpiryTest, CoversWhatIsOlder) {
  EXPECT_OK(db_->Put("k", "old"));
  EXPECT_OK(db_->CompactRange());
  PutFor(100, "k", "short");
  ExpectAll({{"k", "short"}});
  clock_->Advance(100);
  ExpectAll({});
  EXPECT_OK(db_->Flush());
  ExpectAll({});
  Reopen();
  ExpectAll({});
  EXPECT_OK(db_->CompactRange());
  ExpectAll({});
  EXPECT_EQ(Entries(), 0u);
}

// The older value lies two levels deeper than the compactions that the expired one goes through.
TEST_F(ExpiryTest, CoversWhatIsOlderOnTheWholeWayDown) {
  options_.l0_compaction_trigger = 2;
  options_.compaction_policy = CompactionPolicy::kLeveled;
  Reopen();
  const auto fill = [&](int first, int count) {
    for (int i = first; i < first + count; ++i) {
      EXPECT_OK(db_->Put("fill " + std::to_string(i), std::string(200, 'f')));
    }
  };
  EXPECT_OK(db_->Put("k", "old"));
  fill(0, 400);
  EXPECT_OK(db_->WaitForCompaction());
  ASSERT_GT(db_->Stats().levels.at(2).entries, 0u);
  PutFor(100, "k", "short");
  EXPECT_OK(db_->Flush());
  clock_->Advance(100);
  for (int step = 0; step < 60; ++step) {
    fill(step * 10, 10);
    ASSERT_EQ(GetText(*db_, "k"), "none") << step;
  }
  EXPECT_OK(db_->CompactRange());
  EXPECT_EQ(GetText(*db_, "k"), "none");
}

TEST_F(ExpiryTest, ALaterPutDecides) {
  PutFor(100, "a", "short");
  EXPECT_OK(db_->Put("a", "for ever"));
  EXPECT_OK(db_->Put("b", "for ever"));
  PutFor(100, "b", "short");
  PutFor(50, "c", "short");
  PutFor(150, "c", "longer");
  for (const bool flushed : {false, true}) {
    if (flushed) EXPECT_OK(db_->Flush());
    ExpectAll({{"a", "for ever"}, {"b", "short"}, {"c", "longer"}});
  }
  clock_->Advance(100);
  ExpectAll({{"a", "for ever"}, {"c", "longer"}});
  EXPECT_OK(db_->Put("b", "again"));
  EXPECT_OK(db_->Merge("a", "and more"));
  EXPECT_OK(db_->CompactRange());
  clock_->Advance(100);
  ExpectAll({{"a", "for ever+and more"}, {"b", "again"}});
}

TEST_F(ExpiryTest, AMergeThatHasExpiredHidesWhatItWasMergedInto) {
  EXPECT_OK(db_->Put("a", "base"));
  EXPECT_OK(db_->Merge(WriteOptions::Ttl(6400), "a", "short"));
  PutFor(100, "b", "short");
  EXPECT_OK(db_->Merge("b", "for ever"));
  const uint64_t now_us = clock_->WallMicros();
  for (const bool compacted : {false, true}) {
    if (compacted) EXPECT_OK(db_->CompactRange());
    clock_->SetWallMicros(now_us + 99);
    ExpectAll({{"a", "base+short"}, {"b", "short+for ever"}});
  }
  clock_->SetWallMicros(now_us + 100);
  ExpectAll({{"a", "base+short"}, {"b", "for ever"}});
  // In steps of a 64th of the time to live, early rather than late.
  clock_->SetWallMicros(now_us + 6400 - 100);
  ExpectAll({{"a", "base+short"}, {"b", "for ever"}});
  clock_->SetWallMicros(now_us + 6400);
  ExpectAll({{"b", "for ever"}});
  EXPECT_OK(db_->Merge("a", "new"));
  ExpectAll({{"a", "new"}, {"b", "for ever"}});
}

TEST_F(ExpiryTest, AKeyspaceHasATimeOfItsOwnForWhatNamesNone) {
  const Keyspace keyspace = Open("short", 100);
  EXPECT_OK(keyspace.Put("default", "v"));
  EXPECT_OK(keyspace.Put(WriteOptions::Ttl(300), "longer", "v"));
  EXPECT_OK(keyspace.Put(WriteOptions::Ttl(kNoTtl), "for ever", "v"));
  EXPECT_OK(db_->Put("default", "another keyspace"));
  const auto shown = [&] {
    return Text(keyspace.Get("default")) + Text(keyspace.Get("longer")) + Text(keyspace.Get("for ever"));
  };
  EXPECT_EQ(shown(), "=v=v=v");
  clock_->Advance(100);
  EXPECT_EQ(shown(), "none=v=v");
  // What it is from now on holds for what is written from now on, through every handle and later.
  Open("short", 1000);
  EXPECT_OK(keyspace.Put("default", "v"));
  clock_->Advance(999);
  EXPECT_EQ(shown(), "=vnone=v");
  Reopen();
  const Keyspace again = *db_->FindKeyspace("short");
  EXPECT_EQ(again.options().default_ttl_us, 1000u);
  EXPECT_OK(again.Put("longer", "v"));
  clock_->Advance(1);
  EXPECT_EQ(Text(again.Get("default")) + Text(again.Get("longer")), "none=v");
  clock_->Advance(999);
  EXPECT_EQ(Text(again.Get("longer")) + Text(again.Get("for ever")), "none=v");
  EXPECT_EQ(GetText(*db_, "default"), "=another keyspace");
}

TEST_F(ExpiryTest, TheDefaultKeyspaceHasTheTimeOfTheOptionsOfThisOpen) {
  options_.default_ttl_us = 100;
  Reopen();
  EXPECT_OK(db_->Put("a", "v"));
  PutFor(kNoTtl, "b", "v");
  options_.default_ttl_us = 0;
  Reopen();
  EXPECT_OK(db_->Put("c", "v"));
  ExpectAll({{"a", "v"}, {"b", "v"}, {"c", "v"}});
  clock_->Advance(100);
  ExpectAll({{"b", "v"}, {"c", "v"}});
  Open("default", 100);
  Reopen();
  EXPECT_OK(db_->Put("k", "v"));
  clock_->Advance(100);
  ExpectAll({{"b", "v"}, {"c", "v"}});
}

TEST_F(ExpiryTest, CompactionDropsWhatHasExpired) {
  for (int i = 0; i < 50; ++i) {
    PutFor(100, "short " + std::to_string(i), "v");
    EXPECT_OK(db_->Put("stays " + std::to_string(i), "v"));
  }
  EXPECT_OK(db_->CompactRange());
  EXPECT_EQ(Entries(), 100u);
  clock_->Advance(99);
  EXPECT_OK(db_->Put("stays 0", "w"));
  EXPECT_OK(db_->CompactRange());
  EXPECT_EQ(Entries(), 100u);
  clock_->Advance(1);
  EXPECT_OK(db_->Put("short 0", "again"));
  EXPECT_OK(db_->Put("zzz", "so that all is rewritten"));
  EXPECT_OK(db_->CompactRange());
  EXPECT_EQ(Entries(), 52u);
  EXPECT_EQ(ReadAll(*db_).size(), 52u);
}

TEST_F(ExpiryTest, OfABatchEachPutHasItsTimeElseThatOfTheWrite) {
  const Keyspace keyspace = Open("short", 50);
  WriteBatch batch;
  batch.Put("a", "v");
  batch.PutWithTtl("b", "v", 200);
  batch.PutWithTtl("c", "v", kNoTtl);
  batch.Put(keyspace, "k", "v");
  batch.PutWithTtl(keyspace, "l", "v", 200);
  batch.Delete("x");
  EXPECT_OK(db_->Write(batch));
  EXPECT_OK(db_->Write(WriteOptions::Ttl(100), [] {
    WriteBatch again;
    again.Put("k", "v");
    again.PutWithTtl("x", "v", 200);
    return again;
  }()));
  ExpectAll({{"a", "v"}, {"b", "v"}, {"c", "v"}, {"k", "v"}, {"x", "v"}});
  EXPECT_EQ(Text(keyspace.Get("k")) + Text(keyspace.Get("l")), "=v=v");
  clock_->Advance(50);
  EXPECT_EQ(Text(keyspace.Get("k")) + Text(keyspace.Get("l")), "none=v");
  clock_->Advance(50);
  ExpectAll({{"a", "v"}, {"b", "v"}, {"c", "v"}, {"x", "v"}});
  // From the moment in which it is written.
  EXPECT_OK(db_->Write(batch));
  clock_->Advance(100);
  ExpectAll({{"a", "v"}, {"b", "v"}, {"c", "v"}});
  clock_->Advance(100);
  ExpectAll({{"a", "v"}, {"c", "v"}});
  EXPECT_EQ(Text(keyspace.Get("l")), "none");
}

TEST_F(ExpiryTest, TimesOutOfRangeAreRefusedAndNothingIsWritten) {
  for (const uint64_t ttl_us : {kMaxTtlUs + 1, kNoTtl - 1}) {
    EXPECT_TRUE(db_->Put(WriteOptions::Ttl(ttl_us), "k", "v").IsInvalidArgument());
    EXPECT_TRUE(db_->Merge(WriteOptions::Ttl(ttl_us), "k", "v").IsInvalidArgument());
    WriteBatch batch;
    batch.Put("k", "v");
    EXPECT_TRUE(db_->Write(WriteOptions::Ttl(ttl_us), batch).IsInvalidArgument());
    batch.PutWithTtl("l", "v", ttl_us);
    EXPECT_TRUE(db_->Write(batch).IsInvalidArgument());
    KeyspaceOptions keyspace;
    keyspace.default_ttl_us = ttl_us;
    EXPECT_TRUE(db_->OpenKeyspace("new", keyspace).status().IsInvalidArgument());
    Options options = options_;
    options.default_ttl_us = ttl_us;
    EXPECT_TRUE(DB::Open(options, "/other").status().IsInvalidArgument());
  }
  EXPECT_EQ(ReadAll(*db_), Contents());
  EXPECT_EQ(db_->ListKeyspaces().size(), 1u);
  PutFor(kMaxTtlUs, "k", "v");
  clock_->Advance(kMaxTtlUs - 1);
  ExpectAll({{"k", "v"}});
}

TEST_F(ExpiryTest, TimesOutliveReopenAndCrash) {
  PutFor(100, "a", "in a table");
  EXPECT_OK(db_->Flush());
  PutFor(200, "b", "in the log");
  WriteBatch batch;
  batch.PutWithTtl("c", "in the log", 300);
  EXPECT_OK(db_->Write(batch));
  clock_->Advance(99);
  Crash();
  ExpectAll({{"a", "in a table"}, {"b", "in the log"}, {"c", "in the log"}});
  clock_->Advance(1);
  ExpectAll({{"b", "in the log"}, {"c", "in the log"}});
  clock_->Advance(99);
  Reopen();
  ExpectAll({{"b", "in the log"}, {"c", "in the log"}});
  clock_->Advance(1);
  ExpectAll({{"c", "in the log"}});
  clock_->Advance(100);
  Crash();
  ExpectAll({});
}

class SkipLimitTest : public ExpiryTest {
 protected:
  static constexpr uint64_t kHidden = 80;
  // 10 keys, kHidden tombstones and expired values, 10 keys.
  SkipLimitTest() {
    for (int i = 100; i < 200; ++i) {
      const std::string key = std::to_string(i);
      if (i < 110 || i >= 190) {
        EXPECT_OK(db_->Put(key, "v"));
        shown_.push_back(key);
      } else if (i % 2 == 0) {
        EXPECT_OK(db_->Delete(key));
      } else {
        PutFor(100, key, "short");
      }
    }
    clock_->Advance(100);
  }
  // Walks over all, going on at each stop, and returns how often it was stopped.
  uint64_t Walk(uint64_t max_skipped, bool forward) {
    ReadOptions options;
    options.max_skipped = max_skipped;
    const std::unique_ptr<Iterator> it = db_->NewIterator(options);
    const auto step = [&] { forward ? it->Next() : it->Prev(); };
    std::vector<std::string> keys;
    uint64_t stops = 0;
    forward ? it->SeekToFirst() : it->SeekToLast();
    for (;;) {
      if (it->Valid()) {
        EXPECT_OK(it->status());
        keys.emplace_back(it->key());
      } else if (it->status().ok() || stops > kHidden) {
        break;
      } else {
        EXPECT_TRUE(it->status().IsBusy() && it->status().detail() == StatusDetail::kSkipLimit)
            << it->status().ToString();
        ++stops;
      }
      step();
    }
    if (!forward) std::reverse(keys.begin(), keys.end());
    EXPECT_EQ(keys, shown_);
    return stops;
  }

  std::vector<std::string> shown_;
};

TEST_F(SkipLimitTest, AScanStopsGoesOnAndSeesEverything) {
  for (const bool flushed : {false, true}) {
    if (flushed) EXPECT_OK(db_->Flush());
    for (const bool forward : {true, false}) {
      const uint64_t skipped = db_->Stats().scan_entries_skipped;
      EXPECT_EQ(Walk(0, forward), 0u);
      EXPECT_EQ(Walk(kHidden + 1, forward), 0u);
      EXPECT_EQ(Walk(kHidden, forward), 1u);
      EXPECT_EQ(Walk(7, forward), kHidden / 7);
      EXPECT_EQ(Walk(1, forward), kHidden);
      EXPECT_EQ(db_->Stats().scan_entries_skipped, skipped + 5 * kHidden);
    }
  }
}

TEST_F(SkipLimitTest, ASeekStopsToo) {
  ReadOptions options;
  options.max_skipped = kHidden / 2;
  const std::unique_ptr<Iterator> it = db_->NewIterator(options);
  it->Seek("130");
  EXPECT_FALSE(it->Valid());
  EXPECT_EQ(it->status().detail(), StatusDetail::kSkipLimit);
  it->Next();
  ASSERT_TRUE(it->Valid());
  EXPECT_EQ(it->key(), "190");
  it->SeekForPrev("170");
  EXPECT_FALSE(it->Valid());
  EXPECT_EQ(it->status().detail(), StatusDetail::kSkipLimit);
  it->Seek("105");
  ASSERT_TRUE(it->Valid()) << "positioning again begins anew";
  EXPECT_OK(it->status());
  EXPECT_EQ(it->key(), "105");
}

// What the skipped keys hide beneath them counts as well.
TEST_F(SkipLimitTest, OlderVersionsCount) {
  for (int i = 110; i < 190; ++i) EXPECT_OK(db_->Delete(std::to_string(i)));
  EXPECT_EQ(Walk(7, /*forward=*/true), 2 * kHidden / 7);
  EXPECT_EQ(Walk(7, /*forward=*/false), 2 * kHidden / 8) << "backward it stops between keys";
}

}  // namespace
}  // namespace seerdb::testing
