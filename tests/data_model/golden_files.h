// Golden directories: databases of an earlier day, which are read for ever, as files in memory.
//
// Thread safety: functions may be called concurrently, but for those that write.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "env/memory_file_system.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {

using Files = std::map<std::string, std::string>;

// tests/golden/v1/<name>. A failed read is a test failure.
Files ReadGolden(const std::string& name);
// Writes it anew: the files of /db as the death of the process leaves them, without the lock.
void WriteGolden(const std::string& name, MemoryFileSystem* fs);
// True if golden directories are to be written anew: SEERDB_REWRITE is set.
bool RewritesGolden();
// Calls `visit` with the files as a log torn anywhere may leave them, from none of its records to all of
// them: in steps in which no frame can be missed. `where` names the tear.
void ForEachTornLog(const Files& golden,
                    const std::function<void(const Files& torn, const std::string& where)>& visit);
// A file system that holds `files` in /db.
std::shared_ptr<MemoryFileSystem> Store(const Files& files);

}  // namespace seerdb::testing
