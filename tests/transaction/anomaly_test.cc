// Each anomaly that isolation is about: shown where it is allowed, and absent where it is not. Names after
// H. Berenson et al., "A critique of ANSI SQL isolation levels", and A. Fekete et al., "A read-only
// transaction anomaly under snapshot isolation".
#include "tests/transaction/transaction_fixture.h"

namespace seerdb::testing {
namespace {

class Anomaly : public TransactionFixture {
 protected:
  // The number under `key`; 0 if there is none.
  static int Number(const Result<std::optional<PinnedValue>>& got) {
    EXPECT_TRUE(got.ok()) << got.status().ToString();
    return got.ok() && got->has_value() ? std::stoi(std::string((*got)->slice())) : 0;
  }
  int Number(Slice key) { return Number(db_->Get(key)); }
  static Status Set(Transaction& transaction, Slice key, int number) {
    return transaction.Put(key, std::to_string(number));
  }
};

TEST_F(Anomaly, LostUpdateWithoutATransactionAndInNone) {
  ASSERT_OK(db_->Put("n", "100"));
  const int first = Number("n");
  const int second = Number("n");
  ASSERT_OK(db_->Put("n", std::to_string(first + 1)));
  ASSERT_OK(db_->Put("n", std::to_string(second + 1)));
  EXPECT_EQ(Number("n"), 101) << "plain gets and puts lose one of two increments";

  for (const IsolationLevel level : kBothLevels) {
    ASSERT_OK(db_->Put("n", "100"));
    const auto one = Begin(level);
    const auto two = Begin(level);
    ASSERT_OK(Set(*one, "n", Number(one->Get("n")) + 1));
    ASSERT_OK(Set(*two, "n", Number(two->Get("n")) + 1));
    ASSERT_OK(one->Commit());
    EXPECT_TRUE(two->Commit().IsConflict());
    EXPECT_EQ(ConflictKeys(*two), "0:n");
    EXPECT_EQ(Number("n"), 101) << "the second one was told";
  }
}

// First committer wins although neither has read the key.
TEST_F(Anomaly, BlindWritesConflict) {
  for (const IsolationLevel level : kBothLevels) {
    const auto one = Begin(level);
    const auto two = Begin(level);
    const auto three = Begin(level);
    ASSERT_OK(one->Put("k", "one"));
    ASSERT_OK(two->Put("k", "two"));
    ASSERT_OK(three->Merge("k", "three"));
    ASSERT_OK(two->Commit());
    EXPECT_TRUE(one->Commit().IsConflict());
    EXPECT_TRUE(three->Commit().IsConflict());
    EXPECT_EQ(Get("k"), "=two");
  }
}

TEST_F(Anomaly, DirtyReadInNone) {
  ASSERT_OK(db_->Put("a", "1"));
  for (const IsolationLevel level : kBothLevels) {
    const auto writer = Begin(level);
    ASSERT_OK(writer->Put("a", "dirty"));
    const auto reader = Begin(level);
    EXPECT_EQ(Text(reader->Get("a")), "=1");
    EXPECT_EQ(All(*reader), "a=1");
    EXPECT_EQ(Get("a"), "=1");
    ASSERT_OK(writer->Abort());
    EXPECT_EQ(Text(reader->Get("a")), "=1");
    ASSERT_OK(reader->Commit());
  }
}

TEST_F(Anomaly, FuzzyReadWithoutATransactionAndInNone) {
  ASSERT_OK(db_->Put("a", "1"));
  EXPECT_EQ(Get("a"), "=1");
  ASSERT_OK(db_->Put("a", "2"));
  EXPECT_EQ(Get("a"), "=2") << "plain reads see what is newest each time";
  for (const IsolationLevel level : kBothLevels) {
    ASSERT_OK(db_->Put("a", "1"));
    const auto reader = Begin(level);
    EXPECT_EQ(Text(reader->Get("a")), "=1");
    ASSERT_OK(db_->Put("a", "2"));
    ASSERT_OK(db_->Put("b", "2"));
    ASSERT_OK(db_->Flush());
    ASSERT_OK(db_->CompactRange());
    EXPECT_EQ(Text(reader->Get("a")), "=1");
    EXPECT_EQ(Text(reader->GetForUpdate("a")), "=1");
    EXPECT_EQ(All(*reader), "a=1");
    ASSERT_OK(reader->Abort());
    ASSERT_OK(db_->Delete("b"));
  }
}

// Two doctors on call, each leaves because the other one stays.
TEST_F(Anomaly, WriteSkewUnderSnapshotAlone) {
  for (const IsolationLevel level : kBothLevels) {
    ASSERT_OK(db_->Put("alice", "1"));
    ASSERT_OK(db_->Put("bob", "1"));
    const auto one = Begin(level);
    const auto two = Begin(level);
    ASSERT_EQ(Number(one->Get("alice")) + Number(one->Get("bob")), 2);
    ASSERT_EQ(Number(two->Get("alice")) + Number(two->Get("bob")), 2);
    ASSERT_OK(Set(*one, "alice", 0));
    ASSERT_OK(Set(*two, "bob", 0));
    ASSERT_OK(one->Commit());
    const Status second = two->Commit();
    if (level == IsolationLevel::kSnapshot) {
      EXPECT_OK(second);
      EXPECT_EQ(Number("alice") + Number("bob"), 0) << "nobody is on call";
    } else {
      EXPECT_TRUE(second.IsConflict());
      EXPECT_EQ(ConflictKeys(*two), "0:alice");
      EXPECT_EQ(Number("alice") + Number("bob"), 1);
    }
  }
}

// The remedy under the weaker level.
TEST_F(Anomaly, WriteSkewNotWhereReadsAreForUpdate) {
  ASSERT_OK(db_->Put("alice", "1"));
  ASSERT_OK(db_->Put("bob", "1"));
  const auto one = Begin(IsolationLevel::kSnapshot);
  const auto two = Begin(IsolationLevel::kSnapshot);
  ASSERT_EQ(Number(one->Get("alice")) + Number(one->GetForUpdate("bob")), 2);
  ASSERT_EQ(Number(two->GetForUpdate("alice")) + Number(two->Get("bob")), 2);
  ASSERT_OK(Set(*one, "alice", 0));
  ASSERT_OK(Set(*two, "bob", 0));
  ASSERT_OK(one->Commit());
  EXPECT_TRUE(two->Commit().IsConflict());
}

TEST_F(Anomaly, GetForUpdateIsCheckedWithoutWrites) {
  for (const IsolationLevel level : kBothLevels) {
    auto transaction = Begin(level);
    EXPECT_EQ(Text(transaction->GetForUpdate("guard")), "none");
    ASSERT_OK(transaction->Commit());
    transaction = Begin(level);
    EXPECT_EQ(Text(transaction->GetForUpdate("guard")), "none");
    ASSERT_OK(db_->Put("guard", "1"));
    EXPECT_TRUE(transaction->Commit().IsConflict());
    ASSERT_OK(db_->Delete("guard"));
  }
}

// At most one may be booked; both look, find none, and book different keys.
TEST_F(Anomaly, PhantomUnderSnapshotAlone) {
  for (const bool backward : {false, true}) {
    for (const IsolationLevel level : kBothLevels) {
      ASSERT_OK(db_->DeleteRange("room/", "room0"));
      const auto count = [&](Transaction& transaction) {
        ReadOptions options;
        options.prefix = "room/";
        const auto it = transaction.NewIterator(options);
        int entries = 0;
        if (backward) {
          for (it->SeekToLast(); it->Valid(); it->Prev()) ++entries;
        } else {
          for (it->SeekToFirst(); it->Valid(); it->Next()) ++entries;
        }
        return entries;
      };
      const auto one = Begin(level);
      const auto two = Begin(level);
      ASSERT_EQ(count(*one) + count(*two), 0);
      ASSERT_OK(one->Put("room/10", "one"));
      ASSERT_OK(two->Put("room/11", "two"));
      ASSERT_OK(one->Commit());
      const Status second = two->Commit();
      const auto after = Begin(level);
      if (level == IsolationLevel::kSnapshot) {
        EXPECT_OK(second);
        EXPECT_EQ(count(*after), 2) << "booked twice";
      } else {
        EXPECT_TRUE(second.IsConflict());
        EXPECT_EQ(ConflictKeys(*two), "0:room/10");
        EXPECT_EQ(count(*after), 1);
      }
    }
  }
}

// Only what an iterator passed over is relied on.
TEST_F(Anomaly, WhatAnIteratorDidNotReachDoesNotConflict) {
  for (const char* key : {"b", "d", "f", "h"}) ASSERT_OK(db_->Put(key, "0"));
  struct Case {
    const char* written;
    bool conflicts;
  };
  for (const Case& c :
       {Case{"a", false}, Case{"b", false}, Case{"c", true}, Case{"cc", true}, Case{"d", true},
        Case{"e", true}, Case{"f", true}, Case{"f1", false}, Case{"h", false}}) {
    for (const bool backward : {false, true}) {
      SCOPED_TRACE(std::string(c.written) + (backward ? " backward" : " forward"));
      const auto transaction = Begin();
      const auto it = transaction->NewIterator();
      if (backward) {
        it->SeekForPrev("f");
        ASSERT_TRUE(it->Valid());
        it->Prev();
        ASSERT_EQ(it->key(), "d");
      } else {
        it->Seek("c");
        ASSERT_TRUE(it->Valid());
        it->Next();
        ASSERT_EQ(it->key(), "f");
      }
      ASSERT_OK(transaction->Put("own", "1"));
      ASSERT_OK(db_->Put(c.written, "1"));
      // Backward nothing below d was asked for.
      const bool conflicts = c.conflicts && !(backward && Slice(c.written) < "d");
      EXPECT_EQ(transaction->Commit().IsConflict(), conflicts);
      ASSERT_OK(db_->Delete("own"));
      if (Slice(c.written).size() > 1 || Slice("ace").find(c.written) != Slice::npos) {
        ASSERT_OK(db_->Delete(c.written));
      }
    }
  }
}

// Fekete's: checking and savings; one withdraws with a fine if the sum becomes negative, one deposits. A
// third one that only reads sees the deposit and not the withdrawal: then no fine is due, and yet one is
// taken.
TEST_F(Anomaly, ReadOnlyAnomalyUnderSnapshotAlone) {
  for (const IsolationLevel level : kBothLevels) {
    ASSERT_OK(db_->Put("checking", "0"));
    ASSERT_OK(db_->Put("savings", "0"));
    const auto withdraw = Begin(level);
    const int sum = Number(withdraw->Get("checking")) + Number(withdraw->Get("savings"));
    const auto deposit = Begin(level);
    ASSERT_OK(Set(*deposit, "savings", Number(deposit->Get("savings")) + 20));
    ASSERT_OK(deposit->Commit());
    const auto report = Begin(level);
    EXPECT_EQ(Number(report->Get("checking")), 0);
    EXPECT_EQ(Number(report->Get("savings")), 20);
    EXPECT_TRUE(report->Commit().ok()) << "who only reads commits";
    ASSERT_OK(Set(*withdraw, "checking", sum - 10 < 0 ? -11 : -10));
    const Status withdrawn = withdraw->Commit();
    if (level == IsolationLevel::kSnapshot) {
      EXPECT_OK(withdrawn);
      EXPECT_EQ(Number("checking"), -11) << "the fine that the report rules out";
    } else {
      EXPECT_TRUE(withdrawn.IsConflict());
      EXPECT_EQ(Number("checking"), 0);
    }
  }
}

// Reads that find nothing are reads, also of what was deleted.
TEST_F(Anomaly, WhatWasNotFoundIsChecked) {
  ASSERT_OK(db_->Put("deleted", "1"));
  ASSERT_OK(db_->Delete("deleted"));
  for (const char* key : {"never", "deleted"}) {
    for (const bool put : {true, false}) {
      const auto transaction = Begin();
      EXPECT_EQ(Text(transaction->Get(key)), "none");
      ASSERT_OK(transaction->Put("own", "1"));
      ASSERT_OK(put ? db_->Put(key, "2") : db_->DeleteRange("a", "z"));
      EXPECT_TRUE(transaction->Commit().IsConflict());
      ASSERT_OK(db_->Delete(key));
    }
  }
}

// Hazard C-43: the newest version is a tombstone.
TEST_F(Anomaly, AReadKeyThatIsDeletedConflicts) {
  for (const bool range : {false, true}) {
    for (const IsolationLevel level : kBothLevels) {
      ASSERT_OK(db_->Put("k", "1"));
      const auto transaction = Begin(level);
      EXPECT_EQ(Text(transaction->GetForUpdate("k")), "=1");
      ASSERT_OK(transaction->Put("own", "1"));
      ASSERT_OK(range ? db_->DeleteRange("a", "z") : db_->Delete("k"));
      EXPECT_TRUE(transaction->Commit().IsConflict());
    }
  }
}

TEST_F(Anomaly, RangeDeletesConflictWithWhatOthersWriteIntoThem) {
  for (const IsolationLevel level : kBothLevels) {
    for (const char* key : {"b", "c", "m"}) {
      const auto transaction = Begin(level);
      ASSERT_OK(transaction->DeleteRange("b", "m"));
      ASSERT_OK(db_->Put(key, "1"));
      EXPECT_EQ(transaction->Commit().IsConflict(), Slice(key) != "m") << key;
    }
    const auto one = Begin(level);
    const auto two = Begin(level);
    ASSERT_OK(one->DeleteRange("b", "m"));
    ASSERT_OK(two->DeleteRange("l", std::nullopt));
    ASSERT_OK(two->Commit());
    EXPECT_TRUE(one->Commit().IsConflict());
    EXPECT_EQ(ConflictKeys(*one), "0:l..");
    EXPECT_FALSE(one->conflicts().front().end.has_value());
  }
}

}  // namespace
}  // namespace seerdb::testing
