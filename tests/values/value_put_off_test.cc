// Moves of values that fail are put off: nothing needs them, so that writes go on, and the device is not
// asked again and again.
#include "base/units.h"
#include "env/fault_file_system.h"
#include "env/manual_clock.h"
#include "tests/values/value_fixture.h"

namespace seerdb::testing {
namespace {

class ValuePutOff : public ValueFixture {
 protected:
  ~ValuePutOff() override { db_.reset(); }  // it logs to the end
  void StartOver() {
    db_.reset();
    want_.clear();
    events_.clear();
    fs_ = std::make_shared<MemoryFileSystem>();
    faults_ = std::make_shared<FaultFileSystem>(fs_);
    clock_ = std::make_shared<ManualClock>();
    options_.file_system = faults_;
    options_.clock = clock_;
    options_.logger = [this](Slice line) { events_ += std::string(line) + "\n"; };
  }
  // A table that points into so many small segments; the compaction that puts them together is due.
  void MakeSmallSegments(int count) {
    for (int i = 0; i < count; ++i) {
      Reopen();
      ASSERT_OK(db_->Put(Key(i), want_[Key(i)] = Value(i)));
      ASSERT_OK(db_->Put("last", want_["last"] = "in each"));  // so that they are merged
      ASSERT_OK(db_->Flush());
    }
    ASSERT_OK(db_->CompactRange());
    ASSERT_EQ(Segments().size(), static_cast<size_t>(count));
  }
  // A table that points into a segment of which little is left.
  void MakeGarbage() {
    Reopen();
    for (int i = 0; i < 20; ++i) ASSERT_OK(db_->Put(Key(i), want_[Key(i)] = Value(i)));
    ASSERT_OK(db_->CompactRange());
    for (int i = 1; i < 20; ++i) ASSERT_OK(db_->Put(Key(i), want_[Key(i)] = "small"));
    ASSERT_OK(db_->CompactRange());
    Reopen();  // nobody appends to it any more
  }
  // One key with a large value.
  Status Load() {
    const std::vector<std::pair<std::string, std::string>> entries = {{"loaded", Value(99)}};
    return db_->BulkLoad({}, entries).status();
  }
  uint64_t Fires(const FaultRule& rule, const std::function<void()>& meanwhile) {
    const uint64_t before = faults_->faults_fired();
    const uint64_t number = faults_->AddRule(rule);
    meanwhile();
    faults_->RemoveRule(number);
    return faults_->faults_fired() - before;
  }
  size_t PutOffs() const {
    size_t count = 0;
    for (size_t at = events_.find("event=gathering_put_off"); at != std::string::npos;
         at = events_.find("event=gathering_put_off", at + 1)) {
      ++count;
    }
    return count;
  }

  Contents want_;
  std::string events_;
  std::shared_ptr<FaultFileSystem> faults_;
  std::shared_ptr<ManualClock> clock_;
};

TEST_F(ValuePutOff, AFailedGatheringIsTriedAgainInAMinuteAndWritesGoOn) {
  for (const FileOp op : {FileOp::kOpenWrite, FileOp::kAppend}) {
    for (const Status& error : {FaultRule::NoSpaceError(), FaultRule::DeviceError()}) {
      SCOPED_TRACE(std::string(FileOpName(op)) + " " + error.ToString());
      StartOver();
      MakeSmallSegments(12);
      FaultRule rule = FaultRule::Fail(op, ".vlog", error);
      rule.repeat = true;
      const auto wait = [this] {
        for (int i = 0; i < 3; ++i) EXPECT_OK(db_->WaitForCompaction());
        EXPECT_OK(db_->Put("small", want_["small"] = "value"));
        EXPECT_OK(db_->Flush());
      };
      EXPECT_EQ(Fires(rule, wait), 1u) << "not at once again";
      EXPECT_EQ(PutOffs(), 1u) << events_;
      EXPECT_EQ(Segments().size(), 12u);
      clock_->Advance(kMicrosPerMinute - 1);
      EXPECT_EQ(Fires(rule, wait), 0u);
      clock_->Advance(1);
      EXPECT_EQ(Fires(rule, wait), 1u);
      EXPECT_EQ(PutOffs(), 2u) << events_;
      ExpectAll(want_);
      clock_->Advance(kMicrosPerMinute);
      EXPECT_OK(db_->WaitForCompaction());
      EXPECT_LT(Segments().size(), 12u) << "the device is well again";
      EXPECT_EQ(PutOffs(), 2u);
      ExpectAll(want_);
    }
  }
}

TEST_F(ValuePutOff, SoIsACollectionOfGarbage) {
  for (const Status& error : {FaultRule::NoSpaceError(), FaultRule::DeviceError()}) {
    SCOPED_TRACE(error.ToString());
    StartOver();
    MakeGarbage();
    FaultRule rule = FaultRule::Fail(FileOp::kOpenWrite, ".vlog", error);
    rule.repeat = true;
    const auto wait = [this] {
      for (int i = 0; i < 3; ++i) EXPECT_OK(db_->WaitForCompaction());
      EXPECT_OK(db_->Put("small", want_["small"] = "value"));
    };
    const std::vector<std::string> before = Segments();
    EXPECT_EQ(Fires(rule, wait), 1u);
    EXPECT_EQ(PutOffs(), 1u) << events_;
    EXPECT_EQ(Segments(), before);
    clock_->Advance(kMicrosPerMinute);
    EXPECT_OK(db_->WaitForCompaction());
    EXPECT_NE(Segments(), before);
    EXPECT_LT(SegmentBytes(), 3000u);
    ExpectAll(want_);
  }
}

// A merge that the tree needs moves values on its way, or none.
TEST_F(ValuePutOff, AMergeGoesOnWithoutWhatItCannotMove) {
  StartOver();
  Reopen();
  for (int i = 0; i < 20; ++i) ASSERT_OK(db_->Put(Key(i), want_[Key(i)] = Value(i)));
  ASSERT_OK(db_->CompactRange());
  for (int i = 8; i < 20; ++i) ASSERT_OK(db_->Put(Key(i), want_[Key(i)] = "small"));
  ASSERT_OK(db_->CompactRange());
  options_.l0_compaction_trigger = 1;
  Reopen();
  ASSERT_OK(db_->Put(Key(0), want_[Key(0)] = "newer"));
  ASSERT_OK(db_->Put(Key(19), want_[Key(19)] = "newer"));
  const uint64_t merges = db_->Stats().total_compactions;
  FaultRule rule = FaultRule::Fail(FileOp::kOpenWrite, ".vlog", FaultRule::NoSpaceError());
  rule.repeat = true;
  EXPECT_EQ(Fires(rule, [this] { EXPECT_OK(db_->Flush()); }), 1u);
  EXPECT_NE(events_.find("event=gathering_put_off reason=\"L0 runs"), std::string::npos) << events_;
  EXPECT_EQ(db_->Stats().total_compactions, merges + 1) << "it did the rest";
  ExpectAll(want_);
}

// What was durable may not be: only a reopen tells.
TEST_F(ValuePutOff, AFailedSyncStopsWritesAllTheSame) {
  StartOver();
  MakeSmallSegments(12);
  faults_->AddRule(FaultRule::Fail(FileOp::kSync, ".vlog", FaultRule::DeviceError()));
  EXPECT_EQ(db_->WaitForCompaction().detail(), StatusDetail::kSyncFailed);
  EXPECT_TRUE(db_->Put("small", "value").IsReadOnly());
  EXPECT_EQ(PutOffs(), 0u);
  Reopen();
  ExpectAll(want_);
}

// As long as a crash may bring the edit into force, what its tables point into must be there.
TEST_F(ValuePutOff, WhatAFailedEditPointsIntoStaysUntilWritesResume) {
  for (const bool load : {false, true}) {
    SCOPED_TRACE(load);
    StartOver();
    MakeGarbage();
    const std::vector<std::string> before = Segments();
    FaultRule rule = FaultRule::Fail(FileOp::kAppend, "MANIFEST", FaultRule::NoSpaceError());
    const auto fail = [&] { EXPECT_TRUE((load ? Load() : db_->CompactRange()).IsNoSpace()); };
    EXPECT_EQ(Fires(rule, fail), 1u);
    EXPECT_EQ(Segments().size(), before.size() + 1);
    EXPECT_OK(db_->Resume());
    EXPECT_EQ(Segments().size(), before.size());
    ExpectAll(want_);
    EXPECT_OK(load ? Load() : db_->CompactRange());
    if (load) want_["loaded"] = Value(99);
    ExpectAll(want_);
  }
}

// Who asks for a compaction is told.
TEST_F(ValuePutOff, ACompactionThatIsAskedForFails) {
  StartOver();
  MakeGarbage();
  FaultRule rule = FaultRule::Fail(FileOp::kOpenWrite, ".vlog", FaultRule::NoSpaceError());
  EXPECT_EQ(Fires(rule, [this] { EXPECT_TRUE(db_->CompactRange().IsNoSpace()); }), 1u);
  EXPECT_EQ(PutOffs(), 0u);
  EXPECT_OK(db_->Resume());
  EXPECT_OK(db_->CompactRange());
  ExpectAll(want_);
}

}  // namespace
}  // namespace seerdb::testing
