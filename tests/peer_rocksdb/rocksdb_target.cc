#include "tests/peer_rocksdb/rocksdb_target.h"

#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/merge_operator.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <array>

#include "seerdb/db.h"

namespace seerdb::testing {
namespace {

std::string Words(const rocksdb::Status& status) {
  return status.ok() ? "ok" : "error: " + status.ToString();
}

std::string Words(const rocksdb::Status& status, const std::string& value) {
  if (status.IsNotFound()) return "none";
  return status.ok() ? "=" + value : Words(status);
}

// A range delete of RocksDB has an end. Scripts have no keys so long.
const std::string kBehindAllKeys(256, '\xff');

// Released with the last of those who hold it.
using SharedSnapshot = std::shared_ptr<const rocksdb::Snapshot>;

// An iterator with the bounds and the snapshot that it points to: a move reads the snapshot where it comes to
// a table with range tombstones. A range whose bounds cross is empty; RocksDB is not asked.
struct BoundedIterator {
  std::string lower, upper;
  rocksdb::Slice lower_slice, upper_slice;
  bool empty = false;
  bool keys_only = false;
  SharedSnapshot snapshot;
  std::unique_ptr<rocksdb::Iterator> it;

  bool Valid() const { return !empty && it->Valid(); }
  std::string Entry() const { return it->key().ToString() + "=" + (keys_only ? "" : it->value().ToString()); }
};

class RocksdbTarget final : public ScriptTarget {
 public:
  explicit RocksdbTarget(bool small) : env_(rocksdb::NewMemEnv(rocksdb::Env::Default())) {
    options_.env = env_.get();
    options_.create_if_missing = true;
    options_.create_missing_column_families = true;
    rocksdb::MergeOperator::CreateFromString(rocksdb::ConfigOptions(), "stringappend",
                                             &options_.merge_operator)
        .PermitUncheckedError();  // merges fail then
    if (!small) return;
    options_.write_buffer_size = 64 << 10;
    options_.arena_block_size = 4096;
    options_.target_file_size_base = 8 << 10;
    options_.max_bytes_for_level_base = 32 << 10;
    options_.max_bytes_for_level_multiplier = 2;
    options_.level0_file_num_compaction_trigger = 2;
  }
  ~RocksdbTarget() override { DropHandles(); }

  std::string Open() override {
    rocksdb::DB* db = nullptr;
    const std::vector<rocksdb::ColumnFamilyDescriptor> families = {{"default", options_},
                                                                   {"second", options_}};
    static_assert(kScriptKeyspaces == 2);
    const rocksdb::Status opened = rocksdb::DB::Open(options_, "/db", families, &families_, &db);
    db_.reset(db);
    return Words(opened);
  }

  std::string Run(const ScriptOp& op) override {
    if (!db_) return "not open";
    switch (op.kind) {
      case ScriptKind::kPut:
        return Words(db_->Put(WriteAs(op), In(op.keyspace), op.key, op.value.Bytes()));
      case ScriptKind::kDelete:
        return Words(db_->Delete(WriteAs(op), In(op.keyspace), op.key));
      case ScriptKind::kMerge:
        return Words(db_->Merge(WriteAs(op), In(op.keyspace), op.key, op.value.Bytes()));
      case ScriptKind::kDeleteRange:
        return Words(db_->DeleteRange(WriteAs(op), In(op.keyspace), op.key, End(op.end)));
      case ScriptKind::kBulkLoad:  // a batch of puts says the same
      case ScriptKind::kBatch: {
        rocksdb::WriteBatch batch;
        for (const ScriptWrite& write : op.writes) {
          Add(write, In(op.kind == ScriptKind::kBulkLoad ? op.keyspace : write.keyspace), &batch)
              .PermitUncheckedError();
        }
        return Words(db_->Write(WriteAs(op), &batch));
      }
      case ScriptKind::kGet: {
        std::string value;
        const rocksdb::Status found = db_->Get(ReadAt(op), In(op.keyspace), op.key, &value);
        return Words(found, value);
      }
      case ScriptKind::kMultiGet: {
        std::vector<std::string> values;
        const std::vector<rocksdb::Slice> keys(op.keys.begin(), op.keys.end());
        const std::vector<rocksdb::ColumnFamilyHandle*> families(keys.size(), In(op.keyspace));
        const std::vector<rocksdb::Status> found = db_->MultiGet(ReadAt(op), families, keys, &values);
        std::string out;
        for (size_t i = 0; i < found.size(); ++i) out += Words(found[i], values[i]) + "\n";
        return out;
      }
      case ScriptKind::kScan:
        return Scan(op);
      case ScriptKind::kOpenIterator:
        iterators_[static_cast<size_t>(op.iterator)] = Iterate(op);
        return "ok";
      case ScriptKind::kMoveIterator:
        return Move(op);
      default:
        return RunMaintenance(op);
    }
  }

 private:
  rocksdb::ColumnFamilyHandle* In(int keyspace) const { return families_[static_cast<size_t>(keyspace)]; }

  static rocksdb::Slice End(const std::string& end) { return end.empty() ? kBehindAllKeys : end; }

  static rocksdb::Status Add(const ScriptWrite& write, rocksdb::ColumnFamilyHandle* family,
                             rocksdb::WriteBatch* batch) {
    switch (write.kind) {
      case ScriptWriteKind::kPut:
        return batch->Put(family, write.key, write.value.Bytes());
      case ScriptWriteKind::kDelete:
        return batch->Delete(family, write.key);
      case ScriptWriteKind::kMerge:
        return batch->Merge(family, write.key, write.value.Bytes());
      case ScriptWriteKind::kDeleteRange:
        return batch->DeleteRange(family, write.key, End(write.end));
    }
    return rocksdb::Status::OK();
  }

  std::string RunMaintenance(const ScriptOp& op) {
    switch (op.kind) {
      case ScriptKind::kTakeSnapshot:
        snapshots_[static_cast<size_t>(op.snapshot)] = {
            db_->GetSnapshot(),
            [this](const rocksdb::Snapshot* snapshot) { db_->ReleaseSnapshot(snapshot); }};
        return "ok";
      case ScriptKind::kReleaseSnapshot:
        snapshots_[static_cast<size_t>(op.snapshot)] = nullptr;
        return "ok";
      case ScriptKind::kFlush:
        return Words(db_->Flush({}, families_));
      case ScriptKind::kCompact: {
        const rocksdb::Slice begin(op.key), end(op.end);
        return Words(db_->CompactRange({}, In(op.keyspace), &begin, op.end.empty() ? nullptr : &end));
      }
      case ScriptKind::kVerify:
        return Words(db_->VerifyChecksum());
      case ScriptKind::kReopen: {
        DropHandles();
        const rocksdb::Status closed = db_->Close();
        db_.reset();
        return closed.ok() ? Open() : Words(closed);
      }
      case ScriptKind::kCrash:  // without Close: the memtables are lost, the log stays
        DropHandles();
        db_.reset();
        return Open();
      default:
        return "unknown operation";
    }
  }

  static rocksdb::WriteOptions WriteAs(const ScriptOp& op) {
    rocksdb::WriteOptions options;
    options.sync = op.sync == WriteSync::kSync;
    return options;
  }

  SharedSnapshot SnapshotOf(const ScriptOp& op) const {
    return op.snapshot < 0 ? nullptr : snapshots_[static_cast<size_t>(op.snapshot)];
  }

  rocksdb::ReadOptions ReadAt(const ScriptOp& op) const {
    rocksdb::ReadOptions options;
    options.snapshot = SnapshotOf(op).get();
    return options;
  }

  std::unique_ptr<BoundedIterator> Iterate(const ScriptOp& op) {
    auto held = std::make_unique<BoundedIterator>();
    held->lower = std::max(op.key, op.prefix);
    held->upper = op.end;
    const std::string after = op.prefix.empty() ? "" : PrefixSuccessor(op.prefix);
    if (!after.empty() && (held->upper.empty() || after < held->upper)) held->upper = after;
    held->empty = !held->upper.empty() && held->upper <= held->lower;
    held->keys_only = op.keys_only;
    held->snapshot = SnapshotOf(op);
    held->lower_slice = held->lower;
    held->upper_slice = held->upper;
    rocksdb::ReadOptions options = ReadAt(op);
    options.iterate_lower_bound = &held->lower_slice;
    if (!held->upper.empty()) options.iterate_upper_bound = &held->upper_slice;
    if (!held->empty) held->it.reset(db_->NewIterator(options, In(op.keyspace)));
    return held;
  }

  std::string Scan(const ScriptOp& op) {
    const std::unique_ptr<BoundedIterator> held = Iterate(op);
    if (held->empty) return "";
    std::string out;
    uint32_t left = op.limit;
    for (op.reverse ? held->it->SeekToLast() : held->it->SeekToFirst(); held->Valid() && left > 0; --left) {
      out += held->Entry() + "\n";
      op.reverse ? held->it->Prev() : held->it->Next();
    }
    return held->it->status().ok() ? out : out + Words(held->it->status());
  }

  std::string Move(const ScriptOp& op) {
    const std::unique_ptr<BoundedIterator>& held = iterators_[static_cast<size_t>(op.iterator)];
    if (!held) return "none";
    if (held->empty) return "end";
    if (op.move == ScriptMove::kFirst) held->it->SeekToFirst();
    if (op.move == ScriptMove::kLast) held->it->SeekToLast();
    if (op.move == ScriptMove::kSeek) held->it->Seek(op.key);
    if (op.move == ScriptMove::kSeekForPrev) held->it->SeekForPrev(op.key);
    if (op.move == ScriptMove::kNext && held->Valid()) held->it->Next();
    if (op.move == ScriptMove::kPrev && held->Valid()) held->it->Prev();
    if (!held->it->status().ok()) return Words(held->it->status());
    return held->Valid() ? held->Entry() : "end";
  }

  void DropHandles() {
    iterators_ = {};
    snapshots_ = {};
    if (!db_) return;
    for (rocksdb::ColumnFamilyHandle* family : families_) {
      db_->DestroyColumnFamilyHandle(family).PermitUncheckedError();
    }
    families_.clear();
  }

  const std::unique_ptr<rocksdb::Env> env_;
  rocksdb::Options options_;
  // Handles go before the database they are of.
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
  std::array<SharedSnapshot, kScriptSnapshots> snapshots_ = {};
  std::array<std::unique_ptr<BoundedIterator>, kScriptIterators> iterators_;
};

}  // namespace

std::unique_ptr<ScriptTarget> NewRocksdbTarget(bool small) { return std::make_unique<RocksdbTarget>(small); }

}  // namespace seerdb::testing
