// The engine's own read path as a subject of the study: databases of the set's keys under named options.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sorted_keys.h"
#include "study_subject.h"

namespace seerdb::bench {

// One for each of the settings, not built yet, in folders below `folder`, which each removes when it is
// destroyed. A value begins with the rank of its key. Any error ends the program. `keys` outlive them.
// Requires: value_bytes >= 4.
std::vector<std::unique_ptr<Subject>> MakeEngineSubjects(const SortedKeys* keys, uint64_t value_bytes,
                                                         const std::string& folder);

}  // namespace seerdb::bench
