#include "db/db_impl.h"

#include <algorithm>

#include "base/status_macros.h"
#include "db/access_choice.h"
#include "db/options_check.h"
#include "env/memory_limit.h"
#include "env/open_file_cap.h"

namespace seerdb {
namespace {

constexpr uint64_t kTickMicros = 1'000'000;
// Writers of large values that append beside one another.
constexpr size_t kValueSegmentsAtOnce = 4;

// Tells the databases of this process apart, also one from another that had its address before.
uint64_t NextDatabase() {
  static std::atomic<uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

BackgroundModes Modes(const Options& options) {
  return {options.background_flush, options.background_compaction, CompactionSlots(options)};
}

TableOpenOptions TableOptions(const Options& options, std::shared_ptr<BlockCache> cache,
                              std::shared_ptr<MemoryAccount> account,
                              std::shared_ptr<Statistics> statistics) {
  TableOpenOptions table;
  table.account = std::move(account);
  table.access = options.table_access;
  table.cache = std::move(cache);
  table.statistics = std::move(statistics);
  return table;
}

// What tables are opened with.
std::shared_ptr<FileSystem> TableFileSystem(const Options& options,
                                            const std::shared_ptr<Statistics>& statistics) {
  const size_t max_files = options.max_open_files != 0 ? options.max_open_files : DefaultMaxOpenFiles();
  OpenFileEvents events;
  events.opened = [statistics] { statistics->Add(Counter::table_files_opened); };
  events.evicted = [statistics] { statistics->Add(Counter::table_files_evicted); };
  return NewOpenFileCap(options.file_system, max_files, std::move(events));
}

// How fast files of replaced tables go. Limits of space count them.
FileRemover::Pace RemovalPace(const Options& options, const Executor& executor) {
  if (executor.cooperative()) return FileRemover::Pace::kAtOnce;
  const bool limited = options.space_amplification_target != 0 || options.min_disk_space_bytes != 0;
  return limited ? FileRemover::Pace::kSoon : FileRemover::Pace::kCalm;
}

// The budget's cache, to which this database adds its capacity; or one of its own.
std::shared_ptr<BlockCache> CacheOf(const Options& options, const SharedBudget* budget) {
  if (budget == nullptr || options.block_cache_capacity == 0) {
    return std::make_shared<BlockCache>(options.block_cache_capacity);
  }
  budget->cache()->AddCapacity(static_cast<int64_t>(options.block_cache_capacity));
  return budget->cache();
}

}  // namespace

DbImpl::DbImpl(OpenedDatabase opened)
    : options_(std::move(opened.options)),
      directory_(std::move(opened.directory)),
      lock_(std::move(opened.lock)),
      fs_(options_.file_system),
      clock_(options_.clock),
      executor_(options_.executor),
      statistics_(std::move(opened.statistics)),
      epoch_(opened.epoch),
      database_id_(opened.versions->state().database_id),
      first_log_number_(opened.log_number),
      first_log_file_(std::move(opened.log_file)),
      first_record_(opened.next_record),
      opened_us_(clock_->NowMicros()),
      recovery_(std::move(opened.recovery)),
      policy_(options_, opened.budget != nullptr ? opened.budget->limit_bytes() : 0, statistics_),
      events_(options_.logger),
      error_(std::make_shared<BackgroundError>()),
      unobserved_(std::make_shared<UnobservedErrors>()),
      iterator_host_(std::make_shared<const IteratorHost>(IteratorHost{clock_, unobserved_, statistics_})),
      versions_(std::move(opened.versions)),
      keyspaces_(NextDatabase(), options_, versions_.get()),
      budget_(std::move(opened.budget)),
      memory_plan_(opened.memory_plan),
      // What is read by calls has index and filter in memory that a budget counts, and may not have.
      memory_limit_bytes_(budget_ == nullptr ? MemoryLimitBytes() : 0),
      account_(std::make_shared<MemoryAccount>(budget_ != nullptr ? budget_->account() : nullptr)),
      cache_(CacheOf(options_, budget_.get())),
      capped_fs_(TableFileSystem(options_, statistics_)),
      table_files_(capped_fs_, directory_, TableOptions(options_, cache_, account_, statistics_), executor_,
                   RemovalPace(options_, *executor_)),
      value_files_(capped_fs_, options_.file_system, directory_,
                   ValueOpenOptions{options_.table_access, database_id_, 0, account_},
                   table_files_.shared_remover()) {}

void DbImpl::StartMemoryGate() {
  if (budget_ == nullptr) return;
  MemoryGate::Parts parts;
  parts.budget = budget_;
  parts.views = views_.get();
  parts.work = work_.get();
  parts.error = error_.get();
  parts.statistics = statistics_.get();
  parts.clock = clock_.get();
  parts.seal = [this] { return committer_->SealMemTable(); };
  parts.try_lead = [this](const std::function<void()>& work) { queue_->TryRunExclusive(work); };
  parts.max_immutables = options_.max_immutable_memtables;
  parts.worthwhile_bytes = options_.memtable_capacity / 8;
  parts.cooperative = executor_->cooperative();
  memory_gate_ = std::make_shared<MemoryGate>(std::move(parts), account_);
}

void DbImpl::ListenToErrors() {
  error_->OnError(
      [this](const Status& cause) { events_.Write(EventLine("error").Add("status", cause.ToString())); });
  error_->OnWant([weak = std::weak_ptr<SpaceWatch>(space_)] {
    if (const std::shared_ptr<SpaceWatch> space = weak.lock()) space->NoteStopped();
  });
}

// The tables of the version, opened; the log is told of those that cannot be.
std::shared_ptr<const TreeView> DbImpl::OpenTree() {
  const VersionPtr version = versions_->current();
  ChooseFileAccess(*version);
  auto tree = std::make_shared<const TreeView>(
      version, &table_files_, FlushedRanges::Of(*version, account_, epoch_), value_files_.Of(*version));
  for (const uint64_t number : tree->DamagedTables()) {
    events_.Write(EventLine("damaged_table")
                      .Add("table", number)
                      .Add("error", tree->Find(number)->reader().status().ToString()));
  }
  return tree;
}

// For files that are opened from here on.
void DbImpl::ChooseFileAccess(const Version& version) {
  uint64_t bytes = version.bytes();
  if (version.values() != nullptr) {
    for (const ValueBytes& values : *version.values()) bytes += values.bytes;
  }
  const TableAccess access = ChooseAccess(options_.table_access, bytes, memory_limit_bytes_);
  table_files_.SetAccess(access);
  value_files_.SetAccess(access);
}

// Of values, and of everything.
void DbImpl::StartLogs() {
  value_log_ = std::make_shared<ValueLog>(
      fs_,
      ValueLogOptions{directory_, database_id_, epoch_, options_.value_segment_bytes,
                      [this] { return policy_.memtable_value_bytes(); }, kValueSegmentsAtOnce},
      versions_.get(), &value_files_, statistics_);
  log_ = std::make_shared<LogSet>(
      fs_,
      LogSetOptions{directory_, database_id_, epoch_, options_.wal_segment_bytes, options_.log_mode,
                    options_.background_flush, account_, [values = value_log_] { return values->Sync(); },
                    std::make_shared<LargePageGauge>(clock_),
                    options_.recovery_mode != RecoveryMode::kAbsoluteConsistency},
      versions_.get(), statistics_);
  log_->Start(std::move(first_log_file_), first_log_number_, first_record_);
  if (options_.wal_sync_policy == SyncPolicy::kBarrier) {
    barrier_ = std::make_shared<BarrierSync>(log_, error_, clock_, options_.barrier_interval_us);
  }
}

Status DbImpl::Start() {
  const ManifestState state = versions_->state();
  snapshots_ = std::make_shared<SnapshotList>(state.last_sequence);
  StartLogs();
  // Ticks give back what it keeps; a budget would rather have it now.
  const bool ticks = policy_.wants_ticks() && BackgroundWork::CanTick(Modes(options_), *executor_);
  if (ticks && budget_ == nullptr) {
    chunk_pool_ = std::make_shared<ChunkPool>(options_.memtable_capacity / Arena::kChunkBytes, account_,
                                              std::make_shared<LargePageGauge>(clock_));
  }
  std::shared_ptr<const TreeView> tree = OpenTree();
  views_ = std::make_unique<ReadViewHolder>(std::make_shared<const ReadView>(
      MemTableSlot{std::make_shared<MemTable>(account_, chunk_pool_, epoch_), log_->mark()},
      std::vector<MemTableSlot>{}, std::move(tree)));
  work_ = std::make_unique<BackgroundWork>(
      executor_, Modes(options_), error_.get(),
      BackgroundJobs{[this] { return views_->immutable_count() > 0; }, [this] { return FlushOne(); },
                     [this] { return CompactOne(); }});
  controller_ = std::make_unique<WriteController>(
      options_, WriteController::Parts{views_.get(), work_.get(), statistics_.get(), clock_.get()});
  NoteDebt(*versions_->current());
  pacer_ = std::make_unique<CompactionPacer>(PacerParts());
  space_ = std::make_shared<SpaceWatch>(SpaceWatch::Parts{
      fs_, directory_, clock_, executor_, [this] { return SpaceNeeded(); }, [this] { return PollSpace(); }});
  ListenToErrors();
  StartMemoryGate();
  StartDiskGuard();
  StartValueRetry();
  merge_folder_ =
      std::make_unique<MergeFolder>(&keyspaces_, views_.get(), clock_.get(), memory_plan_.max_value_bytes);
  transactions_ = std::make_shared<ActiveTransactions>(
      snapshots_, std::min(kMaxBatchBytes, memory_plan_.max_batch_bytes));
  conflicts_ = std::make_unique<ConflictGuard>(HistoryBytes(), account_, transactions_.get());
  const CommitterParts parts{.log = log_.get(),
                             .views = views_.get(),
                             .snapshots = snapshots_.get(),
                             .work = work_.get(),
                             .controller = controller_.get(),
                             .barrier = barrier_.get(),
                             .error = error_.get(),
                             .memory = memory_gate_.get(),
                             .account = account_,
                             .chunk_pool = chunk_pool_,
                             .secret = epoch_,
                             .statistics = statistics_.get(),
                             .clock = clock_.get(),
                             .events = &events_,
                             .folder = merge_folder_.get(),
                             .policy = &policy_,
                             .conflicts = conflicts_.get(),
                             .resume = [this] { return ResumeWrites(ResumeMode::kIfDue); }};
  committer_ = std::make_unique<Committer>(options_, parts, state.last_sequence);
  queue_ = std::make_unique<WriteQueue>(QueueOptions(), committer_.get());
  if (memory_gate_ != nullptr) budget_->Join(memory_gate_);
  work_->PokeCompaction();
  // The workload, the age of tombstones and what is on disk may ask for work although nothing is written.
  if (policy_.wants_ticks())
    work_->StartTicking(kTickMicros, [this] {
      views_->Collect();
      if (chunk_pool_ != nullptr && chunk_pool_->Trim()) {
        work_->RunUnawaited([weak = std::weak_ptr(chunk_pool_)] {
          if (const auto pool = weak.lock()) pool->Renew();
        });
      }
      work_->PokeCompaction();
    });
  return {};
}

void DbImpl::StartDiskGuard() {
  if (options_.min_disk_space_bytes == 0) return;
  disk_guard_ = std::make_shared<DiskGuard>(DiskGuard::Parts{fs_, directory_, clock_, executor_,
                                                             options_.min_disk_space_bytes,
                                                             [this] { work_->PokeCompaction(); }});
}

Status DbImpl::CountRefusal(Status refusal) {
  statistics_->Add(Counter::disk_guard_refusals);
  return refusal;
}

DbImpl::~DbImpl() {
  // Unless it was never started.
  if (queue_ != nullptr && !closed_.load()) {
    Close().IgnoreError("the destructor has no way to report it");
  }
  if (budget_ != nullptr && options_.block_cache_capacity != 0) {
    cache_->AddCapacity(-static_cast<int64_t>(options_.block_cache_capacity));
    cache_->Trim();
  }
}

WriteQueueOptions DbImpl::QueueOptions() const {
  WriteQueueOptions options;
  options.max_group_writers = options_.group_commit_max_batch_size;
  options.group_delay_us = options_.group_commit_delay_us;
  options.clock = clock_.get();
  if (budget_ != nullptr) {
    // A group fits the budget where each of its batches does.
    options.max_group_bytes = std::min(options.max_group_bytes, budget_->limit_bytes() / 8);
    options.operation_bytes = MemoryGate::kEntryBytes;
  }
  return options;
}

Status DbImpl::Close() {
  if (closed_.exchange(true)) return Status::Shutdown("the database is closed");
  transactions_->Close();
  cancel_compaction_.store(true);
  controller_->Stop();
  space_->Stop();
  if (disk_guard_ != nullptr) disk_guard_->Stop();
  value_retry_->Stop();
  if (memory_gate_ != nullptr) {
    budget_->Leave(memory_gate_.get());
    memory_gate_->Stop();
  }
  // The last thing done under leadership: nothing is written after it.
  Status status = queue_->RunExclusive([this]() -> Status {
    committer_->Stop();
    if (error_->is_set() && !ResumeWrites(ResumeMode::kNow).ok()) return error_->cause();
    SEERDB_RETURN_IF_ERROR(committer_->SealMemTable());
    return work_->WaitUntil([this] { return views_->immutable_count() == 0; });
  });
  work_->Shutdown();
  if (barrier_ != nullptr) barrier_->Stop();
  calls_.AwaitNone();
  if (status.ok() && !error_->is_set()) {
    // Everything is in tables: release all logs, spare ones included.
    VersionEdit edit;
    Result<uint64_t> number = versions_->NewFileNumber();
    status = number.status();
    if (number.ok()) {
      edit.log_number = *number;
      edit.log_first_record = log_->next_record();
      edit.last_sequence = committer_->last_sequence();  // those of failed groups are taken too
      status = versions_->Apply(std::move(edit));
      if (status.ok()) status = versions_->failure();
    }
    if (status.ok()) log_->DeleteAll();
  }
  views_->Collect();
  table_files_.remover().Stop();
  lock_.reset();
  if (error_->is_set()) status = error_->cause();
  if (status.ok()) status = unobserved_->first();
  events_.Write(EventLine("close").Add("status", status.ToString()));
  return status;
}

Snapshot DbImpl::GetSnapshot() { return Snapshot(snapshots_, snapshots_->Take()); }

Status DbImpl::Flush() {
  SEERDB_RETURN_IF_ERROR(CheckOpen());
  uint64_t flushed = 0, sealed = 0;
  const Status status = queue_->RunExclusive([&]() -> Status {
    if (error_->is_set()) SEERDB_RETURN_IF_ERROR(ResumeWrites(ResumeMode::kIfDue));
    flushed = views_->flushed();
    SEERDB_RETURN_IF_ERROR(committer_->SealMemTable());
    sealed = views_->sealed();  // only leaders seal
    return {};
  });
  if (!status.ok()) return status;
  if (flushed == sealed) return {};  // there was nothing to flush
  return work_->WaitUntil([this, sealed] { return views_->flushed() >= sealed; });
}

}  // namespace seerdb
