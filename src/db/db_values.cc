// How DbImpl tells which value segments are needed, and which are worth emptying.
#include "base/mutant.h"
#include "db/db_impl.h"

namespace seerdb {
namespace {

// A segment with one of so many parts of what it may have is small.
constexpr uint64_t kPartsOfSmallSegment = 16;

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
