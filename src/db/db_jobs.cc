// The background half of DbImpl: flush, compaction, and the one way their results become visible.
#include <algorithm>
#include <set>
#include <utility>

#include "base/failpoint.h"
#include "base/mutant.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "compaction/compaction_job.h"
#include "compaction/flush_job.h"
#include "db/db_impl.h"

namespace seerdb {
namespace {

// Tables that a merge reads at the same time: one of each run.
size_t MergedRuns(const CompactionPlan& plan) {
  std::set<std::pair<uint32_t, uint64_t>> runs;
  for (const CompactionPlan::Input& input : plan.inputs) runs.insert({input.level, input.run});
  return runs.size();
}

uint64_t BytesFromL0(const CompactionPlan& plan) {
  uint64_t bytes = 0;
  for (const CompactionPlan::Input& input : plan.inputs) bytes += input.level == 0 ? input.table->bytes : 0;
  return bytes;
}

}  // namespace

// How often a byte that comes in is read by jobs such as this one.
double DbImpl::ReadsOfAByte(const CompactionPlan& plan) const {
  const uint64_t from_l0 = BytesFromL0(plan);
  if (from_l0 > 0) return static_cast<double>(plan.input_bytes()) / static_cast<double>(from_l0);
  return std::max(1.0, policy_.merges_of_a_byte() - 1);
}

// Call after the inputs are fixed: entries of keyspaces that are dropped by now are left out. `made` may be
// null.
TableOutputOptions DbImpl::OutputOptions(NewTables* made) const {
  TableOutputOptions output;
  output.directory = directory_;
  output.table = TableOptionsOf(options_);
  output.target_file_size = options_.target_file_size;
  output.keyspaces = keyspaces_.table();
  output.epoch = epoch_;
  output.table_memory_bytes = memory_plan_.table_memory_bytes;
  output.now_us = clock_->WallMicros();
  output.max_value_bytes = memory_plan_.max_value_bytes;
  output.tombstones_since_s = output.now_us / kMicrosPerSecond;
  output.new_file_number = [this] { return versions_->NewFileNumber(); };
  if (made != nullptr) output.written = [made](const TableMeta& table) { return made->ReadBack(table); };
  output.values.emplace();
  output.values->directory = directory_;
  output.values->database = database_id_;
  output.values->epoch = epoch_;
  output.values->segment_bytes = options_.value_segment_bytes;
  output.values->new_file_number = output.new_file_number;
  if (made != nullptr) {
    output.values->new_file_number = [this, made] { return made->NoteSegment(versions_->NewFileNumber()); };
  }
  output.values->count = [this](uint64_t bytes) { statistics_->Add(Counter::value_gc_bytes_written, bytes); };
  return output;
}

uint64_t DbImpl::IngestedBytes() {
  if (statistics_->enabled()) return statistics_->Get(Counter::logical_bytes_written);
  const ReadViewHolder::Pin view(views_.get());
  return committer_->sealed_bytes() + view->active().memtable->bytes();
}

CompactionPacer::Parts DbImpl::PacerParts() {
  CompactionPacer::Parts parts;
  parts.clock = clock_.get();
  parts.cancelled = &cancel_compaction_;
  parts.cap_bytes_per_second = options_.compaction_bytes_per_second;
  parts.has_threads = options_.background_compaction && !executor_->cooperative();
  parts.hurried = [this] { return work_->hurried(); };
  parts.l0_urgency = [this] { return controller_->L0Urgency(); };
  parts.urgency_below = [this] { return std::max(controller_->DebtUrgency(), policy_.dead_urgency()); };
  parts.ingested_bytes = [this] { return IngestedBytes(); };
  return parts;
}

uint64_t DbImpl::DiskBytes(const Version& version) const {
  return version.bytes() + value_files_.bytes() + table_files_.remover().obsolete_bytes() +
         log_->file_bytes() + running_.input_bytes();
}

void DbImpl::NoteDebt(const Version& version) {
  PickerOptions picker;
  picker.shape = policy_.shape();
  picker.base_level_size = options_.base_level_size;
  controller_->SetDebt(DebtBytes(picker, version), version.bytes());
  if (options_.space_amplification_target != 0)
    controller_->SetSpacePressure(policy_.NoteDisk(DiskBytes(version)));
}

Status DbImpl::InstallResult(VersionEdit edit, const std::vector<uint64_t>& new_segments,
                             const MemTable* flushed) {
  std::vector<uint64_t> removed;
  for (const VersionEdit::DeletedTable& table : edit.deleted_tables) {
    const bool moved = std::any_of(edit.added_tables.begin(), edit.added_tables.end(),
                                   [&](const auto& added) { return added.meta.number == table.number; });
    if (!moved || SEERDB_MUTANT("moved-table-removed")) removed.push_back(table.number);
  }
  {
    MutexLock lock(&install_mu_);
    SEERDB_RETURN_IF_ERROR(versions_->Apply(std::move(edit), new_segments));
    // While the view still holds them: the last to let go of a marked file hands it over.
    for (const uint64_t number : removed) table_files_.MarkObsolete(number);
    const VersionPtr version = versions_->current();
    const std::set<uint64_t> idle = IdleValues(flushed);
    FlushedRanges ranges = views_->Acquire()->tree()->ranges().Next(*version, account_);
    auto tree = std::make_shared<const TreeView>(version, &table_files_, std::move(ranges),
                                                 value_files_.Of(*version));
    // While the view still holds them, as above.
    value_files_.Drop(idle, *version);
    views_->InstallTree(std::move(tree), flushed);
    NoteDebt(*version);
    ChooseFileAccess(*version);
  }
  views_->Collect();
  NoteFailedRoll();
  return {};
}

void DbImpl::RemoveReplacedFiles() {
  views_->Collect();
  table_files_.remover().RemoveQueued();
  MutexLock lock(&install_mu_);
  NoteDebt(*versions_->current());
}

Status DbImpl::FlushOne(SequenceNumber taken) {
  const std::shared_ptr<const ReadView> view = views_->Acquire();
  if (view->immutables().empty()) return {};
  const uint64_t start_us = clock_->NowMicros();
  const LatencyTimer timer(statistics_.get(), Latency::flush_latency);
  // Inputs first, then the snapshots.
  const MemTableSlot oldest = view->immutables().back();
  const size_t count = view->immutables().size();
  const LogMark next = count > 1 && !SEERDB_MUTANT("flush-releases-younger-logs")
                           ? view->immutables()[count - 2].log_start
                           : view->active().log_start;
  if (disk_guard_ != nullptr) SEERDB_RETURN_IF_ERROR(disk_guard_->AdmitFlush(oldest.memtable->bytes()));
  JobMemory buffers(budget_.get(), account_, SharedBudget::Job::kFlush,
                    FlushMemory(oldest.memtable->entries(), oldest.memtable->bytes()));
  const std::vector<SequenceNumber> snapshots = snapshots_->List();
  NewTables made(&table_files_);
  TableOutputOptions output = OutputOptions(&made);
  output.values->source = view.get();
  // Before a table that points to them is durable.
  if (!SEERDB_MUTANT("flush-syncs-no-values")) SEERDB_RETURN_IF_ERROR(value_log_->Sync());
  VersionEdit edit;
  edit.added_ranges = RangesOf(oldest.memtable->range_tombstones(), snapshots, output.tombstones_since_s);
  SEERDB_ASSIGN_OR_RETURN(
      std::vector<TableMeta> tables,
      WriteMemTable(*fs_, *oldest.memtable, view->tree()->version().get(), snapshots, std::move(output)));
  buffers.Release();
  SEERDB_FAILPOINT("flush::after_sstable_write");
  edit.log_number = next.log_number;
  edit.log_first_record = next.first_record;
  if (SEERDB_MUTANT("flush-releases-newest-log")) {
    SEERDB_ASSIGN_OR_RETURN(edit.log_number, versions_->NewFileNumber());
  }
  edit.last_sequence = std::max({versions_->state().last_sequence, oldest.memtable->last_sequence(), taken});
  uint64_t bytes = 0;
  uint64_t number = 0;
  for (TableMeta& table : tables) {
    bytes += table.bytes;
    number = table.number;
    edit.added_tables.push_back({0, table.number, std::move(table)});
  }
  const uint64_t log_number = *edit.log_number;
  // Before the install, which those see who wait for this flush.
  using Count = Statistics::Count;
  statistics_->AddEach(Count{Counter::total_flushes, 1}, Count{Counter::flush_bytes_written, bytes});
  SEERDB_RETURN_IF_ERROR(InstallResult(std::move(edit), made.segments(), oldest.memtable.get()));
  made.LetGo();
  SEERDB_FAILPOINT("flush::before_wal_clear");
  log_->Release(log_number);
  controller_->drain().NoteFlush(oldest.memtable->bytes(), bytes, clock_->NowMicros() - start_us);
  if (events_.enabled()) {
    events_.Write(EventLine("flush")
                      .Add("table", number)
                      .Add("entries", oldest.memtable->entries())
                      .Add("bytes", bytes)
                      .Add("us", clock_->NowMicros() - start_us));
  }
  return {};
}

TableNumberSet DbImpl::Unavailable() {
  TableNumberSet unavailable;
  {
    MutexLock lock(&quarantine_mu_);
    unavailable = quarantine_;
  }
  const std::shared_ptr<const ReadView> view = views_->Acquire();
  for (const std::shared_ptr<TableFile>& file : view->tree()->AllFiles()) {
    // Asked for its reader, so that one that failed to open for a passing reason is tried again.
    if (file->damaged() && !file->reader().ok()) unavailable.insert(file->meta().number);
  }
  return unavailable;
}

Result<bool> DbImpl::CompactOne() {
  if (cancel_compaction_.load(std::memory_order_relaxed)) return Status::Shutdown("compaction cancelled");
  PickContext context;
  context.unavailable = Unavailable();
  context.snapshots = snapshots_->List();
  context.oldest_snapshot = context.snapshots.front();
  context.keyspaces = keyspaces_.table();
  context.now_us = clock_->WallMicros();
  // Taken here: while `choose` runs, running_ is locked.
  std::shared_ptr<const TreeView> tree = views_->Acquire()->tree();
  const uint64_t other_bytes = DiskBytes(*tree->version()) - tree->version()->bytes();
  uint64_t target_file_size = 0;
  std::set<uint64_t> empties;
  bool alone = false;
  const auto choose = [&](const PickContext& beside) {
    tree = views_->Acquire()->tree();
    TreePolicy::Settings settings = policy_.Decide(*tree, tree->version()->bytes() + other_bytes);
    target_file_size = settings.target_file_size;
    controller_->SetSpacePressure(settings.space.pressure);
    if (disk_guard_ != nullptr) {  // what can be done in parts shall not be refused as a whole
      settings.picker.room_bytes = disk_guard_->job_room_bytes();
      settings.picker.merge_bytes = std::min(settings.picker.merge_bytes, settings.picker.room_bytes);
    }
    PickContext all = beside;
    if (ValuesMayMove()) all.values = PlanValues(*tree->version(), settings.space);
    empties = all.values.segments;
    all.ranges = tree->ranges();
    alone = beside.running.empty();
    all.too_much_space = settings.space.too_much && settings.space.limited;
    all.too_much_dead = settings.space.too_much && !settings.space.limited && beside.running_below_l0 == 0;
    all.last_slot = !work_->hurried() && beside.running_below_l0 > 0 &&
                    beside.running_below_l0 + 1 >= work_->compaction_slots();
    return PickCompaction(settings.picker, *tree->version(), all);
  };
  const std::optional<CompactionPlan> plan = running_.Start(std::move(context), choose);
  if (!plan.has_value()) {
    if (alone) {
      policy_.NoteNothingToMerge();
      controller_->SetSpacePressure(0);
    }
    return false;
  }
  empties.insert(plan->gathers.begin(), plan->gathers.end());
  empties = WorthMoving(*plan, empties);
  Status status = AdmitPlanToDisk(*plan, empties);
  if (!status.ok() && !plan->for_values && !empties.empty()) {
    empties.clear();  // there may be room for the merge without them
    status = AdmitPlanToDisk(*plan, empties);
  }
  if (status.ok()) {
    work_->PokeCompaction();  // another may find work beside this one
    status = ExecuteAdmitted(*plan, std::move(tree), target_file_size, empties, /*may_put_off=*/true);
  }
  if (status.IsCorruption()) {
    // Its inputs stay where they are, and the rest of the tree goes on.
    events_.Write(
        EventLine("damaged_compaction").Add("reason", plan->reason).Add("error", status.ToString()));
    Quarantine(*plan);
  }
  running_.End(*plan);
  if (status.detail() == StatusDetail::kDiskSpaceFull) {
    PutOffCompaction(status);
    return false;
  }
  compaction_put_off_.store(false, std::memory_order_relaxed);
  if (!status.ok() && !status.IsCorruption()) return status;
  return true;
}

Status DbImpl::AdmitPlanToDisk(const CompactionPlan& plan, const std::set<uint64_t>& empties) {
  if (disk_guard_ == nullptr || plan.kind != CompactionPlan::Kind::kMerge) return {};
  uint64_t bytes = plan.input_bytes();
  for (const CompactionPlan::Input& input : plan.inputs) bytes += BytesIn(input.table->values, empties);
  return disk_guard_->AdmitJob("compaction", bytes);
}

void DbImpl::PutOffCompaction(const Status& refusal) {
  statistics_->Add(Counter::disk_guard_delays);
  if (!compaction_put_off_.exchange(true, std::memory_order_relaxed)) {
    events_.Write(EventLine("compaction_put_off").Add("reason", refusal.ToString()));
  }
  disk_guard_->RetryLater();
}

Status DbImpl::InstallWithoutMerge(const CompactionPlan& plan) {
  const bool moves = plan.kind == CompactionPlan::Kind::kMove;
  SEERDB_RETURN_IF_ERROR(InstallResult(moves ? MoveEdit(plan) : DropEdit(plan), {}, nullptr));
  statistics_->Add(moves ? Counter::total_trivial_moves : Counter::total_dropped_tables, plan.inputs.size());
  if (events_.enabled()) {
    EventLine line(moves ? "move" : "drop");
    line.Add("tables", plan.inputs.size()).Add("bytes", plan.input_bytes());
    if (moves) line.Add("level", plan.output_level);
    events_.Write(line.Add("reason", plan.reason));
  }
  return {};
}

Result<CompactionOutcome> DbImpl::RunMerge(const CompactionPlan& plan, std::shared_ptr<const TreeView> tree,
                                           uint64_t target_file_size, const std::set<uint64_t>& moved,
                                           std::function<void(uint64_t bytes)> pace, NewTables* made) {
  const JobMemory buffers(budget_.get(), account_, SharedBudget::Job::kCompaction,
                          CompactionMemory(memory_plan_, MergedRuns(plan), options_.target_file_size));
  CompactionInputs inputs;
  inputs.plan = plan;
  inputs.version = tree->version();
  inputs.ranges = tree->ranges();
  inputs.cancelled = &cancel_compaction_;
  inputs.read_ahead_bytes = ReadAhead(memory_plan_, MergedRuns(plan));
  inputs.pace = std::move(pace);
  std::vector<std::shared_ptr<TableFile>> files;
  for (const CompactionPlan::Input& input : plan.inputs) {
    files.push_back(table_files_.Get(input.table));
    SEERDB_ASSIGN_OR_RETURN(std::shared_ptr<const TableReader> reader, files.back()->shared_reader());
    inputs.readers.push_back(std::move(reader));
  }
  // Inputs first, then the snapshots.
  inputs.snapshots = snapshots_->List();
  if (plan.filters || SEERDB_MUTANT("filters-see-values-that-move"))
    inputs.filter_above = snapshots_->newest();
  const TableValues source(*tree, files);
  if (!SEERDB_MUTANT("job-holds-its-tree")) tree.reset();
  TableOutputOptions output = OutputOptions(made);
  output.target_file_size = target_file_size;
  output.values->source = &source;
  output.values->empties = moved;
  output.values->pace = inputs.pace;
  return RunCompaction(*fs_, inputs, std::move(output));
}

Status DbImpl::ExecutePlan(const CompactionPlan& plan, std::shared_ptr<const TreeView> tree,
                           uint64_t target_file_size, const std::set<uint64_t>& empties) {
  if (cancel_compaction_.load(std::memory_order_relaxed)) return Status::Shutdown("compaction cancelled");
  SEERDB_RETURN_IF_ERROR(AdmitPlanToDisk(plan, empties));
  return ExecuteAdmitted(plan, std::move(tree), target_file_size, WorthMoving(plan, empties),
                         /*may_put_off=*/false);
}

Status DbImpl::ExecuteAdmitted(const CompactionPlan& plan, std::shared_ptr<const TreeView> tree,
                               uint64_t target_file_size, const std::set<uint64_t>& moved, bool may_put_off) {
  if (cancel_compaction_.load(std::memory_order_relaxed)) return Status::Shutdown("compaction cancelled");
  if (plan.kind != CompactionPlan::Kind::kMerge) return InstallWithoutMerge(plan);
  const uint64_t start_us = clock_->NowMicros();
  const LatencyTimer timer(statistics_.get(), Latency::compaction_latency);
  CompactionPacer::Job paced(pacer_.get(), BytesFromL0(plan) > 0, ReadsOfAByte(plan));
  NewTables made(&table_files_);
  Result<CompactionOutcome> ran = RunMerge(
      plan, std::move(tree), target_file_size, moved, [&paced](uint64_t bytes) { paced.Pay(bytes); }, &made);
  if (may_put_off && PutOffValues(plan, moved, ran.status())) return {};
  compaction_need_bytes_.store(ran.status().IsNoSpace() ? plan.input_bytes() : 0, std::memory_order_relaxed);
  SEERDB_ASSIGN_OR_RETURN(CompactionOutcome outcome, std::move(ran));
  SEERDB_FAILPOINT("compaction::after_output_write");
  NoteUnmoved(outcome.edit, moved);
  const size_t outputs = outcome.edit.added_tables.size();
  SEERDB_RETURN_IF_ERROR(InstallResult(std::move(outcome.edit), made.segments(), nullptr));
  made.LetGo();
  controller_->drain().NoteL0(BytesFromL0(plan), clock_->NowMicros() - start_us - paced.slept_us());
  using Count = Statistics::Count;
  statistics_->AddEach(Count{Counter::total_compactions, 1},
                       Count{Counter::compaction_bytes_read, outcome.bytes_read},
                       Count{Counter::compaction_bytes_written, outcome.bytes_written});
  if (events_.enabled()) {
    events_.Write(EventLine("compaction")
                      .Add("inputs", plan.inputs.size())
                      .Add("outputs", outputs)
                      .Add("level", plan.output_level)
                      .Add("entries_read", outcome.entries_read)
                      .Add("entries_dropped", outcome.entries_dropped)
                      .Add("bytes_read", outcome.bytes_read)
                      .Add("bytes_written", outcome.bytes_written)
                      .Add("us", clock_->NowMicros() - start_us)
                      .Add("reason", plan.reason));
  }
  work_->NoteProgress();
  if (work_->hurried() || table_files_.remover().pace() != FileRemover::Pace::kCalm) {
    RemoveReplacedFiles();
    work_->NoteProgress();  // there is less on disk
  }
  return {};
}

}  // namespace seerdb
