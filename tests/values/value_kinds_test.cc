// Large values under every feature of the data model, and the size from which on a value is large.
#include <mutex>

#include "base/units.h"
#include "env/manual_clock.h"
#include "seerdb/compaction_filter.h"
#include "tests/values/value_fixture.h"

namespace seerdb::testing {
namespace {

class ValueKinds : public ValueFixture {
 protected:
  ValueKinds() {
    options_.clock = clock_;
    Reopen();
  }
  // Steps at which contents must be the same: memory, tables, the bottom, after reopen and crash.
  void ExpectThroughout(const Contents& want) {
    ExpectAll(want);
    ASSERT_OK(db_->Flush());
    ExpectAll(want);
    ASSERT_OK(db_->CompactRange());
    ExpectAll(want);
    Reopen();
    ExpectAll(want);
    Crash();
    ExpectAll(want);
    EXPECT_OK(db_->Verify().status());
  }

  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
};

TEST_F(ValueKinds, TheThresholdIsExactAndMayChange) {
  Contents want;
  ASSERT_OK(db_->Put("below", want["below"] = Value(1, kSeparation - 1)));
  EXPECT_TRUE(Segments().empty());
  ASSERT_OK(db_->Put("at", want["at"] = Value(2, kSeparation)));
  EXPECT_EQ(Segments().size(), 1u);
  ExpectThroughout(want);
  EXPECT_FALSE(SomeSegmentHolds(want["below"]));
  int i = 10;
  for (const uint64_t separation_bytes :
       {uint64_t{0}, uint64_t{64}, uint64_t{100'000}, uint64_t{0}, uint64_t{300}}) {
    options_.separation_bytes = separation_bytes;
    Reopen();
    ExpectAll(want);
    for (const size_t bytes : {20, 64, 200, 400, 5000}) {
      const std::string key = Key(i++);
      ASSERT_OK(db_->Put(key, want[key] = Value(i, bytes)));
    }
    const bool apart = separation_bytes != 0 && separation_bytes <= 5000;
    EXPECT_EQ(SomeSegmentHolds(Value(i, 5000)), apart);
    ExpectThroughout(want);
  }
}

TEST_F(ValueKinds, EveryKeyspaceHasItsThresholdInTheManifest) {
  KeyspaceOptions never;
  never.separation_bytes = 0;
  KeyspaceOptions small;
  small.separation_bytes = 64;
  const Keyspace in_place = Open("never", never);
  const Keyspace apart = Open("small", small);
  const Keyspace as_default = Open("default of the database", KeyspaceOptions());
  for (int round = 0; round < 3; ++round) {
    SCOPED_TRACE(round);
    // From the second round on as the manifest says.
    const Keyspace one = round == 0 ? in_place : *db_->FindKeyspace("never");
    const Keyspace two = round == 0 ? apart : *db_->FindKeyspace("small");
    const Keyspace three = round == 0 ? as_default : *db_->FindKeyspace("default of the database");
    ASSERT_OK(one.Put("k", Value(10 * round + 1, 5000)));
    ASSERT_OK(two.Put("k", Value(10 * round + 2, 70)));
    ASSERT_OK(three.Put("k", Value(10 * round + 3, 99)));
    ASSERT_OK(three.Put("l", Value(10 * round + 4, 101)));
    WriteBatch batch;
    batch.Put(one, "b", Value(10 * round + 5, 5000));
    batch.Put(two, "b", Value(10 * round + 6, 70));
    batch.Put("b", Value(10 * round + 7, 120));
    ASSERT_OK(db_->Write(batch));
    for (int step = 0; step < 2; ++step) {
      EXPECT_FALSE(SomeSegmentHolds(Value(10 * round + 1, 5000)));
      EXPECT_TRUE(SomeSegmentHolds(Value(10 * round + 2, 70)));
      EXPECT_FALSE(SomeSegmentHolds(Value(10 * round + 3, 99)));
      EXPECT_TRUE(SomeSegmentHolds(Value(10 * round + 4, 101)));
      EXPECT_FALSE(SomeSegmentHolds(Value(10 * round + 5, 5000)));
      EXPECT_TRUE(SomeSegmentHolds(Value(10 * round + 6, 70)));
      EXPECT_TRUE(SomeSegmentHolds(Value(10 * round + 7, 120)));
      EXPECT_EQ(Text(one.Get("k")), "=" + Value(10 * round + 1, 5000));
      EXPECT_EQ(Text(two.Get("b")), "=" + Value(10 * round + 6, 70));
      if (step == 0) ASSERT_OK(db_->CompactRange());
    }
    if (round == 1) Crash();
    if (round != 1) Reopen();
  }
  ASSERT_OK(db_->DropKeyspace(*db_->FindKeyspace("small")));
  ASSERT_OK(db_->CompactRange());
  Crash();
  EXPECT_EQ(Text(db_->FindKeyspace("never")->Get("k")), "=" + Value(21, 5000));
  EXPECT_EQ(GetText(*db_, "b"), "=" + Value(27, 120));
}

TEST_F(ValueKinds, MergesRestOnLargeValuesAndMakeThem) {
  Contents want;
  Snapshot before = db_->GetSnapshot();
  ASSERT_OK(db_->Put("base", Value(1)));
  Snapshot middle = db_->GetSnapshot();
  ASSERT_OK(db_->Merge("base", "x"));
  ASSERT_OK(db_->Merge("base", Value(2)));
  want["base"] = Value(1) + "+x+" + Value(2);
  ASSERT_OK(db_->Merge("grown", Value(3, 90)));
  ASSERT_OK(db_->Merge("grown", Value(4, 90)));
  want["grown"] = Value(3, 90) + "+" + Value(4, 90);
  ExpectAll(want);
  ASSERT_OK(db_->CompactRange());
  EXPECT_EQ(Difference({{"base", Value(1)}}, ReadAll(*db_, &middle)), "");
  EXPECT_TRUE(ReadAll(*db_, &before).empty());
  before = Snapshot();
  middle = Snapshot();
  ASSERT_OK(db_->Merge("base", "z"));
  want["base"] += "+z";
  ExpectThroughout(want);
  EXPECT_TRUE(SomeSegmentHolds(want["grown"])) << "what a fold makes is large";
  EXPECT_TRUE(SomeSegmentHolds(want["base"]));
}

// It is written once, whatever is compacted above it: were it written anew each time, the segment it leaves
// would be garbage each time, and no collection would ever be the last.
TEST_F(ValueKinds, ABaseThatExpiresBeforeItsOperandsStaysWhereItLies) {
  Contents want;
  ASSERT_OK(db_->Put(WriteOptions::Ttl(kMicrosPerMinute), "base", want["base"] = Value(1, 3000)));
  ASSERT_OK(db_->CompactRange());
  const auto segments = Segments();
  EXPECT_EQ(segments.size(), 1u);
  for (int round = 0; round < 3; ++round) {
    ASSERT_OK(db_->Merge("base", "x"));
    want["base"] += "+x";
    ASSERT_OK(db_->CompactRange());
    EXPECT_EQ(Segments(), segments);
    ExpectAll(want);
  }
  clock_->Advance(kMicrosPerMinute);
  ExpectThroughout({{"base", "x+x+x"}});
  EXPECT_TRUE(Segments().empty());
}

TEST_F(ValueKinds, LargeValuesExpireAndCoverWhatIsOlder) {
  ASSERT_OK(db_->Put("a", Value(1)));
  ASSERT_OK(db_->CompactRange());
  ASSERT_OK(db_->Put(WriteOptions::Ttl(kMicrosPerMinute), "a", Value(2)));
  ASSERT_OK(db_->Put(WriteOptions::Ttl(2 * kMicrosPerMinute), "b", Value(3)));
  WriteBatch batch;
  batch.PutWithTtl("c", Value(4), kMicrosPerMinute);
  batch.PutWithTtl("d", Value(5), kNoTtl);
  ASSERT_OK(db_->Write(batch));
  ExpectThroughout({{"a", Value(2)}, {"b", Value(3)}, {"c", Value(4)}, {"d", Value(5)}});
  ASSERT_OK(db_->Merge("b", "tail"));
  clock_->Advance(kMicrosPerMinute);
  ExpectThroughout({{"b", Value(3) + "+tail"}, {"d", Value(5)}});
  clock_->Advance(kMicrosPerMinute);
  ExpectAll({{"d", Value(5)}, {"b", "tail"}});
  ASSERT_OK(db_->Delete("b"));
  ASSERT_OK(db_->Delete("d"));
  ASSERT_OK(db_->CompactRange());
  ASSERT_OK(db_->WaitForCompaction());
  EXPECT_TRUE(ReadAll(*db_).empty());
  EXPECT_TRUE(Segments().empty());
}

TEST_F(ValueKinds, RangeDeletesHideLargeValuesForGood) {
  Contents want;
  for (int i = 0; i < 20; ++i) ASSERT_OK(db_->Put(Key(i), want[Key(i)] = Value(i)));
  ASSERT_OK(db_->CompactRange());
  const Snapshot snapshot = db_->GetSnapshot();
  const Contents all = want;
  ASSERT_OK(db_->DeleteRange(Key(5), Key(15)));
  ASSERT_OK(db_->Put(Key(7), Value(107)));
  for (int i = 5; i < 15; ++i) want.erase(Key(i));
  want[Key(7)] = Value(107);
  ExpectAll(want);
  ASSERT_OK(db_->CompactRange());
  ExpectAll(want);
  EXPECT_EQ(Difference(all, ReadAll(*db_, &snapshot)), "");
  ExpectThroughout(want);
}

// Decides by the first letter of the key.
class ByKey final : public CompactionFilter {
 public:
  FilterDecision Filter(const Entry& entry, std::string* value) const override {
    const std::lock_guard<std::mutex> lock(mu_);
    asked_[std::string(entry.key)] = entry.value;
    if (entry.key.starts_with("r")) return FilterDecision::kRemove;
    if (!entry.key.starts_with("c")) return FilterDecision::kKeep;
    *value = entry.key == "c small" ? "small" : "changed " + std::string(entry.value);
    return entry.value.starts_with("changed") ? FilterDecision::kKeep : FilterDecision::kChangeValue;
  }
  bool MergesVersions() const override { return true; }
  bool MergeVersions(uint32_t, Slice key, std::span<const Slice> values, std::string* merged) const override {
    if (!key.starts_with("m")) return false;
    for (const Slice value : values) *merged += std::string(value) + ";";
    return true;
  }
  Contents asked() const {
    const std::lock_guard<std::mutex> lock(mu_);
    return asked_;
  }

 private:
  mutable std::mutex mu_;
  mutable Contents asked_;
};

TEST_F(ValueKinds, FiltersSeeChangeAndRemoveLargeValues) {
  const auto filter = std::make_shared<ByKey>();
  options_.compaction_filter = filter;
  Reopen();
  const auto put = [&](const char* key, int seed) { ASSERT_OK(db_->Put(key, Value(seed))); };
  put("c large", 1);
  put("c small", 2);
  put("keep", 3);
  put("m", 4);
  ASSERT_OK(db_->Put(WriteOptions::Ttl(kMicrosPerMinute), "c ttl", Value(5)));
  put("remove", 6);
  ASSERT_OK(db_->Flush());
  put("m", 7);
  ASSERT_OK(db_->CompactRange());
  const Contents want{{"c large", "changed " + Value(1)},
                      {"c small", "small"},
                      {"c ttl", "changed " + Value(5)},
                      {"keep", Value(3)},
                      {"m", Value(7) + ";" + Value(4) + ";"}};
  ExpectAll(want);
  const Contents asked = filter->asked();
  EXPECT_TRUE(asked.at("keep") == Value(3));
  EXPECT_TRUE(asked.at("remove") == Value(6));
  EXPECT_TRUE(asked.at("m") == want.at("m"));
  EXPECT_TRUE(SomeSegmentHolds(want.at("c large")));
  options_.compaction_filter = nullptr;
  ExpectThroughout(want);
  clock_->Advance(kMicrosPerMinute);
  EXPECT_EQ(GetText(*db_, "c ttl"), "none") << "when it expires stays as it was";
}

// The larger of the values of a key.
class Largest final : public CompactionFilter {
 public:
  FilterDecision Filter(const Entry&, std::string*) const override { return FilterDecision::kKeep; }
  bool MergesVersions() const override { return true; }
  bool MergeVersions(uint32_t, Slice, std::span<const Slice> values, std::string* merged) const override {
    *merged = std::string(*std::max_element(values.begin(), values.end()));
    return true;
  }
};

TEST_F(ValueKinds, AVersionThatAFilterMergesToItselfStaysWhereItLies) {
  options_.compaction_filter = std::make_shared<Largest>();
  Reopen();
  const std::string small = Value(1);
  const std::string large = "9" + Value(2);
  ASSERT_OK(db_->Put("ascending", small));
  ASSERT_OK(db_->Put("descending", large));
  ASSERT_OK(db_->Flush());
  ASSERT_OK(db_->Put("ascending", large));
  const auto segments = Segments();
  ASSERT_OK(db_->CompactRange());
  EXPECT_EQ(Segments(), segments);
  ASSERT_OK(db_->Put("descending", small));
  ASSERT_OK(db_->CompactRange());
  EXPECT_EQ(Segments().size(), segments.size() + 1) << "what is made of two versions is new";
  ExpectAll({{"ascending", large}, {"descending", large}});
}

TEST_F(ValueKinds, BatchesOfEverySizeAreWhole) {
  Contents want;
  for (int round = 0; round < 8; ++round) {
    WriteBatch batch;
    for (int i = 0; i < 12; ++i) {
      const std::string key = Key(i + round);
      if ((i + round) % 5 == 4) {
        batch.Delete(key);
        want.erase(key);
      } else {
        batch.Put(key, want[key] = Value(100 * round + i, i % 4 == 0 ? 40'000 : i % 4 == 1 ? 99 : 150));
      }
    }
    // The last of a key counts.
    batch.Put("twice", Value(round));
    batch.Put("twice", want["twice"] = round % 2 == 0 ? "small" : Value(1000 + round));
    ASSERT_OK(db_->Write(batch));
    ExpectAll(want);
  }
  ExpectThroughout(want);
}

TEST_F(ValueKinds, LoadsTakeLargeValuesApart) {
  const Keyspace never = Open("never", [] {
    KeyspaceOptions options;
    options.separation_bytes = 0;
    return options;
  }());
  Contents want;
  std::vector<std::pair<std::string, std::string>> entries;
  for (int i = 29; i >= 0; --i) entries.emplace_back(Key(i), want[Key(i)] = Value(i, i % 2 == 0 ? 99 : 4000));
  ASSERT_OK(db_->Put(Key(3), Value(500)));
  ASSERT_OK(db_->BulkLoad({}, entries).status());
  EXPECT_TRUE(SomeSegmentHolds(Value(5, 4000)));
  EXPECT_FALSE(SomeSegmentHolds(Value(4, 99)));
  BulkLoadOptions options;
  options.keyspace = &never;
  ASSERT_OK(db_->BulkLoad(options, entries).status());
  EXPECT_EQ(Text(never.Get(Key(5))), "=" + Value(5, 4000));
  ExpectThroughout(want);
}

TEST_F(ValueKinds, WritesThatAreNotLoggedMayBeLarge) {
  WriteOptions options;
  options.skip_wal = true;
  ASSERT_OK(db_->Put(options, "a", Value(1)));
  ASSERT_OK(db_->Flush());
  ASSERT_OK(db_->Put(options, "b", Value(2)));
  Crash();
  ExpectAll({{"a", Value(1)}});
}

}  // namespace
}  // namespace seerdb::testing
