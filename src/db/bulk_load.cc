// The bulk load of DbImpl: the long part, which nobody waits for, and the short one, which is installed as if
// it were one write.
#include <algorithm>

#include "base/failpoint.h"
#include "base/mutant.h"
#include "base/status_macros.h"
#include "compaction/bulk_load_job.h"
#include "compaction/bulk_load_placement.h"
#include "compaction/compaction_picker.h"
#include "db/db_impl.h"
#include "env/sync_names.h"
#include "format/keyspace_prefix.h"

namespace seerdb {
namespace {

// More tables of a load than this do not go to L0: every one is a run there.
constexpr uint32_t kMaxL0Tables = 4;
// A table may exceed the size at which compaction starts a new one this many times.
constexpr uint64_t kTargetSizes = 4;

constexpr uint64_t kMinMemoryBytes = uint64_t{1} << 20;
constexpr uint64_t kMaxMemoryBytes = uint64_t{1} << 40;
// Of a memory budget, a load may sort in one part of so many.
constexpr uint64_t kBudgetShare = 8;

Status CheckBulkLoadOptions(const BulkLoadOptions& options) {
  const auto bad = [](const char* name, uint64_t value, const std::string& range) {
    return Status::InvalidArgument("option " + std::string(name) + " is " + std::to_string(value) +
                                   ", expected " + range);
  };
  if (options.max_entries_per_sst == 0) {
    return bad("max_entries_per_sst", 0, "at least 1");
  }
  if (options.memory_bytes < kMinMemoryBytes || options.memory_bytes > kMaxMemoryBytes) {
    return bad("memory_bytes", options.memory_bytes,
               std::to_string(kMinMemoryBytes) + " .. " + std::to_string(kMaxMemoryBytes));
  }
  return {};
}

// What has to leave L0 so that not too many tables of the load go there; empty if they are few.
KeyRange RangeBoundForL0(const Version& version, const std::vector<TableMeta>& tables,
                         uint32_t target_level) {
  const std::vector<LoadPlace> places = PlaceNewestTables(version, tables, target_level);
  KeyRange range;
  uint32_t count = 0;
  for (size_t i = 0; i < places.size(); ++i) {
    if (places[i].level > 0) continue;
    ++count;
    range.Include(tables[i]);
  }
  return count > kMaxL0Tables && target_level > 0 ? range : KeyRange();
}

}  // namespace

Status DbImpl::MayLoad(uint64_t bytes) {
  SEERDB_RETURN_IF_ERROR(CheckOpen());
  if (bytes == 0 || disk_guard_ == nullptr || SEERDB_MUTANT("bulk-load-asks-no-disk-guard")) return {};
  Status status = disk_guard_->AdmitJob("bulk load", bytes);
  return status.ok() ? status : CountRefusal(std::move(status));
}

Status DbImpl::ReserveLoadMemory(const BulkLoadOptions& options, MemoryCharge* charge,
                                 BulkLoadContext* context) const {
  const uint64_t table_bytes = CompactionMemory(memory_plan_, 0, context->output.target_file_size);
  uint64_t& sort_bytes = context->sort_memory_bytes;
  sort_bytes = options.already_sorted ? 0 : options.memory_bytes;
  if (budget_ == nullptr) {
    charge->Add(table_bytes + sort_bytes);
    return {};
  }
  context->max_value_bytes = memory_plan_.max_value_bytes;
  sort_bytes = std::min(sort_bytes, budget_->limit_bytes() / kBudgetShare);
  // Only where no memtable would have to be flushed for it: writes shall find room beside loads.
  const auto charged = [&] {
    const uint64_t bytes = table_bytes + sort_bytes;
    return budget_->pressure_bytes() + bytes < budget_->early_flush_bytes() &&
           budget_->TryCharge(charge, bytes);
  };
  while (!charged()) {
    if (sort_bytes / 2 < kMinMemoryBytes) {
      return Status::Busy("bulk load needs " + std::to_string(table_bytes + sort_bytes) +
                              " bytes of memory: " + budget_->usage().ToString(),
                          StatusDetail::kMemoryFull);
    }
    sort_bytes /= 2;
  }
  return {};
}

Result<BulkLoadStats> DbImpl::BulkLoad(const BulkLoadOptions& options, BulkLoadSource& source) {
  const OpenCall call(&calls_);
  SEERDB_RETURN_IF_ERROR(CheckOpen());
  SEERDB_RETURN_IF_ERROR(CheckBulkLoadOptions(options));
  if (error_->is_set()) SEERDB_RETURN_IF_ERROR(Flush());  // resumes writes, if that is due
  const uint64_t start_us = clock_->NowMicros();
  const uint32_t target_level = std::min(options.target_level, options_.num_levels - 1);
  BulkLoadContext context;
  context.output = OutputOptions(nullptr);
  context.output.target_file_size = kTargetSizes * options_.target_file_size;
  context.output.table.mostly_absent = true;  // where the tables will go is known when they are written
  context.may_write = [this](uint64_t bytes) { return MayLoad(bytes); };
  Slice prefix;
  SEERDB_RETURN_IF_ERROR(PrefixFor(options, &prefix));
  context.key_prefix = prefix;
  context.output.separation_bytes = StateOf(options).life->separation_bytes.load(std::memory_order_relaxed);
  const std::optional<CompressionType>& compression = StateOf(options).options.compression;
  context.output.table.compression = compression.value_or(options_.compression);
  MemoryCharge memory(account_, MemoryClass::kBulkLoad);
  SEERDB_RETURN_IF_ERROR(ReserveLoadMemory(options, &memory, &context));
  BulkLoadJob job(*fs_, options, context);
  SEERDB_RETURN_IF_ERROR(job.Run(source));
  memory.Release();
  SEERDB_FAILPOINT("bulk_load::after_data");

  std::vector<uint64_t> tables_in_level(options_.num_levels);
  if (job.tables().tables().empty()) {
    SEERDB_RETURN_IF_ERROR(Flush());  // earlier writes are durable all the same
  } else {
    SEERDB_RETURN_IF_ERROR(PrepareLoad(job.tables().tables(), target_level));
    // Before leadership: a manual compaction may take long, and writers shall not wait for it.
    SEERDB_RETURN_IF_ERROR(work_->ReserveCompaction());
    Status installed =
        queue_->RunExclusive([&] { return InstallLoad(&job.tables(), target_level, &tables_in_level); });
    work_->EndReservation();
    SEERDB_RETURN_IF_ERROR(installed);
    views_->Collect();
    work_->Poke();  // a level may have a run more than the tree's shape has
  }
  BulkLoadStats stats = job.stats();
  stats.target_level = target_level;
  stats.tables_in_level = std::move(tables_in_level);
  statistics_->Add(Counter::total_bulk_loads);
  statistics_->Add(Counter::logical_bytes_written, stats.payload_bytes);
  statistics_->Add(Counter::bulk_load_bytes_written, stats.bytes_written + stats.bytes_spilled);
  if (events_.enabled()) {
    events_.Write(EventLine("bulk_load")
                      .Add("entries", stats.entries_loaded)
                      .Add("duplicates", stats.duplicates_dropped)
                      .Add("tables", stats.sstables_created)
                      .Add("bytes", stats.bytes_written)
                      .Add("us", clock_->NowMicros() - start_us));
  }
  return stats;
}

// So that little is left to do while writers wait.
Status DbImpl::PrepareLoad(const std::vector<TableMeta>& tables, uint32_t target_level) {
  SEERDB_RETURN_IF_ERROR(Flush());
  if (RangeBoundForL0(*versions_->current(), tables, target_level).empty) return {};
  return work_->RunAsCompaction([&] { return SinkBelowLoad(tables, target_level); });
}

Status DbImpl::SinkBelowLoad(const std::vector<TableMeta>& tables, uint32_t target_level) {
  std::shared_ptr<const TreeView> tree = views_->Acquire()->tree();
  const KeyRange range = RangeBoundForL0(*tree->version(), tables, target_level);
  if (range.empty) return {};
  const auto plan = PlanRangeCompaction(*tree->version(), 0, range, Unavailable());
  if (!plan.has_value()) return {};  // damaged tables are in the way: the load stays above them
  Status status = ExecutePlan(*plan, std::move(tree), options_.target_file_size);
  if (status.IsCorruption()) {
    events_.Write(
        EventLine("damaged_compaction").Add("reason", plan->reason).Add("error", status.ToString()));
    Quarantine(*plan);
    return {};
  }
  const bool refused = status.detail() == StatusDetail::kDiskSpaceFull;
  if (status.IsIoError() && !refused) error_->Set("compaction", status);
  return status;
}

Status DbImpl::InstallLoad(BulkLoadTables* tables, uint32_t target_level,
                           std::vector<uint64_t>* tables_in_level) {
  SEERDB_RETURN_IF_ERROR(CheckOpen());
  if (error_->is_set()) SEERDB_RETURN_IF_ERROR(ResumeWrites(ResumeMode::kIfDue));
  // Replay of the log takes no sequence that the manifest has: no record may be left that it needs.
  if (!SEERDB_MUTANT("bulk-load-leaves-memtable")) {
    SEERDB_RETURN_IF_ERROR(committer_->SealMemTable());
    SEERDB_RETURN_IF_ERROR(work_->WaitUntil([this] { return views_->immutable_count() == 0; }));
  }
  return work_->RunReserved([&]() -> Status {
    SEERDB_RETURN_IF_ERROR(SinkBelowLoad(tables->tables(), target_level));
    return ListLoad(tables, target_level, tables_in_level);
  });
}

Status DbImpl::ListLoad(BulkLoadTables* tables, uint32_t target_level,
                        std::vector<uint64_t>* tables_in_level) {
  SEERDB_ASSIGN_OR_RETURN(const SequenceNumber sequence, committer_->TakeSequence());
  SEERDB_RETURN_IF_ERROR(tables->AddEnds(sequence));
  if (Status synced = SyncNames(*fs_, directory_); !synced.ok()) {
    // It may have lost the names of other files.
    if (synced.detail() == StatusDetail::kSyncFailed) error_->Set("bulk load", synced);
    return synced;
  }
  SEERDB_FAILPOINT("bulk_load::before_install");
  const VersionPtr version = versions_->current();
  const std::vector<LoadPlace> places = PlaceNewestTables(*version, tables->tables(), target_level);
  VersionEdit edit;
  edit.last_sequence = sequence;
  for (size_t i = 0; i < places.size(); ++i) {
    auto [level, run] = places[i];
    // In L0 above all that are there, whenever the table's own number was taken.
    if (level == 0) {
      SEERDB_ASSIGN_OR_RETURN(run, versions_->NewFileNumber());
    }
    edit.added_tables.push_back({level, run, tables->tables()[i]});
    ++(*tables_in_level)[level];
  }
  tables->Keep();
  if (Status installed = InstallResult(std::move(edit), tables->segments(), nullptr); !installed.ok()) {
    error_->Set("bulk load", installed);
    return installed;
  }
  committer_->RenewMemTable();
  // Not before: what a load that failed would have written is nobody's conflict. Who begins now begins before
  // it.
  NoteLoad(sequence, tables->tables());
  const bool unpublished = SEERDB_MUTANT("bulk-load-not-published");
  if (!unpublished) snapshots_->Publish(sequence);
  return {};
}

}  // namespace seerdb
