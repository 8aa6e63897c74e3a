// How files are read where the options leave it open: by how much there is of them.
#pragma once

#include <cstdint>

#include "seerdb/options.h"

namespace seerdb {

// `wanted`, or for kAuto: mapped, and by calls where tables and values have more than two thirds of the
// memory that there is for them and all else (`memory_bytes`; 0: not known). A page that comes and goes costs
// more in a mapping than a call does (Crotty et al., "Are You Sure You Want to Use MMAP in Your Database
// Management System?", CIDR 2022), and blocks in a cache of ours take half the room where they lie across
// pages.
inline TableAccess ChooseAccess(TableAccess wanted, uint64_t file_bytes, uint64_t memory_bytes) {
  if (wanted != TableAccess::kAuto) return wanted;
  const bool larger = memory_bytes != 0 && file_bytes > memory_bytes / 3 * 2;
  return larger ? TableAccess::kPread : TableAccess::kMapped;
}

}  // namespace seerdb
