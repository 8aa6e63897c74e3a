// ConflictGuard: lets a write into the order of writes, or turns it away because of what was written since
// its transaction began.
//
// Owns the history and keeps it in step with the transactions that are active: it is kept while there are
// any, and for some writes more, since others mostly follow.
// Thread safety: under leadership of the write queue, but for noting().
#pragma once

#include <cstdint>
#include <memory>

#include "base/memory_account.h"
#include "db/active_transactions.h"
#include "db/conflict_history.h"
#include "db/write_queue.h"
#include "seerdb/types.h"

namespace seerdb {

class ConflictGuard {
 public:
  // Borrows `transactions`.
  ConflictGuard(uint64_t history_bytes, std::shared_ptr<MemoryAccount> account,
                ActiveTransactions* transactions);

  // Nothing need be asked or noted of any write. Readable at any time.
  bool idle() const { return !transactions_->noting(); }
  // Begins to note writes, and enters a transaction.
  void Begin(ActiveTransactions::Entry* entry);
  // Whether `request` may have the sequences from `base` on, and then notes what it writes. If not, its
  // status says why. Requires: !idle().
  bool Admit(WriteRequest* request, SequenceNumber base);
  // kConflict if something that `check` touches was written behind its start.
  Status Check(CommitCheck* check) const;
  // A group that was admitted has failed: nobody will see what it was to write. Transactions that are active
  // are too old then.
  void NoteFailure();
  // All keys of a range were written at `sequence`, not through a request.
  void NoteRange(SequenceNumber sequence, Slice begin, Slice end);
  // The keyspace with this prefix was dropped, behind `last`, the last sequence given out.
  void NoteDrop(SequenceNumber last, Slice prefix);

  const ConflictHistory& history() const { return history_; }
  // For deliberate faults.
  void ForgetSilently() { history_.Restart(0); }

 private:
  ActiveTransactions* const transactions_;
  ConflictHistory history_;
  uint64_t unwatched_ = 0;  // operations noted since a transaction was last seen
};

}  // namespace seerdb
