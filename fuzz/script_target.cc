#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "env/manual_clock.h"
#include "env/memory_file_system.h"
#include "fuzz/input.h"
#include "fuzz/targets.h"
#include "seerdb/db.h"
#include "seerdb/transaction.h"

namespace seerdb::fuzz {
namespace {

using Contents = std::map<std::string, std::string, std::less<>>;

constexpr int kStepsMax = 150;
constexpr char kPath[] = "/db";

Options DrawOptions(Input* input) {
  constexpr SyncPolicy kPolicies[] = {SyncPolicy::kNone, SyncPolicy::kSyncData, SyncPolicy::kSyncAll,
                                      SyncPolicy::kNone};
  const uint8_t writing = input->Byte();
  const uint8_t tables = input->Byte();
  Options options;
  options.wal_sync_policy = kPolicies[writing % 4];
  options.log_mode = static_cast<LogMode>(writing / 4 % 4);
  options.memtable_capacity = 4096;
  options.wal_segment_bytes = 4096;
  options.base_level_size = 8 << 10;
  options.size_ratio = 2;
  options.target_file_size = 4096;
  options.num_levels = 2 + writing / 16 % 4;
  constexpr uint64_t kSeparationBytes[] = {4096, 64, 256, 0};
  options.separation_bytes = kSeparationBytes[writing / 64];
  options.value_segment_bytes = 64 << 10;
  options.l0_compaction_trigger = 2;
  options.compression = static_cast<CompressionType>(tables % 3);
  options.table_access = (tables & 4) != 0 ? TableAccess::kPread : TableAccess::kMapped;
  options.block_cache_capacity = (tables & 8) != 0 ? 16 << 10 : 0;
  options.bloom_bits_per_key = tables / 16 % 16;
  options.block_bytes = 64;
  options.background_flush = false;
  options.background_compaction = false;
  options.clock = std::make_shared<ManualClock>();
  options.seed = 1;
  return options;
}

// One database, what it must hold, and what a crash may take back.
class Script {
 public:
  explicit Script(Input* input) : input_(*input), options_(DrawOptions(input)) {
    disk_ = std::make_shared<MemoryFileSystem>();
    Open();
  }

  void Run() {
    for (int i = 0; i < kStepsMax && !input_.empty(); ++i) Step(input_.Byte());
    CheckAll(std::nullopt);
    if (snapshot_.has_value()) CheckAll(snapshot_);
    snapshot_.reset();
    SEERDB_ASSERT(db_->Verify().ok());
    SEERDB_ASSERT(db_->Close().ok());
  }

 private:
  // The change that one acknowledged write made.
  using Unit = std::vector<std::pair<std::string, std::optional<std::string>>>;
  struct Frozen {
    std::shared_ptr<Snapshot> snapshot;
    Contents contents;
  };

  void Step(uint8_t step) {
    switch (step % 16) {
      case 4:
        return Delete(step);
      case 5:
        return step < 128 ? Delete(step) : DeleteRange(step);
      case 6:
        return step < 128 ? Batch(step) : Transact(step);
      case 7:
        SEERDB_ASSERT(db_->Flush().ok());
        return SettleAll();
      case 8:
        return Compact(step);
      case 9:
        return Reopen();
      case 10:
        return Crash({0, CrashOptions::kProcessCrash, true}, units_.size());
      case 11:
        return Crash({input_.Byte(), step >= 128 ? CrashOptions::kDropUnsynced : CrashOptions::kPowerCut,
                      step % 32 >= 16},
                     durable_units_);
      case 12:
        snapshot_.reset();
        if (step < 128) snapshot_ = Frozen{std::make_shared<Snapshot>(db_->GetSnapshot()), now_};
        return;
      case 13:
        return CheckAll(step < 128 ? snapshot_ : std::nullopt);
      case 14:
        return CheckBounds(step);
      case 15:
        return step < 128 ? CheckGet() : CheckGroup();
      default:
        return Put(step);
    }
  }

  // Keys share prefixes, are prefixes of one another, and may be empty.
  std::string Key() {
    const uint8_t n = input_.Byte();
    std::string key(n % 4, n >= 128 ? '\xff' : 'k');
    if (n % 8 != 0) key.push_back(static_cast<char>(n / 4 % 16));
    return key;
  }
  std::string Value() {
    const uint8_t n = input_.Byte();
    return std::string(n * 4u + n % 3, static_cast<char>('a' + n % 7)).append(std::to_string(units_.size()));
  }
  // How the write is synced, by bits of the step.
  WriteOptions Sync(uint8_t step) const { return {static_cast<WriteSync>(step / 16 % 3), false}; }

  void Put(uint8_t step) {
    const std::string key = Key();
    const std::string value = Value();
    SEERDB_ASSERT(db_->Put(Sync(step), key, value).ok());
    Acknowledge({{key, value}}, Sync(step));
  }
  void Delete(uint8_t step) {
    const std::string key = Key();
    SEERDB_ASSERT(db_->Delete(Sync(step), key).ok());
    Acknowledge({{key, std::nullopt}}, Sync(step));
  }
  void DeleteRange(uint8_t step) {
    const std::string begin = Key();
    const std::string end = Key();
    const std::optional<Slice> to = end.empty() ? std::nullopt : std::optional<Slice>(end);
    const Status status = db_->DeleteRange(Sync(step), begin, to);
    SEERDB_ASSERT(status.ok() == (end.empty() || begin <= end));
    if (!status.ok() || (!end.empty() && begin == end)) return;
    Unit unit;
    for (auto at = now_.lower_bound(begin); at != now_.end() && (end.empty() || at->first < end); ++at) {
      unit.emplace_back(at->first, std::nullopt);
    }
    Acknowledge(std::move(unit), Sync(step));
  }
  void Batch(uint8_t step) {
    WriteBatch batch;
    Unit unit;
    for (uint8_t n = input_.Byte() % 8; n > 0; --n) {
      const std::string key = Key();
      if (input_.Byte() % 4 == 0) {
        batch.Delete(key);
        unit.emplace_back(key, std::nullopt);
      } else {
        unit.emplace_back(key, Value());
        batch.Put(key, *unit.back().second);
      }
    }
    SEERDB_ASSERT(db_->Write(Sync(step), batch).ok());
    Acknowledge(std::move(unit), Sync(step));
  }
  // Reads and writes of a transaction, with a write of another one between them and the commit: it fails just
  // where that met what the isolation protects.
  void Transact(uint8_t step) {
    TransactionOptions options;
    options.isolation = step % 32 >= 16 ? IsolationLevel::kSerializable : IsolationLevel::kSnapshot;
    auto begun = db_->BeginTransaction(options);
    SEERDB_ASSERT(begun.ok());
    Transaction& transaction = **begun;
    Contents view = now_;
    std::set<std::string> tracked;
    Unit unit;
    for (uint8_t n = input_.Byte() % 8; n > 0; --n) {
      const uint8_t kind = input_.Byte() % 4;
      const std::string key = Key();
      if (kind < 2 || options.isolation == IsolationLevel::kSerializable) tracked.insert(key);
      if (kind < 2) {
        std::optional<std::string> value;
        if (kind == 1) value = Value();
        SEERDB_ASSERT((value.has_value() ? transaction.Put(key, *value) : transaction.Delete(key)).ok());
        unit.emplace_back(key, std::move(value));
        Apply({unit.back()}, &view);
      } else {
        CheckAnswer(transaction.Get(key), view, key);
      }
    }
    bool conflict = false;
    if (input_.Byte() % 2 == 0) {
      const std::string key = Key();
      const std::string value = Value();
      SEERDB_ASSERT(db_->Put(key, value).ok());
      Acknowledge({{key, value}}, WriteOptions());
      conflict = tracked.contains(key);
    }
    if (unit.empty()) return SEERDB_ASSERT(transaction.Abort().ok());
    const Status status = transaction.Commit();
    SEERDB_ASSERT(conflict ? status.IsConflict() : status.ok());
    if (!conflict) Acknowledge(std::move(unit), WriteOptions());
  }
  void Compact(uint8_t step) {
    if (step < 128) {
      SEERDB_ASSERT(db_->CompactRange().ok());
    } else {
      const std::string begin = Key();
      const std::string end = Key();
      if (begin <= end) SEERDB_ASSERT(db_->CompactRange(Slice(begin), Slice(end)).ok());
      SEERDB_ASSERT(db_->Flush().ok());
    }
    SettleAll();
  }

  static void Apply(const Unit& unit, Contents* contents) {
    for (const auto& [key, value] : unit) {
      if (value.has_value()) {
        contents->insert_or_assign(key, *value);
      } else {
        contents->erase(key);
      }
    }
  }
  void Acknowledge(Unit unit, const WriteOptions& options) {
    Apply(unit, &now_);
    units_.push_back(std::move(unit));
    const bool by_policy =
        options.sync == WriteSync::kByPolicy && options_.wal_sync_policy != SyncPolicy::kNone;
    // An empty batch has nothing to sync. A synced write makes durable what came before it.
    if (!units_.back().empty() && (by_policy || options.sync == WriteSync::kSync)) {
      durable_units_ = units_.size();
    }
  }
  // All that was acknowledged is durable.
  void SettleAll() {
    settled_ = now_;
    units_.clear();
    durable_units_ = 0;
  }

  void Open() {
    options_.file_system = disk_;
    auto opened = DB::Open(options_, kPath);
    SEERDB_ASSERT(opened.ok());
    db_ = *std::move(opened);
  }
  void Reopen() {
    snapshot_.reset();
    SEERDB_ASSERT(db_->Close().ok());
    db_.reset();
    Open();
    SettleAll();
    CheckAll(std::nullopt);
  }
  // Goes on with the disk as a crash leaves it: the state after some of the units, at least `kept` of them.
  void Crash(const CrashOptions& crash, size_t kept) {
    snapshot_.reset();
    auto left = disk_->CrashClone(crash);
    db_.reset();
    disk_ = std::move(left);
    Open();
    const Contents found = Read(nullptr);
    Contents state = settled_;
    size_t units = 0;
    for (; units < kept; ++units) Apply(units_[units], &state);
    while (state != found) {
      SEERDB_ASSERT(units < units_.size());
      Apply(units_[units++], &state);
    }
    now_ = found;
    SettleAll();
  }

  Contents Read(const Snapshot* snapshot) {
    ReadOptions read;
    read.snapshot = snapshot;
    const auto it = db_->NewIterator(read);
    Contents contents;
    for (it->SeekToFirst(); it->Valid(); it->Next()) {
      SEERDB_ASSERT(contents.empty() || contents.rbegin()->first < it->key());
      contents.emplace_hint(contents.end(), it->key(), it->value());
    }
    SEERDB_ASSERT(it->status().ok());
    return contents;
  }
  void CheckAll(const std::optional<Frozen>& frozen) {
    const Contents& want = frozen.has_value() ? frozen->contents : now_;
    ReadOptions read;
    read.snapshot = frozen.has_value() ? frozen->snapshot.get() : nullptr;
    SEERDB_ASSERT(Read(read.snapshot) == want);
    const auto it = db_->NewIterator(read);
    auto expected = want.rbegin();
    for (it->SeekToLast(); it->Valid(); it->Prev(), ++expected) {
      SEERDB_ASSERT(expected != want.rend());
      SEERDB_ASSERT(it->key() == expected->first && it->value() == expected->second);
    }
    SEERDB_ASSERT(it->status().ok() && expected == want.rend());
    for (const auto& [key, value] : want) {
      const auto got = db_->Get(read, key);
      SEERDB_ASSERT(got.ok() && got->has_value() && (*got)->slice() == value);
    }
  }
  static void CheckAnswer(const Result<std::optional<PinnedValue>>& got, const Contents& contents,
                          const std::string& key) {
    const auto want = contents.find(key);
    SEERDB_ASSERT(got.ok() && got->has_value() == (want != contents.end()));
    if (got->has_value()) SEERDB_ASSERT((*got)->slice() == want->second);
  }
  void CheckGet() {
    const std::string key = Key();
    CheckAnswer(db_->Get(key), now_, key);
  }
  void CheckGroup() {
    std::vector<std::string> keys(input_.Byte() % 40);
    for (std::string& key : keys) key = Key();
    const std::vector<Slice> slices(keys.begin(), keys.end());
    const auto answers = db_->MultiGet(ReadOptions(), slices);
    SEERDB_ASSERT(answers.size() == keys.size());
    for (size_t i = 0; i < keys.size(); ++i) CheckAnswer(answers[i], now_, keys[i]);
  }
  void CheckBounds(uint8_t step) {
    ReadOptions read;
    read.lower_bound = Key();
    read.upper_bound = step >= 128 ? Key() : "";
    read.read_ahead_bytes = step % 32 >= 16 ? 100 : 0;
    const std::string target = std::max(Key(), read.lower_bound);
    const auto it = db_->NewIterator(read);
    auto want = now_.lower_bound(target);
    it->Seek(target);
    for (int i = 0; i < 10; ++i) {
      const bool inside = want != now_.end() && (read.upper_bound.empty() || want->first < read.upper_bound);
      SEERDB_ASSERT(it->status().ok() && it->Valid() == inside);
      if (!inside) return;
      SEERDB_ASSERT(it->key() == want->first && it->value() == want->second);
      it->Next();
      ++want;
    }
  }

  Input& input_;
  Options options_;
  std::shared_ptr<MemoryFileSystem> disk_;
  std::unique_ptr<DB> db_;
  Contents now_;
  Contents settled_;         // durable, whatever comes
  std::vector<Unit> units_;  // since then, in order; the first durable_units_ survive a power cut
  size_t durable_units_ = 0;
  std::optional<Frozen> snapshot_;
};

}  // namespace

// Two bytes choose the options; the others are steps: writes, flushes, compactions, reopenings, crashes and
// reads, each with its arguments behind it.
void FuzzScript(Slice bytes) {
  Input input(bytes);
  Script(&input).Run();
}

}  // namespace seerdb::fuzz
