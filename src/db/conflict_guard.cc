#include "db/conflict_guard.h"

#include <string>
#include <utility>

namespace seerdb {
namespace {

// So many operations are noted while no transaction is active. To begin one where none is costs a turn
// among the writers.
constexpr uint64_t kUnwatched = 4096;

}  // namespace

ConflictGuard::ConflictGuard(uint64_t history_bytes, std::shared_ptr<MemoryAccount> account,
                             ActiveTransactions* transactions)
    : transactions_(transactions),
      history_(history_bytes, std::move(account), [transactions] { return transactions->OldestStart(); }) {}

void ConflictGuard::Begin(ActiveTransactions::Entry* entry) {
  // What was given out and is not visible has failed, as this is between two groups.
  if (idle()) history_.Restart(transactions_->snapshots()->visible());
  unwatched_ = 0;
  transactions_->BeginNoting(entry);
}

Status ConflictGuard::Check(CommitCheck* check) const {
  switch (history_.Check(check)) {
    case ConflictHistory::Verdict::kClear:
      return {};
    case ConflictHistory::Verdict::kConflict:
      return Status::Conflict("commit: something that the transaction relies on was written since it began");
    case ConflictHistory::Verdict::kForgotten:
      break;
  }
  return Status::Conflict("commit: the transaction began at sequence " + std::to_string(check->start()) +
                          ", expected one of " + std::to_string(history_.forgotten_through()) +
                          " or later, as what was written before is forgotten")
      .WithDetail(StatusDetail::kTransactionTooOld);
}

bool ConflictGuard::Admit(WriteRequest* request, SequenceNumber base) {
  if (request->check != nullptr) {
    request->status = Check(request->check);
    if (!request->status.ok()) return false;
    request->check->Placed(base);
  }
  if (transactions_->count() != 0) {
    unwatched_ = 0;
  } else if ((unwatched_ += request->count) > kUnwatched && transactions_->TryStopNoting()) {
    history_.Restart(base);
    return true;
  }
  history_.Record(base, request->operations);
  return true;
}

// From here on, and not from the sequences of the group: a transaction that begins before the next write
// reads below them, and must not be too old.
void ConflictGuard::NoteFailure() {
  if (!idle()) history_.Restart(transactions_->snapshots()->visible());
}

void ConflictGuard::NoteDrop(SequenceNumber last, Slice prefix) {
  if (!idle()) history_.RecordDrop(last, prefix);
}

void ConflictGuard::NoteRange(SequenceNumber sequence, Slice begin, Slice end) {
  if (!idle()) history_.RecordRange(sequence, begin, end);
}

}  // namespace seerdb
