// TransactionFixture: what the tests of transactions share: a small database in memory, transactions of
// either level, and short forms of reads.
//
// Thread safety: external synchronization.
#pragma once

#include <memory>
#include <string>

#include "seerdb/transaction.h"
#include "tests/data_model/data_model_fixture.h"

namespace seerdb::testing {

inline constexpr IsolationLevel kBothLevels[] = {IsolationLevel::kSnapshot, IsolationLevel::kSerializable};

class TransactionFixture : public DataModelFixture {
 protected:
  TransactionFixture() {
    CompactOnlyWhenAsked();
    options_.memtable_capacity = 1 << 20;  // data moves only when the test says so
    options_.wal_segment_bytes = 1 << 20;
    Reopen();
  }

  std::unique_ptr<Transaction> Begin(IsolationLevel isolation = IsolationLevel::kSerializable) {
    TransactionOptions options;
    options.isolation = isolation;
    return Begin(options);
  }
  std::unique_ptr<Transaction> Begin(const TransactionOptions& options) {
    Result<std::unique_ptr<Transaction>> begun = db_->BeginTransaction(options);
    EXPECT_TRUE(begun.ok()) << begun.status().ToString();
    return begun.ok() ? *std::move(begun) : nullptr;
  }
  std::string Get(Slice key) { return GetText(*db_, key); }
  // "a=1 b=2", forward, and checked to be the same backward.
  static std::string All(Transaction& transaction, const ReadOptions& options = {}) {
    const auto it = transaction.NewIterator(options);
    std::string text;
    for (it->SeekToFirst(); it->Valid(); it->Next()) text += Entry(*it) + " ";
    EXPECT_TRUE(it->status().ok()) << it->status().ToString();
    std::string backward;
    for (it->SeekToLast(); it->Valid(); it->Prev()) backward = Entry(*it) + " " + backward;
    EXPECT_EQ(text, backward);
    if (!text.empty()) text.pop_back();
    return text;
  }
  static std::string Entry(const Iterator& it) {
    return std::string(it.key()) + "=" + std::string(it.value());
  }
  static std::string ConflictKeys(const Transaction& transaction) {
    std::string text;
    for (const TransactionConflict& conflict : transaction.conflicts()) {
      if (!text.empty()) text += " ";
      text += std::to_string(conflict.keyspace) + ":" + conflict.key;
      if (conflict.range) text += ".." + conflict.end.value_or("");
    }
    return text;
  }
};

}  // namespace seerdb::testing
