#include "tests/faults/fault_run.h"

#include <algorithm>

namespace seerdb::testing {

std::vector<CrashOptions> AllCrashes() {
  return {{0, CrashOptions::kProcessCrash, true},
          {0, CrashOptions::kDropUnsynced, true},
          {1, CrashOptions::kPowerCut, true},
          {2, CrashOptions::kPowerCut, false}};
}

FaultRun::FaultRun(const Options& options, bool cooperative)
    : options_(options), cooperative_(cooperative), states_(1) {}

Options FaultRun::WithFiles(std::shared_ptr<FileSystem> fs) const {
  Options options = options_;
  options.file_system = std::move(fs);
  if (cooperative_) {
    options.executor = NewCooperativeExecutor();
    options.background_flush = true;
    options.background_compaction = true;
  }
  return options;
}

Status FaultRun::Open() {
  open_options_ = WithFiles(faults_);
  auto opened = DB::Open(open_options_, kFaultDirectory);
  if (!opened.ok()) return opened.status();
  db_ = *std::move(opened);
  return Status::Ok();
}

void FaultRun::Apply(const std::vector<Operation>& operations, Contents* contents) {
  for (const auto& [key, value] : operations) {
    if (value) {
      (*contents)[key] = *value;
    } else {
      contents->erase(key);
    }
  }
}

Status FaultRun::Put(const std::string& key, const std::string& value, const WriteOptions& how) {
  return Write({{key, value}}, how);
}

Status FaultRun::Write(const std::vector<Operation>& operations, const WriteOptions& how) {
  WriteBatch batch;
  for (const auto& [key, value] : operations) {
    value ? batch.Put(key, *value) : batch.Delete(key);
  }
  in_flight_ = operations;
  const Status status = db_->Write(how, batch);
  in_flight_.reset();
  if (status.ok()) {
    failed_.clear();  // writes go on, so they have resumed
    states_.push_back(states_.back());
    Apply(operations, &states_.back());
    const bool by_policy = options_.wal_sync_policy >= SyncPolicy::kSyncData;
    if (how.sync == WriteSync::kSync || (how.sync == WriteSync::kByPolicy && by_policy && !how.skip_wal)) {
      NoteAllDurable();
    }
  } else if (!status.IsReadOnly()) {
    failed_.push_back(operations);
  }
  return status;
}

Status FaultRun::PutUntilFailure(int limit, size_t bytes) {
  for (int i = 0; i < limit; ++i) {
    const std::string key = "filling" + std::to_string(puts_++ % 23);
    const Status status = Put(key, std::to_string(puts_) + std::string(bytes, 'f'));
    if (!status.ok()) return status;
    if (puts_ % 4 == 0) RunTasks();
  }
  return Status::Ok();
}

Status FaultRun::Flush() {
  const Status status = db_->Flush();
  if (status.ok()) {
    failed_.clear();
    NoteAllDurable();
  }
  return status;
}

Status FaultRun::CompactRange() {
  const Status status = db_->CompactRange();
  if (status.ok()) {
    failed_.clear();
    NoteAllDurable();
  }
  return status;
}

Status FaultRun::Resume() {
  const Status status = db_->Resume();
  if (status.ok()) failed_.clear();
  return status;
}

Status FaultRun::Close() {
  const Status status = db_->Close();
  db_.reset();
  if (status.ok()) {
    failed_.clear();
    NoteAllDurable();
  }
  return status;
}

void FaultRun::RunTasks() {
  if (!cooperative_) return;
  for (int task = 0; task < 100 && open_options_.executor->RunOne(); ++task) {
  }
}

FaultRun::Allowed FaultRun::AllowedAfter(CrashOptions::Kind kind) const {
  Allowed allowed;
  allowed.upper = states_.size() - 1;
  allowed.lower = kind == CrashOptions::kProcessCrash ? allowed.upper : durable_;
  Contents with_failed = states_.back();
  for (const auto& operations : failed_) {
    Apply(operations, &with_failed);
    allowed.alternatives.push_back(with_failed);
  }
  if (in_flight_) {
    Contents with_next = states_.back();
    Apply(*in_flight_, &with_next);
    allowed.alternatives.push_back(std::move(with_next));
  }
  return allowed;
}

void FaultRun::CollectNow(const std::vector<CrashOptions>& crashes) {
  for (const CrashOptions& crash : crashes) {
    CrashOptions seeded = crash;
    if (crash.kind == CrashOptions::kPowerCut) seeded.seed += 10 * moments_.size();
    Moment moment;
    moment.disk = disk_->CrashClone(seeded);
    moment.allowed = AllowedAfter(crash.kind);
    moment.what = "moment " + std::to_string(moments_.size()) + ", crash kind " + std::to_string(crash.kind) +
                  ", seed " + std::to_string(seeded.seed);
    moments_.push_back(std::move(moment));
  }
}

void FaultRun::Collect(std::vector<CrashOptions> crashes) {
  crashes_ = std::move(crashes);
  faults_->SetHook([this](FileOp, const std::string&, uint64_t) { CollectNow(crashes_); });
}

void FaultRun::StopCollecting() { faults_->SetHook(nullptr); }

uint64_t FaultRun::CheckCollected() {
  const uint64_t count = moments_.size();
  for (const Moment& moment : moments_) {
    CheckMoment(moment);
    if (::testing::Test::HasFailure()) break;
  }
  moments_.clear();
  return count;
}

void FaultRun::CheckMoment(const Moment& moment) {
  SCOPED_TRACE(moment.what);
  const Options options = WithFiles(moment.disk);
  std::unique_ptr<DB> db = OpenOrFail(options, kFaultDirectory);
  if (!db) return;
  Contents found = ReadAll(*db);
  const Allowed& allowed = moment.allowed;
  bool matches = std::find(allowed.alternatives.begin(), allowed.alternatives.end(), found) !=
                 allowed.alternatives.end();
  for (size_t i = allowed.lower; i <= allowed.upper && !matches; ++i) matches = found == states_[i];
  if (!matches) {
    ADD_FAILURE() << "no state that may be here. Against the newest: "
                  << Difference(states_[allowed.upper], found)
                  << ". Against the oldest: " << Difference(states_[allowed.lower], found);
    return;
  }
  // It takes new writes, and keeps them through a second crash.
  EXPECT_OK(db->Put(WriteOptions::Sync(), "after the crash", "written"));
  found["after the crash"] = "written";
  const auto second = moment.disk->CrashClone({0, CrashOptions::kDropUnsynced, true});
  db = OpenOrFail(WithFiles(second), kFaultDirectory);
  if (!db) return;
  EXPECT_EQ(Difference(found, ReadAll(*db)), "") << "after a second crash";
}

std::string FaultRun::LiveDifference() { return Difference(states_.back(), ReadAll(*db_)); }

std::vector<std::string> FaultRun::TableFiles() const {
  std::vector<std::string> tables;
  const auto names = disk_->ListDirectory(kFaultDirectory);
  for (const std::string& name : *names) {
    if (name.find(".sst") != std::string::npos) tables.push_back(name);
  }
  return tables;
}

}  // namespace seerdb::testing
