#include "db/conflict_history.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "format/batch_codec.h"
#include "format/keyspace_prefix.h"

namespace seerdb {
namespace {

// A check of given keys and ranges, of engine keys.
class GivenCheck final : public CommitCheck {
 public:
  explicit GivenCheck(SequenceNumber start) : start_(start) {}
  GivenCheck& Key(const std::string& key) {
    keys_.insert(key);
    filter_.Add(FilterHash(key));
    return *this;
  }
  GivenCheck& Range(const std::string& begin, const std::string& end) {
    ranges_.emplace_back(begin, end);
    return *this;
  }
  const std::set<std::string>& found() const { return found_; }

  SequenceNumber start() const override { return start_; }
  const KeyFilter* filter() const override { return ranges_.empty() ? &filter_ : nullptr; }
  bool Touches(Slice key) const override {
    if (keys_.contains(std::string(key))) return true;
    for (const auto& [begin, end] : ranges_) {
      if (begin <= key && key < end) return true;
    }
    return false;
  }
  bool TouchesRange(Slice begin, Slice end) const override {
    const auto key = keys_.lower_bound(std::string(begin));
    if (key != keys_.end() && *key < end) return true;
    for (const auto& [own_begin, own_end] : ranges_) {
      if (own_begin < end && begin < own_end) return true;
    }
    return false;
  }
  void ForEachKey(const std::function<bool(Slice)>& function) const override {
    for (const std::string& key : keys_) {
      if (!function(key)) return;
    }
  }
  void ForEachRange(const std::function<bool(Slice, Slice)>& function) const override {
    for (const auto& [begin, end] : ranges_) {
      if (!function(begin, end)) return;
    }
  }
  bool Found(const FoundWrite& write) override {
    EXPECT_GT(write.sequence, start_);
    found_.insert(std::string(write.key));
    return true;
  }
  void Placed(SequenceNumber) override {}

 private:
  const SequenceNumber start_;
  std::set<std::string> keys_;
  std::vector<std::pair<std::string, std::string>> ranges_;
  KeyFilter filter_;
  std::set<std::string> found_;
};

using Verdict = ConflictHistory::Verdict;

std::string Engine(const std::string& key) { return std::string(kDefaultKeyspacePrefix) + key; }

class ConflictHistoryTest : public ::testing::Test {
 protected:
  void Put(const std::string& key) {
    std::string operations;
    AppendBatchOperation(&operations, ValueType::kValue, kDefaultKeyspacePrefix, key, "value");
    history_.Record(++last_, operations);
  }
  void Write(int count, const std::string& prefix = "filler") {
    for (int i = 0; i < count; ++i) Put(prefix + std::to_string(1'000'000 + i));
  }
  Verdict CheckKey(SequenceNumber start, const std::string& key) {
    GivenCheck check(start);
    check.Key(Engine(key));
    return history_.Check(&check);
  }
  Verdict CheckRange(SequenceNumber start, const std::string& begin, const std::string& end) {
    GivenCheck check(start);
    check.Range(Engine(begin), Engine(end));
    return history_.Check(&check);
  }

  static constexpr uint64_t kBound = 256 << 10;
  std::shared_ptr<MemoryAccount> account_ = std::make_shared<MemoryAccount>();
  SequenceNumber last_ = 0;
  SequenceNumber oldest_ = 0;
  ConflictHistory history_{kBound, account_, [this] { return oldest_; }};
};

TEST_F(ConflictHistoryTest, FindsWhatWasWrittenBehindTheStartAndNothingElse) {
  Put("a");
  Put("b");
  EXPECT_EQ(CheckKey(0, "a"), Verdict::kConflict);
  EXPECT_EQ(CheckKey(1, "a"), Verdict::kClear) << "it was written at the start, not behind";
  EXPECT_EQ(CheckKey(1, "b"), Verdict::kConflict);
  EXPECT_EQ(CheckKey(0, "c"), Verdict::kClear);
  EXPECT_EQ(CheckKey(0, "aa"), Verdict::kClear);
  EXPECT_EQ(CheckRange(0, "aa", "b"), Verdict::kClear);
  EXPECT_EQ(CheckRange(0, "aa", "ba"), Verdict::kConflict);
}

TEST_F(ConflictHistoryTest, RangesConflictWithKeysAndRanges) {
  std::string operations;
  AppendRangeDeletion(&operations, kDefaultKeyspace, "c", "f");
  history_.Record(++last_, operations);
  EXPECT_EQ(CheckKey(0, "c"), Verdict::kConflict);
  EXPECT_EQ(CheckKey(0, "e"), Verdict::kConflict);
  EXPECT_EQ(CheckKey(0, "f"), Verdict::kClear);
  EXPECT_EQ(CheckKey(1, "c"), Verdict::kClear);
  EXPECT_EQ(CheckRange(0, "a", "c"), Verdict::kClear);
  EXPECT_EQ(CheckRange(0, "a", "c\x01"), Verdict::kConflict);
  EXPECT_EQ(CheckRange(0, "f", "g"), Verdict::kClear);
}

// The same in the log, in the trees, and across both.
TEST_F(ConflictHistoryTest, LongTransactionsAreCheckedAgainstTrees) {
  Put("early");
  Write(1500);
  const SequenceNumber between = last_;
  EXPECT_GT(history_.trees(), 0u) << "a transaction that began at 0 is active";
  Put("late");
  EXPECT_EQ(CheckKey(0, "early"), Verdict::kConflict);
  EXPECT_EQ(CheckKey(0, "late"), Verdict::kConflict);
  EXPECT_EQ(CheckKey(1, "early"), Verdict::kClear);
  EXPECT_EQ(CheckKey(between, "late"), Verdict::kConflict);
  EXPECT_EQ(CheckKey(0, "never"), Verdict::kClear);
  EXPECT_EQ(CheckRange(1, "e", "f"), Verdict::kClear);
  EXPECT_EQ(CheckRange(0, "e", "f"), Verdict::kConflict);
  EXPECT_EQ(CheckRange(2, "filler", "filler1000001"), Verdict::kClear);
  EXPECT_EQ(CheckRange(2, "filler", "filler1000002"), Verdict::kConflict);
}

TEST_F(ConflictHistoryTest, ShortTransactionsNeedNoTrees) {
  for (int i = 0; i < 5000; ++i) {
    oldest_ = last_ > 10 ? last_ - 10 : 0;
    Put("key" + std::to_string(i));
    ASSERT_EQ(history_.trees(), 0u);
  }
  EXPECT_GT(history_.forgotten_through(), 0u);
  EXPECT_LT(history_.bytes(), uint64_t{100} << 10) << "what nobody can ask for is kept";
}

TEST_F(ConflictHistoryTest, StaysWithinItsBoundAndSaysWhatItHasForgotten) {
  for (int i = 0; i < 40'000; ++i) Put("key" + std::to_string(i));
  EXPECT_LE(history_.bytes(), kBound);
  EXPECT_EQ(account_->bytes(MemoryClass::kTransactions), history_.bytes());
  const SequenceNumber forgotten = history_.forgotten_through();
  EXPECT_GT(forgotten, 0u);
  EXPECT_EQ(CheckKey(0, "key0"), Verdict::kForgotten);
  EXPECT_EQ(CheckKey(forgotten - 1, "never"), Verdict::kForgotten);
  EXPECT_EQ(CheckKey(forgotten, "never"), Verdict::kClear);
  EXPECT_EQ(CheckKey(forgotten, "key39999"), Verdict::kConflict);
  // As much as options.h promises.
  EXPECT_GT(last_ - forgotten, kBound / (10 + 100));
}

TEST_F(ConflictHistoryTest, ManyRangesAreForgottenTheOldestFirst) {
  for (int i = 0; i < 20'000; ++i) history_.RecordRange(++last_, Engine("a"), Engine("b"));
  EXPECT_LE(history_.bytes(), kBound + (8 << 10));
  const SequenceNumber forgotten = history_.forgotten_through();
  EXPECT_GT(forgotten, 0u);
  EXPECT_LT(forgotten, last_);
  EXPECT_EQ(CheckKey(forgotten - 1, "z"), Verdict::kForgotten);
  EXPECT_EQ(CheckKey(forgotten, "a"), Verdict::kConflict);
  EXPECT_EQ(CheckKey(forgotten, "z"), Verdict::kClear);
}

// Else transactions that begin before the next write would be too old.
TEST_F(ConflictHistoryTest, ADropIsNotForgottenForWantOfRoom) {
  Put("a");
  history_.RecordDrop(last_, "\x01");
  for (int i = 0; i < 64; ++i) history_.RecordRange(last_, Engine(std::string(60'000, 'a')), Engine("b"));
  EXPECT_LE(history_.forgotten_through(), last_);
  GivenCheck before(last_);
  before.Key(
      "\x01"
      "key");
  EXPECT_EQ(history_.Check(&before), Verdict::kConflict);
  EXPECT_EQ(CheckKey(last_, "a"), Verdict::kClear);
  oldest_ = last_ += 1;
  Write(5000);
  GivenCheck after(last_);
  after.Key(
      "\x01"
      "key");
  EXPECT_EQ(history_.Check(&after), Verdict::kClear);
}

TEST_F(ConflictHistoryTest, ARestartForgetsAll) {
  Write(2000);
  history_.Restart(last_);
  EXPECT_EQ(history_.bytes(), 0u);
  EXPECT_EQ(CheckKey(last_ - 1, "never"), Verdict::kForgotten);
  EXPECT_EQ(CheckKey(last_, "never"), Verdict::kClear);
}

// Against a map from each key to its newest write.
TEST_F(ConflictHistoryTest, AgreesWithAModel) {
  Random random(20'260'101);
  std::map<std::string, SequenceNumber> newest;
  std::vector<std::pair<std::pair<std::string, std::string>, SequenceNumber>> ranges;
  const auto key = [&] { return "k" + std::to_string(random.Uniform(3000)); };
  for (int step = 0; step < 30'000; ++step) {
    if (random.OneIn(3)) oldest_ = last_ - std::min<uint64_t>(last_, random.Uniform(3000));
    if (random.OneIn(200)) {
      std::string begin = key();
      std::string end = begin + "5";
      history_.RecordRange(++last_, Engine(begin), Engine(end));
      ranges.push_back({{begin, end}, last_});
    } else {
      const std::string put = key();
      Put(put);
      newest[put] = last_;
    }
    if (step % 10 != 0) continue;
    const SequenceNumber start =
        last_ - std::min<uint64_t>(last_, random.Uniform(random.OneIn(2) ? 30 : 4000));
    GivenCheck check(start);
    bool want = false;
    const auto expect = [&](const std::string& begin, const std::string& end) {  // [begin, end)
      for (auto it = newest.lower_bound(begin); it != newest.end() && it->first < end; ++it) {
        want |= it->second > start;
      }
      for (const auto& [range, sequence] : ranges) {
        want |= sequence > start && range.first < end && begin < range.second;
      }
    };
    for (uint64_t i = random.Uniform(8); i-- > 0;) {
      const std::string asked = key();
      check.Key(Engine(asked));
      expect(asked, asked + '\0');
    }
    if (random.OneIn(3)) {
      const std::string begin = key();
      check.Range(Engine(begin), Engine(begin + "2"));
      expect(begin, begin + "2");
    }
    const Verdict got = history_.Check(&check);
    if (start < history_.forgotten_through()) {
      ASSERT_EQ(got, Verdict::kForgotten);
    } else {
      ASSERT_EQ(got, want ? Verdict::kConflict : Verdict::kClear) << "step " << step << ", start " << start;
      ASSERT_EQ(!check.found().empty(), want);
    }
  }
}

}  // namespace
}  // namespace seerdb
