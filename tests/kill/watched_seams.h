// The file system and the executor of a process that publishes what it does in a StatePage.
//
// The executor tells which lane a thread works for; the first table that it makes shows that it flushes or
// compacts, until its task ends. Everything else shows in the names of files.
// Thread safety: as FileSystem and Executor. The page must outlive the file system.
#pragma once

#include <memory>

#include "seerdb/executor.h"
#include "seerdb/file_system.h"
#include "tests/kill/state_page.h"

namespace seerdb::testing {

std::shared_ptr<FileSystem> NewWatchedFileSystem(std::shared_ptr<FileSystem> base, StatePage* page);
std::shared_ptr<Executor> NewWatchedExecutor(std::shared_ptr<Executor> base);

}  // namespace seerdb::testing
