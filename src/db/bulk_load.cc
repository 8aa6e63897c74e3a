// The bulk load of DbImpl: the long part, which nobody waits for, and the short one, which is installed as if
// it were one write.
#include <algorithm>

#include "base/failpoint.h"
#include "base/mutant.h"
#include "base/status_macros.h"
#include "compaction/bulk_load_job.h"
#include "compaction/bulk_load_placement.h"
#include "compaction/compaction_job.h"
#include "db/db_impl.h"
#include "format/keyspace_prefix.h"

namespace seerdb {
namespace {

// More tables of a load than this do not go to L0: every one is a run there.
constexpr ptrdiff_t kMaxL0Tables = 4;
// A table may exceed the size at which compaction starts a new one this many times.
constexpr uint64_t kTargetSizes = 4;

constexpr uint64_t kMinMemoryBytes = uint64_t{1} << 20;
constexpr uint64_t kMaxMemoryBytes = uint64_t{1} << 40;

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

bool TooManyInL0(const std::vector<uint32_t>& places) {
  return std::count(places.begin(), places.end(), 0) > kMaxL0Tables;
}

}  // namespace

Status DbImpl::MayLoadMore() const { return CheckOpen(); }

Result<BulkLoadStats> DbImpl::BulkLoad(const BulkLoadOptions& options, BulkLoadSource& source) {
  SEERDB_RETURN_IF_ERROR(CheckOpen());
  SEERDB_RETURN_IF_ERROR(CheckBulkLoadOptions(options));
  if (error_->is_set()) SEERDB_RETURN_IF_ERROR(Flush());  // resumes writes, if that is due
  const uint32_t target_level = std::min(options.target_level, options_.num_levels - 1);
  BulkLoadContext context;
  context.output = OutputOptions();
  context.output.target_file_size = kTargetSizes * options_.target_file_size;
  context.may_continue = [this] { return MayLoadMore(); };
  AppendKeyspacePrefix(&context.key_prefix, kDefaultKeyspace);
  BulkLoadJob job(*fs_, options, context);
  SEERDB_RETURN_IF_ERROR(job.Run(source));
  SEERDB_FAILPOINT("bulk_load::after_data");

  std::vector<uint64_t> tables_in_level(options_.num_levels);
  if (!job.tables().tables().empty()) {
    SEERDB_RETURN_IF_ERROR(PrepareLoad(job.tables().tables(), target_level));
    SEERDB_RETURN_IF_ERROR(
        queue_->RunExclusive([&] { return InstallLoad(&job.tables(), target_level, &tables_in_level); }));
    views_->Collect();
  }
  BulkLoadStats stats = job.stats();
  stats.target_level = target_level;
  stats.tables_in_level = std::move(tables_in_level);
  statistics_->Add(Counter::total_bulk_loads);
  statistics_->Add(Counter::logical_bytes_written, stats.payload_bytes);
  statistics_->Add(Counter::bulk_load_bytes_written, stats.bytes_written);
  if (events_.enabled()) {
    events_.Write("bulk load: " + std::to_string(stats.entries_loaded) + " entries in " +
                  std::to_string(stats.sstables_created) + " tables, " +
                  std::to_string(stats.duplicates_dropped) + " duplicates dropped");
  }
  return stats;
}

// So that little is left to do while writers wait.
Status DbImpl::PrepareLoad(const std::vector<TableMeta>& tables, uint32_t target_level) {
  SEERDB_RETURN_IF_ERROR(Flush());
  if (!TooManyInL0(PlaceNewestTables(*versions_->current(), tables, target_level))) return {};
  return work_->RunAsCompaction(
      [&] { return SinkBelowLoad(tables, PlaceNewestTables(*versions_->current(), tables, target_level)); });
}

Status DbImpl::SinkBelowLoad(const std::vector<TableMeta>& tables, const std::vector<uint32_t>& places) {
  const auto first = std::find(places.begin(), places.end(), 0);
  if (!TooManyInL0(places)) return {};
  const auto last = std::find(places.rbegin(), places.rend(), 0);
  const std::string& smallest = tables[static_cast<size_t>(first - places.begin())].smallest_key;
  const std::string& largest = tables[static_cast<size_t>(places.rend() - last) - 1].largest_key;
  // What is in L0 goes to L1, and that to L2, so that L1 is free.
  for (uint32_t level = 0; level < 2 && level + 1 < options_.num_levels; ++level) {
    const VersionPtr version = versions_->current();
    const auto plan = PlanRangeCompaction(*version, level, smallest, largest, Unavailable());
    if (!plan.has_value()) continue;
    Status status = ExecutePlan(*plan, version);
    if (status.IsCorruption()) {
      // The load stays above what cannot be read.
      events_.Write("compaction met damage, its inputs are left alone: " + status.ToString());
      Quarantine(*plan);
      return {};
    }
    if (status.IsIoError()) error_->Set("compaction", status);
    SEERDB_RETURN_IF_ERROR(status);
  }
  return {};
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
  return work_->RunAsCompaction([&]() -> Status {
    SEERDB_RETURN_IF_ERROR(SinkBelowLoad(
        tables->tables(), PlaceNewestTables(*versions_->current(), tables->tables(), target_level)));
    return ListLoad(tables, target_level, tables_in_level);
  });
}

Status DbImpl::ListLoad(BulkLoadTables* tables, uint32_t target_level,
                        std::vector<uint64_t>* tables_in_level) {
  SEERDB_ASSIGN_OR_RETURN(const SequenceNumber sequence, committer_->TakeSequence());
  SEERDB_RETURN_IF_ERROR(tables->AddEnds(sequence));
  if (Status synced = fs_->SyncDirectory(directory_).WithDetail(StatusDetail::kSyncFailed); !synced.ok()) {
    error_->Set("bulk load", synced);  // it may have lost the names of other files
    return synced;
  }
  SEERDB_FAILPOINT("bulk_load::before_install");
  const VersionPtr version = versions_->current();
  const std::vector<uint32_t> places = PlaceNewestTables(*version, tables->tables(), target_level);
  VersionEdit edit;
  edit.last_sequence = sequence;
  for (size_t i = 0; i < places.size(); ++i) {
    uint64_t run = 0;
    if (places[i] > 0) {
      run = NewestRun(*version, places[i], kLeveledRun);
    } else {
      // Above all that are there, whenever the table's own number was taken.
      SEERDB_ASSIGN_OR_RETURN(run, versions_->NewFileNumber());
    }
    edit.added_tables.push_back({places[i], run, tables->tables()[i]});
    ++(*tables_in_level)[places[i]];
  }
  tables->Keep();
  if (Status installed = InstallResult(std::move(edit), nullptr); !installed.ok()) {
    error_->Set("bulk load", installed);
    return installed;
  }
  const bool unpublished = SEERDB_MUTANT("bulk-load-not-published");
  if (!unpublished) snapshots_->Publish(sequence);
  return {};
}

}  // namespace seerdb
