// Large values: written once, read wherever they lie, gone when nothing points to them, and not before.
#include "tests/values/value_fixture.h"

namespace seerdb::testing {
namespace {

using ValueLogTest = ValueFixture;

TEST_F(ValueLogTest, LargeValuesAreReadFromMemtableTableAndAfterReopen) {
  Contents want;
  for (int i = 0; i < 200; ++i) {
    want[Key(i)] = Value(i, i % 3 == 0 ? 20 : 50 + static_cast<size_t>(i) * 37);
    ASSERT_OK(db_->Put(Key(i), want[Key(i)]));
  }
  ExpectAll(want);
  EXPECT_GT(Segments().size(), 1u);
  ASSERT_OK(db_->Flush());
  ExpectAll(want);
  Reopen();
  ExpectAll(want);
  ASSERT_OK(db_->CompactRange(std::nullopt, std::nullopt));
  ExpectAll(want);
  EXPECT_OK(db_->Verify().status());
}

TEST_F(ValueLogTest, ValuesSurviveCrashesOfTheProcessFromTheLogAlone) {
  Contents want;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 50; ++i) {
      want[Key(i)] = Value(round * 100 + i);
      ASSERT_OK(db_->Put(Key(i), want[Key(i)]));
    }
    Crash(CrashOptions::kProcessCrash);
    ExpectAll(want);
  }
}

TEST_F(ValueLogTest, SyncedValuesSurviveAPowerCut) {
  Contents want;
  for (int i = 0; i < 30; ++i) {
    want[Key(i)] = Value(i);
    ASSERT_OK(db_->Put(WriteOptions::Sync(), Key(i), want[Key(i)]));
  }
  Crash();
  ExpectAll(want);
}

TEST_F(ValueLogTest, OverwrittenValuesAreGivenBack) {
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 50; ++i) ASSERT_OK(db_->Put(Key(i), Value(round * 100 + i)));
    ASSERT_OK(db_->Flush());
  }
  ASSERT_OK(db_->CompactRange(std::nullopt, std::nullopt));
  ASSERT_OK(db_->WaitForCompaction());
  // The one that is appended to stays, and the last round's values.
  EXPECT_LT(SegmentBytes(), 200'000u);
  Contents want;
  for (int i = 0; i < 50; ++i) want[Key(i)] = Value(1900 + i);
  ExpectAll(want);
}

TEST_F(ValueLogTest, BatchesMergesAndTimesToLiveMayHoldLargeValues) {
  Contents want;
  WriteBatch batch;
  for (int i = 0; i < 20; ++i) {
    want[Key(i)] = Value(i, i % 2 == 0 ? 10 : 5000);
    batch.Put(Key(i), want[Key(i)]);
  }
  batch.PutWithTtl("ttl", Value(77), uint64_t{1} << 50);
  want["ttl"] = Value(77);
  ASSERT_OK(db_->Write(batch));
  ASSERT_OK(db_->Merge(Key(1), "tail"));
  want[Key(1)] += "+tail";
  ASSERT_OK(db_->Put(WriteOptions::Ttl(uint64_t{1} << 50), "ttl2", Value(78)));
  want["ttl2"] = Value(78);
  for (int step = 0; step < 4; ++step) {
    ExpectAll(want);
    if (step == 0) ASSERT_OK(db_->Flush());
    if (step == 1) ASSERT_OK(db_->CompactRange(std::nullopt, std::nullopt));
    if (step == 2) Reopen();
  }
}

}  // namespace
}  // namespace seerdb::testing
