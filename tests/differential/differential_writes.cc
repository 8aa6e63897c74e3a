#include <algorithm>

#include "tests/differential/differential_run.h"

namespace seerdb::testing {

WriteOptions DifferentialRun::RandomWriteOptions() {
  WriteOptions options;
  switch (random_.Uniform(16)) {
    case 0:
      options.sync = WriteSync::kSync;
      break;
    case 1:
      options.sync = WriteSync::kNoSync;
      break;
    case 2:
      options.skip_wal = true;
      break;
    default:
      break;
  }
  return options;
}

void DifferentialRun::PutOne() {
  const std::string key = keys_.WriteKey();
  const std::string value = keys_.Value();
  const WriteOptions options = RandomWriteOptions();
  Note("Put " + Printable(key) + " " + Printable(value, 12) + (options.skip_wal ? " skip_wal" : ""));
  if (!Check(db_->Put(options, key, value), "Put")) return;
  unlogged_ |= options.skip_wal;
  model_.Put(key, value);
  if (!random_.OneIn(8)) return;
  CheckAnswer(db_->Get(key), model_.map(), key);  // read your own write
}

void DifferentialRun::DeleteOne() {
  const std::string key = random_.OneIn(4) ? keys_.ReadKey() : keys_.WriteKey();
  if (key.size() > kMaxKeyBytes) return;
  const WriteOptions options = RandomWriteOptions();
  Note("Delete " + Printable(key) + (options.skip_wal ? " skip_wal" : ""));
  if (!Check(db_->Delete(options, key), "Delete")) return;
  unlogged_ |= options.skip_wal;
  model_.Delete(key);
  if (random_.OneIn(4)) CheckAnswer(db_->Get(key), model_.map(), key);
}

// Batches of 0 .. 20 operations, some with the same key several times.
void DifferentialRun::WriteOneBatch() {
  WriteBatch batch;
  std::vector<std::pair<std::string, std::optional<std::string>>> operations;
  std::string note = "Write";
  for (uint64_t n = random_.OneIn(10) ? 0 : random_.Uniform(21); n > 0; --n) {
    const bool again = !operations.empty() && random_.OneIn(4);
    const std::string key = again ? operations[random_.Uniform(operations.size())].first : keys_.WriteKey();
    if (random_.OneIn(4)) {
      batch.Delete(key);
      operations.emplace_back(key, std::nullopt);
    } else {
      operations.emplace_back(key, keys_.Value());
      batch.Put(key, *operations.back().second);
    }
    note += (operations.back().second ? " +" : " -") + Printable(key, 16);
  }
  const WriteOptions options = RandomWriteOptions();
  Note(note);
  if (batch.size() != operations.size()) return Fail("WriteBatch::size is wrong");
  if (!Check(db_->Write(options, batch), "Write")) return;
  unlogged_ |= options.skip_wal;
  for (const auto& [key, value] : operations) {
    if (value) {
      model_.Put(key, *value);
    } else {
      model_.Delete(key);
    }
  }
  for (const auto& [key, value] : operations) CheckAnswer(db_->Get(key), model_.map(), key);
}

// Loads of 0 .. 200 entries, sorted and not, some with the same key several times.
void DifferentialRun::BulkLoadSome() {
  std::vector<std::pair<std::string, std::string>> entries;
  for (uint64_t n = random_.Uniform(random_.OneIn(4) ? 201 : 20); n > 0; --n) {
    const bool again = !entries.empty() && random_.OneIn(8);
    entries.emplace_back(again ? entries[random_.Uniform(entries.size())].first : keys_.WriteKey(),
                         keys_.Value());
  }
  BulkLoadOptions options;
  options.already_sorted = random_.OneIn(2);
  options.target_level = static_cast<uint32_t>(random_.Uniform(8));
  options.max_entries_per_sst = random_.OneIn(2) ? 1 + random_.Uniform(50) : 1'000'000;
  options.memory_bytes = uint64_t{1} << 20;
  if (options.already_sorted) {
    std::stable_sort(entries.begin(), entries.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
  }
  Note("BulkLoad of " + std::to_string(entries.size()) + " to L" + std::to_string(options.target_level) +
       (options.already_sorted ? ", sorted" : "") +
       (entries.empty() ? "" : ": " + Printable(entries[0].first)));
  const auto stats = db_->BulkLoad(options, entries);
  const bool no_room = !stats.ok() && stats.status().IsBusy() &&
                       stats.status().detail() == StatusDetail::kMemoryFull && options_.max_memory_bytes != 0;
  if (no_room) {  // and nothing is changed
    for (const auto& [key, value] : entries) CheckAnswer(db_->Get(key), model_.map(), key);
    return;
  }
  if (!Check(stats.ok() ? Status::Ok() : stats.status(), "BulkLoad")) return;
  if (!entries.empty()) unlogged_ = false;
  for (const auto& [key, value] : entries) model_.Put(key, value);
  if (stats->entries_loaded + stats->duplicates_dropped != entries.size()) {
    return Fail("BulkLoad counted " + std::to_string(stats->entries_loaded) + " entries and " +
                std::to_string(stats->duplicates_dropped) + " duplicates");
  }
  ++coverage_.bulk_loads;
  for (const auto& [key, value] : entries) CheckAnswer(db_->Get(key), model_.map(), key);
  if (!failed_ && random_.OneIn(4)) CompareAll(model_.Freeze(), nullptr);
  if (!failed_ && !snapshots_.empty()) GetAtSnapshot();
}

// A read of what was just written, while it is still in the active memtable.
void DifferentialRun::ProbeMemtable() {
  const std::string key = keys_.WriteKey();
  const std::string value = keys_.Value().substr(0, 64);
  Note("Put and get " + Printable(key));
  if (!Check(db_->Put(key, value), "Put")) return;
  model_.Put(key, value);
  CheckAnswer(db_->Get(key), model_.map(), key);
  if (db_->memtable_len() > 0) ++coverage_.memtable_hits;
}

// A read of what a flush has just moved to L0.
void DifferentialRun::ProbeL0() {
  const std::string key = keys_.WriteKey();
  Note("Put, Flush and get " + Printable(key));
  if (!Check(db_->Put(key, "flushed"), "Put")) return;
  model_.Put(key, "flushed");
  if (!Check(db_->Flush(), "Flush")) return;
  unlogged_ = false;
  const DBStats before = db_->Stats();
  CheckAnswer(db_->Get(key), model_.map(), key);
  const DBStats after = db_->Stats();
  if (after.memtable_entries != 0) return Fail("the memtable is not empty after Flush");
  const bool moved = before.total_compactions + before.total_trivial_moves !=
                     after.total_compactions + after.total_trivial_moves;
  if (before.levels[0].files > 0 && after.levels[0].files > 0 && !moved) ++coverage_.l0_hits;
}

// Reads after everything has gone to one level.
void DifferentialRun::ProbeBottom() {
  CompactSome(true);
  if (failed_) return;
  const DBStats stats = db_->Stats();
  size_t holding = 0;
  for (const LevelStats& level : stats.levels) holding += level.files > 0;
  // Background compaction may move on at once: a level that is over its target now gives to the next.
  if (stats.memtable_entries != 0 || holding > 2 || stats.levels[0].files > 0) {
    return Fail("CompactRange over everything left " + std::to_string(holding) + " levels with tables, " +
                std::to_string(stats.memtable_entries) + " memtable entries");
  }
  if (stats.levels[0].files > 0) return Fail("CompactRange left tables in L0");
  if (snapshots_.empty() && stats.total_sstables > 0) {
    uint64_t entries = 0, tombstones = 0;
    for (const LevelStats& level : stats.levels) {
      entries += level.entries;
      tombstones += level.tombstones;
    }
    // With no snapshot alive the bottom level holds the live entries and nothing else.
    if (entries != model_.map().size() || tombstones != 0) {
      return Fail("after CompactRange " + std::to_string(entries) + " entries with " +
                  std::to_string(tombstones) + " tombstones, want " + std::to_string(model_.map().size()) +
                  " and 0");
    }
  }
  for (int i = 0; i < 20 && !failed_; ++i) {
    const std::string key = keys_.WriteKey();
    CheckAnswer(db_->Get(key), model_.map(), key);
    if (model_.map().count(key) != 0) ++coverage_.bottom_hits;
  }
  if (!failed_ && !snapshots_.empty()) GetAtSnapshot();
}

}  // namespace seerdb::testing
