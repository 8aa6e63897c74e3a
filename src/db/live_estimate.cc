#include "db/live_estimate.h"

#include <algorithm>
#include <map>

#include "base/key_sketch.h"

namespace seerdb {

namespace {

// No key is in two tables of a run: there are at least so many keys.
double KeysOfLargestRun(const Version& version, const std::map<uint64_t, double>& keys_of) {
  double most = 0;
  for (const Level& level : version.levels()) {
    for (const Run& run : level.runs) {
      double keys = 0;
      for (const TableMetaPtr& table : run.tables) {
        const auto found = keys_of.find(table->number);
        if (found != keys_of.end()) keys += found->second;
      }
      most = std::max(most, keys);
    }
  }
  return most;
}

}  // namespace

LiveEstimate EstimateLive(const TreeView& tree) {
  KeySketch sketch;
  double sketched_keys = 0;  // the sum, repeated ones counted again
  double tombstones = 0;
  double values = 0;
  double raw_bytes = 0;
  double file_bytes = 0;
  std::map<uint64_t, double> keys_of;
  for (const std::shared_ptr<TableFile>& file : tree.AllFiles()) {
    const Result<const TableReader*> reader = file->reader();
    if (!reader.ok()) continue;
    const TableProperties& properties = (*reader)->properties();
    if (sketch.Unite(properties.key_sketch)) sketched_keys += static_cast<double>(properties.keys);
    tombstones += static_cast<double>(properties.tombstones);
    values += static_cast<double>(properties.entries - properties.tombstones);
    const uint64_t apart_bytes = TotalBytes(properties.values);
    raw_bytes += static_cast<double>(properties.raw_key_bytes + properties.raw_value_bytes + apart_bytes);
    file_bytes += static_cast<double>(properties.file_bytes + apart_bytes);
    keys_of[file->meta().number] = static_cast<double>(properties.keys);
  }
  LiveEstimate estimate;
  if (values == 0) return estimate;
  // What is in tables too small for a sketch is taken for newer versions of keys that others have.
  const double distinct =
      std::max(std::min(sketched_keys, sketch.Estimate()), KeysOfLargestRun(*tree.version(), keys_of));
  estimate.keys = std::max(0.0, distinct - tombstones);
  const double entry_share = estimate.keys / values;
  estimate.raw_bytes = std::min(raw_bytes, raw_bytes * entry_share);
  estimate.disk_bytes = std::min(file_bytes, file_bytes * entry_share);
  return estimate;
}

}  // namespace seerdb
