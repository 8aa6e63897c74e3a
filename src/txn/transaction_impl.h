// TransactionImpl: buffers writes, remembers reads, and is the check that the engine makes when it commits.
//
// Thread safety: as Transaction. While Commit waits the leader of the write queue, another thread, calls its
// CommitCheck.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/memory_account.h"
#include "db/active_transactions.h"
#include "db/commit_check.h"
#include "db/transaction_host.h"
#include "seerdb/db.h"
#include "seerdb/snapshot.h"
#include "seerdb/transaction.h"
#include "txn/indexed_batch.h"
#include "txn/key_ranges.h"

namespace seerdb {

class TransactionIterator;

class TransactionImpl final : public Transaction, private CommitCheck {
 public:
  TransactionImpl(DB* db, TransactionHost* host, const TransactionOptions& options);
  ~TransactionImpl() override;
  // Called once, before anything else.
  Status Begin();
  // As RunTransaction.
  static Status Run(DB* db, const TransactionOptions& options,
                    const std::function<Status(Transaction&)>& work);

  std::unique_ptr<Iterator> NewIterator(const ReadOptions& options) override;
  Status SetSavepoint() override;
  Status RollbackToSavepoint() override;
  Status ReleaseSavepoint() override;
  Status Commit() override;
  Status Abort() override;
  bool is_active() const override { return active_; }
  IsolationLevel isolation() const override { return options_.isolation; }
  uint32_t write_count() const override { return batch_.count(); }
  uint64_t read_count() const override;
  SequenceNumber snapshot_sequence() const override { return entry_.start; }
  SequenceNumber commit_sequence() const override { return committed_; }
  const std::vector<TransactionConflict>& conflicts() const override { return conflicts_; }

  // For its iterators.
  const IndexedBatch& batch() const { return batch_; }
  void ForgetIterator(TransactionIterator* iterator);
  // kInvalidArgument/kMemoryFull if it holds more than it may, or would with writes of `wanted_bytes` in all.
  Status CheckHeld(uint64_t wanted_bytes = 0) const;
  // All keys in [begin, end) were read.
  void NoteRangeRead(Slice begin, Slice end);
  // An iterator ended with an error that nobody has asked for.
  void NoteUnobserved(const Status& status) { unobserved_ = status; }

 private:
  Result<std::optional<PinnedValue>> DoGet(const Keyspace* keyspace, Slice key, bool for_update) override;
  Status DoPut(const Keyspace* keyspace, Slice key, Slice value, uint64_t ttl_us) override;
  Status DoDelete(const Keyspace* keyspace, Slice key) override;
  Status DoMerge(const Keyspace* keyspace, Slice key, Slice operand) override;
  Status DoDeleteRange(const Keyspace* keyspace, Slice begin, std::optional<Slice> end) override;

  SequenceNumber start() const override { return entry_.start; }
  const KeyFilter* filter() const override;
  bool Touches(Slice key) const override;
  bool TouchesRange(Slice begin, Slice end) const override;
  void ForEachKey(const std::function<bool(Slice)>& function) const override;
  void ForEachRange(const std::function<bool(Slice, Slice)>& function) const override;
  bool Found(const FoundWrite& write) override;
  void Placed(SequenceNumber base) override { committed_ = base + batch_.count() - 1; }

  Status CheckActive() const;
  // The keyspace of a call, if that can be made.
  Status Enter(const Keyspace* keyspace, const KeyspaceState** state) const;
  // If a write of so many bytes can be taken.
  Status CheckRoom(const KeyspaceState& state, Slice key, uint64_t value_bytes, bool range = false) const;
  Status AddWrite(const KeyspaceState& state, bool merge, Slice key, Slice value, uint64_t expires_us);
  // Into engine_key_.
  Slice EngineKey(const KeyspaceState& state, Slice key);
  void NoteRead(KeyNode* node, Slice engine_key);
  Result<std::optional<PinnedValue>> ReadBase(const Keyspace* keyspace, Slice key);
  Result<std::optional<PinnedValue>> MergeOver(const KeyNode& node, const Keyspace* keyspace,
                                               const KeyspaceState& state, Slice key, bool track);
  bool serializable() const { return options_.isolation == IsolationLevel::kSerializable; }
  static bool IsChecked(const KeyNode& node);
  void Charge();
  uint64_t HeldBytes() const { return batch_.bytes() + read_ranges_.bytes(); }
  // Gives up what Begin took, and ends the iterators.
  void End();

  DB* const db_;
  TransactionHost* const host_;
  const TransactionOptions options_;
  const std::shared_ptr<ActiveTransactions> transactions_;
  ActiveTransactions::Entry entry_;
  Snapshot snapshot_;
  ReadOptions read_options_;  // of its point reads
  bool active_ = false;

  IndexedBatch batch_;
  KeyFilter filter_;  // of all keys in the index
  KeyRanges read_ranges_;
  uint64_t read_keys_ = 0;
  bool check_reads_ = false;  // also if nothing is written
  std::string engine_key_;
  std::string payload_;
  std::vector<TransactionIterator*> iterators_;
  Status unobserved_;
  SequenceNumber committed_ = 0;
  std::vector<TransactionConflict> conflicts_;
  MemoryCharge charge_;
};

// What calls to a transaction that has ended return.
Status TransactionEnded();

}  // namespace seerdb
