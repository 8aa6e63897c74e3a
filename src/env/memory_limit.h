// How much memory this process may use, what the system keeps of its files included.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "seerdb/slice.h"

namespace seerdb {

// The machine's memory, or the least that a control group (cgroup, version 1 or 2) on the way up from this
// process's leaves of it. 0: not known. Reads a few files of the system each time.
uint64_t MemoryLimitBytes();

// The least limit of the groups that `groups`, the text of /proc/self/cgroup, names, and of those above them;
// UINT64_MAX if there is none. `read` gives a file's text, nullopt if there is no such file.
uint64_t GroupLimitBytes(Slice groups,
                         const std::function<std::optional<std::string>(const std::string& path)>& read);

}  // namespace seerdb
