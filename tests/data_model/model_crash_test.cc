// Histories with every feature of the data model, crashed before each change of the file system: what is
// found then is the state after some unit, no earlier than what was promised.
#include <set>

#include "base/units.h"
#include "env/fault_file_system.h"
#include "env/manual_clock.h"
#include "env/memory_file_system.h"
#include "tests/data_model/version_model.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

const char* const kNames[] = {"default", "texts", "filtered"};

std::string Join(std::optional<std::string> base, const std::vector<std::string>& operands) {
  std::string text = base.value_or("");
  bool first = !base.has_value();
  for (const std::string& operand : operands) {
    if (!first) text += '|';
    first = false;
    text += operand;
  }
  return text;
}

class Doom final : public CompactionFilter {
 public:
  FilterDecision Filter(const Entry& entry, std::string*) const override {
    return entry.value.starts_with("doomed") ? FilterDecision::kRemove : FilterDecision::kKeep;
  }
};

// What the database is after a unit.
struct State {
  VersionModel model;
  std::set<std::string> names;

  // Every keyspace with its keys, "name/key". What a filter removes is left out: it may or may not be there.
  Contents Show(uint64_t now_us) const {
    Contents contents;
    for (const std::string& name : names) {
      contents[name] = "keyspace";
      for (const auto& [key, value] : model.All(name, now_us, Join)) {
        if (!value.starts_with("doomed")) contents[name + "/" + key] = value;
      }
    }
    return contents;
  }
};

struct CrashPoint {
  std::shared_ptr<MemoryFileSystem> disk;
  size_t lower = 0;
  size_t upper = 0;
  uint64_t now_us = 0;
  std::string what;
};

class History {
 public:
  History(const Options& options, uint64_t seed) : options_(options), random_(seed) {
    options_.seed = seed | 1;
    options_.clock = clock_;
    options_.merge_operator = StringAppend("|");
    states_.push_back({VersionModel(), {"default"}});
  }

  void Run(uint64_t steps) {
    disk_ = std::make_shared<MemoryFileSystem>();
    const auto watched = std::make_shared<FaultFileSystem>(disk_);
    watched->SetHook([this](FileOp, const std::string& path, uint64_t) { Collect(path); });
    options_.file_system = watched;
    db_ = OpenOrFail(options_, "/db");
    for (uint64_t i = 0; i < steps && db_ && !::testing::Test::HasFailure(); ++i) Step();
    watched->SetHook(nullptr);
    db_.reset();
  }

  // Opens what each crash has left.
  void Check() {
    for (const CrashPoint& point : points_) {
      SCOPED_TRACE(point.what);
      clock_->SetWallMicros(point.now_us);
      options_.file_system = point.disk;
      const auto db = OpenOrFail(options_, "/db");
      if (!db) return;
      const Contents found = Found(db.get());
      size_t units = point.upper + 1;
      while (units > point.lower && states_[units - 1].Show(point.now_us) != found) --units;
      if (units == point.lower) {
        ADD_FAILURE() << "no state of the history from " << point.lower << " to " << point.upper
                      << "; against " << point.upper << ": "
                      << Difference(states_[point.upper].Show(point.now_us), found);
        return;
      }
      // It goes on from there, also through what makes entries move.
      EXPECT_OK(db->CompactRange());
      EXPECT_EQ(Difference(found, Found(db.get())), "");
    }
  }
  size_t crash_points() const { return points_.size(); }

 private:
  void Collect(const std::string& path) {
    for (const auto kind :
         {CrashOptions::kProcessCrash, CrashOptions::kDropUnsynced, CrashOptions::kPowerCut}) {
      CrashPoint& point = points_.emplace_back();
      point.disk = disk_->CrashClone({points_.size(), kind, true});
      point.lower = kind == CrashOptions::kProcessCrash ? acknowledged_ : durable_;
      point.upper = states_.size() - 1;
      point.now_us = clock_->WallMicros();
      point.what = "crash of kind " + std::to_string(kind) + " before a change of " + path;
    }
  }

  Contents Found(DB* db) {
    Contents contents;
    for (const KeyspaceInfo& info : db->ListKeyspaces()) {
      contents[info.name] = "keyspace";
      const auto keyspace = Open(db, info.name);
      for (const ScanEntry& entry : keyspace.Scan()) {
        EXPECT_OK(entry.status());
        if (entry.value().starts_with("doomed")) continue;
        contents[info.name + "/" + std::string(entry.key())] = entry.value();
      }
    }
    return contents;
  }

  static Keyspace Open(DB* db, const std::string& name) {
    KeyspaceOptions options;
    options.merge_operator = StringAppend("|");
    if (name == "texts") options.default_ttl_us = 20 * kMicrosPerSecond;
    if (name == "filtered") options.compaction_filter = std::make_shared<const Doom>();
    const Result<Keyspace> opened = db->OpenKeyspace(name, options);
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    return opened.ok() ? *opened : Keyspace();
  }

  // A unit takes effect whole or not at all; `state` is that after it.
  void Begin(State state) { states_.push_back(std::move(state)); }
  void End(const Status& status, bool synced) {
    EXPECT_OK(status);
    acknowledged_ = states_.size() - 1;
    if (synced) durable_ = acknowledged_;
  }

  void Step() {
    clock_->Advance(random_.Uniform(3 * kMicrosPerSecond));
    const uint64_t choice = random_.Uniform(20);
    if (choice < 14) return WriteSome();
    if (choice == 14) return Drop();
    if (choice == 15) return Load();
    if (choice < 18) {
      EXPECT_OK(db_->Flush());
      durable_ = acknowledged_;
      return;
    }
    EXPECT_OK(db_->CompactRange());
    durable_ = acknowledged_;
  }

  // The handle of a keyspace, which is made first if it is not there: a unit of its own.
  Keyspace Any(std::string* name) {
    *name = kNames[random_.Uniform(std::size(kNames))];
    if (!states_.back().names.contains(*name)) {
      State state = states_.back();
      state.names.insert(*name);
      Begin(std::move(state));
      const Keyspace made = Open(db_.get(), *name);
      // The manifest is synced; the log before it is not.
      acknowledged_ = states_.size() - 1;
      return made;
    }
    return Open(db_.get(), *name);
  }

  void WriteSome() {
    std::string name, other;
    const Keyspace keyspace = Any(&name), second = Any(&other);
    State state = states_.back();
    WriteBatch batch;
    for (uint64_t n = 1 + random_.Uniform(4); n > 0; --n) {
      const bool first = random_.OneIn(2);
      Add(first ? keyspace : second, first ? name : other, &batch, &state);
    }
    Begin(std::move(state));
    const bool sync = options_.wal_sync_policy >= SyncPolicy::kSyncData;
    End(db_->Write(batch), sync);
  }

  void Add(const Keyspace& keyspace, const std::string& name, WriteBatch* batch, State* state) {
    const std::string key = "k" + std::to_string(random_.Uniform(8));
    const uint64_t default_ttl_us = name == "texts" ? 20 * kMicrosPerSecond : 0;
    const uint64_t now_us = clock_->WallMicros();
    ModelVersion version;
    version.value =
        (name == "filtered" && random_.OneIn(2) ? "doomed" : "v") + std::to_string(states_.size());
    const uint64_t kind = random_.Uniform(5);
    if (kind == 4) {
      const std::string end = "k" + std::to_string(random_.Uniform(9));
      if (end < key) return;
      batch->DeleteRange(keyspace, key, Slice(end));
      state->model.DeleteRange(name, key, end);
      return;
    }
    if (kind == 0) {
      version.kind = ModelVersion::kDelete;
      batch->Delete(keyspace, key);
    } else if (kind == 1 && name != "filtered") {
      version.kind = ModelVersion::kMerge;
      if (default_ttl_us != 0) {
        version.expires_us = now_us + default_ttl_us;
        version.expires_us -= version.expires_us % (default_ttl_us / 64);
      }
      batch->Merge(keyspace, key, version.value);
    } else if (kind == 2) {
      if (default_ttl_us != 0) version.expires_us = now_us + default_ttl_us;
      batch->Put(keyspace, key, version.value);
    } else {
      version.expires_us = now_us + 5 * kMicrosPerSecond;
      batch->PutWithTtl(keyspace, key, version.value, 5 * kMicrosPerSecond);
    }
    state->model.Add({name, key}, std::move(version));
  }

  void Drop() {
    std::string name;
    const Keyspace keyspace = Any(&name);
    if (name == "default") return;
    State state = states_.back();
    state.names.erase(name);
    state.model.DropKeyspace(name);
    Begin(std::move(state));
    EXPECT_OK(db_->DropKeyspace(keyspace));
    acknowledged_ = states_.size() - 1;
  }

  void Load() {
    std::string name;
    const Keyspace keyspace = Any(&name);
    State state = states_.back();
    const std::string value = "loaded" + std::to_string(states_.size());
    state.model.Add({name, "k3"}, {ModelVersion::kPut, value, kForEver});
    Begin(std::move(state));
    BulkLoadOptions options;
    options.keyspace = &keyspace;
    const std::vector<std::pair<std::string, std::string>> entries{{"k3", value}};
    End(db_->BulkLoad(options, entries).status(), true);
  }

  Options options_;
  Random random_;
  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
  std::shared_ptr<MemoryFileSystem> disk_;
  std::unique_ptr<DB> db_;
  std::vector<State> states_;
  std::vector<CrashPoint> points_;
  size_t acknowledged_ = 0;
  size_t durable_ = 0;
};

// With unsynced writes, a keyspace that is made or dropped by a synced edit may outlive writes that came
// before it: the state found then is none of the history's. So every write is synced here.
TEST(DataModelCrash, EveryStateFoundIsOneOfTheHistory) {
  const uint64_t seed = TestSeed();
  size_t crash_points = 0;
  for (uint64_t round = 0; round < (kSanitized ? 2u : 12u) && !HasFailure(); ++round) {
    Options options = TinyOptions();
    options.wal_sync_policy = round % 2 == 0 ? SyncPolicy::kSyncData : SyncPolicy::kSyncAll;
    options.log_mode = round % 3 == 0 ? LogMode::kBuffered : LogMode::kAuto;
    SCOPED_TRACE("round " + std::to_string(round));
    History history(options, seed + round);
    history.Run(40);
    history.Check();
    crash_points += history.crash_points();
  }
  std::printf("[ CRASHES  ] %zu\n", crash_points);
}

}  // namespace
}  // namespace seerdb::testing
