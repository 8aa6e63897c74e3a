#include "tests/metamorphic/seerdb_target.h"

#include <algorithm>
#include <array>

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

class SeerdbTarget final : public ScriptTarget {
 public:
  SeerdbTarget(const Settings& settings, SeerdbCoverage* coverage)
      : disk_(std::make_shared<MemoryFileSystem>()), coverage_(coverage) {
    for (const Setting& setting : settings) setting.apply(config_);
    config_.options.seed = 1;
    if (config_.cooperative) {
      config_.options.executor = NewCooperativeExecutor();
      config_.options.clock = std::make_shared<ManualClock>();
    }
  }

  ~SeerdbTarget() override { DropHandles(); }

  std::string Open() override {
    config_.options.file_system = disk_;
    auto opened = DB::Open(config_.options, "/db");
    if (!opened.ok()) return Words(opened.status());
    db_ = *std::move(opened);
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
        return Words(db_->Put(WriteAs(op), op.key, op.value.Bytes()));
      case ScriptKind::kDelete:
        return Words(db_->Delete(WriteAs(op), op.key));
      case ScriptKind::kBatch:
        return WriteBatchOf(op);
      case ScriptKind::kBulkLoad:
        return BulkLoad(op);
      case ScriptKind::kGet:
        return Words(db_->Get(ReadAt(op), op.key));
      case ScriptKind::kMultiGet: {
        const std::vector<Slice> keys(op.keys.begin(), op.keys.end());
        std::string out;
        for (const auto& answer : db_->MultiGet(ReadAt(op), keys)) out += Words(answer) + "\n";
        return out;
      }
      case ScriptKind::kScan:
        return Scan(op);
      case ScriptKind::kOpenIterator:
        iterators_[static_cast<size_t>(op.iterator)] = db_->NewIterator(Range(op));
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
        return Words(
            db_->CompactRange(Slice(op.key), op.end.empty() ? std::nullopt : std::optional<Slice>(op.end)));
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
  // Where nothing is logged, nothing can be synced.
  WriteOptions WriteAs(const ScriptOp& op) const {
    return {config_.options.skip_wal ? WriteSync::kByPolicy : op.sync, false};
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
    WriteBatch batch;
    for (const ScriptWrite& write : op.writes) {
      write.is_delete ? batch.Delete(write.key) : batch.Put(write.key, write.value.Bytes());
    }
    return Words(db_->Write(WriteAs(op), batch));
  }

  std::string BulkLoad(const ScriptOp& op) {
    std::vector<std::pair<std::string, std::string>> entries;
    for (const ScriptWrite& write : op.writes) entries.emplace_back(write.key, write.value.Bytes());
    const auto options =
        BulkLoadOptions().AlreadySorted(op.sorted).WithTargetLevel(op.limit).WithMaxEntries(16);
    return Words(db_->BulkLoad(options, entries).status());
  }

  std::string Scan(const ScriptOp& op) {
    seerdb::Scan scan(db_.get(), Range(op));
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
  }

  SeerdbConfig config_;
  std::shared_ptr<MemoryFileSystem> disk_;
  SeerdbCoverage* const coverage_;
  uint64_t runs_ = 0;
  // Handles go before the database they are of.
  std::unique_ptr<DB> db_;
  std::array<Snapshot, kScriptSnapshots> snapshots_;
  std::array<std::unique_ptr<Iterator>, kScriptIterators> iterators_;
};

}  // namespace

std::unique_ptr<ScriptTarget> NewSeerdbTarget(const Settings& settings, SeerdbCoverage* coverage) {
  return std::make_unique<SeerdbTarget>(settings, coverage);
}

}  // namespace seerdb::testing
