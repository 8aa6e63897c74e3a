// SalvageTable: hands out the entries of every intact block of a damaged table.
//
// Where the index is whole it says where blocks lie; otherwise they are searched for at every byte (see
// BlockFinder). A block counts only if its checksum holds, which proves that it belongs to this table and
// this place, and its keys ascend. Reads through read calls; changes nothing.
// Thread safety: plain function.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "seerdb/file_system.h"
#include "seerdb/result.h"
#include "seerdb/types.h"

namespace seerdb {

// Bytes of the file where blocks lay, or may have lain, that cannot be read. None if the file ends there.
struct LostBlocks {
  uint64_t offset = 0;
  uint64_t bytes = 0;
  // Engine keys of the entries around it; nullopt at the ends of the table.
  std::optional<std::string> key_before;
  std::optional<std::string> key_behind;
  std::string reason;
};

struct TableSalvage {
  uint64_t blocks = 0;  // intact
  uint64_t entries = 0;
  SequenceNumber largest_sequence = 0;
  std::vector<LostBlocks> lost;  // ascending
};

// What is known of the table from elsewhere: keys outside the bounds are damage, and once `entries` have
// been found nothing is missing.
struct SalvageBounds {
  std::optional<std::string> smallest_key;  // engine keys, inclusive
  std::optional<std::string> largest_key;
  uint64_t entries = 0;         // 0: not known
  SequenceNumber sequence = 0;  // of all entries, if they have one; 0: not known
};

// Entries come with the sequences they have: what was bulk loaded is lost if neither the table nor the bounds
// say its sequence. Entries come in order; an error of `visit` ends the salvage and is returned. What the
// device does not give is lost, and no more than that. kIoError if the file cannot be opened; kNotSupported
// if a later version wrote it.
Result<TableSalvage> SalvageTable(
    FileSystem& fs, const std::string& path, uint64_t table_number, const SalvageBounds& bounds,
    const std::function<Status(Slice key, uint64_t trailer, Slice value)>& visit);

}  // namespace seerdb
