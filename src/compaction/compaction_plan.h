// CompactionPlan: the work a compaction should do. A plain value: pickers make it, jobs execute it.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "manifest/table_meta.h"

namespace seerdb {

struct CompactionPlan {
  enum class Kind : uint8_t {
    kMerge,  // rewrite the inputs into output_level
    kMove,   // give the inputs to output_level as they are
  };
  struct Input {
    uint32_t level = 0;
    TableMetaPtr table;
  };
  Kind kind = Kind::kMerge;
  // L0 tables newest first, then the tables of each deeper level ascending by key.
  std::vector<Input> inputs;
  uint32_t output_level = 0;
  std::string reason;  // for the log: "L0 runs 5 >= 4"

  uint64_t input_bytes() const {
    uint64_t sum = 0;
    for (const Input& input : inputs) sum += input.table->bytes;
    return sum;
  }
};

// Numbers of tables that no new plan may use: inputs of running jobs and quarantined tables.
using TableNumberSet = std::set<uint64_t>;

}  // namespace seerdb
