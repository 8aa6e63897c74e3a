// RocksDB under a script, on a file system in memory.
#pragma once

#include <memory>

#include "tests/metamorphic/script_target.h"

namespace seerdb::testing {

// `small`: memtables and tables so small that a few thousand operations fill several levels.
std::unique_ptr<ScriptTarget> NewRocksdbTarget(bool small);

}  // namespace seerdb::testing
