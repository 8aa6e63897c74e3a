// How long a value segment lives: until nothing can reach it any more, and no longer.
#include "tests/values/value_fixture.h"

namespace seerdb::testing {
namespace {

using ValueLife = ValueFixture;

// Overwritten and deleted values are moved by nothing, and what empties their segments brings none back.
TEST_F(ValueLife, OverwrittenAndDeletedValuesNeverReturn) {
  Contents want;
  const auto write = [&](int round) {
    for (int i = 0; i < 40; ++i) {
      if ((i + round) % 5 == 0) {
        ASSERT_OK(db_->Delete(Key(i)));
        want.erase(Key(i));
      } else if ((i + round) % 3 != 0) {
        want[Key(i)] = Value(round * 100 + i, 200 + static_cast<size_t>(i) * 60);
        ASSERT_OK(db_->Put(Key(i), want[Key(i)]));
      }
    }
  };
  for (int round = 0; round < 12; ++round) {
    write(round);
    const Contents seen = want;
    const Snapshot snapshot = db_->GetSnapshot();
    if (round % 2 == 0) ASSERT_OK(db_->Flush());
    write(round + 20);
    ASSERT_OK(db_->CompactRange());
    ExpectAll(want);
    EXPECT_EQ(Difference(seen, ReadAll(*db_, &snapshot)), "") << "round " << round;
    if (round % 4 == 1) {
      write(round + 40);
      Crash(CrashOptions::kProcessCrash);
      ExpectAll(want);
    }
    if (round % 4 == 3) Reopen();
    ExpectAll(want);
  }
  ASSERT_OK(db_->CompactRange());
  Reopen();
  ExpectAll(want);
}

// Everything that shows a value keeps its segment, whatever becomes of the entry.
TEST_F(ValueLife, WhatIsHeldAcrossTheEmptyingOfASegmentStillReads) {
  const std::string old = Value(1);
  ASSERT_OK(db_->Put("a", old));
  ASSERT_OK(db_->Put("b", Value(2)));
  for (const bool in_table : {false, true}) {
    if (in_table) {
      ASSERT_OK(db_->Put("a", old));
      ASSERT_OK(db_->Flush());
    }
    const Snapshot snapshot = db_->GetSnapshot();
    const auto iterator = db_->NewIterator();
    iterator->SeekToFirst();
    auto pinned = db_->Get("a");
    ASSERT_TRUE(pinned.ok() && pinned->has_value());
    ASSERT_OK(db_->Put("a", Value(3)));
    ASSERT_OK(db_->CompactRange());
    EXPECT_EQ(GetText(*db_, "a", &snapshot), "=" + old);
    EXPECT_EQ(GetText(*db_, "a"), "=" + Value(3));
    ASSERT_TRUE(iterator->Valid());
    EXPECT_EQ(iterator->value(), Slice(old));
    iterator->Next();
    iterator->Prev();
    ASSERT_TRUE(iterator->Valid()) << iterator->status().ToString();
    EXPECT_EQ(iterator->value(), Slice(old));
    EXPECT_EQ((**pinned).slice(), Slice(old));
  }
}

// The iterator and the pinned value outlive snapshot, segment file, and database.
TEST_F(ValueLife, PinnedValuesAndIteratorsOutliveTheSegmentsName) {
  const std::string old = Value(1, 150'000);
  ASSERT_OK(db_->Put("a", old));
  ASSERT_OK(db_->Flush());
  Reopen();  // the segment is sealed, and may be mapped
  auto pinned = db_->Get("a");
  ASSERT_TRUE(pinned.ok() && pinned->has_value());
  auto iterator = db_->NewIterator();
  const std::vector<std::string> before = Segments();
  ASSERT_EQ(before.size(), 1u);
  ASSERT_OK(db_->Delete("a"));
  ASSERT_OK(db_->CompactRange());
  iterator->SeekToFirst();
  ASSERT_TRUE(iterator->Valid()) << iterator->status().ToString();
  EXPECT_TRUE(iterator->value() == Slice(old));
  EXPECT_EQ(Segments(), before) << "an iterator reads it";
  iterator.reset();
  ASSERT_OK(db_->WaitForCompaction());
  EXPECT_TRUE(Segments().empty());
  EXPECT_TRUE((**pinned).slice() == Slice(old));
  db_.reset();
  EXPECT_TRUE((**pinned).slice() == Slice(old));
}

TEST_F(ValueLife, ASegmentGoesWithTheLastThatPointsIntoItAndNotBefore) {
  ASSERT_OK(db_->Put("a", Value(1)));
  ASSERT_OK(db_->Put("b", Value(2)));
  Reopen();  // the log gives a table, the segment is sealed
  const std::vector<std::string> first = Segments();
  ASSERT_EQ(first.size(), 1u);
  ASSERT_OK(db_->Delete("a"));
  ASSERT_OK(db_->Flush());
  // Another version, so that nobody holds what the last one may have let go of.
  ASSERT_OK(db_->Put("c", "small"));
  ASSERT_OK(db_->Flush());
  ASSERT_OK(db_->WaitForCompaction());
  EXPECT_EQ(Segments(), first) << "a table points into it";
  EXPECT_EQ(GetText(*db_, "b"), "=" + Value(2));
  ASSERT_OK(db_->Delete("b"));
  EXPECT_EQ(Segments(), first) << "a table points into it, whatever hides it";
  ASSERT_OK(db_->CompactRange());
  ASSERT_OK(db_->WaitForCompaction());
  EXPECT_TRUE(Segments().empty());
  EXPECT_EQ(ReadAll(*db_), (Contents{{"c", "small"}}));
}

// A memtable that waits, and one that is written to, keep what they alone point to.
TEST_F(ValueLife, MemtablesKeepSegmentsThatNoTableNames) {
  Contents want;
  options_.executor = NewCooperativeExecutor();
  options_.background_flush = true;
  Reopen();
  for (int i = 0; i < 40; ++i) ASSERT_OK(db_->Put(Key(i), want[Key(i)] = Value(i, 2000)));
  ASSERT_OK(db_->Put("long", want["long"] = Value(50, 70'000)));  // ends its segment
  ASSERT_EQ(Segments().size(), 2u);
  ASSERT_EQ(db_->Stats().total_flushes, 0u);
  ExpectAll(want);
  // The first memtable goes to a table: a version that does not name the second segment.
  while (options_.executor->RunOne()) {
  }
  ASSERT_EQ(db_->Stats().total_flushes, 1u);
  ExpectAll(want);
  Options of_the_clone = options_;
  of_the_clone.executor = nullptr;
  of_the_clone.file_system = fs_->CrashClone({1, CrashOptions::kProcessCrash, true});
  const auto replayed = OpenOrFail(of_the_clone, "/db");
  ASSERT_TRUE(replayed);
  EXPECT_EQ(Difference(want, ReadAll(*replayed)), "");
  options_.executor = nullptr;
  options_.background_flush = false;
  // The second memtable goes, and with it whoever thought that the segment was its alone.
  ASSERT_OK(db_->Flush());
  ASSERT_OK(db_->Put("y", want["y"] = "small"));
  ASSERT_OK(db_->Flush());
  EXPECT_EQ(Segments().size(), 2u);
  ExpectAll(want);
  Reopen();
  ExpectAll(want);
}

TEST_F(ValueLife, OrphansAreSweptAtOpenAndListedSegmentsAreNot) {
  ASSERT_OK(db_->Put("a", Value(1)));
  ASSERT_OK(db_->Flush());
  db_.reset();
  const std::vector<std::string> listed = Segments();
  ASSERT_EQ(listed.size(), 1u);
  Store("009000.vlog", Bytes(listed[0]));
  Store("009001.vlog", "");
  Reopen();
  EXPECT_EQ(Segments(), listed);
  ExpectAll({{"a", Value(1)}});
  // Numbers go on above those that were seen.
  ASSERT_OK(db_->Put("b", Value(2)));
  uint64_t number = 0;
  ParseFileName(Segments().back(), &number);
  EXPECT_GT(number, 9001u);
}

// While a file is missing, one that is not listed may be the only place where its entries are.
TEST_F(ValueLife, NothingIsSweptWhileASegmentIsMissing) {
  ASSERT_OK(db_->Put("a", Value(1)));
  ASSERT_OK(db_->Flush());
  db_.reset();
  const std::string name = Segments()[0];
  const std::string bytes = Bytes(name);
  ASSERT_OK(fs_->DeleteFile("/db/" + name));
  Store("009000.vlog", bytes);
  Reopen();
  ExpectDamaged(db_->Get("a").status());
  EXPECT_EQ(Segments(), std::vector<std::string>{"009000.vlog"});
  db_.reset();
  Store(name, bytes);
  Reopen();
  ExpectAll({{"a", Value(1)}});
  EXPECT_EQ(Segments(), std::vector<std::string>{name});
}

// Live bytes are what a manifest is summed up to, and what is left of each edit.
TEST_F(ValueLife, LoadsAndDropsOfTablesAreCountedToo) {
  std::vector<std::pair<std::string, std::string>> entries;
  Contents want;
  for (int i = 0; i < 60; ++i) entries.emplace_back(Key(i), want[Key(i)] = Value(i, 3000));
  ASSERT_OK(db_->BulkLoad(BulkLoadOptions().AlreadySorted(), entries).status());
  EXPECT_GE(SegmentBytes(), 180'000u);
  ExpectAll(want);
  Crash();
  ExpectAll(want);
  ASSERT_OK(db_->DeleteRange(Key(0), Key(50)));
  for (int i = 0; i < 50; ++i) want.erase(Key(i));
  ASSERT_OK(db_->CompactRange());
  ASSERT_OK(db_->WaitForCompaction());
  EXPECT_LT(SegmentBytes(), 70'000u);
  ExpectAll(want);
  Crash();
  ExpectAll(want);
}

}  // namespace
}  // namespace seerdb::testing
