// Values that are damaged where they lie, and segments that are missing: reads that need them fail, all else
// goes on, and nothing that might be mended is thrown away.
#include "env/manual_clock.h"
#include "seerdb/compaction_filter.h"
#include "tests/values/value_fixture.h"

namespace seerdb::testing {
namespace {

class ValueDamage : public ValueFixture {
 protected:
  void StartOver() {
    db_.reset();
    want_.clear();
    fs_ = std::make_shared<MemoryFileSystem>();
    options_.file_system = fs_;
    Reopen();
  }
  // Keys 0 .. 9 in one table and one segment.
  void WriteTen() {
    for (int i = 0; i < 10; ++i) ASSERT_OK(db_->Put(Key(i), want_[Key(i)] = Value(i)));
    ASSERT_OK(db_->Flush());
    db_.reset();
  }
  void ExpectAllBut(const std::string& lost) {
    for (const auto& [key, value] : want_) {
      if (key == lost) {
        ExpectDamaged(db_->Get(key).status());
      } else {
        EXPECT_TRUE(GetText(*db_, key) == "=" + value) << key;
      }
    }
  }

  Contents want_;
};

TEST_F(ValueDamage, ReadsThatNeedItFailAndOthersDoNot) {
  for (const TableAccess access : {TableAccess::kPread, TableAccess::kMapped}) {
    SCOPED_TRACE(static_cast<int>(access));
    options_.table_access = access;
    StartOver();
    WriteTen();
    const std::string name = Damage(Value(4));
    const std::string damaged = Bytes(name);
    Reopen();
    ExpectAllBut(Key(4));
    const std::vector<Slice> keys{Slice("key1003"), Slice("key1004"), Slice("key1005")};
    const auto got = db_->MultiGet(ReadOptions(), keys);
    EXPECT_TRUE(got[0].ok() && got[2].ok());
    ExpectDamaged(got[1].status());
    EXPECT_FALSE(db_->Verify().ok());
    for (const bool backward : {false, true}) {
      const auto it = db_->NewIterator();
      int seen = 0;
      for (backward ? it->SeekToLast() : it->SeekToFirst(); it->Valid(); backward ? it->Prev() : it->Next()) {
        EXPECT_TRUE(it->value() == Slice(want_[std::string(it->key())]));
        ++seen;
      }
      ExpectDamaged(it->status());
      EXPECT_EQ(seen, backward ? 5 : 4);
    }
    EXPECT_EQ(Bytes(name), damaged) << "nothing writes to it";
    std::string mended = damaged;
    mended[mended.find(Value(4).substr(0, 400)) + 500] ^= 4;
    db_.reset();
    Store(name, mended);
    Reopen();
    ExpectAll(want_);
  }
}

// Neither the file nor a byte of it is asked for.
TEST_F(ValueDamage, ScansOfKeysAloneReadNoSegment) {
  WriteTen();
  for (const std::string& name : Segments()) ASSERT_OK(fs_->DeleteFile("/db/" + name));
  Reopen();
  ReadOptions options;
  options.keys_only = true;
  const auto it = db_->NewIterator(options);
  int seen = 0;
  for (it->SeekToFirst(); it->Valid(); it->Next()) ++seen;
  EXPECT_OK(it->status());
  EXPECT_EQ(seen, 10);
  for (it->SeekToLast(); it->Valid(); it->Prev()) --seen;
  EXPECT_OK(it->status());
  EXPECT_EQ(seen, 0);
}

// What is left of a segment is moved, but for what cannot be read: that stays, and nobody tries for ever.
TEST_F(ValueDamage, WhatEmptiesASegmentLeavesADamagedValueWhereItIs) {
  for (const bool short_of_space : {false, true}) {
    SCOPED_TRACE(short_of_space);
    options_.space_amplification_target = short_of_space ? 1.2 : 0;
    StartOver();
    WriteTen();
    const std::string name = Damage(Value(4));
    const std::string damaged = Bytes(name);
    Reopen();
    for (int i = 5; i < 10; ++i) ASSERT_OK(db_->Put(Key(i), want_[Key(i)] = Value(100 + i)));
    ASSERT_OK(db_->Delete(Key(0)));
    want_.erase(Key(0));
    for (int round = 0; round < 3; ++round) {
      ASSERT_OK(db_->CompactRange());
      ASSERT_OK(db_->WaitForCompaction());
    }
    const uint64_t compactions = db_->Stats().total_compactions;
    ASSERT_OK(db_->WaitForCompaction());
    EXPECT_EQ(db_->Stats().total_compactions, compactions);
    ExpectAllBut(Key(4));
    EXPECT_EQ(Bytes(name), damaged);
    // The bytes are found again.
    db_.reset();
    std::string mended = damaged;
    mended[mended.find(Value(4).substr(0, 400)) + 500] ^= 4;
    Store(name, mended);
    Reopen();
    ExpectAll(want_);
    ASSERT_OK(db_->CompactRange());
    ExpectAll(want_);
    ASSERT_OK(db_->Put(Key(4), want_[Key(4)] = "small"));
    ASSERT_OK(db_->CompactRange());
    ASSERT_OK(db_->WaitForCompaction());
    EXPECT_FALSE(SomeSegmentHolds(Value(4)));
  }
}

TEST_F(ValueDamage, ADatabaseWithoutASegmentOpensAndGoesOn) {
  WriteTen();
  Reopen();
  ASSERT_OK(db_->Put("other", want_["other"] = Value(50)));
  ASSERT_OK(db_->Flush());
  db_.reset();
  ASSERT_OK(fs_->DeleteFile("/db/" + Segments()[0]));
  Reopen();
  for (int i = 0; i < 10; ++i) ExpectDamaged(db_->Get(Key(i)).status());
  EXPECT_EQ(GetText(*db_, "other"), "=" + Value(50));
  for (int i = 0; i < 9; ++i) ASSERT_OK(db_->Put(Key(i), want_[Key(i)] = Value(100 + i)));
  ASSERT_OK(db_->CompactRange());
  ExpectAllBut(Key(9));
  ASSERT_OK(db_->Delete(Key(9)));
  want_.erase(Key(9));
  ASSERT_OK(db_->CompactRange());
  ExpectAll(want_);
  Reopen();
  ExpectAll(want_);
  EXPECT_OK(db_->Verify().status());
}

// An operand over a value that cannot be read waits for it.
TEST_F(ValueDamage, OperandsOverADamagedValueAreKept) {
  for (const bool in_memory : {true, false}) {
    StartOver();
    WriteTen();
    const std::string name = Damage(Value(4));
    const std::string damaged = Bytes(name);
    Reopen();
    ASSERT_OK(db_->Merge(Key(4), "x"));
    ASSERT_OK(db_->Merge(Key(4), "y"));
    if (!in_memory) ASSERT_OK(db_->CompactRange());
    ExpectAllBut(Key(4));
    const auto it = db_->NewIterator();
    it->Seek(Key(4));
    ExpectDamaged(it->status());
    db_.reset();
    std::string mended = damaged;
    mended[mended.find(Value(4).substr(0, 400)) + 500] ^= 4;
    Store(name, mended);
    Reopen();
    want_[Key(4)] += "+x+y";
    ExpectAll(want_);
    ASSERT_OK(db_->CompactRange());
    ExpectAll(want_);
  }
}

// A value that has expired is as good as deleted: nobody needs what it was.
TEST_F(ValueDamage, AnOperandOverAnExpiredValueDoesNotNeedIt) {
  const auto clock = std::make_shared<ManualClock>();
  options_.clock = clock;
  for (const bool in_memory : {true, false}) {
    StartOver();
    WriteTen();
    Reopen();
    ASSERT_OK(db_->Put(WriteOptions::Ttl(1'000'000), Key(4), Value(77)));
    ASSERT_OK(db_->Flush());
    db_.reset();
    Damage(Value(77));
    Reopen();
    ASSERT_OK(db_->Merge(Key(4), "x"));
    ExpectAllBut(Key(4));
    clock->Advance(2'000'000);
    if (!in_memory) ASSERT_OK(db_->CompactRange());
    want_[Key(4)] = "x";
    ExpectAll(want_);
  }
}

class RemovesAll final : public CompactionFilter {
 public:
  FilterDecision Filter(const Entry&, std::string*) const override { return FilterDecision::kRemove; }
};

// A filter is not asked about what cannot be read.
TEST_F(ValueDamage, AFilterIsNotAskedAboutIt) {
  WriteTen();
  Damage(Value(4));
  options_.compaction_filter = std::make_shared<RemovesAll>();
  Reopen();
  ASSERT_OK(db_->CompactRange());
  want_ = {{Key(4), ""}};
  ExpectAllBut(Key(4));
  const auto it = db_->NewIterator(ReadOptions());
  it->SeekToFirst();
  ExpectDamaged(it->status());
}

// A file that was put in the place of another: of this database, or of another one.
TEST_F(ValueDamage, SegmentsThatChangedPlacesAreRefused) {
  WriteTen();
  Reopen();
  ASSERT_OK(db_->Put("other", want_["other"] = Value(50)));
  ASSERT_OK(db_->Flush());
  db_.reset();
  const std::vector<std::string> names = Segments();
  ASSERT_EQ(names.size(), 2u);
  const std::string first = Bytes(names[0]);
  const std::string second = Bytes(names[1]);
  Store(names[0], second);
  Store(names[1], first);
  Reopen();
  for (const auto& [key, value] : want_) ExpectDamaged(db_->Get(key).status());
  db_.reset();
  Store(names[1], second);
  Store(names[0], first.substr(0, 64) + second.substr(64));
  Reopen();
  for (int i = 0; i < 10; ++i) ExpectDamaged(db_->Get(Key(i)).status());
  EXPECT_EQ(GetText(*db_, "other"), "=" + Value(50));
}

// Its record is whole, and leads nowhere.
TEST_F(ValueDamage, RepairWithoutAManifestSaysThatALoggedValueIsLost) {
  ASSERT_OK(db_->Put(Key(1), "small"));
  ASSERT_OK(db_->Put(Key(2), Value(2)));
  const auto disk = fs_->CrashClone({0, CrashOptions::kProcessCrash, true});
  db_.reset();
  const auto names = disk->ListDirectory("/db");
  ASSERT_OK(names.status());
  for (const std::string& name : *names) {
    if (name.starts_with("MANIFEST") || name.ends_with(".vlog")) ASSERT_OK(disk->DeleteFile("/db/" + name));
  }
  options_.file_system = disk;
  const auto report = DB::Repair(options_, "/db");
  ASSERT_TRUE(report.ok()) << report.status().ToString();
  EXPECT_FALSE(report->lossless()) << report->ToString();
  const auto repaired = OpenOrFail(options_, "/db");
  ASSERT_TRUE(repaired);
  EXPECT_EQ(GetText(*repaired, Key(1)), "=small");
  EXPECT_EQ(GetText(*repaired, Key(2)), "none");
}

}  // namespace
}  // namespace seerdb::testing
