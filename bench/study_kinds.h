// The kinds of index that the study compares.
#pragma once

#include <memory>
#include <vector>

#include "sorted_keys.h"
#include "study_subject.h"

namespace seerdb::bench {

// One of each kind, not built yet. `keys` outlive them.
std::vector<std::unique_ptr<Subject>> MakeIndexSubjects(const SortedKeys* keys);

}  // namespace seerdb::bench
