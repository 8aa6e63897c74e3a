#include "db/live_estimate.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "base/key_sketch.h"
#include "base/mutant.h"

namespace seerdb {

namespace {

using PropertiesOf = std::map<uint64_t, const TableProperties*>;  // by table

// What some tables have together.
struct Sums {
  KeySketch sketch;
  double sketched_keys = 0;  // of tables with a sketch, repeated ones counted again
  double keys = 0;
  double tombstones = 0;
  double values = 0;
  // Of the values alone, with their keys.
  double raw_bytes = 0;
  double file_bytes = 0;

  void Add(const TableProperties& properties);
  double RawBytesOf(double count) const { return values == 0 ? 0 : raw_bytes / values * count; }
  double FileBytesOf(double count) const { return values == 0 ? 0 : file_bytes / values * count; }
};

void Sums::Add(const TableProperties& properties) {
  const double entries = static_cast<double>(properties.entries);
  const double apart_bytes = static_cast<double>(TotalBytes(properties.values));
  if (sketch.Unite(properties.key_sketch)) sketched_keys += static_cast<double>(properties.keys);
  keys += static_cast<double>(properties.keys);
  tombstones += static_cast<double>(properties.tombstones);
  if (properties.tombstones == properties.entries) return;
  values += entries - static_cast<double>(properties.tombstones);
  // A tombstone has nothing but its key.
  const double tombstone_bytes =
      static_cast<double>(properties.raw_key_bytes) / entries * static_cast<double>(properties.tombstones);
  const double all_bytes = static_cast<double>(properties.raw_key_bytes + properties.raw_value_bytes);
  raw_bytes += all_bytes - tombstone_bytes + apart_bytes;
  file_bytes += static_cast<double>(properties.file_bytes) *
                    (all_bytes == 0 ? 1 : (all_bytes - tombstone_bytes) / all_bytes) +
                apart_bytes;
}

// Its tables, those that can be read: of the run with the most keys. No key is in two of them.
std::set<uint64_t> LargestRun(const Version& version, const PropertiesOf& properties) {
  std::set<uint64_t> largest;
  double most = 0;
  for (const Level& level : version.levels()) {
    for (const Run& run : level.runs) {
      double keys = 0;
      std::set<uint64_t> tables;
      for (const TableMetaPtr& table : run.tables) {
        const auto found = properties.find(table->number);
        if (found == properties.end()) continue;
        keys += static_cast<double>(found->second->keys);
        tables.insert(table->number);
      }
      if (keys <= most) continue;
      most = keys;
      largest = std::move(tables);
    }
  }
  return largest;
}

// The sketch of all errs as that of the largest run does, as far as they are of the same keys; and how many
// that run has is known. What is in tables too small for a sketch is taken for newer versions of keys that
// others have.
double DistinctKeys(const Sums& largest, const Sums& others) {
  KeySketch all = largest.sketch;
  all.Unite(others.sketch);
  double keys = all.Estimate();
  if (largest.sketched_keys > 0 && !SEERDB_MUTANT("live-keys-by-sketch-alone")) {
    keys *= largest.sketched_keys / largest.sketch.Estimate();
  }
  return std::max(largest.keys, std::min(keys, largest.sketched_keys + others.sketched_keys));
}

}  // namespace

LiveEstimate EstimateLive(const TreeView& tree) {
  PropertiesOf properties;
  const std::vector<std::shared_ptr<TableFile>> files = tree.AllFiles();
  for (const std::shared_ptr<TableFile>& file : files) {
    const Result<const TableReader*> reader = file->reader();
    if (reader.ok()) properties.emplace(file->meta().number, &(*reader)->properties());
  }
  const std::set<uint64_t> largest_run = LargestRun(*tree.version(), properties);
  Sums largest;
  Sums others;
  for (const auto& [table, of_table] : properties) {
    (largest_run.contains(table) ? largest : others).Add(*of_table);
  }
  LiveEstimate estimate;
  if (largest.values + others.values == 0) return estimate;
  const double tombstones = largest.tombstones + others.tombstones;
  estimate.keys = std::max(0.0, DistinctKeys(largest, others) - tombstones);
  // An overwritten value is taken to be as large as the one before: what is written often may be unlike the
  // rest, and the average of all entries would be its own.
  const double old_keys = std::clamp(largest.keys - tombstones, 0.0, estimate.keys);
  const double new_keys = estimate.keys - old_keys;
  estimate.raw_bytes = std::min(largest.raw_bytes + others.raw_bytes,
                                largest.RawBytesOf(old_keys) + others.RawBytesOf(new_keys));
  estimate.disk_bytes = std::min(largest.file_bytes + others.file_bytes,
                                 largest.FileBytesOf(old_keys) + others.FileBytesOf(new_keys));
  return estimate;
}

}  // namespace seerdb
