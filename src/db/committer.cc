#include "db/committer.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/mutant.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "format/batch_codec.h"
#include "format/entry_payload.h"

namespace seerdb {
namespace {

// A memtable is sealed when the log behind it is this many times its capacity: tombstones and small values
// weigh more in the log than in memory.
constexpr uint64_t kLogBytesPerCapacity = 4;
// Or when the values that it points to are so many times its capacity: replay reads them all.
constexpr uint64_t kValueBytesPerCapacity = 16;
// A memtable that is so full when its log segment ends is sealed: it would soon leave the next one, before
// another is prepared, and the writer would have to wait for that.
constexpr double kNearlyFull = 15.0 / 16;
constexpr uint64_t kPartOfSegmentLeft = 256;  // one of so many
// To walk through so many hidden entries takes a few tenths of a millisecond.
constexpr uint64_t kManyCovered = 2048;
constexpr uint64_t kLooksAnEntry = 2;
// A get that a RecordIndex speeds up gains what so many puts pay for it.
constexpr uint64_t kPutsPaidByGet = 4;
// The index may take one part in so many of a memtable.
constexpr uint64_t kIndexShare = 6;

}  // namespace

Committer::Committer(const Options& options, const CommitterParts& parts, SequenceNumber last_sequence)
    : options_(options),
      parts_(parts),
      max_log_bytes_(
          options.memtable_capacity > UINT64_MAX / kLogBytesPerCapacity
              ? UINT64_MAX
              : std::max(options.memtable_capacity * kLogBytesPerCapacity, options.wal_segment_bytes)),
      active_(parts.views->Acquire()->active().memtable.get()),
      active_values_(parts.views->Acquire()->active().values.get()),
      last_sequence_(last_sequence) {}

Status Committer::CommitGroup(const std::vector<WriteRequest*>& group) {
  if (stopped_) return Status::Shutdown("the database is closed");
  if (parts_.error->is_set()) [[unlikely]]
    SEERDB_RETURN_IF_ERROR(parts_.resume());
  const Totals totals = TotalsOf(group);
  if (Status status = MakeRoom(group, totals); !status.ok()) return GiveUp(std::move(status));
  if (parts_.conflicts->idle()) [[likely]]
    return CommitAdmitted(group, totals);
  const std::vector<WriteRequest*>& admitted = Admit(group);
  return admitted.empty() ? GiveUp(Status()) : CommitAdmitted(admitted, TotalsOf(admitted));
}

Status Committer::GiveUp(Status status) {
  if (parts_.memory != nullptr) parts_.memory->Settle();
  return status;
}

Committer::Totals Committer::TotalsOf(const std::vector<WriteRequest*>& group) {
  Totals totals;
  for (const WriteRequest* request : group) {
    totals.operations += request->count;
    totals.ranges += request->ranges;
    totals.bytes += request->operations.size();
    totals.sync |= request->sync;
  }
  return totals;
}

// Each is judged by what stands before it in the group, too.
const std::vector<WriteRequest*>& Committer::Admit(const std::vector<WriteRequest*>& group) {
  admitted_.clear();
  SequenceNumber base = last_sequence_ + 1;
  if (SEERDB_MUTANT("same-group-writers-ignored")) {
    for (WriteRequest* request : group) {
      if (request->check != nullptr) request->status = parts_.conflicts->Check(request->check);
    }
    for (WriteRequest* request : group) {
      if (!request->status.ok()) continue;
      if (CommitCheck* const check = std::exchange(request->check, nullptr)) check->Placed(base);
      parts_.conflicts->Admit(request, base);
      admitted_.push_back(request);
      base += request->count;
    }
    return admitted_;
  }
  for (WriteRequest* request : group) {
    if (!parts_.conflicts->Admit(request, base)) continue;
    admitted_.push_back(request);
    base += request->count;
  }
  return admitted_;
}

Status Committer::CommitAdmitted(const std::vector<WriteRequest*>& group, const Totals& totals) {
  const uint64_t count = totals.operations;
  bool sync = totals.sync;
  sync |= parts_.barrier != nullptr && parts_.barrier->Overdue();
  if (last_sequence_ + count > kMaxSequence) {
    return GiveUp(Status::InvalidArgument("sequence numbers are used up"));
  }
  const SequenceNumber base = last_sequence_ + 1;
  // Taken even if logging fails: a sequence is never used twice.
  last_sequence_ += count;
  const bool publish_early = SEERDB_MUTANT("group-commit-publishes-early");
  if (publish_early) parts_.snapshots->Publish(last_sequence_);
  const LogSync log_sync = !sync                                              ? LogSync::kNone
                           : options_.wal_sync_policy == SyncPolicy::kSyncAll ? LogSync::kAll
                                                                              : LogSync::kData;
  if (Status status = LogGroup(group, base, log_sync); !status.ok()) {
    parts_.error->Set("log write", status);
    parts_.conflicts->NoteFailure();
    if (SEERDB_MUTANT("resume-reuses-sequences")) last_sequence_ -= count;
    return GiveUp(std::move(status));
  }
  if (sync && parts_.barrier != nullptr) parts_.barrier->NoteSynced();
  InsertGroup(group, base);
  if (parts_.chunk_pool != nullptr && parts_.chunk_pool->TakeSpareRequest()) [[unlikely]] {
    parts_.work->RunUnawaited([weak = std::weak_ptr(parts_.chunk_pool)] {
      if (const auto pool = weak.lock()) pool->PrepareSpares();
    });
  }
  if (parts_.memory != nullptr) parts_.memory->Settle();
  if (!publish_early) parts_.snapshots->Publish(last_sequence_);
  return {};
}

Status Committer::LogGroup(const std::vector<WriteRequest*>& group, SequenceNumber base, LogSync sync) {
  records_.clear();
  bool apart = false;
  for (WriteRequest* request : group) {
    if (!request->skip_wal) {
      apart |= request->values != nullptr;
      records_.push_back({base, request->operations});
      request->logged = true;
    }
    base += request->count;
  }
  if (records_.empty() && SEERDB_MUTANT("unlogged-write-skips-due-sync")) return {};
  // Nothing to log, but a sync may be due: of what the barrier policy has left unsynced.
  if (records_.empty()) return sync == LogSync::kNone ? Status() : parts_.log->Sync(sync == LogSync::kAll);
  if (SEERDB_MUTANT("batch-split-across-logs")) return LogOperationByOperation(sync);
  SEERDB_RETURN_IF_ERROR(parts_.log->Append(records_, sync, apart));
  if (parts_.log->TakeSpareRequest()) [[unlikely]] {
    parts_.work->RunSoon([log = parts_.log, error = parts_.error] {
      const Status status = log->PrepareSpare();
      // Of other errors nothing is left: the leader makes a segment itself when it needs it, and reports what
      // it meets. A failed sync of the directory may have lost the name of somebody else's file.
      if (status.detail() == StatusDetail::kSyncFailed) error->Set("log preparation", status);
    });
  }
  return {};
}

// The sabotage of a batch that is not one record.
Status Committer::LogOperationByOperation(LogSync sync) {
  const std::vector<LogSegment::Record> records = records_;
  for (const LogSegment::Record& record : records) {
    BatchReader reader(record.operations);
    BatchOperation operation;
    SequenceNumber sequence = record.base_sequence;
    while (reader.Next(&operation)) {
      std::string one;
      one.push_back(static_cast<char>(operation.type));
      AppendLengthPrefixed(&one, operation.key);
      if (operation.type != ValueType::kDeletion) AppendLengthPrefixed(&one, operation.value);
      SEERDB_RETURN_IF_ERROR(parts_.log->Append({{sequence++, one}}, sync, /*apart=*/false));
    }
  }
  return {};
}

void Committer::InsertGroup(const std::vector<WriteRequest*>& group, SequenceNumber base) {
  uint64_t deletes = 0;
  uint64_t puts = 0;
  uint64_t merges = 0;
  uint64_t ranges = 0;
  uint64_t logical_bytes = 0;
  BatchOperation operation;
  for (const WriteRequest* request : group) {
    if (request->values != nullptr) [[unlikely]] {
      for (const ValueFilePtr& file : request->values->files()) active_values_->Add(file);
      value_bytes_ += request->values->bytes();
    }
    BatchReader reader(request->operations);
    while (reader.Next(&operation)) {
      if (IsMerge(operation.type)) [[unlikely]] {
        AddMerge(base++, operation);
        ++merges;
        continue;
      }
      if (operation.type == ValueType::kRangeDeletion) [[unlikely]] {
        active_->AddRange(base++, operation.key, operation.value);
        ++ranges;
        continue;
      }
      active_->Add(base++, operation.type, operation.key, operation.value);
      (operation.type == ValueType::kDeletion ? deletes : puts) += 1;
    }
    SEERDB_DCHECK(reader.ok());
    logical_bytes += request->logical_bytes;
  }
  using Count = Statistics::Count;
  parts_.statistics->AddEach(Count{Counter::write_groups, 1}, Count{Counter::total_puts, puts},
                             Count{Counter::total_deletes, deletes}, Count{Counter::total_merges, merges},
                             Count{Counter::total_range_deletes, ranges},
                             Count{Counter::logical_bytes_written, logical_bytes});
}

void Committer::AddMerge(SequenceNumber sequence, const BatchOperation& operation) {
  if (parts_.folder != nullptr && parts_.folder->Count(operation.key, operation.value.size())) {
    const auto folded = parts_.folder->Fold(operation.key, sequence, operation.type, operation.value);
    if (folded.has_value()) {
      active_->Add(sequence, TrailerType(folded->trailer), operation.key, folded->payload);
      return;
    }
  }
  active_->Add(sequence, operation.type, operation.key, operation.value);
}

double Committer::ActiveFill() const {
  const auto part = [](uint64_t value, uint64_t whole) {
    return static_cast<double>(value) / static_cast<double>(whole);
  };
  return std::max(part(active_->bytes(), options_.memtable_capacity),
                  part(parts_.log->appended_bytes() - log_bytes_before_, max_log_bytes_));
}

Status Committer::HoldBack(uint64_t bytes) {
  const size_t l0_runs = parts_.views->l0_runs();
  if (l0_runs >= options_.l0_slowdown_writes_trigger) {
    const bool stop = l0_runs >= options_.l0_stop_writes_trigger;
    BeginStall({StallKind::kL0Runs, stop, l0_runs,
                stop ? options_.l0_stop_writes_trigger : options_.l0_slowdown_writes_trigger, 0});
  }
  return parts_.controller->Slow(bytes, ActiveFill());
}

Status Committer::MakeRoom(const std::vector<WriteRequest*>& group, const Totals& totals) {
  if (parts_.controller->UnderPressure()) [[unlikely]] {
    SEERDB_RETURN_IF_ERROR(HoldBack(totals.bytes));
  } else if (stall_.kind != StallKind::kNone) [[unlikely]] {
    LogStallEnd();
  }
  if (parts_.memory != nullptr) {
    SEERDB_RETURN_IF_ERROR(parts_.memory->Admit(
        *active_, totals.bytes, totals.operations + totals.ranges * MemoryGate::kEntriesPerRange));
  }
  const bool full = active_->bytes() >= options_.memtable_capacity ||
                    parts_.log->appended_bytes() - log_bytes_before_ >= max_log_bytes_ ||
                    (value_bytes_ != 0 && PointsToMuch());
  if (!full && !EndsWithItsSegment() && (totals.ranges == 0 || !CoversMany(group))) [[likely]]
    return {};
  return SealMemTable();
}

bool Committer::CoversMany(const std::vector<WriteRequest*>& group) {
  for (const WriteRequest* request : group) {
    if (request->ranges == 0) continue;
    // Rather than wait for a place, scans walk.
    if (parts_.views->immutable_count() >= options_.max_immutable_memtables) return false;
    BatchReader reader(request->operations);
    BatchOperation operation;
    while (reader.Next(&operation)) {
      if (operation.type != ValueType::kRangeDeletion) continue;
      const uint64_t may_look_at = kLooksAnEntry * active_->entries();
      if (entries_looked_at_ + kManyCovered > may_look_at) return false;
      const uint64_t covered = active_->CountBetween(operation.key, operation.value, kManyCovered);
      entries_looked_at_ += covered;
      if (covered == kManyCovered) return true;
    }
  }
  return false;
}

bool Committer::PointsToMuch() const {
  const uint64_t by_space = parts_.policy == nullptr ? UINT64_MAX : parts_.policy->memtable_value_bytes();
  return value_bytes_ / kValueBytesPerCapacity >= options_.memtable_capacity || value_bytes_ >= by_space;
}

bool Committer::EndsWithItsSegment() const {
  return parts_.log->active_ends_within(options_.wal_segment_bytes / kPartOfSegmentLeft) &&
         ActiveFill() >= kNearlyFull;
}

Status Committer::WaitForImmutableSlot() {
  const auto has_slot = [this] { return parts_.views->immutable_count() < options_.max_immutable_memtables; };
  if (has_slot()) return {};
  const uint64_t start_us = parts_.clock->NowMicros();
  BeginStall(
      {StallKind::kImmutables, true, parts_.views->immutable_count(), options_.max_immutable_memtables});
  SEERDB_RETURN_IF_ERROR(parts_.work->WaitUntil(has_slot));
  EndStall(start_us);
  return {};
}

void Committer::BeginStall(const StallReason& reason) {
  if (stall_.kind == reason.kind && stall_.waits == reason.waits) return;
  if (!parts_.events->enabled()) return;
  if (stall_.kind != StallKind::kNone) LogStallEnd();
  stall_ = reason;
  stall_begin_us_ = parts_.clock->NowMicros();
  parts_.events->Write(EventLine("stall_begin")
                           .Add("reason", StallKindName(reason.kind))
                           .Add("effect", reason.waits ? "wait" : "delay")
                           .Add("found", reason.found)
                           .Add("limit", reason.limit));
}

void Committer::EndStall(uint64_t start_us) {
  const uint64_t stall_us = parts_.clock->NowMicros() - start_us;
  using Count = Statistics::Count;
  parts_.statistics->AddEach(Count{Counter::write_stalls, 1}, Count{Counter::write_stall_us, stall_us});
  parts_.statistics->Record(Latency::write_stall_latency, stall_us * kNanosPerMicro);
}

void Committer::LogStallEnd() {
  parts_.events->Write(EventLine("stall_end")
                           .Add("reason", StallKindName(stall_.kind))
                           .Add("us", parts_.clock->NowMicros() - stall_begin_us_));
  stall_ = StallReason();
}

Status Committer::SealMemTable() {
  if (active_->empty()) return {};
  SEERDB_RETURN_IF_ERROR(WaitForImmutableSlot());
  if (SEERDB_MUTANT("history-dropped-at-flush")) parts_.conflicts->ForgetSilently();
  parts_.views->Collect();
  if (Status status = SwitchMemTable(); !status.ok()) {
    parts_.error->Set("log rotation", status);
    return status;
  }
  parts_.work->Poke();
  return {};
}

void Committer::RenewMemTable() {
  if (!active_->empty()) return;
  auto next = std::make_shared<MemTable>(parts_.account, parts_.chunk_pool, parts_.secret);
  active_ = next.get();
  parts_.views->ReplaceMemTable(std::move(next));
}

Result<SequenceNumber> Committer::TakeSequence() {
  if (last_sequence_ == kMaxSequence) return Status::InvalidArgument("sequence numbers are used up");
  return ++last_sequence_;
}

Status Committer::LeaveFailedLog() { return SwitchMemTable(); }

uint64_t Committer::RecordsToIndex() {
  const uint64_t gets = parts_.statistics->Get(Counter::total_gets);
  const uint64_t gets_since = gets - std::exchange(gets_before_, gets);
  const uint64_t sealed = active_->entries();
  const uint64_t most = std::max(sealed, std::exchange(sealed_entries_, sealed));
  const bool pays = gets_since != 0 && gets_since >= sealed / kPutsPaidByGet;
  if (!pays || stopped_ || parts_.memory != nullptr) return 0;
  const uint64_t most_bytes =
      std::min<uint64_t>(options_.memtable_capacity / kIndexShare, RecordIndex::kMaxBytes);
  return RecordIndex::BytesFor(most) <= most_bytes ? most : 0;
}

Status Committer::SwitchMemTable() {
  SEERDB_RETURN_IF_ERROR(parts_.log->StartSegment());
  MemTableSlot next{
      std::make_shared<MemTable>(parts_.account, parts_.chunk_pool, parts_.secret, RecordsToIndex()),
      parts_.log->mark(), std::make_shared<MemTableValues>()};
  sealed_bytes_.store(sealed_bytes() + active_->bytes(), std::memory_order_relaxed);
  active_ = next.memtable.get();
  active_values_ = next.values.get();
  value_bytes_ = 0;
  entries_looked_at_ = 0;
  log_bytes_before_ = parts_.log->appended_bytes();
  parts_.views->SwitchMemTable(std::move(next));
  return {};
}

}  // namespace seerdb
