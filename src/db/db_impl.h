// DbImpl: the hallway: owns the parts of an open database and forwards to them.
//
// Thread safety: as DB. Its own mutex, install_mu_, makes "apply an edit, build the tree, publish the view"
// one step for flush and compaction; it is held during I/O and never taken by reads or writes.
#pragma once

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/status_macros.h"
#include "cache/block_cache.h"
#include "compaction/bulk_load_job.h"
#include "compaction/compaction_job.h"
#include "compaction/compaction_picker.h"
#include "compaction/table_output.h"
#include "db/active_transactions.h"
#include "db/background_error.h"
#include "db/background_work.h"
#include "db/barrier_sync.h"
#include "db/committer.h"
#include "db/compaction_pacer.h"
#include "db/conflict_guard.h"
#include "db/db_iterator.h"
#include "db/disk_guard.h"
#include "db/event_log.h"
#include "db/keyspaces.h"
#include "db/log_set.h"
#include "db/memory_gate.h"
#include "db/memory_plan.h"
#include "db/new_tables.h"
#include "db/open_calls.h"
#include "db/read_view.h"
#include "db/retry_timer.h"
#include "db/running_compactions.h"
#include "db/snapshot_list.h"
#include "db/space_watch.h"
#include "db/stall_reason.h"
#include "db/table_file.h"
#include "db/transaction_host.h"
#include "db/tree_policy.h"
#include "db/value_file.h"
#include "db/value_log.h"
#include "db/write_controller.h"
#include "db/write_queue.h"
#include "format/keyspace_prefix.h"
#include "manifest/version_set.h"
#include "metrics/statistics.h"
#include "seerdb/db.h"

namespace seerdb {

// What DB::Open has prepared when the parts start.
struct OpenedDatabase {
  Options options;                       // with all seams filled in, and cut to what the budget allows
  std::shared_ptr<SharedBudget> budget;  // null: no limit
  MemoryPlan memory_plan;
  std::string directory;
  std::unique_ptr<FileLock> lock;
  std::unique_ptr<VersionSet> versions;
  std::shared_ptr<Statistics> statistics;
  uint64_t epoch = 0;
  uint64_t log_number = 0;  // of the first log
  PreparedLogFile log_file;
  uint64_t next_record = 1;
  RecoveryReport recovery;
};

class DbImpl final : public DB, private TransactionHost {
 public:
  explicit DbImpl(OpenedDatabase opened);
  ~DbImpl() override;
  // Opens the log and starts the background. Called once, before anything else.
  Status Start();

  using DB::BulkLoad;
  using DB::CompactRange;
  using DB::Delete;
  using DB::Get;
  using DB::GetRange;
  using DB::GetSize;
  using DB::Merge;
  using DB::NewIterator;
  using DB::OpenKeyspace;
  using DB::Put;
  using DB::Write;
  Status Close() override;
  Status Put(const WriteOptions& options, Slice key, Slice value) override;
  Status Delete(const WriteOptions& options, Slice key) override;
  Status DeleteRange(const WriteOptions& options, Slice begin, std::optional<Slice> end) override;
  Status Merge(const WriteOptions& options, Slice key, Slice operand) override;
  Status Write(const WriteOptions& options, const WriteBatch& batch) override;
  Result<Keyspace> OpenKeyspace(Slice name, const std::optional<KeyspaceOptions>& options) override;
  Result<Keyspace> FindKeyspace(Slice name) override;
  std::vector<KeyspaceInfo> ListKeyspaces() override;
  Status DropKeyspace(const Keyspace& keyspace) override;
  Result<BulkLoadStats> BulkLoad(const BulkLoadOptions& options, BulkLoadSource& source) override;
  Result<std::optional<PinnedValue>> Get(const ReadOptions& options, Slice key) override;
  Result<std::optional<PinnedValue>> GetRange(const ReadOptions& options, Slice key, uint64_t offset,
                                              uint64_t bytes) override;
  Result<std::optional<uint64_t>> GetSize(const ReadOptions& options, Slice key) override;
  std::vector<Result<std::optional<PinnedValue>>> MultiGet(const ReadOptions& options,
                                                           std::span<const Slice> keys) override;
  std::unique_ptr<Iterator> NewIterator(const ReadOptions& options) override;
  Snapshot GetSnapshot() override;
  Status Flush() override;
  Status Resume() override;
  Status CompactRange(std::optional<Slice> begin, std::optional<Slice> end) override;
  Status CompactRange(const Keyspace& keyspace, std::optional<Slice> begin,
                      std::optional<Slice> end) override;
  Status WaitForCompaction() override;
  Result<VerifyResult> Verify() override;
  DBStats Stats() override;
  HealthStatus Health() override;
  uint64_t memtable_size() override;
  uint64_t memtable_len() override;
  MemoryUsage memory_usage() override;
  uint64_t ApproximateSize(Slice begin, Slice end) override;
  uint64_t ApproximateSize(const Keyspace& keyspace, Slice begin, Slice end) override;

 private:
  // Transactions (db_transactions.cc).
  TransactionHost* transaction_host() override { return this; }
  Status BeginTransaction(ActiveTransactions::Entry* entry) override;
  Status CommitTransaction(const WriteOptions& options, const Commit& commit) override;
  const std::shared_ptr<ActiveTransactions>& transactions() override { return transactions_; }
  Status FindKeyspace(const KeyspaceState* keyspace, const KeyspaceState** now) override;
  Status CheckWriteSizes(const WriteSizes& sizes) override;
  Clock* transaction_clock() override { return clock_.get(); }
  uint64_t transaction_seed() override;
  const std::shared_ptr<MemoryAccount>& transaction_account() override { return account_; }
  uint64_t HistoryBytes() const;
  // For transactions, under leadership: everything in these tables, or of the keyspace with this prefix, was
  // written.
  void NoteLoad(SequenceNumber sequence, const std::vector<TableMeta>& tables);
  void NoteDrop(Slice prefix);

  Status CheckOpen() const {
    if (!closed_.load(std::memory_order_acquire)) [[likely]]
      return {};
    return Status::Shutdown("the database is closed");
  }
  std::shared_ptr<const TreeView> OpenTree();
  void ListenToErrors();
  void StartLogs();
  void StartMemoryGate();
  void StartDiskGuard();
  void StartValueRetry();
  void FillMemory(DBStats* stats);
  // For writes that add data.
  Status AdmitToDisk(uint64_t bytes) {
    return disk_guard_ == nullptr ? Status() : disk_guard_->AdmitWrite(bytes);
  }
  Status CountRefusal(Status refusal);
  // kBusy/kMemoryFull: with a budget, so many range deletes are not finished that no more are taken.
  Status AdmitRanges();
  Status CheckFitsMemory(uint64_t value_bytes, uint64_t batch_bytes) const;
  struct WriteCounts {
    uint32_t operations = 0;
    uint32_t ranges = 0;  // of them, range deletions
    uint64_t logical_bytes = 0;
    CommitCheck* check = nullptr;
  };
  // `values`: what the operations point to; may be null.
  Status SubmitWrite(const WriteOptions& options, Slice operations, WriteCounts counts,
                     ValueLog::Writing* values = nullptr);
  // The prefix of the keyspace that the options name; kInvalidArgument if it cannot be used here.
  template <typename OptionsType>
  Status PrefixFor(const OptionsType& options, Slice* prefix) const {
    *prefix = kDefaultKeyspacePrefix;
    if (options.keyspace == nullptr) [[likely]]
      return {};
    const KeyspaceState* const keyspace = options.keyspace->state().get();
    SEERDB_RETURN_IF_ERROR(keyspaces_.Check(keyspace));
    *prefix = keyspace->prefix;
    return {};
  }
  // A failed manifest write stops all writes, and so does what failed behind an edit that is in force.
  Status NoteManifestError(Slice operation, Status status);  // returns `status`
  void NoteFailedRoll();
  // The keyspace that the options name, which PrefixFor has accepted.
  template <typename OptionsType>
  const KeyspaceState& StateOf(const OptionsType& options) const {
    return options.keyspace == nullptr ? keyspaces_.default_state()
                                       : Keyspaces::Current(*options.keyspace->state());
  }
  const KeyspaceLife& LifeOf(const WriteOptions& options) const {
    return options.keyspace == nullptr ? keyspaces_.default_life() : *options.keyspace->state()->life;
  }
  // Whether a put or merge with these options, which PrefixFor has accepted, never expires.
  bool LivesForEver(const WriteOptions& options) const {
    return options.ttl_us == 0 && LifeOf(options).default_ttl_us.load(std::memory_order_relaxed) == 0;
  }
  Status CheckKeyspaces(const WriteBatch& batch) const;
  // Whether operations of the batch wait for their times.
  bool NeedsStamps(const WriteOptions& options, const WriteBatch& batch) const;
  struct OneWrite {
    ValueType type = ValueType::kValue;
    Slice prefix;
    Slice key;
    Slice value;
    uint64_t logical_bytes = 0;
    ValueLog::Writing* values = nullptr;  // as SubmitWrite
  };
  // One put, delete or merge.
  Status WriteOne(const WriteOptions& options, const OneWrite& write);
  // A put whose value goes to the value log.
  Status PutApart(const WriteOptions& options, Slice prefix, Slice key, Slice value, uint64_t expires_us);
  struct LargeValues {
    uint64_t bytes = 0;                // of values that go there
    uint64_t largest_other_bytes = 0;  // of the values that do not
  };
  // Of operations that are well-formed. `largest_bytes`: no value has more.
  LargeValues LargeValuesOf(Slice operations, uint64_t largest_bytes) const;
  // A batch with such values.
  Status WriteApart(const WriteOptions& options, Slice operations, const WriteCounts& counts);
  // OK if writes are possible. Close waits for who asks, by an OpenCall: it uses the manifest's numbers.
  Status MayAppendValues();
  // An append to the value log failed: writes stop, for want of space until there is some. Returns `status`.
  Status NoteValueError(Status status);
  // What a read with these options sees. Call after taking the view.
  SequenceNumber SequenceOf(const ReadOptions& options) const;
  Result<std::optional<PinnedValue>> GetFrom(const ReadView& view, SequenceNumber sequence,
                                             const TableReadFlags& flags, Slice prefix, Slice key,
                                             const ReadOptions& options);
  // The same of some keys side by side, at most ReadView::kGroup; appends to `results`.
  struct GroupRead {
    const ReadView& view;
    const SequenceNumber sequence;
    const TableReadFlags& flags;
    const Slice prefix;
    const ReadOptions& options;
  };
  void GetGroupFrom(const GroupRead& read, std::span<const Slice> keys,
                    std::vector<Result<std::optional<PinnedValue>>>* results);
  // What was found, for the user.
  Result<std::optional<PinnedValue>> PinFound(const ReadView& view, const TableReadFlags& flags,
                                              const LookupKey& lookup, const ReadView::Answer& answer,
                                              const ReadOptions& options);
  struct FoundValue;
  Result<FoundValue> FindValue(const ReadView& view, const TableReadFlags& flags, const ReadOptions& options,
                               Slice prefix, Slice key);
  // The rest of it, where the answer is more than a value: a merge operand, or a value that expires.
  Result<std::optional<PinnedValue>> ResolveAnswer(const ReadView& view, const TableReadFlags& flags,
                                                   LookupKey lookup, const ReadView::Answer& answer,
                                                   const KeyspaceState& keyspace);

  // What holds up a writer that comes now.
  StallReason CurrentStall(const ReadView& view) const;

  // Resuming after want of space (resume.cc). All but the first two under leadership of the write queue.
  bool PollSpace();
  uint64_t SpaceNeeded();
  enum class ResumeMode : unsigned char {
    kNow,      // asked for: tries, and waits for a flush that runs
    kIfDue,    // a write: tries if the SpaceWatch says so
    kByTimer,  // the same without waiting for anything
  };
  // OK if writes may go on, the error's status otherwise. Requires: an error is set.
  Status ResumeWrites(ResumeMode mode);
  Status FlushToResume();

  // Bulk load (bulk_load.cc). OK if the load may go on and write so much: the database is not closing, and
  // the disk guard agrees.
  Status MayLoad(uint64_t bytes);
  // Charges what the load holds until its tables are written, and says in `context` what it may use.
  Status ReserveLoadMemory(const BulkLoadOptions& options, MemoryCharge* charge,
                           BulkLoadContext* context) const;
  Status PrepareLoad(const std::vector<TableMeta>& tables, uint32_t target_level);
  // Under leadership of the write queue: everything but the load is in tables when it is installed.
  Status InstallLoad(BulkLoadTables* tables, uint32_t target_level, std::vector<uint64_t>* tables_in_level);
  // As a compaction, both.
  Status SinkBelowLoad(const std::vector<TableMeta>& tables, uint32_t target_level);
  Status ListLoad(BulkLoadTables* tables, uint32_t target_level, std::vector<uint64_t>* tables_in_level);

  // Background jobs (db_jobs.cc).
  // `taken`: highest sequence ever given out, if the flush leaves no record in any log; 0 otherwise.
  Status FlushOne(SequenceNumber taken = 0);
  Result<bool> CompactOne();
  // Which value segments are to be emptied.
  ValueGcPlan PlanValues(const Version& version, const SpacePlan& space) EXCLUDES(quarantine_mu_);
  // The same, where nothing is short of space.
  std::set<uint64_t> Empties(const TreeView& tree);
  // Of `empties`, what a job with this plan moves: not what would leave a small segment behind.
  std::set<uint64_t> WorthMoving(const CompactionPlan& plan, const std::set<uint64_t>& empties) const;
  void NoteUnmoved(const VersionEdit& edit, const std::set<uint64_t>& empties) EXCLUDES(quarantine_mu_);
  Status AdmitPlanToDisk(const CompactionPlan& plan, const std::set<uint64_t>& empties);
  // The disk guard has refused a compaction: it comes again later.
  void PutOffCompaction(const Status& refusal);
  // Values may be moved in the background: that has not failed of late.
  bool ValuesMayMove() const;
  // A job that would have moved `moved` has failed: false unless it may do without. Else none does for a
  // while; what the job was for in the first place is tried again without that.
  bool PutOffValues(const CompactionPlan& plan, const std::set<uint64_t>& moved, const Status& failure);
  // `tree`: from which the plan was made; let go of as soon as the inputs are held, for it holds all tables
  // of its time. What its inputs point to in `empties` is moved if that is worth it.
  Status ExecutePlan(const CompactionPlan& plan, std::shared_ptr<const TreeView> tree,
                     uint64_t target_file_size, const std::set<uint64_t>& empties = {});
  // The same of a plan that the disk has room for, and of values in `moved`. `may_put_off`: if moving them
  // fails, it is put off, which is no error.
  Status ExecuteAdmitted(const CompactionPlan& plan, std::shared_ptr<const TreeView> tree,
                         uint64_t target_file_size, const std::set<uint64_t>& moved, bool may_put_off);
  // The part of it that writes tables, into `made`. Nothing of the inputs is held when it returns.
  Result<CompactionOutcome> RunMerge(const CompactionPlan& plan, std::shared_ptr<const TreeView> tree,
                                     uint64_t target_file_size, const std::set<uint64_t>& moved,
                                     std::function<void(uint64_t bytes)> pace, NewTables* made);
  Status InstallWithoutMerge(const CompactionPlan& plan);
  // Both ends open: everything.
  Status CompactEngineRange(Slice prefix, std::optional<Slice> begin, std::optional<Slice> end);
  uint64_t ApproximateBytes(Slice first, Slice last);
  Status CompactLevels(const KeyRange& wanted);
  Status ConsolidateRange(uint32_t level, const KeyRange& wanted);
  Status RewriteStale(uint32_t level, const KeyRange& wanted);
  // Bytes that writes have put into memtables since the open, about.
  uint64_t IngestedBytes();
  CompactionPacer::Parts PacerParts();
  // Everything on disk but the manifest; of running merges as much as their inputs.
  uint64_t DiskBytes(const Version& version) const;
  // What the tree holds above what its levels may hold slows writers down.
  void NoteDebt(const Version& version);
  void ChooseFileAccess(const Version& version);
  double ReadsOfAByte(const CompactionPlan& plan) const;
  // Removes, on this thread, the files of replaced tables that nobody holds.
  void RemoveReplacedFiles() EXCLUDES(install_mu_);
  // Makes `edit` durable, then current, then visible, and hands over what it removed.
  Status InstallResult(VersionEdit edit, const std::vector<uint64_t>& new_segments, const MemTable* flushed)
      EXCLUDES(install_mu_);
  std::set<uint64_t> IdleValues(const MemTable* flushed) const;
  WriteQueueOptions QueueOptions() const;
  TableOutputOptions OutputOptions(NewTables* made) const;
  TableNumberSet Unavailable() EXCLUDES(quarantine_mu_);
  // No later plan uses the damaged ones of these inputs; all of them, if none shows its damage again.
  void Quarantine(const CompactionPlan& plan) EXCLUDES(quarantine_mu_);

  const Options options_;
  const std::string directory_;
  std::unique_ptr<FileLock> lock_;
  const std::shared_ptr<FileSystem> fs_;
  const std::shared_ptr<Clock> clock_;
  std::shared_ptr<Executor> executor_;
  const std::shared_ptr<Statistics> statistics_;
  const uint64_t epoch_;
  const DatabaseId database_id_;
  const uint64_t first_log_number_;
  PreparedLogFile first_log_file_;  // until Start
  const uint64_t first_record_;
  const uint64_t opened_us_;
  const RecoveryReport recovery_;
  TreePolicy policy_;
  RunningCompactions running_;
  OpenCalls calls_;

  EventLog events_;
  const std::shared_ptr<BackgroundError> error_;
  std::shared_ptr<UnobservedErrors> unobserved_;
  std::shared_ptr<const IteratorHost> iterator_host_;
  std::unique_ptr<VersionSet> versions_;
  Keyspaces keyspaces_;
  const std::shared_ptr<SharedBudget> budget_;  // null: no limit
  const MemoryPlan memory_plan_;
  const uint64_t memory_limit_bytes_;  // as ChooseAccess
  const std::shared_ptr<MemoryAccount> account_;
  std::shared_ptr<ChunkPool> chunk_pool_;        // null: memtables take from the system
  const std::shared_ptr<BlockCache> cache_;      // the budget's, if there is one
  const std::shared_ptr<FileSystem> capped_fs_;  // of tables and value segments
  TableFiles table_files_;
  ValueFiles value_files_;
  std::shared_ptr<ValueLog> value_log_;
  std::shared_ptr<SnapshotList> snapshots_;
  std::shared_ptr<LogSet> log_;
  std::shared_ptr<BarrierSync> barrier_;  // null unless the policy is kBarrier
  std::unique_ptr<ReadViewHolder> views_;
  std::unique_ptr<BackgroundWork> work_;
  std::shared_ptr<MemoryGate> memory_gate_;  // null: no limit
  std::unique_ptr<WriteController> controller_;
  std::unique_ptr<CompactionPacer> pacer_;
  std::unique_ptr<MergeFolder> merge_folder_;
  std::shared_ptr<ActiveTransactions> transactions_;
  std::unique_ptr<ConflictGuard> conflicts_;
  std::unique_ptr<Committer> committer_;
  std::unique_ptr<WriteQueue> queue_;
  std::shared_ptr<SpaceWatch> space_;
  std::shared_ptr<DiskGuard> disk_guard_;  // null: none
  std::shared_ptr<RetryTimer> value_retry_;

  std::atomic<bool> closed_{false};
  std::atomic<bool> cancel_compaction_{false};
  std::atomic<bool> compaction_put_off_{false};
  std::atomic<uint64_t> values_put_off_until_us_{0};
  std::atomic<uint64_t> compaction_need_bytes_{0};  // input of the compaction that found too little space
  Mutex install_mu_;
  Mutex quarantine_mu_;
  TableNumberSet quarantine_ GUARDED_BY(quarantine_mu_);            // met by compactions, damaged inside
  std::set<uint64_t> unmovable_values_ GUARDED_BY(quarantine_mu_);  // segments with values not to be read
};

}  // namespace seerdb
