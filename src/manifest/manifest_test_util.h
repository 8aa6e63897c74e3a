// What the tests of the manifest share.
#pragma once

#include <string>

#include "manifest/version_set.h"

namespace seerdb {

inline ManifestState NewDatabaseState() {
  ManifestState state;
  state.database_id = {0x1111, 0x2222};
  state.num_levels = 4;
  state.epoch = 7;
  return state;
}

// An edit that adds table `number` as a run of L0.
inline VersionEdit AddTable(uint64_t number, const std::string& smallest = "a",
                            const std::string& largest = "z") {
  VersionEdit edit;
  VersionEdit::AddedTable table{0, number, {}};
  table.meta.number = number;
  table.meta.bytes = 1000 + number;
  table.meta.smallest_key = smallest;
  table.meta.largest_key = largest;
  table.meta.smallest_sequence = 1;
  table.meta.largest_sequence = 10 * number;
  edit.added_tables.push_back(table);
  edit.last_sequence = 10 * number;
  return edit;
}

// Everything but the counter of file numbers, which is reserved ahead.
inline std::string Describe(const ManifestState& state) {
  std::string out = "sequence " + std::to_string(state.last_sequence) + " log " +
                    std::to_string(state.log_number) + " from " + std::to_string(state.log_first_record) +
                    " epoch " + std::to_string(state.epoch) + " levels " + std::to_string(state.num_levels);
  for (const VersionEdit::AddedLog& log : state.logs) {
    out += " log " + std::to_string(log.number) + "/" + std::to_string(log.epoch);
  }
  return out + "\n" + (state.version == nullptr ? "" : state.version->ToString());
}

}  // namespace seerdb
