#include "tests/gating/crash_explorer.h"

#include <algorithm>
#include <set>

#include "base/hash.h"
#include "env/fault_file_system.h"

namespace seerdb::testing {
namespace {

// The crashes tried at each point: of the process, and of the power with several outcomes.
std::vector<CrashOptions> Crashes() {
  std::vector<CrashOptions> crashes;
  crashes.push_back({0, CrashOptions::kProcessCrash, true});
  crashes.push_back({0, CrashOptions::kDropUnsynced, true});
  for (uint64_t seed = 1; seed <= 3; ++seed) crashes.push_back({seed, CrashOptions::kPowerCut, true});
  crashes.push_back({4, CrashOptions::kPowerCut, false});
  return crashes;
}

// Under a sanitizer, of the crash points one in so many is checked: no divisor of their kinds, so that each
// is met.
constexpr size_t kSanitizedStride = 5;

// Of all names and bytes in the database's directory.
uint64_t Fingerprint(FileSystem& fs) {
  uint64_t hash = 0;
  auto names = fs.ListDirectory(kDbDirectory);
  if (!names.ok()) return hash;
  std::sort(names->begin(), names->end());
  for (const std::string& name : *names) {
    const auto text = ReadFileToString(fs, std::string(kDbDirectory) + "/" + name);
    const std::string entry = name + '\0' + (text.ok() ? *text : std::string());
    hash = (hash ^ Hash64(entry)) * 0x9e3779b97f4a7c15;
  }
  return hash;
}

Status OpenInto(const Options& options, std::unique_ptr<DB>* db) {
  auto opened = DB::Open(options, kDbDirectory);
  if (!opened.ok()) return opened.status();
  *db = *std::move(opened);
  return Status::Ok();
}

}  // namespace

Trace& Trace::Add(TraceStep::Kind kind) {
  TraceStep step;
  step.kind = kind;
  steps.push_back(std::move(step));
  return *this;
}

Trace& Trace::Put(const std::string& key, const std::string& value, WriteOptions options) {
  TraceStep step;
  step.operations = {{key, value}};
  step.options = options;
  steps.push_back(std::move(step));
  return *this;
}

Trace& Trace::Delete(const std::string& key) {
  TraceStep step;
  step.operations = {{key, std::nullopt}};
  steps.push_back(std::move(step));
  return *this;
}

Trace& Trace::Batch(std::vector<Operation> operations) {
  TraceStep step;
  step.operations = std::move(operations);
  steps.push_back(std::move(step));
  return *this;
}

Trace& Trace::Transaction(std::vector<Operation> operations, WriteOptions options) {
  Batch(std::move(operations));
  steps.back().options = options;
  steps.back().transaction = true;
  return *this;
}

Trace& Trace::BulkLoad(std::vector<Operation> operations, const BulkLoadOptions& options) {
  TraceStep step;
  step.kind = TraceStep::kBulkLoad;
  step.operations = std::move(operations);
  step.load = options;
  steps.push_back(std::move(step));
  return *this;
}

CrashExplorer::CrashExplorer(const Trace& trace, const Options& options, bool cooperative)
    : trace_(trace), options_(options), cooperative_(cooperative) {
  Contents contents;
  states_.push_back(contents);
  for (const TraceStep& step : trace.steps) {
    if (step.kind != TraceStep::kWrite && step.kind != TraceStep::kBulkLoad) continue;
    for (const auto& [key, value] : step.operations) {
      if (value) {
        contents[key] = *value;
      } else {
        contents.erase(key);
      }
    }
    states_.push_back(contents);
  }
}

void CrashExplorer::Explore(uint64_t inner_stride) {
  RunTrace();
  if (::testing::Test::HasFailure()) return;
  uint64_t index = 0;
  for (size_t at = 0; at < points_.size(); at += kSanitized && !LongRun() ? kSanitizedStride : 1) {
    const CrashPoint& point = points_[at];
    CheckPoint(point, false);
    if (::testing::Test::HasFailure()) return;
    if (inner_stride == 0 || index++ % inner_stride != 0) continue;
    for (const CrashPoint& inner : CrashRecovery(point)) {
      CheckPoint(inner, true);
      if (::testing::Test::HasFailure()) {
        ADD_FAILURE() << "... when the recovery after this was crashed: " << Describe(point);
        return;
      }
    }
  }
}

Options CrashExplorer::WithFileSystem(std::shared_ptr<FileSystem> fs) const {
  Options options = options_;
  options.file_system = std::move(fs);
  if (cooperative_) {
    options.executor = NewCooperativeExecutor();
    options.background_flush = true;
    options.background_compaction = true;
  }
  return options;
}

void CrashExplorer::Drain(const Options& options) const {
  if (!options.executor) return;
  for (int task = 0; task < 100 && options.executor->RunOne(); ++task) {
  }
}

void CrashExplorer::RunTrace() {
  disk_ = std::make_shared<MemoryFileSystem>();
  const auto watched = std::make_shared<FaultFileSystem>(disk_);
  watched->SetHook(
      [this](FileOp op, const std::string& path, uint64_t) { Collect(BoundaryOf(op, path), Crashes()); });
  Options options = WithFileSystem(watched);
  std::unique_ptr<DB> db = OpenOrFail(options, kDbDirectory);
  for (const TraceStep& step : trace_.steps) {
    if (!db) return;
    const Status status = RunStep(step, &options, &db);
    ASSERT_OK(status);
  }
  snapshots_.clear();
  ASSERT_OK(db->Close());
  durable_ = acknowledged_;
  Collect(Boundary::kOther, Crashes());
  appends_[0] = watched->calls(FileOp::kAppend);
  appends_[1] = watched->calls(FileOp::kAppendSynced);
}

void CrashExplorer::ExploreTornAppends(uint64_t stride) {
  ExploreTorn(FileOp::kAppend, stride);
  if (!::testing::Test::HasFailure()) ExploreTorn(FileOp::kAppendSynced, stride);
}

void CrashExplorer::ExploreTorn(FileOp op, uint64_t stride) {
  const uint64_t appends = appends_[op == FileOp::kAppendSynced ? 1 : 0];
  for (uint64_t append = 1; append <= appends; append += stride) {
    for (const uint64_t bytes : {1, 15, 17, 70, 400, 600, 5000}) {
      FaultRule rule = FaultRule::ShortWrite("", bytes, FaultRule::DeviceError(), append);
      rule.op = op;
      SCOPED_TRACE("append torn after " + std::to_string(bytes) + " bytes");
      RunTorn(rule, Boundary::kAppend);
      if (::testing::Test::HasFailure()) return;
    }
  }
}

// Runs the trace until `rule` fires, and checks what a crash at that moment leaves.
void CrashExplorer::RunTorn(const FaultRule& rule, Boundary boundary) {
  disk_ = std::make_shared<MemoryFileSystem>();
  submitted_ = acknowledged_ = durable_ = 0;
  points_.clear();
  const auto tearing = std::make_shared<FaultFileSystem>(disk_);
  FaultRule collecting = rule;
  collecting.callback = [&](FileOp, const std::string&) {
    changes_ = rule.countdown;
    Collect(boundary,
            {{0, CrashOptions::kProcessCrash, true}, {rule.append_bytes, CrashOptions::kPowerCut, true}});
  };
  tearing->AddRule(std::move(collecting));
  Options options = WithFileSystem(tearing);
  auto opened = DB::Open(options, kDbDirectory);
  std::unique_ptr<DB> db = opened.ok() ? *std::move(opened) : nullptr;
  for (const TraceStep& step : trace_.steps) {
    if (!db || !points_.empty()) break;
    RunStep(step, &options, &db).IgnoreError("the torn append fails some call");
  }
  snapshots_.clear();
  db.reset();
  for (const CrashPoint& point : points_) {
    CheckPoint(point, false);
    if (::testing::Test::HasFailure()) return;
  }
}

Status CrashExplorer::CommitOne(const TraceStep& step, DB* db) {
  TransactionOptions options;
  options.write = step.options;
  auto loser = db->BeginTransaction(options);
  if (!loser.ok()) return loser.status();
  auto winner = db->BeginTransaction(options);
  if (!winner.ok()) return winner.status();
  for (const auto& [key, value] : step.operations) {
    Status status = value ? (*winner)->Put(key, *value) : (*winner)->Delete(key);
    if (status.ok()) status = (*loser)->Put(key, "lost");
    if (!status.ok()) return status;
  }
  const Status status = (*winner)->Commit();
  if (status.ok()) {
    // It may meet what the disk refuses before its turn to be checked comes.
    const Status lost = (*loser)->Commit();
    EXPECT_TRUE(lost.IsConflict() || lost.IsIoError() || lost.IsReadOnly()) << lost.ToString();
  }
  return status;
}

Status CrashExplorer::RunStep(const TraceStep& step, Options* options, std::unique_ptr<DB>* db) {
  Status status;
  switch (step.kind) {
    case TraceStep::kWrite: {
      WriteBatch batch;
      for (const auto& [key, value] : step.operations) {
        if (value) {
          batch.Put(key, *value);
        } else {
          batch.Delete(key);
        }
      }
      ++submitted_;
      status = step.transaction ? CommitOne(step, db->get()) : (*db)->Write(step.options, batch);
      if (!status.ok()) break;
      acknowledged_ = submitted_;
      const bool by_policy = options_.wal_sync_policy >= SyncPolicy::kSyncData;
      if (step.options.sync == WriteSync::kSync || (step.options.sync == WriteSync::kByPolicy && by_policy)) {
        durable_ = acknowledged_;
      }
      if (submitted_ % 4 == 0) Drain(*options);
      break;
    }
    case TraceStep::kBulkLoad: {
      std::vector<std::pair<std::string, std::string>> entries;
      for (const auto& [key, value] : step.operations) entries.emplace_back(key, *value);
      ++submitted_;
      status = (*db)->BulkLoad(step.load, entries).status();
      if (status.ok()) durable_ = acknowledged_ = submitted_;
      Drain(*options);
      break;
    }
    case TraceStep::kFlush:
      status = (*db)->Flush();
      if (status.ok()) durable_ = acknowledged_;
      break;
    case TraceStep::kCompact:
      status = (*db)->CompactRange();
      if (status.ok()) durable_ = acknowledged_;
      Drain(*options);
      break;
    case TraceStep::kReopen:
      snapshots_.clear();
      status = (*db)->Close();
      if (status.ok()) durable_ = acknowledged_;
      db->reset();
      if (status.ok()) status = OpenInto(*options, db);
      break;
    case TraceStep::kSnapshot:
      snapshots_.push_back((*db)->GetSnapshot());
      break;
    case TraceStep::kReleaseSnapshots:
      snapshots_.clear();
      break;
  }
  return status;
}

void CrashExplorer::Collect(Boundary boundary, const std::vector<CrashOptions>& crashes) {
  ++changes_;
  if (focus_ && *focus_ != boundary) return;
  std::set<uint64_t> seen;  // what the power cuts at this change have left
  for (const CrashOptions& crash : crashes) {
    CrashPoint point;
    point.crash = crash;
    point.crash.seed = crash.seed == 0 ? 0 : crash.seed + 10 * changes_;
    point.disk = disk_->CrashClone(point.crash);
    if (crash.kind != CrashOptions::kProcessCrash && !seen.insert(Fingerprint(*point.disk)).second) continue;
    point.lower = crash.kind == CrashOptions::kProcessCrash ? acknowledged_ : durable_;
    point.upper = submitted_;
    point.durable = durable_;
    point.change = changes_;
    point.boundary = boundary;
    points_.push_back(std::move(point));
  }
}

std::optional<size_t> CrashExplorer::Match(const Contents& found, const CrashPoint& point) const {
  for (size_t units = point.upper + 1; units-- > point.lower;) {
    if (states_[units] == found) return units;
  }
  return std::nullopt;
}

std::string CrashExplorer::Describe(const CrashPoint& point) const {
  static const char* const kKinds[] = {"process crash", "power cut", "loss of all unsynced"};
  return "trace " + trace_.name + ", before change " + std::to_string(point.change) + ": " +
         kKinds[point.crash.kind] + ", seed " + std::to_string(point.crash.seed) + ", must hold units 1.." +
         std::to_string(point.lower) + ", may hold up to " + std::to_string(point.upper);
}

void CrashExplorer::CheckPoint(const CrashPoint& point, bool inner) {
  ++crash_points_;
  GlobalCrashCensus().Count(options_.wal_sync_policy, options_.log_mode, point.boundary);
  SCOPED_TRACE(Describe(point));
  const std::shared_ptr<MemoryFileSystem> disk =
      point.disk->CrashClone({0, CrashOptions::kProcessCrash, true});
  const std::unique_ptr<DB> db = OpenOrFail(WithFileSystem(disk), kDbDirectory);
  if (!db) return;
  const Contents found = ReadAll(*db);
  const std::optional<size_t> units = Match(found, point);
  if (!units) {
    ADD_FAILURE() << "no state of the history. Against units 1.." << point.lower << ": "
                  << Difference(states_[point.lower], found) << ". Against units 1.." << point.upper << ": "
                  << Difference(states_[point.upper], found);
    return;
  }
  if (!inner) WriteOn(point, db.get(), disk, states_[*units]);
}

void CrashExplorer::WriteOn(const CrashPoint& point, DB* db, std::shared_ptr<MemoryFileSystem> disk,
                            Contents expected) {
  const auto put = [&](const std::string& key, const std::string& value) {
    EXPECT_OK(db->Put(WriteOptions::Sync(), key, value));
    expected[key] = value;
  };
  if (!expected.empty()) put(expected.begin()->first, "written after the crash");
  put("new key", "new value");
  if (expected.size() > 2) {
    const std::string victim = expected.rbegin()->first;
    EXPECT_OK(db->Delete(WriteOptions::Sync(), victim));
    expected.erase(victim);
  }
  EXPECT_EQ(Difference(expected, ReadAll(*db)), "") << "before the second crash";
  // Everything here was written with a sync, so every kind of second crash keeps all of it.
  CrashOptions second = Crashes()[point.change % Crashes().size()];
  second.seed += point.change;
  const std::shared_ptr<MemoryFileSystem> after = disk->CrashClone(second);
  const std::unique_ptr<DB> reopened = OpenOrFail(WithFileSystem(after), kDbDirectory);
  if (!reopened) return;
  EXPECT_EQ(Difference(expected, ReadAll(*reopened)), "") << "after the second crash";
  EXPECT_OK(reopened->CompactRange());
  EXPECT_EQ(Difference(expected, ReadAll(*reopened)), "") << "after compaction";
}

std::vector<CrashExplorer::CrashPoint> CrashExplorer::CrashRecovery(const CrashPoint& point) {
  std::vector<CrashPoint> inner;
  const std::shared_ptr<MemoryFileSystem> disk =
      point.disk->CrashClone({0, CrashOptions::kProcessCrash, true});
  const auto collect = [&](FileOp op, const std::string& path, uint64_t) {
    std::set<uint64_t> seen;
    for (const CrashOptions& crash : Crashes()) {
      if (crash.kind == CrashOptions::kPowerCut && crash.seed > 1) continue;
      CrashPoint at;
      at.crash = crash;
      at.crash.seed += 100 * inner.size() + point.change;
      at.disk = disk->CrashClone(at.crash);
      if (crash.kind != CrashOptions::kProcessCrash && !seen.insert(Fingerprint(*at.disk)).second) continue;
      at.change = inner.size() + 1;
      at.boundary = BoundaryOf(op, path);
      inner.push_back(std::move(at));
    }
  };
  const auto watched = std::make_shared<FaultFileSystem>(disk);
  watched->SetHook(collect);
  const std::unique_ptr<DB> db = OpenOrFail(WithFileSystem(watched), kDbDirectory);
  watched->SetHook(nullptr);
  if (!db) return {};
  const std::optional<size_t> units = Match(ReadAll(*db), point);
  EXPECT_TRUE(units.has_value());
  if (!units) return {};
  for (CrashPoint& at : inner) {
    at.upper = *units;
    // What the first recovery read back from the disk after a power cut is on the disk; after a crash of the
    // process alone it may still be unsynced, and a power cut may then take what was never promised.
    const bool may_lose =
        point.crash.kind == CrashOptions::kProcessCrash && at.crash.kind != CrashOptions::kProcessCrash;
    at.lower = may_lose ? std::min(point.durable, *units) : *units;
    at.durable = at.lower;
  }
  return inner;
}

}  // namespace seerdb::testing
