// Compaction filters: what they see, and that what they do is done for good.
#include "seerdb/compaction_filter.h"

#include <mutex>

#include "env/manual_clock.h"
#include "env/memory_file_system.h"
#include "tests/data_model/data_model_fixture.h"

namespace seerdb::testing {
namespace {

// Decides by the first letter of the value, and notes what it was asked.
class ByLetter final : public CompactionFilter {
 public:
  explicit ByLetter(bool merges_versions = false) : merges_versions_(merges_versions) {}
  FilterDecision Filter(const Entry& entry, std::string* value) const override {
    const std::lock_guard<std::mutex> lock(mu_);
    asked_.push_back(std::string(entry.key) + "=" + std::string(entry.value) + "@" +
                     std::to_string(entry.sequence) + " L" + std::to_string(entry.level));
    if (entry.value.starts_with("r")) return FilterDecision::kRemove;
    if (!entry.value.starts_with("c")) return FilterDecision::kKeep;
    *value = "new " + std::string(entry.value.substr(1));
    return FilterDecision::kChangeValue;
  }
  bool MergesVersions() const override { return merges_versions_; }
  bool MergeVersions(uint32_t, Slice, std::span<const Slice> values, std::string* merged) const override {
    for (const Slice value : values) *merged += std::string(value) + ";";
    return true;
  }
  std::vector<std::string> TakeAsked() const {
    const std::lock_guard<std::mutex> lock(mu_);
    return std::exchange(asked_, {});
  }

 private:
  const bool merges_versions_;
  mutable std::mutex mu_;
  mutable std::vector<std::string> asked_;
};

class CompactionFilterTest : public DataModelFixture {
 protected:
  CompactionFilterTest() {
    options_.clock = clock_;
    CompactOnlyWhenAsked();
    Use(std::make_shared<const ByLetter>());
  }
  void Use(std::shared_ptr<const ByLetter> filter) {
    filter_ = std::move(filter);
    options_.compaction_filter = filter_;
    Reopen();
  }

  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
  std::shared_ptr<const ByLetter> filter_;
};

TEST_F(CompactionFilterTest, KeepsRemovesAndChanges) {
  EXPECT_OK(db_->Put("a", "keep"));
  EXPECT_OK(db_->Put("b", "remove"));
  EXPECT_OK(db_->Put("c", "c1"));
  EXPECT_OK(db_->Flush());
  EXPECT_TRUE(filter_->TakeAsked().empty()) << "a flush asks no filter";
  EXPECT_OK(db_->CompactRange());
  EXPECT_EQ(filter_->TakeAsked(), (std::vector<std::string>{"a=keep@1 L1", "b=remove@2 L1", "c=c1@3 L1"}));
  const Contents want{{"a", "keep"}, {"c", "new 1"}};
  EXPECT_EQ(ReadAll(*db_), want);
  options_.compaction_filter = nullptr;
  db_.reset();
  db_ = OpenOrFail(options_, "/db");
  EXPECT_EQ(ReadAll(*db_), want);
}

// The older version lies below, out of the compaction's sight.
TEST_F(CompactionFilterTest, WhatIsRemovedDoesNotUncoverAnOlderVersion) {
  EXPECT_OK(db_->Put("k", "old"));
  EXPECT_OK(db_->CompactRange());
  EXPECT_OK(db_->Put("j", "v"));
  EXPECT_OK(db_->Put("k", "remove"));
  EXPECT_OK(db_->Flush());
  EXPECT_OK(db_->Put("k", "remove again"));
  EXPECT_OK(db_->CompactRange());
  EXPECT_EQ(GetText(*db_, "k"), "none");
  EXPECT_OK(db_->CompactRange());
  EXPECT_EQ(ReadAll(*db_), (Contents{{"j", "v"}}));
}

TEST_F(CompactionFilterTest, ASnapshotKeepsWhatItSees) {
  EXPECT_OK(db_->Put("k", "remove"));
  EXPECT_OK(db_->Put("l", "c1"));
  Snapshot snapshot = db_->GetSnapshot();
  EXPECT_OK(db_->CompactRange());
  EXPECT_TRUE(filter_->TakeAsked().empty());
  EXPECT_EQ(ReadAll(*db_, &snapshot), (Contents{{"k", "remove"}, {"l", "c1"}}));
  EXPECT_OK(db_->Put("l", "c2"));
  EXPECT_OK(db_->CompactRange());
  EXPECT_EQ(GetText(*db_, "l", &snapshot), "=c1");
  EXPECT_EQ(GetText(*db_, "l"), "=new 2");
  snapshot.Release();
  EXPECT_OK(db_->CompactRange());
  EXPECT_EQ(ReadAll(*db_), (Contents{{"l", "new 2"}}));
}

TEST_F(CompactionFilterTest, SeesValuesAfterMergesAndNeitherTombstonesNorWhatHasExpired) {
  EXPECT_OK(db_->Put("a", "c"));
  EXPECT_OK(db_->Merge("a", "1"));
  EXPECT_OK(db_->Put("b", "v"));
  EXPECT_OK(db_->Delete("b"));
  EXPECT_OK(db_->Put(WriteOptions::Ttl(100), "x", "short"));
  EXPECT_OK(db_->Put(WriteOptions::Ttl(10'000), "y", "clong"));
  EXPECT_OK(db_->Flush());
  clock_->Advance(1'000);
  EXPECT_OK(db_->CompactRange());
  const std::vector<std::string> asked = filter_->TakeAsked();
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked[0], "a=c+1@2 L1");
  EXPECT_EQ(ReadAll(*db_), (Contents{{"a", "new +1"}, {"y", "new long"}}));
  clock_->Advance(10'000);
  EXPECT_EQ(ReadAll(*db_), (Contents{{"a", "new +1"}})) << "what is changed expires when it would have";
}

TEST_F(CompactionFilterTest, MergesVersionsThatNoSnapshotTellsApart) {
  Use(std::make_shared<const ByLetter>(true));
  for (const char* value : {"1", "2", "3"}) {
    EXPECT_OK(db_->Put("k", value));
    EXPECT_OK(db_->Flush());
  }
  EXPECT_OK(db_->Put("one", "1"));
  EXPECT_OK(db_->CompactRange());
  EXPECT_EQ(ReadAll(*db_), (Contents{{"k", "3;2;1;"}, {"one", "1"}}));
  // Not across a deletion.
  EXPECT_OK(db_->Put("k", "4"));
  EXPECT_OK(db_->Flush());
  EXPECT_OK(db_->Delete("k"));
  EXPECT_OK(db_->Flush());
  EXPECT_OK(db_->Put("k", "5"));
  EXPECT_OK(db_->CompactRange());
  EXPECT_EQ(GetText(*db_, "k"), "=5");
}

TEST_F(CompactionFilterTest, BelongsToItsKeyspace) {
  KeyspaceOptions options;
  options.compaction_filter = std::make_shared<const ByLetter>();
  const Result<Keyspace> with = db_->OpenKeyspace("with", options);
  const Result<Keyspace> without = db_->OpenKeyspace("without");
  ASSERT_TRUE(with.ok() && without.ok());
  EXPECT_OK(with->Put("k", "remove"));
  EXPECT_OK(without->Put("k", "remove"));
  EXPECT_OK(db_->CompactRange());
  EXPECT_FALSE((*with->Get("k")).has_value());
  EXPECT_TRUE((*without->Get("k")).has_value());
}

}  // namespace
}  // namespace seerdb::testing
