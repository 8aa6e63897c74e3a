// RepairReport: what DB::Repair() kept, and what it lost.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "seerdb/export.h"

namespace seerdb {

// Part of a file whose entries could not be brought back. A key in the range may be missing, or show an older
// value than its last one; what was deleted may be there again.
struct SEERDB_EXPORT RepairLoss {
  std::string file;
  uint64_t offset = 0;
  uint64_t bytes = 0;  // 0: not known
  // Both inclusive; nullopt: no bound is known.
  std::optional<std::string> smallest_key;
  std::optional<std::string> largest_key;
  std::string reason;
};

struct SEERDB_EXPORT RepairReport {
  // The manifest was readable and agreed with the files: the tree keeps its shape. False: everything readable
  // was merged into one sorted run, sequence numbers deciding which version of a key is the newest.
  bool manifest_kept = false;
  uint64_t tables_intact = 0;
  uint64_t tables_salvaged = 0;  // damaged, rewritten from their intact blocks
  uint64_t tables_lost = 0;      // missing, or nothing in them could be read
  uint64_t log_records = 0;      // applied
  std::vector<RepairLoss> losses;
  // Names of files that the database no longer uses, now in its subdirectory lost/.
  std::vector<std::string> moved;
  // An earlier repair had done its work and was interrupted while it moved files; its report lies in lost/.
  bool finished_earlier = false;

  bool lossless() const { return losses.empty(); }
  // Lines of text for people. Keys as they are where they are printable ASCII, other bytes as \xNN.
  std::string ToString() const;
};

}  // namespace seerdb
