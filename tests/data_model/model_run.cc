#include "tests/data_model/model_run.h"

#include <algorithm>

#include "base/coding.h"
#include "base/units.h"

namespace seerdb::testing {
namespace {

constexpr size_t kHistoryLines = 25;
constexpr size_t kSnapshotsMax = 4;
constexpr uint64_t kLargeBytes = 64;

// Shows the order of its operands and how they were grouped, and cannot combine them.
class Bracketing final : public MergeOperator {
 public:
  std::string Name() const override { return "test.bracketing"; }
  bool FullMerge(Slice key, std::optional<Slice> existing, std::span<const Slice> operands,
                 std::string* value) const override {
    *value = existing.has_value() ? std::string(*existing) : "()";
    for (const Slice operand : operands) *value = "<" + *value + std::string(operand) + ">";
    return key.starts_with("key ");
  }
};

// Removes what begins with "doomed", and renews what begins with "old".
class Gardener final : public CompactionFilter {
 public:
  FilterDecision Filter(const Entry& entry, std::string* value) const override {
    if (entry.value.starts_with("doomed")) return FilterDecision::kRemove;
    if (!entry.value.starts_with("old")) return FilterDecision::kKeep;
    *value = "new" + std::string(entry.value.substr(3));
    return FilterDecision::kChangeValue;
  }
};

std::optional<std::string> Garden(const std::string& value) {
  if (value.starts_with("doomed")) return std::nullopt;
  return value.starts_with("old") ? "new" + value.substr(3) : value;
}

std::string MergeNumbers(std::optional<std::string> base, const std::vector<std::string>& operands) {
  uint64_t sum = base.has_value() ? LoadU64(base->data()) : 0;
  for (const std::string& operand : operands) sum += LoadU64(operand.data());
  return U64Operand(sum);
}

std::string MergeBrackets(std::optional<std::string> base, const std::vector<std::string>& operands) {
  std::string value = base.value_or("()");
  for (const std::string& operand : operands) value = "<" + value + operand + ">";
  return value;
}

std::string MergeTexts(std::optional<std::string> base, const std::vector<std::string>& operands) {
  std::string text;
  bool first = true;
  if (base.has_value()) {
    text = *base;
    first = false;
  }
  for (const std::string& operand : operands) {
    if (!first) text += '|';
    first = false;
    text += operand;
  }
  return text;
}

}  // namespace

ModelRun::ModelRun(const std::string& name, const Options& options, uint64_t seed, uint64_t operations)
    : name_(name), options_(options), seed_(seed), operations_(operations), random_(seed) {
  options_.seed = seed | 1;
  options_.clock = clock_;
  options_.executor = NewCooperativeExecutor();
  options_.file_system = fs_;
  options_.separation_bytes = kLargeBytes;
  options_.value_segment_bytes = 64 << 10;
  options_.merge_operator = StringAppend("|");
  options_.merge_operators = {std::make_shared<const Bracketing>()};
  spaces_.push_back({"default", {}, MergeTexts, nullptr, {}});
  KeyspaceOptions numbers;
  numbers.merge_operator = U64Add();
  numbers.compression = CompressionType::kZstd;
  spaces_.push_back({"numbers", numbers, MergeNumbers, nullptr, {}});
  KeyspaceOptions brackets;
  brackets.merge_operator = std::make_shared<const Bracketing>();
  spaces_.push_back({"brackets", brackets, MergeBrackets, nullptr, {}});
  KeyspaceOptions fading;
  fading.merge_operator = StringAppend("|");
  fading.default_ttl_us = 50 * kMicrosPerSecond;
  spaces_.push_back({"fading", fading, MergeTexts, nullptr, {}});
  KeyspaceOptions garden;
  garden.merge_operator = StringAppend("|");
  garden.compaction_filter = std::make_shared<const Gardener>();
  spaces_.push_back({"garden", garden, MergeTexts, Garden, {}});
}

bool ModelRun::Run() {
  if (!Open()) return false;
  for (index_ = 0; index_ < operations_ && !failed_; ++index_) {
    Step();
    if (!failed_) Maintain();
  }
  if (!failed_) CompareAll(model_, nullptr);
  if (!failed_) Reopen(false);
  if (!failed_) CompareAll(model_, nullptr);
  snapshots_.clear();
  if (db_ && !failed_) Check(db_->Close(), "the last Close");
  return !failed_;
}

void ModelRun::Step() {
  while (random_.OneIn(2) && options_.executor->RunOne()) {
  }
  if (random_.OneIn(8)) clock_->Advance(random_.Uniform(6 * kMicrosPerSecond));
  const uint64_t choice = random_.Uniform(100);
  if (choice < 13) return PutOne();
  if (choice < 16) return CommitTransactionOfSome();
  if (choice < 44) return MergeOne();
  if (choice < 48) return DeleteOne();
  if (choice < 50) return DeleteRangeOne();
  if (choice < 58) return WriteBatchOfSome();
  if (choice < 60) return BulkLoadSome();
  if (choice < 84) return GetSome();
  if (choice < 92) return ScanOne();
  if (choice < 97) return ScanWithSkipLimit();
  return HoldSnapshot();
}

void ModelRun::Maintain() {
  if (random_.OneIn(60)) {
    Note("Flush");
    Check(db_->Flush(), "Flush");
    features_.Note(kFlushed);
  }
  if (random_.OneIn(150)) {
    Note("CompactRange");
    Check(db_->CompactRange(), "CompactRange");
    features_.Note(kCompacted);
  }
  if (random_.OneIn(300)) CompareAll(model_, nullptr);
  if (random_.OneIn(400)) Reopen(random_.OneIn(2));
  if (random_.OneIn(900)) DropAndMakeAgain();
}

bool ModelRun::Open() {
  auto opened = DB::Open(options_, "/db");
  if (!Check(opened.status(), "Open")) return false;
  db_ = *std::move(opened);
  for (Space& space : spaces_) {
    const bool first = space.name == "default" || db_->FindKeyspace(space.name).ok();
    // Options are kept, but for a filter: a later open need not give them.
    const auto handle = first && space.filter == nullptr ? db_->OpenKeyspace(space.name)
                                                         : db_->OpenKeyspace(space.name, space.options);
    if (!Check(handle.status(), "OpenKeyspace " + space.name)) return false;
    space.handle = *handle;
  }
  return true;
}

void ModelRun::Reopen(bool crash) {
  Note(crash ? "process crash and open" : "close and open");
  snapshots_.clear();
  for (Space& space : spaces_) space.handle = Keyspace();
  if (crash) {
    std::shared_ptr<MemoryFileSystem> survivor =
        fs_->CrashClone({random_.Next(), CrashOptions::kProcessCrash, true});
    db_.reset();
    options_.file_system = fs_ = std::move(survivor);
    ++crashes_;
  } else {
    if (!Check(db_->Close(), "Close")) return;
    db_.reset();
  }
  features_.Note(kReopened);
  Open();
}

void ModelRun::DropAndMakeAgain() {
  Space& space = spaces_[1 + random_.Uniform(spaces_.size() - 1)];
  Note("drop keyspace " + space.name);
  if (!Check(db_->DropKeyspace(space.handle), "DropKeyspace")) return;
  model_.DropKeyspace(space.name);
  for (HeldSnapshot& held : snapshots_) held.model.DropKeyspace(space.name);
  const auto made = db_->OpenKeyspace(space.name, space.options);
  if (Check(made.status(), "OpenKeyspace")) space.handle = *made;
}

std::string ModelRun::ValueFor(const Space& space) {
  if (space.name == "numbers") return U64Operand(random_.Uniform(1000));
  if (space.filter != nullptr && !random_.OneIn(4)) {
    return (random_.OneIn(2) ? "doomed " : "old ") + std::to_string(index_) +
           std::string(random_.OneIn(4) ? 2 * kLargeBytes : 0, '.');
  }
  if (random_.OneIn(5)) return std::to_string(index_) + std::string(kLargeBytes + random_.Uniform(400), 'V');
  return random_.OneIn(30) ? std::string(random_.Uniform(3000), 'L') : "v" + std::to_string(index_);
}

std::string ModelRun::OperandFor(const Space& space) {
  if (space.name == "numbers") return U64Operand(random_.Uniform(1000));
  if (space.name == "brackets") return std::string(1, static_cast<char>('a' + random_.Uniform(26)));
  return random_.OneIn(20) ? "" : "m" + std::to_string(index_);
}

uint64_t ModelRun::AnyTtl(const Space& space, bool merge, uint64_t* expires_us) {
  constexpr uint64_t kTtls[] = {0, 0, 0, kNoTtl, 10 * kMicrosPerSecond, 40 * kMicrosPerSecond};
  const uint64_t given = kTtls[random_.Uniform(std::size(kTtls))];
  uint64_t ttl = given != 0 ? given : space.options.default_ttl_us;
  *expires_us = kForEver;
  if (ttl == 0 || ttl == kNoTtl) return given;
  *expires_us = Now() + ttl;
  if (merge) *expires_us -= *expires_us % (ttl / 64);
  return given;
}

void ModelRun::Met(Feature feature, const Space& space, const std::string& key) {
  std::vector<Feature> features{feature};
  if (space.name != "default" && feature != kKeyspaces) features.push_back(kKeyspaces);
  if (space.filter != nullptr) features.push_back(kFilters);
  features_.Note(features, space.name + "/" + key);
}

void ModelRun::MetValue(const Space& space, const std::string& key, const std::string& value) {
  if (value.size() >= kLargeBytes) Met(kLargeValues, space, key);
}

void ModelRun::CommitTransactionOfSome() {
  auto begun = db_->BeginTransaction();
  if (!Check(begun.status(), "BeginTransaction")) return;
  Transaction& transaction = **begun;
  VersionModel after = model_;
  std::string note = "transaction";
  for (uint64_t n = 1 + random_.Uniform(4); n > 0; --n) {
    Space& space = AnySpace();
    const std::string key = AnyKey();
    ModelVersion version;
    const uint64_t kind = random_.Uniform(3);
    Status status;
    const uint64_t default_ttl_us = space.options.default_ttl_us;
    if (kind == 0) {
      version.kind = ModelVersion::kDelete;
      status = transaction.Delete(space.handle, key);
    } else if (kind == 1) {
      version.value = ValueFor(space);
      if (default_ttl_us != 0) version.expires_us = Now() + default_ttl_us;
      MetValue(space, key, version.value);
      status = transaction.Put(space.handle, key, version.value);
    } else {
      version = {ModelVersion::kMerge, OperandFor(space), kForEver};
      if (default_ttl_us != 0) {
        version.expires_us = Now() + default_ttl_us;
        version.expires_us -= version.expires_us % (default_ttl_us / 64);
      }
      Met(kMerges, space, key);
      status = transaction.Merge(space.handle, key, version.value);
    }
    if (!Check(status, "an operation of a transaction")) return;
    if (version.expires_us != kForEver) Met(kExpiry, space, key);
    Met(kTransactions, space, key);
    note += " " + std::to_string(kind) + ":" + space.name + "/" + key;
    after.Add({space.name, key}, std::move(version));
  }
  Note(note);
  if (Check(transaction.Commit(), "Commit")) model_ = std::move(after);
}

void ModelRun::PutOne() {
  Space& space = AnySpace();
  const std::string key = AnyKey(), value = ValueFor(space);
  ModelVersion version{ModelVersion::kPut, value, kForEver};
  WriteOptions options = WriteOptions::Ttl(AnyTtl(space, false, &version.expires_us));
  Note("Put " + space.name + "/" + key + " ttl " + std::to_string(options.ttl_us));
  if (version.expires_us != kForEver) Met(kExpiry, space, key);
  if (space.name != "default") Met(kKeyspaces, space, key);
  MetValue(space, key, value);
  if (Check(space.handle.Put(options, key, value), "Put")) model_.Add({space.name, key}, std::move(version));
}

void ModelRun::MergeOne() {
  Space& space = AnySpace();
  const std::string key = AnyKey();
  // Often several on the same key, so that chains are long.
  for (uint64_t n = random_.OneIn(3) ? random_.Uniform(20) : 1; n > 0; --n) {
    ModelVersion version{ModelVersion::kMerge, OperandFor(space), kForEver};
    WriteOptions options = WriteOptions::Ttl(AnyTtl(space, true, &version.expires_us));
    Note("Merge " + space.name + "/" + key + " ttl " + std::to_string(options.ttl_us));
    Met(kMerges, space, key);
    if (version.expires_us != kForEver) Met(kExpiry, space, key);
    if (!Check(space.handle.Merge(options, key, version.value), "Merge")) return;
    model_.Add({space.name, key}, std::move(version));
  }
}

void ModelRun::DeleteOne() {
  Space& space = AnySpace();
  const std::string key = AnyKey();
  Note("Delete " + space.name + "/" + key);
  if (Check(space.handle.Delete(key), "Delete"))
    model_.Add({space.name, key}, {ModelVersion::kDelete, "", kForEver});
}

void ModelRun::AnyRange(std::string* begin, std::string* end) {
  *begin = random_.OneIn(8) ? "" : AnyKey();
  *end = random_.OneIn(8) ? "" : AnyKey();
  if (random_.OneIn(4)) *end = *begin + '\0';  // one key
  if (!end->empty() && *end < *begin) std::swap(*begin, *end);
}

void ModelRun::MetInRange(Feature feature, const Space& space, const std::string& begin,
                          const std::string& end) {
  for (uint64_t i = 0; i < kKeys; ++i) {
    const std::string key = KeyOf(i);
    if (key >= begin && (end.empty() || key < end)) Met(feature, space, key);
  }
}

void ModelRun::DeleteRangeOne() {
  Space& space = AnySpace();
  std::string begin, end;
  AnyRange(&begin, &end);
  Note("DeleteRange " + space.name + " [" + begin + ", " + end + ")");
  MetInRange(kRanges, space, begin, end);
  const std::optional<Slice> to = end.empty() ? std::nullopt : std::optional<Slice>(end);
  if (Check(space.handle.DeleteRange(begin, to), "DeleteRange")) {
    model_.DeleteRange(space.name, begin, end);
  }
}

void ModelRun::WriteBatchOfSome() {
  WriteBatch batch;
  std::string note = "batch";
  VersionModel after = model_;
  for (uint64_t n = 1 + random_.Uniform(6); n > 0; --n) {
    Space& space = AnySpace();
    const std::string key = AnyKey();
    ModelVersion version;
    const uint64_t kind = random_.OneIn(10) ? 4 : random_.Uniform(4);
    const uint64_t default_ttl_us = space.options.default_ttl_us;
    if (kind == 4) {
      std::string begin, end;
      AnyRange(&begin, &end);
      batch.DeleteRange(space.handle, begin, end.empty() ? std::nullopt : std::optional<Slice>(end));
      after.DeleteRange(space.name, begin, end);
      MetInRange(kBatches, space, begin, end);
      MetInRange(kRanges, space, begin, end);
      note += " 4:" + space.name + "/[" + begin + ", " + end + ")";
      continue;
    }
    if (kind == 0) {
      version.kind = ModelVersion::kDelete;
      batch.Delete(space.handle, key);
    } else if (kind == 1) {
      version = {ModelVersion::kMerge, OperandFor(space), kForEver};
      if (default_ttl_us != 0) {
        version.expires_us = Now() + default_ttl_us;
        version.expires_us -= version.expires_us % (default_ttl_us / 64);
      }
      Met(kMerges, space, key);
      batch.Merge(space.handle, key, version.value);
    } else if (kind == 2) {
      version.value = ValueFor(space);
      if (default_ttl_us != 0) version.expires_us = Now() + default_ttl_us;
      batch.Put(space.handle, key, version.value);
    } else {
      version.value = ValueFor(space);
      const uint64_t ttl = AnyTtl(space, false, &version.expires_us);
      batch.PutWithTtl(space.handle, key, version.value, ttl);
    }
    if (version.expires_us != kForEver) Met(kExpiry, space, key);
    Met(kBatches, space, key);
    if (version.kind == ModelVersion::kPut) MetValue(space, key, version.value);
    note += " " + std::to_string(kind) + ":" + space.name + "/" + key;
    after.Add({space.name, key}, std::move(version));
  }
  Note(note);
  if (Check(db_->Write(batch), "Write")) model_ = std::move(after);
}

void ModelRun::BulkLoadSome() {
  Space& space = AnySpace();
  std::vector<std::pair<std::string, std::string>> entries;
  for (uint64_t n = 1 + random_.Uniform(4); n > 0; --n) entries.emplace_back(AnyKey(), ValueFor(space));
  Note("BulkLoad of " + std::to_string(entries.size()) + " into " + space.name);
  BulkLoadOptions options;
  options.keyspace = &space.handle;
  if (!Check(db_->BulkLoad(options, entries).status(), "BulkLoad")) return;
  for (const auto& [key, value] : entries) {
    Met(kBulkLoads, space, key);
    MetValue(space, key, value);
    model_.Add({space.name, key}, {ModelVersion::kPut, value, kForEver});
  }
}

const ModelRun::HeldSnapshot* ModelRun::AnySnapshot(const Space& space) {
  if (snapshots_.empty()) return nullptr;
  const HeldSnapshot& held = snapshots_[random_.Uniform(snapshots_.size())];
  return std::count(held.names.begin(), held.names.end(), space.name) != 0 ? &held : nullptr;
}

void ModelRun::GetSome() {
  Space& space = AnySpace();
  std::vector<std::string> keys;
  for (uint64_t n = 1 + random_.Uniform(3); n > 0; --n) keys.push_back(AnyKey());
  const HeldSnapshot* const held = random_.OneIn(3) ? AnySnapshot(space) : nullptr;
  ReadOptions options;
  if (held != nullptr) options.snapshot = &held->snapshot;
  const std::vector<Slice> slices(keys.begin(), keys.end());
  Note("Get of " + std::to_string(keys.size()) + " in " + space.name +
       (held != nullptr ? " at a snapshot" : ""));
  const auto answers = space.handle.MultiGet(options, slices);
  for (size_t i = 0; i < keys.size() && !failed_; ++i) {
    if (held != nullptr) Met(kSnapshots, space, keys[i]);
    if (!Check(answers[i].status(), "Get")) return;
    std::optional<std::string> found;
    if (answers[i]->has_value()) found = (*answers[i])->slice();
    const auto want = Want(space, held != nullptr ? held->model : model_, keys[i], found);
    const std::string got = answers[i]->has_value() ? "=" + std::string((*answers[i])->slice()) : "none";
    if (got != (want.has_value() ? "=" + *want : "none")) {
      Fail("Get " + space.name + "/" + keys[i] + ": " + Printable(got, 200) + ", want " +
           (want.has_value() ? Printable(*want, 200) : "none"));
    }
  }
}

std::optional<std::string> ModelRun::Want(const Space& space, const VersionModel& model,
                                          const std::string& key, const std::optional<std::string>& got) {
  auto want = model.Get({space.name, key}, Now(), space.merge);
  if (want != got && &model == &model_ && space.filter != nullptr &&
      model_.TakeFiltered({space.name, key}, Now(), space.merge, space.filter, got)) {
    want = got;
  }
  return want;
}

void ModelRun::TakeAllFiltered() {
  for (const Space& space : spaces_) {
    if (space.filter == nullptr) continue;
    for (const auto& [key, value] : model_.All(space.name, Now(), space.merge)) {
      const auto got = space.handle.Get(key);
      if (!Check(got.status(), "Get")) return;
      Want(space, model_, key, got->has_value() ? std::optional<std::string>((*got)->slice()) : std::nullopt);
    }
  }
}

bool ModelRun::SameScan(const Space& space, const VersionModel& model, const Snapshot* snapshot, bool reverse,
                        const std::string& lower, const std::string& upper) {
  if (snapshot == nullptr) TakeAllFiltered();
  std::map<std::string, std::string> want = model.All(space.name, Now(), space.merge);
  want.erase(want.begin(), want.lower_bound(lower));
  if (!upper.empty()) want.erase(want.lower_bound(upper), want.end());
  std::vector<std::pair<std::string, std::string>> listed(want.begin(), want.end());
  if (reverse) std::reverse(listed.begin(), listed.end());
  ReadOptions options;
  options.snapshot = snapshot;
  options.lower_bound = lower;
  options.upper_bound = upper;
  options.keys_only = random_.OneIn(4);
  Scan scan = space.handle.Scan(options);
  if (reverse) scan = std::move(scan).Reverse();
  size_t at = 0;
  for (const ScanEntry& entry : scan) {
    if (!Check(entry.status(), "Scan of " + space.name)) return false;
    if (at == listed.size()) {
      Fail("scan of " + space.name + " gave " + Printable(entry.key()) + " behind the end");
      return false;
    }
    if (entry.key() != listed[at].first || (!options.keys_only && entry.value() != listed[at].second)) {
      Fail("scan of " + space.name + (reverse ? " backward" : "") + " gave " + Printable(entry.key()) + "=" +
           Printable(entry.value(), 200) + ", want " + listed[at].first + "=" +
           Printable(listed[at].second, 200));
      return false;
    }
    ++at;
  }
  if (at != listed.size()) Fail("scan of " + space.name + " ended before " + listed[at].first);
  return !failed_;
}

void ModelRun::ScanOne() {
  Space& space = AnySpace();
  const HeldSnapshot* const held = random_.OneIn(3) ? AnySnapshot(space) : nullptr;
  std::string lower = random_.OneIn(3) ? AnyKey() : "", upper = random_.OneIn(3) ? AnyKey() : "";
  if (!upper.empty() && upper < lower) std::swap(lower, upper);
  Note("scan " + space.name + " [" + lower + ", " + upper + ")" + (held != nullptr ? " at a snapshot" : ""));
  SameScan(space, held != nullptr ? held->model : model_, held != nullptr ? &held->snapshot : nullptr,
           random_.OneIn(2), lower, upper);
}

// Goes on after each stop, and must come to the same.
void ModelRun::ScanWithSkipLimit() {
  Space& space = AnySpace();
  ReadOptions options;
  options.max_skipped = 1 + random_.Uniform(5);
  const bool reverse = random_.OneIn(2);
  Note("scan " + space.name + " with max_skipped " + std::to_string(options.max_skipped));
  TakeAllFiltered();
  const auto want = model_.All(space.name, Now(), space.merge);
  const std::unique_ptr<Iterator> it = space.handle.NewIterator(options);
  std::map<std::string, std::string> got;
  reverse ? it->SeekToLast() : it->SeekToFirst();
  for (uint64_t steps = 0; steps < 100'000; ++steps) {
    if (it->Valid()) {
      Met(kSkipLimits, space, std::string(it->key()));
      got[std::string(it->key())] = it->value();
    } else if (it->status().detail() != StatusDetail::kSkipLimit) {
      break;
    }
    reverse ? it->Prev() : it->Next();
  }
  if (!Check(it->status(), "scan with max_skipped")) return;
  if (got != want) Fail("scan of " + space.name + " with max_skipped: " + Difference(want, got));
}

void ModelRun::HoldSnapshot() {
  if (snapshots_.size() == kSnapshotsMax || (!snapshots_.empty() && random_.OneIn(2))) {
    Note("release a snapshot");
    std::swap(snapshots_[random_.Uniform(snapshots_.size())], snapshots_.back());
    snapshots_.pop_back();
    return;
  }
  Note("take a snapshot");
  HeldSnapshot& held = snapshots_.emplace_back();
  held.snapshot = db_->GetSnapshot();
  TakeAllFiltered();
  held.model = model_;
  for (const Space& space : spaces_) held.names.push_back(space.name);
}

void ModelRun::CompareAll(const VersionModel& model, const Snapshot* snapshot) {
  Note("compare everything");
  for (const Space& space : spaces_) {
    if (!SameScan(space, model, snapshot, false, "", "") || !SameScan(space, model, snapshot, true, "", ""))
      return;
  }
  for (const HeldSnapshot& held : snapshots_) {
    for (const Space& space : spaces_) {
      if (!SameScan(space, held.model, &held.snapshot, random_.OneIn(2), "", "")) return;
    }
  }
  Check(db_->Verify().status(), "Verify");
}

void ModelRun::Note(std::string text) {
  history_.push_back("#" + std::to_string(index_) + " " + std::move(text));
  if (history_.size() > kHistoryLines) history_.pop_front();
}

bool ModelRun::Check(const Status& status, const std::string& what) {
  if (!status.ok()) Fail(what + ": " + status.ToString());
  return status.ok();
}

void ModelRun::Fail(const std::string& what) {
  if (failed_) return;
  failed_ = true;
  std::string story;
  for (const std::string& line : history_) story += "\n  " + line;
  ADD_FAILURE() << "options " << name_ << ", operation " << index_ << ", replay with SEERDB_SEED=" << seed_
                << ":\n"
                << what << "\nlast operations:" << story;
}

}  // namespace seerdb::testing
