// Merges: the value that operands lead to, wherever they lie, and operators that are missing or refuse.
#include "env/memory_file_system.h"
#include "seerdb/merge_operator.h"
#include "tests/data_model/data_model_fixture.h"

namespace seerdb::testing {
namespace {

// Joins with '+'; refuses operands that begin with '!'.
class Joins final : public MergeOperator {
 public:
  std::string Name() const override { return "test.joins"; }
  bool FullMerge(Slice, std::optional<Slice> existing, std::span<const Slice> operands,
                 std::string* value) const override {
    value->assign(existing.value_or(Slice()));
    for (const Slice operand : operands) {
      if (operand.starts_with('!')) return false;
      if (!value->empty()) value->push_back('+');
      value->append(operand);
    }
    return true;
  }
  bool PartialMerge(Slice key, std::span<const Slice> operands, std::string* combined) const override {
    return FullMerge(key, std::nullopt, operands, combined);
  }
};

bool IsMergeFailed(const Status& status) {
  return status.IsInvalidArgument() && status.detail() == StatusDetail::kMergeFailed;
}

class MergeTest : public DataModelFixture {
 protected:
  MergeTest() {
    CompactOnlyWhenAsked();
    Reopen();
  }
  // Starts over with another operator.
  void StartWith(std::shared_ptr<const MergeOperator> merge_operator) {
    db_.reset();
    options_.file_system = fs_ = std::make_shared<MemoryFileSystem>();
    options_.merge_operator = std::move(merge_operator);
    Reopen();
  }
  uint64_t EntriesOf(uint32_t level) { return db_->Stats().levels.at(level).entries; }
  // That every read of the key, and every walk over it, fails for want of its value.
  void ExpectMergeFails(Slice key) {
    const Status get = db_->Get(key).status();
    EXPECT_TRUE(IsMergeFailed(get)) << get.ToString();
    const Slice keys[] = {key};
    EXPECT_TRUE(IsMergeFailed(db_->MultiGet(ReadOptions(), keys).front().status()));
    const std::unique_ptr<Iterator> it = db_->NewIterator();
    for (it->SeekToFirst(); it->Valid() && it->key() < key;) it->Next();
    EXPECT_FALSE(it->Valid());
    EXPECT_TRUE(IsMergeFailed(it->status())) << it->status().ToString();
    for (it->SeekToLast(); it->Valid() && it->key() > key;) it->Prev();
    EXPECT_FALSE(it->Valid());
    EXPECT_TRUE(IsMergeFailed(it->status())) << it->status().ToString();
  }
};

TEST_F(MergeTest, InOneMemtable) {
  EXPECT_OK(db_->Put("value", "a"));
  EXPECT_OK(db_->Merge("value", "b"));
  EXPECT_OK(db_->Merge("value", "c"));
  EXPECT_OK(db_->Merge("nothing", "b"));
  EXPECT_OK(db_->Put("deleted", "a"));
  EXPECT_OK(db_->Delete("deleted"));
  EXPECT_OK(db_->Merge("deleted", "b"));
  EXPECT_OK(db_->Merge("covered", "a"));
  EXPECT_OK(db_->Put("covered", "b"));
  EXPECT_OK(db_->Merge("gone", "a"));
  EXPECT_OK(db_->Delete("gone"));
  const Contents want{{"value", "a+b+c"}, {"nothing", "b"}, {"deleted", "b"}, {"covered", "b"}};
  for (const bool flushed : {false, true}) {
    if (flushed) EXPECT_OK(db_->Flush());
    EXPECT_EQ(ReadAll(*db_), want);
    for (const auto& [key, value] : want) EXPECT_EQ(GetText(*db_, key), "=" + value);
    EXPECT_EQ(GetText(*db_, "gone"), "none");
  }
}

TEST_F(MergeTest, AcrossMemtableTablesAndLevels) {
  EXPECT_OK(db_->Put("k", "a"));
  EXPECT_OK(db_->CompactRange());
  EXPECT_OK(db_->Merge("k", "b"));
  EXPECT_OK(db_->Flush());
  EXPECT_OK(db_->Merge("k", "c"));
  EXPECT_OK(db_->Flush());
  EXPECT_OK(db_->Merge("k", "d"));
  ASSERT_EQ(EntriesOf(0), 2u);
  ASSERT_EQ(EntriesOf(1), 1u);
  const Contents want{{"k", "a+b+c+d"}};
  EXPECT_EQ(GetText(*db_, "k"), "=a+b+c+d");
  EXPECT_EQ(ReadAll(*db_), want);
  Crash();
  EXPECT_EQ(GetText(*db_, "k"), "=a+b+c+d");
  EXPECT_EQ(ReadAll(*db_), want);
  Reopen();
  EXPECT_EQ(ReadAll(*db_), want);
  EXPECT_OK(db_->CompactRange());
  EXPECT_EQ(EntriesOf(0), 0u);
  EXPECT_EQ(EntriesOf(1), 1u);
  EXPECT_EQ(ReadAll(*db_), want);
  Crash();
  EXPECT_EQ(ReadAll(*db_), want);
}

TEST_F(MergeTest, OperandsComeOldestFirstWhateverLiesBetweenThem) {
  std::string want;
  for (int i = 0; i < 120; ++i) {
    const std::string operand = std::to_string(i);
    EXPECT_OK(db_->Merge("k", operand));
    want += (want.empty() ? "" : "+") + operand;
    if (i % 7 == 6) EXPECT_OK(db_->Flush());
    if (i % 31 == 30) EXPECT_OK(db_->CompactRange());
    if (i % 23 == 22) Reopen();
    if (i % 17 == 16) Crash();
    ASSERT_EQ(GetText(*db_, "k"), "=" + want);
    ASSERT_EQ(ReadAll(*db_), (Contents{{"k", want}}));
  }
}

TEST_F(MergeTest, ASnapshotReadsTheOperandsUpToIt) {
  EXPECT_OK(db_->Put("k", "0"));
  std::vector<std::pair<Snapshot, std::string>> seen;
  std::string value = "0";
  for (int i = 1; i <= 20; ++i) {
    seen.emplace_back(db_->GetSnapshot(), value);
    EXPECT_OK(db_->Merge("k", std::to_string(i)));
    value += "+" + std::to_string(i);
    if (i == 12) EXPECT_OK(db_->Flush());
  }
  seen.emplace_back(db_->GetSnapshot(), value);
  for (int pass = 0; pass < 3; ++pass) {
    for (const auto& [snapshot, want] : seen) {
      EXPECT_EQ(GetText(*db_, "k", &snapshot), "=" + want);
      EXPECT_EQ(ReadAll(*db_, &snapshot), (Contents{{"k", want}}));
    }
    EXPECT_OK(pass == 0 ? db_->Flush() : db_->CompactRange());
  }
  EXPECT_GT(EntriesOf(1), 1u);
  seen.clear();
  EXPECT_OK(db_->Put("j", "so that it is rewritten"));
  EXPECT_OK(db_->Merge("k", "last"));
  EXPECT_OK(db_->CompactRange());
  EXPECT_EQ(EntriesOf(1), 2u);
  EXPECT_EQ(GetText(*db_, "k"), "=" + value + "+last");
}

TEST_F(MergeTest, IteratorsTurnAroundOnMergedValues) {
  for (const char* key : {"a", "b", "c"}) {
    EXPECT_OK(db_->Put(key, "1"));
    EXPECT_OK(db_->Flush());
    EXPECT_OK(db_->Merge(key, "2"));
    EXPECT_OK(db_->Merge(key, key));
  }
  const std::unique_ptr<Iterator> it = db_->NewIterator();
  const auto at = [&] {
    return it->Valid() ? std::string(it->key()) + "=" + std::string(it->value()) : "end";
  };
  it->Seek("b");
  EXPECT_EQ(at(), "b=1+2+b");
  it->Prev();
  EXPECT_EQ(at(), "a=1+2+a");
  it->Next();
  EXPECT_EQ(at(), "b=1+2+b");
  it->Next();
  EXPECT_EQ(at(), "c=1+2+c");
  it->Prev();
  EXPECT_EQ(at(), "b=1+2+b");
  it->SeekForPrev("bb");
  EXPECT_EQ(at(), "b=1+2+b");
  it->Next();
  EXPECT_EQ(at(), "c=1+2+c");
  it->Next();
  EXPECT_EQ(at(), "end");
  EXPECT_OK(it->status());
}

TEST_F(MergeTest, InBatchesInTheirOrder) {
  const Keyspace sums = Open("sums", [] {
    KeyspaceOptions options;
    options.merge_operator = U64Add();
    return options;
  }());
  WriteBatch batch;
  batch.Merge("k", "lost");
  batch.Put("k", "a");
  for (int i = 0; i < 20; ++i) batch.Merge("k", std::to_string(i % 10));
  batch.Merge(sums, "k", U64Operand(40));
  batch.Merge(sums, "k", U64Operand(2));
  batch.Merge("l", "lost");
  batch.Delete("l");
  batch.Merge("l", "b");
  EXPECT_OK(db_->Write(batch));
  const std::string want = "=a+0+1+2+3+4+5+6+7+8+9+0+1+2+3+4+5+6+7+8+9";
  EXPECT_EQ(GetText(*db_, "k"), want);
  Crash();
  EXPECT_EQ(GetText(*db_, "k"), want);
  EXPECT_EQ(GetText(*db_, "l"), "=b");
  EXPECT_EQ(Text(Open("sums").Get("k")), "=" + U64Operand(42));
  // Its handle is of the database that was: another one may have the same ids for other keyspaces.
  EXPECT_TRUE(db_->Write(batch).IsInvalidArgument());
  WriteBatch again;
  again.Merge(Open("sums"), "k", U64Operand(1));
  EXPECT_OK(db_->Write(again));
  EXPECT_OK(db_->Write(again));
  EXPECT_EQ(Text(Open("sums").Get("k")), "=" + U64Operand(44));
}

TEST_F(MergeTest, AKeyspaceWithoutAnOperatorRefusesThem) {
  const Keyspace plain = Open("plain");
  EXPECT_TRUE(IsMergeFailed(plain.Merge("k", "a")));
  WriteBatch batch;
  batch.Put("k", "not written");
  batch.Merge(plain, "k", "a");
  EXPECT_TRUE(IsMergeFailed(db_->Write(batch)));
  EXPECT_EQ(ReadAll(*db_), Contents());
  EXPECT_EQ(Text(plain.Get("k")), "none");
}

TEST_F(MergeTest, WhatTheOperatorRefusesIsKeptAndFailsReadsUntilItIsCovered) {
  StartWith(std::make_shared<const Joins>());
  EXPECT_OK(db_->Put("a", "before"));
  EXPECT_OK(db_->Put("k", "v"));
  EXPECT_OK(db_->Put("z", "behind"));
  EXPECT_OK(db_->CompactRange());
  EXPECT_OK(db_->Merge("k", "!"));
  for (int i = 0; i < 10; ++i) EXPECT_OK(db_->Merge("k", "o"));
  ExpectMergeFails("k");
  EXPECT_OK(db_->Flush());
  ExpectMergeFails("k");
  EXPECT_OK(db_->CompactRange());
  EXPECT_EQ(EntriesOf(1), 14u) << "each operand, and the value below, stays";
  ExpectMergeFails("k");
  Crash();
  ExpectMergeFails("k");
  EXPECT_EQ(GetText(*db_, "a"), "=before");
  EXPECT_EQ(GetText(*db_, "z"), "=behind");
  ReadOptions keys_only;
  keys_only.keys_only = true;
  std::string keys;
  const std::unique_ptr<Iterator> it = db_->NewIterator(keys_only);
  for (it->SeekToFirst(); it->Valid(); it->Next()) keys += it->key();
  EXPECT_OK(it->status());
  EXPECT_EQ(keys, "akz");
  EXPECT_OK(db_->Put("k", "new"));
  EXPECT_OK(db_->Merge("k", "o"));
  const Contents want{{"a", "before"}, {"k", "new+o"}, {"z", "behind"}};
  EXPECT_EQ(ReadAll(*db_), want);
  EXPECT_OK(db_->CompactRange());
  EXPECT_EQ(EntriesOf(1), 3u);
  EXPECT_EQ(ReadAll(*db_), want);
}

TEST_F(MergeTest, AnotherOperatorIsRefusedAndTheOldOneStillServes) {
  EXPECT_OK(db_->Merge("k", "a"));
  KeyspaceOptions sums;
  sums.merge_operator = U64Add();
  EXPECT_OK(Open("sums", sums).Merge("k", U64Operand(1)));
  db_.reset();
  Options other = options_;
  for (const std::shared_ptr<const MergeOperator>& given :
       {U64Add(), StringAppend("-"), std::shared_ptr<const MergeOperator>(std::make_shared<const Joins>())}) {
    other.merge_operator = given;
    const Status refused = DB::Open(other, "/db").status();
    EXPECT_TRUE(refused.IsInvalidArgument()) << refused.ToString();
    EXPECT_NE(refused.message().find(given->Name()), Slice::npos) << refused.ToString();
  }
  Reopen();
  EXPECT_EQ(GetText(*db_, "k"), "=a");
  sums.merge_operator = U64Max();
  EXPECT_TRUE(db_->OpenKeyspace("sums", sums).status().IsInvalidArgument());
  EXPECT_OK(Open("sums").Merge("k", U64Operand(2)));
  EXPECT_EQ(Text(Open("sums").Get("k")), "=" + U64Operand(3));
  KeyspaceOptions of_default;
  of_default.merge_operator = U64Add();
  EXPECT_TRUE(db_->OpenKeyspace("default", of_default).status().IsInvalidArgument());
}

TEST_F(MergeTest, ABuiltInOperatorNeedNotBeGivenAgain) {
  EXPECT_OK(db_->Merge("k", "a"));
  KeyspaceOptions options;
  options.merge_operator = U64Max();
  EXPECT_OK(Open("highest", options).Merge("k", U64Operand(7)));
  options_.merge_operator = nullptr;
  for (const bool crash : {false, true}) {
    if (crash) {
      Crash();
    } else {
      Reopen();
    }
    EXPECT_OK(db_->Merge("k", "b"));
    EXPECT_OK(Open("highest").Merge("k", U64Operand(5)));
    EXPECT_EQ(Text(Open("highest").Get("k")), "=" + U64Operand(7));
  }
  EXPECT_EQ(GetText(*db_, "k"), "=a+b+b");
}

TEST_F(MergeTest, WithoutItsOperatorReadsFailAndNothingIsLost) {
  StartWith(std::make_shared<const Joins>());
  KeyspaceOptions options;
  options.merge_operator = std::make_shared<const Joins>();
  EXPECT_OK(db_->Put("k", "a"));
  EXPECT_OK(Open("other", options).Put("k", "x"));
  EXPECT_OK(db_->CompactRange());
  EXPECT_OK(db_->Merge("k", "b"));
  EXPECT_OK(db_->Merge("k", "c"));
  EXPECT_OK(Open("other").Merge("k", "y"));
  options_.merge_operator = nullptr;
  Crash();
  ExpectMergeFails("k");
  const Status get = db_->Get("k").status();
  EXPECT_NE(get.message().find("test.joins"), Slice::npos) << get.ToString();
  EXPECT_TRUE(IsMergeFailed(Open("other").Get("k").status()));
  EXPECT_TRUE(IsMergeFailed(db_->Merge("k", "not written")));
  EXPECT_OK(db_->Put("l", "plain"));
  EXPECT_EQ(GetText(*db_, "l"), "=plain");
  EXPECT_OK(db_->Flush());
  EXPECT_OK(db_->CompactRange());
  ExpectMergeFails("k");
  // Given again, in any of the places for it.
  options_.merge_operators = {std::make_shared<const Joins>()};
  Reopen();
  EXPECT_EQ(ReadAll(*db_), (Contents{{"k", "a+b+c"}, {"l", "plain"}}));
  EXPECT_EQ(Text(Open("other").Get("k")), "=x+y");
  options_.merge_operators.clear();
  options_.merge_operator = std::make_shared<const Joins>();
  Reopen();
  EXPECT_OK(db_->Merge("k", "d"));
  EXPECT_OK(db_->CompactRange());
  EXPECT_EQ(GetText(*db_, "k"), "=a+b+c+d");
}

// Now and then an operand is stored as the value that it leads to; at no snapshot does that show.
TEST_F(MergeTest, ACounterMergedThousandsOfTimesInOneMemtableIsRightAtEverySnapshot) {
  options_.memtable_capacity = 64 << 20;
  options_.wal_segment_bytes = 16 << 20;
  StartWith(U64Add());
  constexpr uint64_t kMerges = 10'000;
  std::vector<std::pair<Snapshot, uint64_t>> seen;
  for (uint64_t i = 1; i <= kMerges; ++i) {
    EXPECT_OK(db_->Merge("counter", U64Operand(i)));
    if (i % 97 == 1 || i > kMerges - 20) seen.emplace_back(db_->GetSnapshot(), i * (i + 1) / 2);
  }
  ASSERT_EQ(db_->memtable_len(), kMerges) << "everything lies in one memtable";
  for (const bool flushed : {false, true}) {
    if (flushed) EXPECT_OK(db_->Flush());
    for (const auto& [snapshot, sum] : seen) {
      ASSERT_EQ(GetText(*db_, "counter", &snapshot), "=" + U64Operand(sum)) << sum;
      ASSERT_EQ(ReadAll(*db_, &snapshot), (Contents{{"counter", U64Operand(sum)}})) << sum;
    }
  }
  EXPECT_EQ(EntriesOf(0), seen.size());
  seen.clear();
  Crash();
  EXPECT_EQ(GetText(*db_, "counter"), "=" + U64Operand(kMerges * (kMerges + 1) / 2));
}

}  // namespace
}  // namespace seerdb::testing
