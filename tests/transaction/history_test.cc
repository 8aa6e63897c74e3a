// What transactions are checked against, over a whole database: every kind of writer, whatever is flushed or
// compacted meanwhile, from the first transaction on, and within its bound.
#include <atomic>
#include <thread>
#include <vector>

#include "env/fault_file_system.h"
#include "tests/transaction/transaction_fixture.h"

namespace seerdb::testing {
namespace {

class ConflictTest : public TransactionFixture {
 protected:
  // Whether a transaction that wrote "own", and read and wrote `key`, conflicts with what `write` does
  // meanwhile.
  bool Conflicts(const std::string& key, const std::function<void()>& write) {
    const auto transaction = Begin();
    EXPECT_TRUE(transaction->Get(key).ok());
    EXPECT_OK(transaction->Put(key, "transaction"));
    write();
    const Status status = transaction->Commit();
    EXPECT_TRUE(status.ok() || status.IsConflict()) << status.ToString();
    return !status.ok();
  }
};

TEST_F(ConflictTest, WithEveryKindOfWriter) {
  EXPECT_FALSE(Conflicts("k", [] {}));
  EXPECT_FALSE(Conflicts("k", [&] { ASSERT_OK(db_->Put("j", "1")); }));
  EXPECT_TRUE(Conflicts("k", [&] { ASSERT_OK(db_->Put("k", "1")); }));
  EXPECT_TRUE(Conflicts("k", [&] { ASSERT_OK(db_->Delete("k")); }));
  EXPECT_TRUE(Conflicts("k", [&] { ASSERT_OK(db_->Merge("k", "1")); }));
  EXPECT_TRUE(Conflicts("k", [&] { ASSERT_OK(db_->DeleteRange("a", std::nullopt)); }));
  EXPECT_FALSE(Conflicts("k", [&] { ASSERT_OK(db_->DeleteRange("a", "k")); }));
  EXPECT_TRUE(Conflicts("k", [&] { ASSERT_OK(db_->Put(WriteOptions::SkipWal(), "k", "1")); }));
  EXPECT_TRUE(Conflicts("k", [&] { ASSERT_OK(db_->Put(WriteOptions::Ttl(kMaxTtlUs), "k", "1")); }));
  EXPECT_TRUE(Conflicts("k", [&] {
    WriteBatch batch;
    batch.Put("j", "1");
    batch.Delete("k");
    ASSERT_OK(db_->Write(batch));
  }));
  EXPECT_TRUE(Conflicts("k", [&] {
    const auto other = Begin();
    ASSERT_OK(other->Put("k", "1"));
    ASSERT_OK(other->Commit());
  }));
  EXPECT_FALSE(Conflicts("k", [&] {
    const auto other = Begin();
    ASSERT_OK(other->Put("k", "1"));
    ASSERT_OK(other->Abort());
  }));
}

TEST_F(ConflictTest, WithABulkLoad) {
  const auto load = [&](const std::vector<std::pair<std::string, std::string>>& entries) {
    ASSERT_OK(db_->BulkLoad({}, entries).status());
  };
  EXPECT_TRUE(Conflicts("k", [&] { load({{"j", "1"}, {"k", "1"}}); }));
  EXPECT_FALSE(Conflicts("k", [&] { load({{"i", "1"}, {"j", "1"}}); }));
  const auto transaction = Begin();
  EXPECT_EQ(All(*transaction), "i=1 j=1 k=transaction");
  ASSERT_OK(transaction->Put("z", "1"));
  load({{"x", "1"}});
  EXPECT_TRUE(transaction->Commit().IsConflict()) << "a phantom";
}

TEST_F(ConflictTest, WithADropOfAKeyspace) {
  const Keyspace kept = Open("kept");
  for (const bool read_only : {false, true}) {
    const Keyspace keyspace = Open("dropped");
    ASSERT_OK(keyspace.Put("k", "1"));
    const auto transaction = Begin();
    const auto other = Begin();
    if (read_only) {
      EXPECT_EQ(Text(transaction->Get(keyspace, "k")), "=1");
    } else {
      ASSERT_OK(transaction->Put(keyspace, "k", "2"));
    }
    ASSERT_OK(transaction->Put(kept, "k", "2"));
    ASSERT_OK(other->Put(kept, "other", "2"));
    ASSERT_OK(db_->DropKeyspace(keyspace));
    EXPECT_EQ(transaction->Get(keyspace, "k").status().detail(), StatusDetail::kNotFound);
    EXPECT_TRUE(transaction->Commit().IsConflict());
    EXPECT_EQ(ConflictKeys(*transaction), std::to_string(keyspace.id()) + ":..");
    EXPECT_EQ(Text(kept.Get("k")), "none") << "half of it was committed";
    ASSERT_OK(other->Commit());
  }
}

// RocksDB answers TryAgain where the memtable with the other write is flushed, and so would everyone who asks
// memtables.
TEST_F(ConflictTest, StaysWhenTheOtherWriteIsFlushedAndCompacted) {
  for (int i = 0; i < 50; ++i) ASSERT_OK(db_->Put("base" + std::to_string(i), "0"));
  const auto free_one = Begin();
  ASSERT_OK(free_one->Put("free", "1"));
  EXPECT_TRUE(Conflicts("k", [&] {
    ASSERT_OK(db_->Put("k", "1"));
    ASSERT_OK(db_->Flush());
    ASSERT_OK(db_->CompactRange());
    for (int i = 0; i < 2000; ++i) ASSERT_OK(db_->Put("more" + std::to_string(i), std::string(1000, 'v')));
    ASSERT_OK(db_->Flush());
    ASSERT_OK(db_->CompactRange());
  }));
  EXPECT_GT(db_->Stats().total_flushes, 2u);
  EXPECT_TRUE(free_one->Commit().ok()) << "it was told to try again because memtables were flushed";
}

TEST_F(ConflictTest, BeyondTheBoundIsAnErrorOfItsOwnAndNoCommit) {
  options_.transaction_history_bytes = 64 << 10;
  Reopen();
  const auto forgotten = Begin();
  ASSERT_OK(forgotten->Put("k", "1"));
  const auto read_only = Begin();
  EXPECT_EQ(Text(read_only->Get("k")), "none");
  const auto write = [&](int count) {
    for (int i = 0; i < count; ++i) ASSERT_OK(db_->Put("filler" + std::to_string(i % 1000), "v"));
  };
  ASSERT_OK(db_->Put("k", "2"));
  write(10'000);
  EXPECT_LE(db_->memory_usage().transaction_bytes, uint64_t{80} << 10);
  const Status status = forgotten->Commit();
  EXPECT_TRUE(status.IsConflict()) << status.ToString();
  EXPECT_EQ(status.detail(), StatusDetail::kTransactionTooOld);
  EXPECT_TRUE(forgotten->conflicts().empty());
  EXPECT_EQ(Get("k"), "=2");
  EXPECT_TRUE(read_only->Commit().ok()) << "it needs no history";
  // As many writes as the option promises never are too many.
  const auto young = Begin();
  ASSERT_OK(young->Put("young", "1"));
  write((64 << 10) / (12 + 100));
  ASSERT_OK(young->Commit());
}

// An old transaction that nobody ends makes the history neither grow nor fail the others.
TEST_F(ConflictTest, AForgottenTransactionIsNobodysTrouble) {
  options_.transaction_history_bytes = 64 << 10;
  Reopen();
  const auto idle = Begin();
  for (int i = 0; i < 5000; ++i) {
    const auto put = [&](Transaction& transaction) { return transaction.Put("k" + std::to_string(i), "v"); };
    ASSERT_OK(RunTransaction(db_.get(), {}, put));
  }
  EXPECT_LE(db_->memory_usage().transaction_bytes, uint64_t{100} << 10);
  EXPECT_EQ(db_->Stats().transaction_conflicts, 0u);
}

TEST_F(ConflictTest, NothingIsKeptOnceNoTransactionIsActive) {
  for (int round = 0; round < 3; ++round) {
    {
      const auto transaction = Begin();
      ASSERT_OK(transaction->Put("a", "1"));
      for (int i = 0; i < 2000; ++i) ASSERT_OK(db_->Put("b" + std::to_string(i), "1"));
      EXPECT_GT(db_->memory_usage().transaction_bytes, 0u);
      ASSERT_OK(transaction->Commit());
    }
    for (int i = 0; i < 10'000; ++i) ASSERT_OK(db_->Put("b" + std::to_string(i), "1"));
    EXPECT_EQ(db_->memory_usage().transaction_bytes, 0u);
    // And the next one begins anew.
    EXPECT_TRUE(Conflicts("k", [&] { ASSERT_OK(db_->Put("k", "1")); }));
  }
}

// The sequences of a group that failed are given to nobody, and no transaction waits for somebody to pass
// them.
TEST_F(ConflictTest, AfterAFailedWriteTransactionsGoOn) {
  const auto faults = std::make_shared<FaultFileSystem>(fs_);
  options_.file_system = faults;
  options_.log_mode = LogMode::kBuffered;
  Reopen();
  ASSERT_OK(db_->Put("k", "0"));
  for (const bool active : {false, true}) {
    const auto old = active ? Begin() : nullptr;
    if (active) ASSERT_OK(old->Put("old", "1"));
    ASSERT_OK(db_->Put("between", "1"));
    for (const FileOp op : {FileOp::kAppend, FileOp::kAppendSynced}) {
      faults->AddRule(FaultRule::Fail(op, ".log", FaultRule::NoSpaceError()));
    }
    WriteBatch batch;
    for (int i = 0; i < 5000; ++i) batch.Put("lost" + std::to_string(i), "v");
    EXPECT_TRUE(db_->Write(batch).IsNoSpace());
    faults->ClearRules();
    ASSERT_OK(db_->Resume());
    if (active) {
      EXPECT_EQ(old->Commit().detail(), StatusDetail::kTransactionTooOld);
    }
    const auto transaction = Begin();
    EXPECT_EQ(Text(transaction->Get("lost1")), "none");
    ASSERT_OK(transaction->Put("k", "1"));
    ASSERT_OK(transaction->Commit());
    EXPECT_EQ(Get("k"), "=1");
    // Leave nothing noted, so that the next round begins as this one.
    for (int i = 0; i < 10'000; ++i) ASSERT_OK(db_->Put("filler", "1"));
  }
}

// What a load that failed would have written is not there, and nobody conflicts with it.
TEST_F(ConflictTest, AfterAFailedBulkLoadTransactionsGoOn) {
  const auto faults = std::make_shared<FaultFileSystem>(fs_);
  options_.file_system = faults;
  Reopen();
  ASSERT_OK(db_->Put("k", "0"));
  for (const bool sync : {true, false}) {
    SCOPED_TRACE(sync ? "directory" : "manifest");
    ASSERT_OK(db_->Flush());      // the load itself meets the fault, not a flush before it
    ASSERT_OK(Begin()->Abort());  // from here on writes are noted
    const std::vector<std::pair<std::string, std::string>> entries = {{"k", "load"}};
    faults->AddRule(sync ? FaultRule::Fail(FileOp::kSyncDir, "", FaultRule::NoDescriptorError())
                         : FaultRule::Fail(FileOp::kAppend, "MANIFEST", FaultRule::NoSpaceError()));
    EXPECT_FALSE(db_->BulkLoad({}, entries).ok());
    EXPECT_EQ(faults->faults_fired(), sync ? 1u : 2u);
    ASSERT_OK(db_->Resume());
    const auto transaction = Begin();
    EXPECT_EQ(Text(transaction->Get("k")), "=0");
    ASSERT_OK(transaction->Put("k", "0"));
    ASSERT_OK(transaction->Commit());
  }
}

// The first transaction begins while a write that has seen none is between its log and its memtable: it
// either sees that write or conflicts with it.
TEST_F(ConflictTest, ATransactionThatBeginsDuringAWriteMissesNothing) {
  const auto faults = std::make_shared<FaultFileSystem>(fs_);
  options_.file_system = faults;
  options_.log_mode = LogMode::kBuffered;
  Reopen();
  ASSERT_OK(db_->Put("k", "before"));
  std::atomic<bool> armed{true};
  std::atomic<bool> begun{false};
  std::unique_ptr<Transaction> transaction;
  std::thread beginner;
  faults->SetHook([&](FileOp, const std::string& path, uint64_t) {
    if (!path.ends_with(".log") || !armed.exchange(false)) return;
    beginner = std::thread([&] {
      transaction = Begin();
      begun = true;
    });
    // It should wait for this write. If it does not, it has the time to begin.
    for (int i = 0; i < 200 && !begun; ++i) SystemClock()->SleepMicros(1000);
  });
  ASSERT_OK(db_->Put("k", "during"));
  ASSERT_FALSE(armed.load());
  beginner.join();
  faults->SetHook(nullptr);
  const std::string seen = Text(transaction->Get("k"));
  ASSERT_OK(transaction->Put("k", "after"));
  const Status status = transaction->Commit();
  EXPECT_TRUE(seen == "=during" || status.IsConflict()) << "saw " << seen << ", and " << status.ToString();
}

// Transactions and plain writers meet in the same commit groups: no increment is lost.
TEST_F(ConflictTest, WritersOfTheSameGroupAreSeen) {
  options_.wal_sync_policy = SyncPolicy::kSyncData;
  options_.group_commit_delay_us = 300;  // groups are large
  options_.background_flush = options_.background_compaction = true;
  Reopen();
  constexpr int kThreads = 6;
  const int rounds = kSanitized ? 40 : 150;
  std::atomic<int> committed{0};
  std::atomic<int> conflicts{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < rounds; ++i) {
        const auto transaction =
            Begin(i % 2 == 0 ? IsolationLevel::kSnapshot : IsolationLevel::kSerializable);
        const auto got = transaction->Get("n");
        const int n = got.ok() && got->has_value() ? std::stoi(std::string((*got)->slice())) : 0;
        EXPECT_OK(transaction->Put("n", std::to_string(n + 1)));
        const Status status = transaction->Commit();
        if (status.ok()) {
          ++committed;
        } else {
          ASSERT_TRUE(status.IsConflict()) << status.ToString();
          ++conflicts;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Get("n"), "=" + std::to_string(committed.load()));
  EXPECT_GT(conflicts, 0);
  const DBStats stats = db_->Stats();
  EXPECT_LT(stats.write_groups, stats.transaction_commits + stats.transaction_conflicts)
      << "no group had two";
}

// A request that conflicts consumes nothing: no sequence, no byte of the log.
TEST_F(ConflictTest, TakesNoSequenceAndNoPlaceInTheLog) {
  const auto transaction = Begin();
  ASSERT_OK(transaction->Put("k", std::string(1000, 'v')));
  ASSERT_OK(db_->Put("k", "1"));
  const DBStats before = db_->Stats();
  EXPECT_TRUE(transaction->Commit().IsConflict());
  const DBStats after = db_->Stats();
  EXPECT_EQ(after.last_sequence, before.last_sequence);
  EXPECT_EQ(after.wal_bytes_written, before.wal_bytes_written);
  EXPECT_EQ(after.logical_bytes_written, before.logical_bytes_written);
  ASSERT_OK(db_->Put("k", "2"));
  EXPECT_EQ(db_->Stats().last_sequence, before.last_sequence + 1);
}

// The first transactions of several threads race with plain writers that come and go: an increment by a merge
// never falls between.
TEST_F(ConflictTest, TransactionsThatBeginBesidePlainWritersLoseNothing) {
  options_.wal_sync_policy = SyncPolicy::kNone;
  options_.background_flush = options_.background_compaction = true;
  options_.merge_operator = U64Add();
  fs_ = std::make_shared<MemoryFileSystem>();
  options_.file_system = fs_;
  Reopen();
  const int merges = kSanitized ? 4'000 : 40'000;
  std::atomic<bool> done{false};
  std::thread plain([&] {
    for (int i = 0; i < merges; ++i) {
      ASSERT_OK(db_->Merge("n", U64Operand(1)));
      ASSERT_OK(db_->Put("other", "1"));
    }
    done = true;
  });
  uint64_t added = 0;
  std::thread transactional([&] {
    while (!done) {
      const auto transaction = Begin(IsolationLevel::kSnapshot);
      const auto got = transaction->Get("n");
      ASSERT_TRUE(got.ok());
      const uint64_t n = got->has_value() ? *U64Value(**got) : 0;
      ASSERT_OK(transaction->Put("n", U64Operand(n + 1)));
      if (transaction->Commit().ok()) ++added;
      // So many plain writes that nothing is noted any more.
      const uint64_t until = db_->Stats().last_sequence + 5000;
      while (!done && db_->Stats().last_sequence < until) std::this_thread::yield();
    }
  });
  plain.join();
  transactional.join();
  const auto got = db_->Get("n");
  ASSERT_TRUE(got.ok() && got->has_value());
  EXPECT_EQ(*U64Value(**got), static_cast<uint64_t>(merges) + added);
}

}  // namespace
}  // namespace seerdb::testing
