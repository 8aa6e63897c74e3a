// What one transaction does: reads its own writes, ends once, keeps to its limits, names what it conflicts
// with.
#include "env/manual_clock.h"
#include "tests/transaction/transaction_fixture.h"

namespace seerdb::testing {
namespace {

class TransactionTest : public TransactionFixture {};

bool Aborted(const Status& status) {
  return status.IsInvalidArgument() && status.detail() == StatusDetail::kTransactionAborted;
}

TEST_F(TransactionTest, ReadsItsOwnWritesAndNobodyElseDoes) {
  ASSERT_OK(db_->Put("a", "old"));
  ASSERT_OK(db_->Put("b", "old"));
  for (const IsolationLevel level : kBothLevels) {
    const auto transaction = Begin(level);
    EXPECT_EQ(transaction->isolation(), level);
    ASSERT_OK(transaction->Put("a", "new"));
    ASSERT_OK(transaction->Delete("b"));
    ASSERT_OK(transaction->Put("c", ""));
    ASSERT_OK(transaction->Put("d", std::string(10'000, 'd')));
    EXPECT_EQ(Text(transaction->Get("a")), "=new");
    EXPECT_EQ(Text(transaction->Get("b")), "none");
    EXPECT_EQ(Text(transaction->Get("c")), "=");
    EXPECT_EQ(Text(transaction->GetForUpdate("d")), "=" + std::string(10'000, 'd'));
    EXPECT_EQ(Text(transaction->Get("e")), "none");
    EXPECT_EQ(transaction->write_count(), 4u);
    EXPECT_EQ(Get("a"), "=old");
    EXPECT_EQ(Get("b"), "=old");
    EXPECT_EQ(Get("c"), "none");
    ASSERT_OK(transaction->Abort());
    EXPECT_EQ(Get("a"), "=old");
    EXPECT_EQ(Get("c"), "none");
  }
}

TEST_F(TransactionTest, CommitWritesAllOfIt) {
  ASSERT_OK(db_->Put("b", "old"));
  for (const IsolationLevel level : kBothLevels) {
    const auto transaction = Begin(level);
    ASSERT_OK(transaction->Put("a", "1"));
    ASSERT_OK(transaction->Merge("a", "2"));
    ASSERT_OK(transaction->Delete("b"));
    EXPECT_EQ(transaction->commit_sequence(), 0u);
    ASSERT_OK(transaction->Commit());
    EXPECT_EQ(transaction->commit_sequence(), db_->Stats().last_sequence);
    EXPECT_EQ(Get("a"), "=1+2");
    EXPECT_EQ(Get("b"), "none");
    ASSERT_OK(db_->Put("b", "old"));
  }
  EXPECT_EQ(db_->Stats().transaction_commits, 2u);
  Reopen();
  EXPECT_EQ(Get("a"), "=1+2");
}

TEST_F(TransactionTest, EndsOnce) {
  for (const bool commit : {true, false}) {
    const auto transaction = Begin();
    EXPECT_TRUE(transaction->is_active());
    ASSERT_OK(transaction->Put("a", "1"));
    const auto iterator = transaction->NewIterator();
    iterator->SeekToFirst();
    ASSERT_TRUE(iterator->Valid());
    ASSERT_OK(commit ? transaction->Commit() : transaction->Abort());
    EXPECT_FALSE(transaction->is_active());
    EXPECT_FALSE(iterator->Valid());
    EXPECT_TRUE(Aborted(iterator->status()));
    iterator->SeekToFirst();
    EXPECT_FALSE(iterator->Valid());
    iterator->Next();
    EXPECT_TRUE(Aborted(iterator->status()));
    EXPECT_TRUE(Aborted(transaction->Put("a", "1")));
    EXPECT_TRUE(Aborted(transaction->PutWithTtl("a", "1", 1)));
    EXPECT_TRUE(Aborted(transaction->Delete("a")));
    EXPECT_TRUE(Aborted(transaction->Merge("a", "1")));
    EXPECT_TRUE(Aborted(transaction->DeleteRange("a", "b")));
    EXPECT_TRUE(Aborted(transaction->Get("a").status()));
    EXPECT_TRUE(Aborted(transaction->GetForUpdate("a").status()));
    EXPECT_TRUE(Aborted(transaction->NewIterator()->status()));
    EXPECT_TRUE(Aborted(transaction->SetSavepoint()));
    EXPECT_TRUE(Aborted(transaction->RollbackToSavepoint()));
    EXPECT_TRUE(Aborted(transaction->ReleaseSavepoint()));
    EXPECT_TRUE(Aborted(transaction->Commit()));
    EXPECT_TRUE(Aborted(transaction->Abort()));
  }
  EXPECT_EQ(db_->Stats().live_snapshots, 0u);
}

TEST_F(TransactionTest, DestroyingAnActiveOneAbortsIt) {
  auto transaction = Begin();
  ASSERT_OK(transaction->Put("a", "1"));
  EXPECT_EQ(db_->Stats().live_snapshots, 1u);
  const auto iterator = transaction->NewIterator();
  iterator->SeekToFirst();
  transaction.reset();
  EXPECT_FALSE(iterator->Valid());
  EXPECT_TRUE(Aborted(iterator->status()));
  EXPECT_EQ(db_->Stats().live_snapshots, 0u);
  EXPECT_EQ(Get("a"), "none");
}

// Nothing of the database is touched once that is gone.
TEST_F(TransactionTest, OutlivesCloseAndTheDatabase) {
  ASSERT_OK(db_->Put("a", "1"));
  auto first = Begin();
  auto second = Begin();
  ASSERT_OK(first->Put("b", "2"));
  ASSERT_OK(first->Merge("a", "2"));
  const auto iterator = first->NewIterator();
  ASSERT_OK(db_->Close());
  const auto expect_shutdown = [](Transaction& transaction) {
    EXPECT_TRUE(transaction.Get("a").status().IsShutdown());
    EXPECT_TRUE(transaction.Put("a", "1").IsShutdown());
    EXPECT_TRUE(transaction.Merge("a", "1").IsShutdown());
    EXPECT_TRUE(transaction.NewIterator()->status().IsShutdown());
  };
  expect_shutdown(*first);
  iterator->SeekToFirst();
  EXPECT_TRUE(iterator->Valid()) << "an iterator stays readable";
  db_.reset();
  fs_.reset();
  options_.file_system.reset();
  expect_shutdown(*first);
  EXPECT_TRUE(first->Commit().IsShutdown());
  iterator->SeekToLast();
  ASSERT_TRUE(iterator->Valid());
  EXPECT_EQ(Entry(*iterator), "b=2");
  iterator->Prev();
  ASSERT_TRUE(iterator->Valid());
  EXPECT_EQ(Entry(*iterator), "a=1+2");
  ASSERT_OK(first->Abort());
  EXPECT_FALSE(iterator->Valid());
  second.reset();
}

TEST_F(TransactionTest, BeginsOnlyWhileTheDatabaseIsOpen) {
  ASSERT_OK(db_->Close());
  EXPECT_TRUE(db_->BeginTransaction().status().IsShutdown());
}

TEST_F(TransactionTest, ChecksItsOptions) {
  TransactionOptions options;
  options.write.ttl_us = 1;
  EXPECT_TRUE(db_->BeginTransaction(options).status().IsInvalidArgument());
  options.write = WriteOptions::Sync();
  options.write.skip_wal = true;
  EXPECT_TRUE(db_->BeginTransaction(options).status().IsInvalidArgument());
  options.write = {};
  const Keyspace keyspace = Open("k");
  options.write.keyspace = &keyspace;
  EXPECT_TRUE(db_->BeginTransaction(options).status().IsInvalidArgument());
  const Snapshot snapshot = db_->GetSnapshot();
  ReadOptions read;
  read.snapshot = &snapshot;
  EXPECT_TRUE(Begin()->NewIterator(read)->status().IsInvalidArgument());
  EXPECT_TRUE(Begin()->Put(Keyspace(), "a", "1").IsInvalidArgument());
}

TEST_F(TransactionTest, RefusesWhatCannotBeWrittenAtOnceAndGoesOn) {
  TransactionOptions options;
  options.max_bytes = 20'000;
  const auto transaction = Begin(options);
  ASSERT_OK(transaction->Put("a", "1"));
  EXPECT_TRUE(transaction->Put(std::string(kMaxKeyBytes + 1, 'k'), "1").IsInvalidArgument());
  EXPECT_TRUE(transaction->DeleteRange("b", "a").IsInvalidArgument());
  const std::string long_key(kMaxKeyBytes + 1, 'k');
  EXPECT_TRUE(transaction->DeleteRange(long_key, "l").IsInvalidArgument());
  EXPECT_TRUE(transaction->DeleteRange("j", long_key).IsInvalidArgument());
  ASSERT_OK(transaction->DeleteRange("b", "b"));
  EXPECT_TRUE(transaction->PutWithTtl("a", "1", kMaxTtlUs + 1).IsInvalidArgument());
  const Status full = transaction->Put("b", std::string(20'000, 'v'));
  EXPECT_TRUE(full.IsInvalidArgument());
  EXPECT_EQ(full.detail(), StatusDetail::kMemoryFull);
  EXPECT_NE(std::string(full.message()).find("expected at most 20000"), std::string::npos);
  Status many;
  for (int i = 0; i < 20'000 && many.ok(); ++i) many = transaction->Put("k" + std::to_string(i), "v");
  EXPECT_EQ(many.detail(), StatusDetail::kMemoryFull);
  EXPECT_GT(transaction->write_count(), 100u);
  Status read;
  for (int i = 0; i < 20'000 && read.ok(); ++i) read = transaction->Get("r" + std::to_string(i)).status();
  EXPECT_EQ(read.detail(), StatusDetail::kMemoryFull) << "what it reads is held, too";
  const auto iterator = transaction->NewIterator();
  iterator->SeekToFirst();
  EXPECT_EQ(iterator->status().detail(), StatusDetail::kMemoryFull) << "so are ranges that it passes";
  ASSERT_OK(transaction->Commit());
  EXPECT_EQ(Get("a"), "=1");
  EXPECT_EQ(Get("k0"), "=v");
}

TEST_F(TransactionTest, WhatItHoldsIsCharged) {
  const auto transaction = Begin();
  for (int i = 0; i < 1000; ++i) ASSERT_OK(transaction->Put("k" + std::to_string(i), std::string(100, 'v')));
  EXPECT_GT(db_->memory_usage().transaction_bytes, 100'000u);
  ASSERT_OK(transaction->Commit());
}

TEST_F(TransactionTest, KeyspacesAreReadAndWrittenTogether) {
  const Keyspace one = Open("one");
  KeyspaceOptions joining;
  joining.merge_operator = StringAppend(",");
  const Keyspace two = Open("two", joining);
  ASSERT_OK(one.Put("k", "1"));
  ASSERT_OK(two.Put("k", "2"));
  const auto transaction = Begin();
  ASSERT_OK(transaction->Put("k", "0"));
  ASSERT_OK(transaction->Put(one, "k", "11"));
  ASSERT_OK(transaction->Merge(two, "k", "22"));
  ASSERT_OK(transaction->DeleteRange(two, "a", "b"));
  EXPECT_TRUE(transaction->Merge(one, "k", "1").IsInvalidArgument()) << "it has no operator";
  EXPECT_EQ(Text(transaction->Get("k")), "=0");
  EXPECT_EQ(Text(transaction->Get(one, "k")), "=11");
  EXPECT_EQ(Text(transaction->GetForUpdate(two, "k")), "=2,22");
  ReadOptions in_two;
  in_two.keyspace = &two;
  EXPECT_EQ(All(*transaction, in_two), "k=2,22");
  EXPECT_EQ(All(*transaction), "k=0");
  ASSERT_OK(transaction->Commit());
  EXPECT_EQ(Get("k"), "=0");
  EXPECT_EQ(Text(one.Get("k")), "=11");
  EXPECT_EQ(Text(two.Get("k")), "=2,22");
}

TEST_F(TransactionTest, TimesToLiveCountFromTheWrite) {
  const auto clock = std::make_shared<ManualClock>();
  options_.clock = clock;
  Reopen();
  KeyspaceOptions brief;
  brief.default_ttl_us = 500;
  const Keyspace keyspace = Open("brief", brief);
  const auto transaction = Begin();
  ASSERT_OK(transaction->PutWithTtl("a", "1", 1000));
  ASSERT_OK(transaction->PutWithTtl("b", "1", kNoTtl));
  ASSERT_OK(transaction->Put(keyspace, "c", "1"));
  clock->Advance(499);
  EXPECT_EQ(Text(transaction->Get(keyspace, "c")), "=1");
  clock->Advance(501);
  EXPECT_EQ(Text(transaction->Get("a")), "none");
  EXPECT_EQ(Text(transaction->Get(keyspace, "c")), "none");
  EXPECT_EQ(All(*transaction), "b=1");
  ASSERT_OK(transaction->Commit());
  EXPECT_EQ(Get("a"), "none");
  EXPECT_EQ(Get("b"), "=1");
}

TEST_F(TransactionTest, SavepointsTakeBackWritesAndKeepReadsChecked) {
  ASSERT_OK(db_->Put("a", "0"));
  const auto transaction = Begin();
  EXPECT_EQ(transaction->RollbackToSavepoint().detail(), StatusDetail::kNotFound);
  EXPECT_EQ(transaction->ReleaseSavepoint().detail(), StatusDetail::kNotFound);
  ASSERT_OK(transaction->Put("a", "1"));
  ASSERT_OK(transaction->SetSavepoint());
  ASSERT_OK(transaction->Put("a", "2"));
  ASSERT_OK(transaction->SetSavepoint());
  ASSERT_OK(transaction->DeleteRange("a", std::nullopt));
  EXPECT_EQ(Text(transaction->Get("a")), "none");
  EXPECT_EQ(All(*transaction), "");
  ASSERT_OK(transaction->RollbackToSavepoint());
  EXPECT_EQ(Text(transaction->Get("a")), "=2");
  EXPECT_EQ(Text(transaction->Get("read")), "none");
  ASSERT_OK(transaction->RollbackToSavepoint());
  EXPECT_EQ(All(*transaction), "a=1");
  EXPECT_EQ(transaction->write_count(), 1u);
  ASSERT_OK(db_->Put("read", "1"));
  EXPECT_TRUE(transaction->Commit().IsConflict());
  EXPECT_EQ(Get("a"), "=0");
}

// What was written and taken back is no write: nobody is in its way.
TEST_F(TransactionTest, WhatWasTakenBackDoesNotConflict) {
  for (const IsolationLevel level : kBothLevels) {
    const auto transaction = Begin(level);
    ASSERT_OK(transaction->Put("kept", "1"));
    ASSERT_OK(transaction->SetSavepoint());
    ASSERT_OK(transaction->Put("back", "1"));
    ASSERT_OK(transaction->DeleteRange("x", "y"));
    ASSERT_OK(transaction->RollbackToSavepoint());
    ASSERT_OK(db_->Put("back", "2"));
    ASSERT_OK(db_->Put("x1", "2"));
    ASSERT_OK(transaction->Commit());
  }
}

TEST_F(TransactionTest, AConflictNamesItsKeys) {
  const Keyspace keyspace = Open("k");
  const auto transaction = Begin();
  ASSERT_OK(transaction->Put("a", "1"));
  ASSERT_OK(transaction->Put("b", "1"));
  ASSERT_OK(transaction->Put(keyspace, "c", "1"));
  EXPECT_EQ(Text(transaction->Get("read")), "none");
  ASSERT_OK(db_->Put("unrelated", "2"));
  ASSERT_OK(db_->Put("a", "2"));
  ASSERT_OK(db_->Put("a", "3"));
  const SequenceNumber newest = db_->Stats().last_sequence;
  ASSERT_OK(keyspace.Delete("c"));
  ASSERT_OK(db_->Put("read", "2"));
  ASSERT_OK(db_->DeleteRange("b", "bb"));
  const Status status = transaction->Commit();
  EXPECT_TRUE(status.IsConflict()) << status.ToString();
  EXPECT_EQ(status.detail(), StatusDetail::kNone);
  EXPECT_EQ(ConflictKeys(*transaction), "0:b..bb 0:read " + std::to_string(keyspace.id()) + ":c 0:a");
  EXPECT_EQ(transaction->conflicts().back().sequence, newest);
  EXPECT_EQ(db_->Stats().transaction_conflicts, 1u);
  EXPECT_EQ(Get("a"), "=3");
  EXPECT_EQ(Get("b"), "none");
}

TEST_F(TransactionTest, ConflictsAreKeptUpToABound) {
  const auto transaction = Begin();
  for (int i = 0; i < 100; ++i) ASSERT_OK(transaction->Put("k" + std::to_string(i), "1"));
  for (int i = 0; i < 100; ++i) ASSERT_OK(db_->Put("k" + std::to_string(i), "2"));
  EXPECT_TRUE(transaction->Commit().IsConflict());
  EXPECT_EQ(transaction->conflicts().size(), Transaction::kMaxConflicts);
}

TEST_F(TransactionTest, ReadsAreCounted) {
  ASSERT_OK(db_->Put("a", "1"));
  const auto serializable = Begin();
  const auto snapshot = Begin(IsolationLevel::kSnapshot);
  for (Transaction* const transaction : {serializable.get(), snapshot.get()}) {
    ASSERT_OK(transaction->Put("own", "1"));
    for (const char* key : {"a", "a", "none", "own"}) ASSERT_OK(transaction->Get(key).status());
    ASSERT_OK(transaction->GetForUpdate("b").status());
    All(*transaction);
  }
  EXPECT_EQ(serializable->read_count(), 4u) << "three keys and a range";
  EXPECT_EQ(snapshot->read_count(), 1u);
}

TEST_F(TransactionTest, RunTransactionTriesAnewWhileItConflicts) {
  ASSERT_OK(db_->Put("n", "0"));
  int runs = 0;
  const auto disturbed = [&](Transaction& transaction) -> Status {
    EXPECT_TRUE(transaction.Get("n").ok());
    if (++runs <= 5) {
      EXPECT_OK(db_->Put("n", std::to_string(runs)));
    }
    return transaction.Put("n", "done");
  };
  ASSERT_OK(RunTransaction(db_.get(), {}, disturbed));
  EXPECT_EQ(runs, 6);
  EXPECT_EQ(Get("n"), "=done");
  TransactionOptions few;
  few.max_attempts = 3;
  runs = 0;
  EXPECT_TRUE(RunTransaction(db_.get(), few, disturbed).IsConflict());
  EXPECT_EQ(runs, 3);
  few.max_attempts = 0;
  EXPECT_TRUE(RunTransaction(db_.get(), few, disturbed).IsInvalidArgument());
}

TEST_F(TransactionTest, RunTransactionReturnsWhatTheWorkDoes) {
  const Status own = Status::Busy("own");
  EXPECT_TRUE(RunTransaction(db_.get(), {}, [&](Transaction& transaction) {
                EXPECT_OK(transaction.Put("a", "1"));
                return own;
              }).IsBusy());
  EXPECT_EQ(Get("a"), "none");
  const auto aborting = [](Transaction& transaction) {
    EXPECT_OK(transaction.Put("a", "1"));
    return transaction.Abort();
  };
  ASSERT_OK(RunTransaction(db_.get(), {}, aborting));
  EXPECT_EQ(Get("a"), "none");
}

// A commit that asks for a sync is durable, and one that is not logged is not.
TEST_F(TransactionTest, WriteOptionsAreThoseOfTheCommit) {
  options_.wal_sync_policy = SyncPolicy::kNone;
  Reopen();
  TransactionOptions synced;
  synced.write = WriteOptions::Sync();
  const auto transaction = Begin(synced);
  ASSERT_OK(transaction->Put("a", "1"));
  ASSERT_OK(transaction->Put("b", "1"));
  ASSERT_OK(transaction->Commit());
  TransactionOptions unlogged;
  unlogged.write = WriteOptions::SkipWal();
  const auto lost = Begin(unlogged);
  ASSERT_OK(lost->Put("c", "1"));
  ASSERT_OK(lost->Commit());
  EXPECT_EQ(Get("c"), "=1");
  Crash();
  EXPECT_EQ(Get("a"), "=1");
  EXPECT_EQ(Get("b"), "=1");
  EXPECT_EQ(Get("c"), "none");
}

}  // namespace
}  // namespace seerdb::testing
