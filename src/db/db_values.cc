// How DbImpl tells which value segments are needed, and which are worth emptying.
#include "base/mutant.h"
#include "db/db_impl.h"

namespace seerdb {
namespace {

// A segment with one of so many parts of what it may have is small.
constexpr uint64_t kPartsOfSmallSegment = 16;
// After a failure values are moved again in a minute.
constexpr uint64_t kPutOffUs = 60'000'000;

}  // namespace

// Segments into which nothing outside of tables points, nor will.
std::set<uint64_t> DbImpl::IdleValues(const MemTable* flushed) const {
  // In this order: a writer lets go of a segment after a memtable has it.
  std::set<uint64_t> idle = value_files_.Idle();
  const std::shared_ptr<const ReadView> view = views_->Acquire();
  if (SEERDB_MUTANT("memtables-hold-no-values")) return idle;
  view->active().values->RemoveFrom(&idle);
  for (const MemTableSlot& slot : view->immutables()) {
    if (slot.memtable.get() != flushed) slot.values->RemoveFrom(&idle);
  }
  return idle;
}

ValueGcPlan DbImpl::PlanValues(const Version& version, const SpacePlan& space) {
  ValueGcFacts facts;
  facts.files = value_files_.SealedBytes();
  facts.live = version.values();
  facts.limited = space.limited && space.too_much;
  facts.small_bytes = options_.value_segment_bytes / kPartsOfSmallSegment;
  if (space.limited) facts.most_moved_bytes = space.merge_bytes;
  MutexLock lock(&quarantine_mu_);
  facts.excluded = unmovable_values_;
  return PlanValueGc(facts);
}

std::set<uint64_t> DbImpl::WorthMoving(const CompactionPlan& plan, const std::set<uint64_t>& empties) const {
  if (plan.for_values || empties.empty()) return empties;
  uint64_t bytes = 0;
  for (const CompactionPlan::Input& input : plan.inputs) bytes += BytesIn(input.table->values, empties);
  const bool worth = bytes >= options_.value_segment_bytes / kPartsOfSmallSegment;
  return worth ? empties : std::set<uint64_t>();
}

void DbImpl::StartValueRetry() {
  value_retry_ = std::make_shared<RetryTimer>(executor_, kPutOffUs, [this] { work_->PokeCompaction(); });
}

bool DbImpl::ValuesMayMove() const {
  return clock_->NowMicros() >= values_put_off_until_us_.load(std::memory_order_relaxed);
}

// Nothing needs what such a job does: values are as safe where they lie, and the disk as full. A failed sync
// is no such matter; it says that the device cannot be trusted.
bool DbImpl::PutOffValues(const CompactionPlan& plan, const std::set<uint64_t>& moved,
                          const Status& failure) {
  if (moved.empty() || !failure.IsIoError() || SEERDB_MUTANT("failed-gathering-tried-at-once")) return false;
  const bool untrusted = failure.detail() == StatusDetail::kSyncFailed ||
                         failure.detail() == StatusDetail::kTableCorruption;  // of what was read back
  if (untrusted) return false;
  // Where another is put off already the timer is set for that one's end.
  if (ValuesMayMove()) {
    values_put_off_until_us_.store(clock_->NowMicros() + kPutOffUs, std::memory_order_relaxed);
    value_retry_->Start();
  }
  events_.Write(EventLine("gathering_put_off").Add("reason", plan.reason).Add("error", failure.ToString()));
  return true;
}

// What was to be emptied and is still pointed to by tables just written holds a value that cannot be read.
void DbImpl::NoteUnmoved(const VersionEdit& edit, const std::set<uint64_t>& empties) {
  for (const VersionEdit::AddedTable& table : edit.added_tables) {
    for (const ValueBytes& values : table.meta.values) {
      if (!empties.contains(values.segment)) continue;
      MutexLock lock(&quarantine_mu_);
      if (unmovable_values_.insert(values.segment).second) {
        events_.Write(EventLine("damaged_values").Add("segment", values.segment));
      }
    }
  }
}

std::set<uint64_t> DbImpl::Empties(const TreeView& tree) {
  return PlanValues(*tree.version(), SpacePlan()).segments;
}

}  // namespace seerdb
