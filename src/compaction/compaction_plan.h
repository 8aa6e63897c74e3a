// CompactionPlan: the work a compaction should do. A plain value: pickers make it, jobs execute it.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "compaction/key_range.h"
#include "manifest/table_meta.h"

namespace seerdb {

// The run of a level that has one run alone, unless tables of another are there.
inline constexpr uint64_t kFirstRun = 1;

struct CompactionPlan {
  enum class Kind : uint8_t {
    kMerge,  // rewrite the inputs into output_level
    kMove,   // give the inputs to output_level as they are
    kDrop,   // nobody needs anything in the inputs
  };
  struct Input {
    uint32_t level = 0;
    uint64_t run = 0;
    TableMetaPtr table;
  };
  Kind kind = Kind::kMerge;
  // In the order of their levels; of one level newer runs first, and the tables of a run ascending by key.
  std::vector<Input> inputs;
  uint32_t output_level = 0;
  uint64_t output_run = kFirstRun;
  bool for_values = false;  // picked to empty value segments
  // Compaction filters see the values. Not where a table is written anew for its values alone: what a filter
  // changes each time would be garbage each time, and call for the next job.
  bool filters = true;
  std::set<uint64_t> gathers;  // value segments that it puts together, whatever garbage is in them
  std::string reason;          // for the log: "L0 runs 5 >= 4"

  uint64_t input_bytes() const {
    uint64_t sum = 0;
    for (const Input& input : inputs) sum += input.table->bytes;
    return sum;
  }
  // The range that its outputs may have.
  KeyRange hull() const {
    KeyRange range;
    for (const Input& input : inputs) range.Include(*input.table);
    return range;
  }
};

// Numbers of tables that no new plan may use: inputs of running jobs and quarantined tables.
using TableNumberSet = std::set<uint64_t>;

}  // namespace seerdb
