// The calls of DbImpl that transactions use, and what it tells the conflict history.
#include <algorithm>

#include "base/random.h"
#include "base/status_macros.h"
#include "db/db_impl.h"

namespace seerdb {
namespace {

// Of a memory budget, what the history may take.
constexpr uint64_t kHistoryShare = 16;

}  // namespace

uint64_t DbImpl::HistoryBytes() const {
  if (budget_ == nullptr) return options_.transaction_history_bytes;
  return std::min(options_.transaction_history_bytes, budget_->limit_bytes() / kHistoryShare);
}

Status DbImpl::BeginTransaction(ActiveTransactions::Entry* entry) {
  SEERDB_RETURN_IF_ERROR(CheckOpen());
  if (transactions_->TryBegin(entry)) [[likely]]
    return {};
  return queue_->RunExclusive([&]() -> Status {
    SEERDB_RETURN_IF_ERROR(CheckOpen());
    conflicts_->Begin(entry);
    return {};
  });
}

Status DbImpl::CommitTransaction(const WriteOptions& options, const Commit& commit) {
  SEERDB_RETURN_IF_ERROR(CheckOpen());
  if (commit.count == 0) {
    if (commit.check == nullptr) return {};
    Status status = queue_->RunExclusive([&] { return conflicts_->Check(commit.check); });
    if (status.IsConflict()) statistics_->Add(Counter::transaction_conflicts);
    return status;
  }
  if (Status status = AdmitToDisk(commit.operations.size()); !status.ok() && !commit.only_deletes) {
    return CountRefusal(std::move(status));
  }
  if (commit.ranges > 0) SEERDB_RETURN_IF_ERROR(AdmitRanges());
  const SampledTimer timer(statistics_.get(), Latency::write_latency);
  const WriteCounts counts{commit.count, commit.ranges, commit.operations.size(), commit.check};
  // If it conflicts, what was written of its large values is garbage.
  Status status = LargeValuesOf(commit.operations, commit.operations.size()).bytes == 0
                      ? SubmitWrite(options, commit.operations, counts)
                      : WriteApart(options, commit.operations, counts);
  if (status.ok()) statistics_->Add(Counter::transaction_commits);
  if (status.IsConflict()) statistics_->Add(Counter::transaction_conflicts);
  return status;
}

Status DbImpl::FindKeyspace(const KeyspaceState* keyspace, const KeyspaceState** now) {
  if (keyspace == nullptr) {
    *now = &keyspaces_.default_state();
    return {};
  }
  SEERDB_RETURN_IF_ERROR(keyspaces_.Check(keyspace));
  *now = &Keyspaces::Current(*keyspace);
  return {};
}

uint64_t DbImpl::transaction_seed() { return options_.seed != 0 ? options_.seed : SystemSeed(); }

void DbImpl::NoteLoad(SequenceNumber sequence, const std::vector<TableMeta>& tables) {
  for (const TableMeta& table : tables) {
    // Up to the largest key and with it.
    conflicts_->NoteRange(sequence, table.smallest_key, table.largest_key + '\0');
  }
}

void DbImpl::NoteDrop(Slice prefix) { conflicts_->NoteDrop(committer_->last_sequence(), prefix); }

}  // namespace seerdb
