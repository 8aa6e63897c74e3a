#include "tests/metamorphic/seerdb_target.h"

#include <algorithm>
#include <array>
#include <atomic>

#include "base/units.h"
#include "env/manual_clock.h"
#include "env/memory_file_system.h"
#include "seerdb/db.h"

namespace seerdb::testing {
namespace {

std::string Words(const Status& status) { return status.ok() ? "ok" : "error: " + status.ToString(); }

std::string Words(const Result<std::optional<PinnedValue>>& found) {
  if (!found.ok()) return Words(found.status());
  return found->has_value() ? "=" + (**found).ToString() : "none";
}

// Time as far as keys live by it: it passes when a script says so.
class ScriptClock final : public Clock {
 public:
  explicit ScriptClock(std::shared_ptr<Clock> base) : base_(std::move(base)) {}
  uint64_t NowMicros() override { return base_->NowMicros(); }
  uint64_t WallMicros() override { return wall_us_.load(std::memory_order_relaxed); }
  void SleepMicros(uint64_t micros) override { base_->SleepMicros(micros); }
  void Pass(uint64_t seconds) { wall_us_.fetch_add(seconds * kMicrosPerSecond, std::memory_order_relaxed); }

 private:
  const std::shared_ptr<Clock> base_;
  std::atomic<uint64_t> wall_us_{uint64_t{1} << 50};
};

class SeerdbTarget final : public ScriptTarget {
 public:
  SeerdbTarget(const Settings& settings, SeerdbCoverage* coverage)
      : disk_(std::make_shared<MemoryFileSystem>()), coverage_(coverage) {
    for (const Setting& setting : settings) setting.apply(config_);
    config_.options.seed = 1;
    config_.options.merge_operator = StringAppend(kScriptDelimiter);
    std::shared_ptr<Clock> time = SystemClock();
    if (config_.cooperative) {
      config_.options.executor = NewCooperativeExecutor();
      time = std::make_shared<ManualClock>();
    }
    clock_ = std::make_shared<ScriptClock>(std::move(time));
    config_.options.clock = clock_;
  }

  ~SeerdbTarget() override { DropHandles(); }

  std::string Open() override {
    config_.options.file_system = disk_;
    auto opened = DB::Open(config_.options, "/db");
    if (!opened.ok()) return Words(opened.status());
    db_ = *std::move(opened);
    KeyspaceOptions options;
    options.merge_operator = StringAppend(kScriptDelimiter);
    for (size_t i = 0; i < keyspaces_.size(); ++i) {
      const std::string name = i == 0 ? "default" : "number " + std::to_string(i);
      const auto found = i == 0 ? db_->OpenKeyspace(name) : db_->OpenKeyspace(name, options);
      if (!found.ok()) return Words(found.status());
      keyspaces_[i] = *found;
    }
    return "ok";
  }

  std::string Run(const ScriptOp& op) override {
    if (!db_) return "not open";
    // Some background work after each operation, for many interleavings.
    for (uint64_t tasks = config_.cooperative ? ++runs_ % 3 : 0; tasks > 0; --tasks) {
      config_.options.executor->RunOne();
    }
    switch (op.kind) {
      case ScriptKind::kPut:
      case ScriptKind::kDelete:
      case ScriptKind::kMerge:
      case ScriptKind::kDeleteRange:
      case ScriptKind::kPutFor:
        return Words(Write(op, In(op)));
      case ScriptKind::kAdvance:
        clock_->Pass(op.limit);
        return "ok";
      case ScriptKind::kBatch:
        return WriteBatchOf(op);
      case ScriptKind::kBulkLoad:
        return BulkLoad(op);
      case ScriptKind::kGet:
        if (config_.transactions && op.snapshot < 0) return GetInTransaction(op);
        return Words(In(op).Get(ReadAt(op), op.key));
      case ScriptKind::kMultiGet: {
        const std::vector<Slice> keys(op.keys.begin(), op.keys.end());
        std::string out;
        for (const auto& answer : In(op).MultiGet(ReadAt(op), keys)) out += Words(answer) + "\n";
        return out;
      }
      case ScriptKind::kScan:
        return Scan(op);
      case ScriptKind::kOpenIterator:
        iterators_[static_cast<size_t>(op.iterator)] = In(op).NewIterator(Range(op));
        return "ok";
      case ScriptKind::kMoveIterator:
        return Move(op);
      case ScriptKind::kTakeSnapshot:
        snapshots_[static_cast<size_t>(op.snapshot)] = db_->GetSnapshot();
        return "ok";
      case ScriptKind::kReleaseSnapshot:
        snapshots_[static_cast<size_t>(op.snapshot)].Release();
        return "ok";
      case ScriptKind::kFlush:
        return Words(db_->Flush());
      case ScriptKind::kCompact:
        return Words(db_->CompactRange(In(op), Slice(op.key), OpenEnd(op.end)));
      case ScriptKind::kVerify: {
        const auto verified = db_->Verify();
        return Words(verified.ok() ? Status::Ok() : verified.status());
      }
      case ScriptKind::kReopen: {
        DropHandles();
        const std::string closed = Words(db_->Close());
        db_.reset();
        return closed == "ok" ? Open() : closed;
      }
      case ScriptKind::kCrash:
        return Crash();
    }
    return "unknown operation";
  }

 private:
  const Keyspace& In(const ScriptOp& op) const { return keyspaces_[static_cast<size_t>(op.keyspace)]; }

  static std::optional<Slice> OpenEnd(const std::string& end) {
    return end.empty() ? std::nullopt : std::optional<Slice>(end);
  }

  std::string GetInTransaction(const ScriptOp& op) {
    std::string words;
    const Status status = RunTransaction(db_.get(), {}, [&](Transaction& transaction) {
      words = Words(transaction.Get(In(op), op.key));
      return Status::Ok();
    });
    return status.ok() ? words : Words(status);
  }

  Status WriteInTransaction(const ScriptOp& op) {
    TransactionOptions options;
    options.write = WriteAs(op);
    const Keyspace& keyspace = In(op);
    return RunTransaction(db_.get(), options, [&](Transaction& transaction) -> Status {
      switch (op.kind) {
        case ScriptKind::kDelete:
          return transaction.Delete(keyspace, op.key);
        case ScriptKind::kMerge:
          return transaction.Merge(keyspace, op.key, op.value.Bytes());
        case ScriptKind::kDeleteRange:
          return transaction.DeleteRange(keyspace, op.key, OpenEnd(op.end));
        case ScriptKind::kPutFor:
          return transaction.PutWithTtl(keyspace, op.key, op.value.Bytes(), op.limit * kMicrosPerSecond);
        default:
          return transaction.Put(keyspace, op.key, op.value.Bytes());
      }
    });
  }

  // With more that is taken back in the end.
  Status BatchInTransaction(const ScriptOp& op) {
    TransactionOptions options;
    options.write = WriteAs(op);
    return RunTransaction(db_.get(), options, [&](Transaction& transaction) -> Status {
      const auto add = [&](const ScriptWrite& write) {
        const Keyspace& keyspace = keyspaces_[static_cast<size_t>(write.keyspace)];
        switch (write.kind) {
          case ScriptWriteKind::kPut:
            return transaction.Put(keyspace, write.key, write.value.Bytes());
          case ScriptWriteKind::kDelete:
            return transaction.Delete(keyspace, write.key);
          case ScriptWriteKind::kMerge:
            return transaction.Merge(keyspace, write.key, write.value.Bytes());
          case ScriptWriteKind::kDeleteRange:
            return transaction.DeleteRange(keyspace, write.key, OpenEnd(write.end));
        }
        return Status::Ok();
      };
      for (const ScriptWrite& write : op.writes) {
        if (Status status = add(write); !status.ok()) return status;
      }
      if (Status status = transaction.SetSavepoint(); !status.ok()) return status;
      for (auto write = op.writes.rbegin(); write != op.writes.rend(); ++write) {
        if (Status status = add(*write); !status.ok()) return status;
      }
      return transaction.RollbackToSavepoint();
    });
  }

  Status Write(const ScriptOp& op, const Keyspace& keyspace) {
    if (config_.transactions) return WriteInTransaction(op);
    WriteOptions options = WriteAs(op);
    switch (op.kind) {
      case ScriptKind::kDelete:
        return keyspace.Delete(options, op.key);
      case ScriptKind::kMerge:
        return keyspace.Merge(options, op.key, op.value.Bytes());
      case ScriptKind::kDeleteRange:
        return keyspace.DeleteRange(options, op.key, OpenEnd(op.end));
      case ScriptKind::kPutFor:
        options.ttl_us = op.limit * kMicrosPerSecond;
        [[fallthrough]];
      default:
        return keyspace.Put(options, op.key, op.value.Bytes());
    }
  }

  // Where nothing is logged, nothing can be synced.
  WriteOptions WriteAs(const ScriptOp& op) const {
    WriteOptions options;
    options.sync = config_.options.skip_wal ? WriteSync::kByPolicy : op.sync;
    return options;
  }

  ReadOptions ReadAt(const ScriptOp& op) const {
    ReadOptions options;
    if (op.snapshot >= 0 && snapshots_[static_cast<size_t>(op.snapshot)].valid()) {
      options.snapshot = &snapshots_[static_cast<size_t>(op.snapshot)];
    }
    return options;
  }

  ReadOptions Range(const ScriptOp& op) const {
    ReadOptions options = ReadAt(op);
    options.lower_bound = op.key;
    options.upper_bound = op.end;
    options.prefix = op.prefix;
    options.keys_only = op.keys_only;
    return options;
  }

  std::string WriteBatchOf(const ScriptOp& op) {
    if (config_.transactions) return Words(BatchInTransaction(op));
    WriteBatch batch;
    for (const ScriptWrite& write : op.writes) {
      const Keyspace& keyspace = keyspaces_[static_cast<size_t>(write.keyspace)];
      if (write.kind == ScriptWriteKind::kPut) batch.Put(keyspace, write.key, write.value.Bytes());
      if (write.kind == ScriptWriteKind::kDelete) batch.Delete(keyspace, write.key);
      if (write.kind == ScriptWriteKind::kMerge) batch.Merge(keyspace, write.key, write.value.Bytes());
      if (write.kind == ScriptWriteKind::kDeleteRange) {
        batch.DeleteRange(keyspace, write.key, OpenEnd(write.end));
      }
    }
    return Words(db_->Write(WriteAs(op), batch));
  }

  std::string BulkLoad(const ScriptOp& op) {
    std::vector<std::pair<std::string, std::string>> entries;
    for (const ScriptWrite& write : op.writes) entries.emplace_back(write.key, write.value.Bytes());
    auto options = BulkLoadOptions().AlreadySorted(op.sorted).WithTargetLevel(op.limit).WithMaxEntries(16);
    options.keyspace = &In(op);
    return Words(db_->BulkLoad(options, entries).status());
  }

  std::string Scan(const ScriptOp& op) {
    seerdb::Scan scan = In(op).Scan(Range(op));
    if (op.reverse) scan = std::move(scan).Reverse();
    if (op.limit != UINT32_MAX) scan = std::move(scan).Limit(op.limit);
    std::string out;
    for (const ScanEntry& entry : scan) {
      if (!entry.ok()) return out + Words(entry.status());
      out += std::string(entry.key()) + "=" + std::string(entry.value()) + "\n";
    }
    return out;
  }

  std::string Move(const ScriptOp& op) {
    Iterator* const it = iterators_[static_cast<size_t>(op.iterator)].get();
    if (it == nullptr) return "none";
    if (op.move == ScriptMove::kFirst) it->SeekToFirst();
    if (op.move == ScriptMove::kLast) it->SeekToLast();
    if (op.move == ScriptMove::kSeek) it->Seek(op.key);
    if (op.move == ScriptMove::kSeekForPrev) it->SeekForPrev(op.key);
    if (op.move == ScriptMove::kNext && it->Valid()) it->Next();
    if (op.move == ScriptMove::kPrev && it->Valid()) it->Prev();
    if (!it->status().ok()) return Words(it->status());
    return it->Valid() ? std::string(it->key()) + "=" + std::string(it->value()) : "end";
  }

  std::string Crash() {
    if (config_.flush_before_crash) {
      const Status flushed = db_->Flush();
      if (!flushed.ok()) return Words(flushed);
    }
    const std::shared_ptr<MemoryFileSystem> left = disk_->CrashClone({1, CrashOptions::kProcessCrash, true});
    const std::shared_ptr<MemoryFileSystem> evidence =
        left->CrashClone({1, CrashOptions::kProcessCrash, true});
    DropHandles();
    db_.reset();
    disk_ = left;
    const std::string opened = Open();
    return opened == "ok" ? opened : opened + OpensAgain(*evidence);
  }

  // Is the image bad, or does opening it fail at times?
  std::string OpensAgain(MemoryFileSystem& image) const {
    constexpr int kTries = 10;
    int opened = 0;
    for (int i = 0; i < kTries; ++i) {
      Options options = config_.options;
      options.file_system = image.CrashClone({1, CrashOptions::kProcessCrash, true});
      opened += DB::Open(options, "/db").ok() ? 1 : 0;
    }
    std::string files;
    for (const std::string& name : image.ListDirectory("/db").value_or(std::vector<std::string>())) {
      const auto info = image.GetFileInfo("/db/" + name);
      files += " " + name + ":" + (info.ok() ? std::to_string(info->bytes) : "?");
    }
    return "; the same image opens " + std::to_string(opened) + " times in " + std::to_string(kTries) + ":" +
           files;
  }

  void DropHandles() {
    if (coverage_ != nullptr && db_ != nullptr) {
      const DBStats stats = db_->Stats();
      coverage_->flushes += stats.total_flushes;
      coverage_->merges += stats.total_compactions;
      ++coverage_->reopens;
      for (size_t level = 0; level < stats.levels.size(); ++level) {
        if (stats.levels[level].files > 0)
          coverage_->deepest_level = std::max<uint64_t>(coverage_->deepest_level, level);
      }
    }
    iterators_ = {};
    snapshots_ = {};
    keyspaces_ = {};
  }

  SeerdbConfig config_;
  std::shared_ptr<MemoryFileSystem> disk_;
  SeerdbCoverage* const coverage_;
  std::shared_ptr<ScriptClock> clock_;
  uint64_t runs_ = 0;
  // Handles go before the database they are of.
  std::unique_ptr<DB> db_;
  std::array<Keyspace, kScriptKeyspaces> keyspaces_;
  std::array<Snapshot, kScriptSnapshots> snapshots_;
  std::array<std::unique_ptr<Iterator>, kScriptIterators> iterators_;
};

}  // namespace

std::unique_ptr<ScriptTarget> NewSeerdbTarget(const Settings& settings, SeerdbCoverage* coverage) {
  return std::make_unique<SeerdbTarget>(settings, coverage);
}

}  // namespace seerdb::testing
