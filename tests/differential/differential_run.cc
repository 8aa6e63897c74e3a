#include "tests/differential/differential_run.h"

#include <algorithm>

#include "base/hash.h"
#include "env/manual_clock.h"

namespace seerdb::testing {
namespace {

constexpr size_t kHistoryLines = 30;
constexpr size_t kPoolKeys = 3000;
constexpr uint64_t kReopens = 80;  // in a whole run, whatever its length
constexpr uint64_t kFullCompactions = 40;
constexpr uint64_t kFlushes = 120;
constexpr uint64_t kVerifies = 20;

}  // namespace

DifferentialRun::DifferentialRun(const OptionSet& set, uint64_t seed, uint64_t operations)
    : set_(set), seed_(seed), operations_(operations), random_(seed), keys_(&random_, kPoolKeys) {
  options_ = set.options;
  options_.seed = seed | 1;
  if (set.cooperative) {
    executor_ = NewCooperativeExecutor();
    options_.executor = executor_;
    options_.clock = std::make_shared<ManualClock>();
  }
  if (set.real_files) {
    temp_directory_ = std::make_unique<TempDirectory>();
    path_ = temp_directory_->path() + "/db";
  } else {
    memory_fs_ = std::make_shared<MemoryFileSystem>();
    options_.file_system = memory_fs_;
    path_ = "/db";
  }
}

DifferentialRun::~DifferentialRun() = default;

bool DifferentialRun::Run() {
  if (!Open()) return false;
  for (index_ = 0; index_ < operations_ && !failed_; ++index_) {
    Step();
    if (!failed_) Maintain(index_);
  }
  coverage_.operations = index_;
  if (!failed_) CompareAll(model_.Freeze(), nullptr);
  if (!failed_) Reopen();
  if (!failed_) CompareAll(model_.Freeze(), nullptr);
  HarvestStats();
  DropHandles(false);
  if (db_ && !failed_) Check(db_->Close(), "the last Close");
  db_.reset();
  return !failed_;
}

void DifferentialRun::Step() {
  RunBackground(random_.Uniform(3));
  const uint64_t choice = random_.Uniform(1000);
  if (choice < 290) return PutOne();
  if (choice < 390) return DeleteOne();
  if (choice < 430) return WriteOneBatch();
  if (choice < 640) return GetOne();
  if (choice < 670) return GetMany();
  if (choice < 730) return GetAtSnapshot();
  if (choice < 734) return HoldSnapshot();
  if (choice < 738) return ReleaseSnapshot();
  if (choice < 745) return CheckHeldValue();
  if (choice < 790) return ScanSome();
  if (choice < 800) return ScanSomePrefixes();
  if (choice < 870) return WalkShortIterator();
  if (choice < 875) return HoldIterator();
  if (choice < 930) return WalkHeldIterator();
  if (choice < 960) return ProbeMemtable();
  if (choice < 962) return CompactSome(false);
  if (choice < 975) return CheckShape();
  if (choice < 978) return BulkLoadSome();
  return GetOne();
}

// Things that must happen a number of times in a run of any length.
void DifferentialRun::Maintain(uint64_t operation) {
  const auto due = [&](uint64_t times, uint64_t phase) {
    const uint64_t every = std::max<uint64_t>(operations_ / times, 1);
    return operation % every == phase % every;
  };
  if (due(kFlushes, 3)) ProbeL0();
  if (!failed_ && due(kFullCompactions, 7)) ProbeBottom();
  if (!failed_ && due(kReopens, 11)) {
    if (!set_.real_files && random_.OneIn(2)) {
      CrashReopen();
    } else {
      Reopen();
    }
  }
  if (!failed_ && due(kVerifies, 13)) {
    Note("Verify");
    const auto verified = db_->Verify();
    Check(verified.ok() ? Status::Ok() : verified.status(), "Verify");
    if (!failed_ && !snapshots_.empty()) {
      const HeldSnapshot& held = *RandomSnapshot();
      CompareAll(held.state, &held.snapshot);
    }
  }
}

bool DifferentialRun::Open() {
  auto opened = DB::Open(options_, path_);
  if (!Check(opened.ok() ? Status::Ok() : opened.status(), "Open")) return false;
  db_ = *std::move(opened);
  return true;
}

void DifferentialRun::Reopen() {
  Note("Close and open");
  HarvestStats();
  const bool early = random_.OneIn(2);
  if (early) DropHandles(false);
  if (!Check(db_->Close(), "Close")) return;
  if (!db_->Put("after", "close").IsShutdown()) return Fail("Put after Close: want kShutdown");
  // Iterators and pinned values outlive Close and the database object.
  if (random_.OneIn(2)) db_.reset();
  if (!early) DropHandles(true);
  db_.reset();
  unlogged_ = false;
  ++coverage_.reopens;
  if (Open() && random_.OneIn(4)) CompareAll(model_.Freeze(), nullptr);
}

void DifferentialRun::CrashReopen() {
  if (unlogged_) {
    Note("Flush before crash");
    if (!Check(db_->Flush(), "Flush")) return;
    unlogged_ = false;
  }
  Note("process crash and open");
  HarvestStats();
  CrashOptions crash;
  crash.kind = CrashOptions::kProcessCrash;
  crash.seed = random_.Next();
  std::shared_ptr<MemoryFileSystem> survivor = memory_fs_->CrashClone(crash);
  DropHandles(false);
  db_.reset();
  memory_fs_ = std::move(survivor);
  options_.file_system = memory_fs_;
  ++coverage_.reopens;
  ++coverage_.crash_reopens;
  if (Open() && random_.OneIn(4)) CompareAll(model_.Freeze(), nullptr);
}

void DifferentialRun::DropHandles(bool after_close) {
  if (after_close && !failed_) {
    while (!iterators_.empty() && !failed_) {
      WalkHeldIterator();
      iterators_.pop_back();
    }
    for (const HeldValue& held : values_) {
      if (held.value.slice() != held.want) Fail("a pinned value changed after Close");
    }
  }
  iterators_.clear();
  values_.clear();
  while (!snapshots_.empty()) {  // in random order
    std::swap(snapshots_[random_.Uniform(snapshots_.size())], snapshots_.back());
    snapshots_.pop_back();
  }
}

void DifferentialRun::HarvestStats() {
  if (!db_) return;
  const DBStats stats = db_->Stats();
  coverage_.flushes += stats.total_flushes;
  coverage_.merges += stats.total_compactions;
  coverage_.compactions += stats.total_compactions + stats.total_trivial_moves;
  for (size_t level = 1; level < stats.levels.size(); ++level) {
    if (stats.levels[level].files != 0) coverage_.levels.insert(level);
  }
}

void DifferentialRun::CheckShape() {
  const DBStats stats = db_->Stats();
  Note("Stats");
  if (stats.levels.size() != options_.num_levels) return Fail("Stats().levels has another number of levels");
  for (size_t level = 1; level < stats.levels.size(); ++level) {
    if (stats.levels[level].files != 0) coverage_.levels.insert(level);
    const bool one_run =
        !options_.adaptive_compaction && options_.compaction_policy == CompactionPolicy::kLeveled;
    if (!one_run || stats.levels[level].runs <= 1) continue;
    // A bulk load may add one, which compaction merges with the other.
    if (!Check(db_->WaitForCompaction(), "WaitForCompaction")) return;
    if (db_->Stats().levels[level].runs > 1) return Fail("a level of a leveled tree has several runs");
  }
  if (stats.live_snapshots != snapshots_.size()) {
    return Fail("Stats().live_snapshots is " + std::to_string(stats.live_snapshots) + ", want " +
                std::to_string(snapshots_.size()));
  }
  if (stats.unobserved_iterator_errors != 0) return Fail("unobserved iterator errors without an error");
  if (db_->ApproximateSize("m", "m") != 0) return Fail("ApproximateSize of an empty range is not 0");
  const std::string low = keys_.ReadKey(), high = keys_.ReadKey();
  const uint64_t part = low < high ? db_->ApproximateSize(low, high) : 0;
  if (executor_ || !options_.background_flush) {  // nothing changes between the calls
    const uint64_t all = db_->ApproximateSize("", std::string(kMaxKeyBytes, '\xff'));
    if (part > all) return Fail("ApproximateSize of a part is greater than that of the whole");
    if (all > stats.total_disk_bytes) return Fail("ApproximateSize is greater than all tables");
    if (stats.memtable_entries != db_->memtable_len()) return Fail("memtable_len and Stats() differ");
  }
}

void DifferentialRun::CompactSome(bool all) {
  std::optional<std::string> begin, end;
  if (!all) {
    if (!random_.OneIn(4)) begin = keys_.ReadKey();
    if (!random_.OneIn(4)) end = keys_.ReadKey();
    if (begin && end && *end < *begin) std::swap(begin, end);
  }
  Note("CompactRange " + (begin ? Printable(*begin) : "-") + " " + (end ? Printable(*end) : "-"));
  const auto slice = [](const std::optional<std::string>& s) {
    return s ? std::optional<Slice>(*s) : std::nullopt;
  };
  if (Check(db_->CompactRange(slice(begin), slice(end)), "CompactRange")) unlogged_ = false;
}

void DifferentialRun::RunBackground(uint64_t tasks) {
  if (!executor_) return;
  while (tasks-- > 0 && executor_->RunOne()) {
  }
}

void DifferentialRun::Note(std::string text) {
  history_.push_back("#" + std::to_string(index_) + " " + std::move(text));
  if (history_.size() > kHistoryLines) history_.pop_front();
}

bool DifferentialRun::Check(const Status& status, const char* what) {
  if (!status.ok()) Fail(std::string(what) + ": " + status.ToString());
  return status.ok();
}

void DifferentialRun::Fail(const std::string& what) {
  if (failed_) return;
  failed_ = true;
  std::string story;
  for (const std::string& line : history_) story += "\n  " + line;
  ADD_FAILURE() << "set " << set_.name << ", operation " << index_ << ", replay with SEERDB_SEED=" << seed_
                << " (and SEERDB_DIFFERENTIAL_OPS as now):\n"
                << what << "\nlast operations:" << story;
}

uint64_t DifferentialRun::FilesDigest() {
  auto names = memory_fs_->ListDirectory(path_);
  if (!names.ok()) return 0;
  std::sort(names->begin(), names->end());
  uint64_t digest = 0;
  for (const std::string& name : *names) {
    const auto bytes = ReadFileToString(*memory_fs_, path_ + "/" + name);
    if (name == "LOCK" || !bytes.ok()) continue;
    digest = digest * 1000003 + Hash64(name) + 31 * Hash64(*bytes);
  }
  return digest;
}

}  // namespace seerdb::testing
