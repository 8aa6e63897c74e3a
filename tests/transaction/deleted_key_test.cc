// Gating test 6 with transactions: a deleted key and an empty value, through snapshots and transactions,
// wherever value and tombstone lie. Hazards C-32 and C-43: a tombstone ends a lookup, an empty value is a
// value, and a key that somebody deletes has changed.
#include <array>

#include "tests/transaction/transaction_fixture.h"

namespace seerdb::testing {
namespace {

enum class Move { kNothing, kFlush, kCompact, kCompactTwice };
constexpr Move kMoves[] = {Move::kNothing, Move::kFlush, Move::kCompact, Move::kCompactTwice};

class DeletedKeyTest : public TransactionFixture {
 protected:
  void Apply(Move move) {
    if (move == Move::kFlush) ASSERT_OK(db_->Flush());
    if (move == Move::kCompact || move == Move::kCompactTwice) ASSERT_OK(db_->CompactRange());
    if (move == Move::kCompactTwice) ASSERT_OK(db_->CompactRange());
  }
  // What reads of `a`, `b` and `c` give, by every way that a transaction has.
  static void ExpectReads(Transaction& transaction, const std::array<std::string, 3>& want) {
    const char* const keys[] = {"a", "b", "c"};
    std::string all;
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(Text(transaction.Get(keys[i])), want[i]) << keys[i];
      EXPECT_EQ(Text(transaction.GetForUpdate(keys[i])), want[i]) << keys[i];
      if (want[i] != "none") all += (all.empty() ? "" : " ") + std::string(keys[i]) + want[i];
    }
    EXPECT_EQ(All(transaction), all);
  }
};

TEST_F(DeletedKeyTest, ThroughSnapshotsAndTransactions) {
  for (const Move value_goes : kMoves) {
    for (const Move tombstone_goes : kMoves) {
      for (const IsolationLevel level : kBothLevels) {
        SCOPED_TRACE("value " + std::to_string(static_cast<int>(value_goes)) + ", tombstone " +
                     std::to_string(static_cast<int>(tombstone_goes)) + ", level " +
                     std::to_string(static_cast<int>(level)));
        ASSERT_OK(db_->Put("a", "value"));
        ASSERT_OK(db_->Put("b", ""));
        ASSERT_OK(db_->Put("c", ""));
        const std::array<std::string, 3> first = {"=value", "=", "="};
        const auto before = Begin(level);
        const auto reader = Begin(IsolationLevel::kSerializable);
        const Snapshot snapshot = db_->GetSnapshot();
        Apply(value_goes);
        ExpectReads(*before, first);

        // A transaction deletes, and sees it; the others do not.
        const auto deleter = Begin(level);
        ASSERT_OK(deleter->Delete("a"));
        ASSERT_OK(deleter->Delete("b"));
        ASSERT_OK(deleter->Put("c", "full"));
        const std::array<std::string, 3> second = {"none", "none", "=full"};
        ExpectReads(*deleter, second);
        ExpectReads(*before, first);
        ASSERT_OK(deleter->Commit());
        Apply(tombstone_goes);
        ExpectReads(*before, first);
        EXPECT_EQ(GetText(*db_, "b", &snapshot), "=");
        ExpectReads(*Begin(level), second);

        // The empty value above the tombstone above the value, first in a buffer, then in the database.
        const auto again = Begin(level);
        ASSERT_OK(again->Put("a", ""));
        ASSERT_OK(again->Put("b", "back"));
        ASSERT_OK(again->Delete("c"));
        const std::array<std::string, 3> third = {"=", "=back", "none"};
        ExpectReads(*again, third);
        ASSERT_OK(again->Commit());
        ExpectReads(*Begin(level), third);
        Apply(tombstone_goes);
        ExpectReads(*before, first);
        ExpectReads(*Begin(level), third);

        // What was deleted since, or deleted and put back, has changed for who read it.
        ASSERT_OK(before->Put("own", "1"));
        EXPECT_TRUE(before->Commit().IsConflict());
        EXPECT_EQ(before->conflicts().size(), 3u);
        EXPECT_EQ(Text(reader->Get("c")), "=");
        ASSERT_OK(reader->Commit());
        EXPECT_EQ(Get("own"), "none");
        ASSERT_OK(db_->DeleteRange("", std::nullopt));
      }
    }
  }
}

}  // namespace
}  // namespace seerdb::testing
