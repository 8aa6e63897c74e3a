#include "tests/kill/kill_workload.h"

#include <cstdlib>
#include <utility>

#include "base/random.h"

namespace seerdb::testing {
namespace {

constexpr uint64_t kKeys = 64;  // of each writer
constexpr char kCounterPrefix[] = "counter/";
constexpr char kDelimiter[] = "+";

struct Operation {
  enum Kind { kPut, kDelete, kMerge, kDeleteRange };
  Kind kind = kPut;
  std::string key;
  std::string value = {};  // of a range its end
};
using Operations = std::vector<Operation>;
using State = std::map<std::string, std::string>;

std::string CounterKey(int writer) { return kCounterPrefix + std::to_string(writer); }

std::string WriterPrefix(int writer) { return "w" + std::to_string(writer) + "/"; }

bool IsLoneDelete(uint64_t unit) { return unit % 8 == 5; }

std::string ValueOf(int writer, uint64_t unit, uint64_t bytes) {
  std::string value = std::to_string(writer) + "/" + std::to_string(unit) + "/";
  if (value.size() < bytes) value.resize(bytes, static_cast<char>('a' + unit % 26));
  return value;
}

Operations OperationsOf(int writer, uint64_t unit) {
  Random random(unit * 8 + static_cast<uint64_t>(writer));
  const auto key = [&] { return WriterPrefix(writer) + std::to_string(random.Uniform(kKeys)); };
  Operations operations;
  const auto range = [&] {
    std::string begin = key(), end = key();
    if (end < begin) std::swap(begin, end);
    return Operation{Operation::kDeleteRange, begin, end + '\0'};
  };
  if (IsLoneDelete(unit)) {
    operations.push_back(unit % 32 == 5 ? range() : Operation{Operation::kDelete, key()});
    return operations;
  }
  operations.push_back({Operation::kPut, CounterKey(writer), ValueOf(writer, unit, 8 + random.Uniform(40))});
  if (unit % 8 == 2) return operations;  // a lone Put
  const bool large = unit % 64 == 33;    // larger than a memtable
  const uint64_t count = large ? 8 : 1 + random.Uniform(5);
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t choice = random.Uniform(24);
    if (choice == 0) {
      operations.push_back(range());
    } else if (choice < 6) {
      operations.push_back({Operation::kDelete, key()});
    } else if (choice < 10) {
      operations.push_back({Operation::kMerge, key(), ValueOf(writer, unit, 8)});
    } else {
      operations.push_back(
          {Operation::kPut, key(), ValueOf(writer, unit, large ? 1024 : 20 + random.Uniform(300))});
    }
  }
  return operations;
}

WriteOptions OptionsOf(uint64_t unit) { return unit % 16 == 9 ? WriteOptions::Sync() : WriteOptions(); }

void Apply(const Operations& operations, State* state) {
  for (const auto& [kind, key, value] : operations) {
    if (kind == Operation::kPut) (*state)[key] = value;
    if (kind == Operation::kDelete) state->erase(key);
    if (kind == Operation::kDeleteRange) state->erase(state->lower_bound(key), state->lower_bound(value));
    if (kind != Operation::kMerge) continue;
    const auto [at, made] = state->emplace(key, value);
    if (!made) at->second += kDelimiter + value;
  }
}

// The number in "<writer>/<unit>/aaa".
uint64_t UnitIn(const std::string& value) {
  const size_t slash = value.find('/');
  return slash == std::string::npos ? 0 : std::strtoull(value.c_str() + slash + 1, nullptr, 10);
}

std::string FirstDifference(const State& want, const State& got) {
  for (const auto& [key, value] : want) {
    const auto found = got.find(key);
    if (found == got.end()) return "key " + key + " of unit " + std::to_string(UnitIn(value)) + " is missing";
    if (found->second != value) {
      return "key " + key + " is of unit " + std::to_string(UnitIn(found->second)) + ", expected unit " +
             std::to_string(UnitIn(value));
    }
  }
  for (const auto& [key, value] : got) {
    if (want.count(key) == 0)
      return "key " + key + " of unit " + std::to_string(UnitIn(value)) + " is too many";
  }
  return "";
}

Result<State> ReadState(DB& db) {
  const std::unique_ptr<Iterator> it = db.NewIterator();
  State forward, backward;
  for (it->SeekToFirst(); it->Valid(); it->Next()) forward.emplace(it->key(), it->value());
  if (!it->status().ok()) return it->status();
  for (it->SeekToLast(); it->Valid(); it->Prev()) backward.emplace(it->key(), it->value());
  if (!it->status().ok()) return it->status();
  const std::string difference = FirstDifference(forward, backward);
  if (!difference.empty()) return Status::Corruption("backwards: " + difference);
  return forward;
}

// The state of one writer after `units` units.
State StateAfter(int writer, uint64_t units) {
  State state;
  for (uint64_t unit = 1; unit <= units; ++unit) Apply(OperationsOf(writer, unit), &state);
  return state;
}

std::string CheckWriter(int writer, const State& found, uint64_t least, uint64_t most, uint64_t* last) {
  const auto counter = found.find(CounterKey(writer));
  uint64_t units = counter == found.end() ? 0 : UnitIn(counter->second);
  const std::string who = "writer " + std::to_string(writer) + ", counter " + std::to_string(units) + ": ";
  State want = StateAfter(writer, units);
  std::string difference = FirstDifference(want, found);
  if (!difference.empty() && MayBeOneMore(writer, units)) {
    Apply(OperationsOf(writer, ++units), &want);
    difference = FirstDifference(want, found);
  }
  if (!difference.empty()) return who + difference;
  // A lone Delete of a key that is not there leaves no trace.
  if (units < least && MayBeOneMore(writer, units)) {
    Apply(OperationsOf(writer, ++units), &want);
    if (!FirstDifference(want, found).empty()) --units;
  }
  if (units < least) return who + "acknowledged units up to " + std::to_string(least) + " are gone";
  if (units > most) return who + "only " + std::to_string(most) + " were submitted";
  *last = units;
  return "";
}

}  // namespace

const std::vector<KillSetup>& KillSetups() {
  static const std::vector<KillSetup> setups = [] {
    constexpr std::pair<const char*, SyncPolicy> kPolicies[] = {{"none", SyncPolicy::kNone},
                                                                {"barrier", SyncPolicy::kBarrier},
                                                                {"data", SyncPolicy::kSyncData},
                                                                {"all", SyncPolicy::kSyncAll}};
    constexpr LogMode kModes[] = {LogMode::kAuto, LogMode::kBuffered, LogMode::kMapped, LogMode::kDirect};
    std::vector<KillSetup> made;
    for (const LogMode mode : kModes) {
      for (const auto& [name, policy] : kPolicies) {
        made.push_back({std::string(name) + " " + LogModeName(mode), policy, mode});
      }
    }
    return made;
  }();
  return setups;
}

Options KillOptions(const KillSetup& setup) {
  Options options;
  options.wal_sync_policy = setup.policy;
  options.barrier_interval_us = 2000;
  options.memtable_capacity = 8 << 10;
  options.log_mode = setup.log_mode;
  options.wal_segment_bytes = 16 << 10;
  options.base_level_size = 16 << 10;
  options.size_ratio = 2;
  options.target_file_size = 8 << 10;
  options.l0_compaction_trigger = 2;
  options.block_bytes = 256;
  options.num_levels = 4;
  options.block_cache_capacity = 64 << 10;
  options.merge_operator = StringAppend(kDelimiter);
  return options;
}

Status WriteUnit(DB& db, int writer, uint64_t unit) {
  const Operations operations = OperationsOf(writer, unit);
  const WriteOptions options = OptionsOf(unit);
  if (operations.size() == 1) {
    const auto& [kind, key, value] = operations.front();
    if (kind == Operation::kDeleteRange) return db.DeleteRange(options, key, Slice(value));
    return kind == Operation::kPut ? db.Put(options, key, value) : db.Delete(options, key);
  }
  WriteBatch batch;
  for (const auto& [kind, key, value] : operations) {
    if (kind == Operation::kPut) batch.Put(key, value);
    if (kind == Operation::kDelete) batch.Delete(key);
    if (kind == Operation::kMerge) batch.Merge(key, value);
    if (kind == Operation::kDeleteRange) batch.DeleteRange(key, Slice(value));
  }
  return db.Write(options, batch);
}

bool IsDurable(const KillSetup& setup, int /*writer*/, uint64_t unit) {
  return setup.policy == SyncPolicy::kSyncData || setup.policy == SyncPolicy::kSyncAll ||
         OptionsOf(unit).sync == WriteSync::kSync;
}

Result<uint64_t> ReadCounter(DB& db, int writer) {
  const auto found = db.Get(CounterKey(writer));
  if (!found.ok()) return found.status();
  return found->has_value() ? UnitIn((**found).ToString()) : 0;
}

bool MayBeOneMore(int /*writer*/, uint64_t counter) { return IsLoneDelete(counter + 1); }

std::string CheckUnits(DB& db, const UnitBounds& bounds, std::vector<uint64_t>* last) {
  const Result<State> read = ReadState(db);
  if (!read.ok()) return "read everything: " + read.status().ToString();
  std::vector<State> of_writer(kKillWriters);
  for (const auto& [key, value] : *read) {
    bool known = false;
    for (int w = 0; w < kKillWriters; ++w) {
      if (key != CounterKey(w) && key.rfind(WriterPrefix(w), 0) != 0) continue;
      of_writer[static_cast<size_t>(w)].emplace(key, value);
      known = true;
    }
    if (!known) return "key " + key + " was never written";
  }
  last->assign(kKillWriters, 0);
  for (size_t w = 0; w < kKillWriters; ++w) {
    std::string wrong =
        CheckWriter(static_cast<int>(w), of_writer[w], bounds.least[w], bounds.most[w], &(*last)[w]);
    if (!wrong.empty()) return wrong;
  }
  return "";
}

}  // namespace seerdb::testing
