// DbImpl resumes writes that stopped for want of space.
//
// What an append that failed left at the end of its log must never be replayed once writes go on: its frames
// carry the record numbers and sequences that the next writes would have. So everything acknowledged goes to
// tables first, and the edit that lists the last of them releases the failed log in favour of an empty one.
// Until that edit is durable nothing is acknowledged; a crash before it replays the failed log, as after any
// other error.
#include "base/failpoint.h"
#include "base/mutant.h"
#include "base/status_macros.h"
#include "db/db_impl.h"

namespace seerdb {

Status DbImpl::Resume() {
  SEERDB_RETURN_IF_ERROR(CheckOpen());
  return queue_->RunExclusive([this]() -> Status {
    SEERDB_RETURN_IF_ERROR(CheckOpen());
    return error_->is_set() ? ResumeWrites(ResumeMode::kNow) : Status();
  });
}

bool DbImpl::PollSpace() {
  if (error_->resumable()) {
    queue_->TryRunExclusive([this] {
      if (error_->is_set()) ResumeWrites(ResumeMode::kByTimer).IgnoreError("the next write reports it");
    });
  }
  return !error_->resumable();
}

uint64_t DbImpl::SpaceNeeded() {
  const std::shared_ptr<const ReadView> view = views_->Acquire();
  uint64_t bytes = options_.wal_segment_bytes + view->active().memtable->bytes();
  for (const MemTableSlot& slot : view->immutables()) bytes += slot.memtable->bytes();
  return bytes + compaction_need_bytes_.load(std::memory_order_relaxed);
}

Status DbImpl::ResumeWrites(ResumeMode mode) {
  if (!error_->resumable()) return error_->status();
  if (mode != ResumeMode::kNow && !space_->ShouldTry()) return error_->status();
  RemoveReplacedFiles();
  Status status = versions_->Resume();
  if (status.ok()) {
    status = work_->RunAsFlush(mode != ResumeMode::kByTimer, [this] { return FlushToResume(); });
  }
  if (events_.enabled()) events_.Write(EventLine("resume").Add("status", status.ToString()));
  if (!status.ok()) {
    // A flush that is under way, or the end of the database, is no failure of its own.
    if (!status.IsBusy() && !status.IsShutdown()) error_->Set("resume", status);
    const Status stopped = error_->status();
    if (!error_->resumable()) return stopped;
    return Status::ReadOnly(std::string(stopped.message()) + "; resume: " + status.ToString(),
                            stopped.detail());
  }
  if (!error_->Clear()) return error_->status();
  space_->NoteResumed();
  // In foreground mode the work is done here, and may stop writes again.
  work_->Poke();
  work_->PokeCompaction();
  return error_->status();
}

Status DbImpl::FlushToResume() {
  const auto flush_oldest = [this] {
    // Sequences of failed groups are taken for good, which the manifest may say only when no log is left that
    // holds a record: replay expects sequences above it.
    const std::shared_ptr<const ReadView> view = views_->Acquire();
    const bool last = view->immutables().size() == 1 && view->active().memtable->empty();
    return FlushOne(last && !log_->active_failed() ? committer_->last_sequence() : 0);
  };
  while (views_->immutable_count() > 0) SEERDB_RETURN_IF_ERROR(flush_oldest());
  if (!log_->active_failed()) return {};
  SEERDB_RETURN_IF_ERROR(committer_->LeaveFailedLog());
  SEERDB_FAILPOINT("resume::before_release");
  if (SEERDB_MUTANT("resume-keeps-failed-log")) return {};
  return flush_oldest();
}

}  // namespace seerdb
