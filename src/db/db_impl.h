// DbImpl: the hallway: owns the parts of an open database and forwards to them.
//
// Thread safety: as DB. Its own mutex, install_mu_, makes "apply an edit, build the tree, publish the view"
// one step for flush and compaction; it is held during I/O and never taken by reads or writes.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/status_macros.h"
#include "cache/block_cache.h"
#include "compaction/bulk_load_job.h"
#include "compaction/compaction_picker.h"
#include "compaction/table_output.h"
#include "db/background_error.h"
#include "db/background_work.h"
#include "db/barrier_sync.h"
#include "db/committer.h"
#include "db/compaction_pacer.h"
#include "db/db_iterator.h"
#include "db/disk_guard.h"
#include "db/event_log.h"
#include "db/keyspaces.h"
#include "db/log_set.h"
#include "db/memory_gate.h"
#include "db/memory_plan.h"
#include "db/open_calls.h"
#include "db/read_view.h"
#include "db/running_compactions.h"
#include "db/snapshot_list.h"
#include "db/space_watch.h"
#include "db/stall_reason.h"
#include "db/table_file.h"
#include "db/tree_policy.h"
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

class DbImpl final : public DB {
 public:
  explicit DbImpl(OpenedDatabase opened);
  ~DbImpl() override;
  // Opens the log and starts the background. Called once, before anything else.
  Status Start();

  using DB::BulkLoad;
  using DB::CompactRange;
  using DB::Delete;
  using DB::Get;
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
  Status CheckOpen() const;
  std::shared_ptr<const TreeView> OpenTree();
  void ListenToErrors();
  void StartMemoryGate();
  void StartDiskGuard();
  void FillMemory(DBStats* stats);
  // For writes that add data.
  Status AdmitToDisk(uint64_t bytes);
  Status CountRefusal(Status refusal);
  // kBusy/kMemoryFull: with a budget, so many range deletes are not finished that no more are taken.
  Status AdmitRanges();
  Status CheckFitsMemory(uint64_t value_bytes, uint64_t batch_bytes) const;
  struct WriteCounts {
    uint32_t operations = 0;
    uint32_t ranges = 0;  // of them, range deletions
    uint64_t logical_bytes = 0;
  };
  Status SubmitWrite(const WriteOptions& options, Slice operations, WriteCounts counts);
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
  // A failed manifest write stops all writes. Returns `status`.
  Status NoteManifestError(Slice operation, Status status);
  // The keyspace that the options name, which PrefixFor has accepted.
  template <typename OptionsType>
  const KeyspaceState& StateOf(const OptionsType& options) const {
    return options.keyspace == nullptr ? keyspaces_.default_state()
                                       : Keyspaces::Current(*options.keyspace->state());
  }
  // Whether a put or merge with these options, which PrefixFor has accepted, never expires.
  bool LivesForEver(const WriteOptions& options) const {
    const KeyspaceLife& life =
        options.keyspace == nullptr ? keyspaces_.default_life() : *options.keyspace->state()->life;
    return options.ttl_us == 0 && life.default_ttl_us.load(std::memory_order_relaxed) == 0;
  }
  Status CheckKeyspaces(const WriteBatch& batch) const;
  // Whether operations of the batch wait for their times.
  bool NeedsStamps(const WriteOptions& options, const WriteBatch& batch) const;
  // One put, delete or merge.
  Status WriteOne(const WriteOptions& options, ValueType type, Slice prefix, Slice key, Slice value,
                  uint64_t logical_bytes);
  // What a read with these options sees. Call after taking the view.
  SequenceNumber SequenceOf(const ReadOptions& options) const;
  Result<std::optional<PinnedValue>> GetFrom(const ReadView& view, SequenceNumber sequence,
                                             const TableReadFlags& flags, Slice prefix, Slice key,
                                             const ReadOptions& options);
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
  Status AdmitPlanToDisk(const CompactionPlan& plan);
  // The disk guard has refused a compaction: it comes again later.
  void PutOffCompaction(const Status& refusal);
  // `tree`: from which the plan was made.
  Status ExecutePlan(const CompactionPlan& plan, const TreeView& tree, uint64_t target_file_size);
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
  // What the tree holds above what its levels may hold slows writers down.
  // Everything on disk but the manifest; of running merges as much as their inputs.
  uint64_t DiskBytes(const Version& version) const;
  void NoteDebt(const Version& version);
  double ReadsOfAByte(const CompactionPlan& plan) const;
  // Removes, on this thread, the files of replaced tables that nobody holds.
  void RemoveReplacedFiles() EXCLUDES(install_mu_);
  // Makes `edit` durable, then current, then visible, and hands over what it removed.
  Status InstallResult(VersionEdit edit, const MemTable* flushed) EXCLUDES(install_mu_);
  WriteQueueOptions QueueOptions() const;
  TableOutputOptions OutputOptions() const;
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
  std::unique_ptr<VersionSet> versions_;
  Keyspaces keyspaces_;
  const std::shared_ptr<SharedBudget> budget_;  // null: no limit
  const MemoryPlan memory_plan_;
  const std::shared_ptr<MemoryAccount> account_;
  std::shared_ptr<ChunkPool> chunk_pool_;    // null: memtables take from the system
  const std::shared_ptr<BlockCache> cache_;  // the budget's, if there is one
  TableFiles table_files_;
  std::shared_ptr<SnapshotList> snapshots_;
  std::shared_ptr<LogSet> log_;
  std::shared_ptr<BarrierSync> barrier_;  // null unless the policy is kBarrier
  std::unique_ptr<ReadViewHolder> views_;
  std::unique_ptr<BackgroundWork> work_;
  std::shared_ptr<MemoryGate> memory_gate_;  // null: no limit
  std::unique_ptr<WriteController> controller_;
  std::unique_ptr<CompactionPacer> pacer_;
  std::unique_ptr<MergeFolder> merge_folder_;
  std::unique_ptr<Committer> committer_;
  std::unique_ptr<WriteQueue> queue_;
  std::shared_ptr<SpaceWatch> space_;
  std::shared_ptr<DiskGuard> disk_guard_;  // null: none

  std::atomic<bool> closed_{false};
  std::atomic<bool> cancel_compaction_{false};
  std::atomic<bool> compaction_put_off_{false};
  std::atomic<uint64_t> compaction_need_bytes_{0};  // input of the compaction that found too little space
  Mutex install_mu_;
  Mutex quarantine_mu_;
  TableNumberSet quarantine_ GUARDED_BY(quarantine_mu_);  // met by compactions, damaged inside
};

}  // namespace seerdb
