// MemoryState: what a MemoryFileSystem and its open files share: the tree of nodes and its mutex.
//
// Thread safety: everything is guarded by `mutex`, the nodes too.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "env/memory_tree.h"
#include "seerdb/file_system.h"

namespace seerdb {

struct MemoryState {
  // Operations of `tree` have ids up to `last_id`.
  MemoryState(MemoryNodePtr tree, const SpaceInfo& initial_space, uint64_t last_id)
      : root(std::move(tree)), space(initial_space), last_operation_id(last_id) {}

  // The place of a name: its directory, and its node if it exists. The root has no directory.
  struct Place {
    MemoryNodePtr directory;
    std::string name;
    MemoryNodePtr node;
  };

  // Fails if a directory on the way does not exist (kNotFound) or is a file.
  Result<Place> Find(const char* operation, const std::string& path) REQUIRES(mutex);
  // As Find, and fails if the name does not exist.
  Result<MemoryNodePtr> FindNode(const char* operation, const std::string& path) REQUIRES(mutex);
  // Changes the entries of `directory` and notes the operation as pending.
  void Record(MemoryNode* directory, NameOperation operation) REQUIRES(mutex);
  uint64_t NewOperationId() REQUIRES(mutex) { return ++last_operation_id; }

  Mutex mutex;
  const MemoryNodePtr root GUARDED_BY(mutex);
  SpaceInfo space GUARDED_BY(mutex);
  uint64_t last_operation_id GUARDED_BY(mutex);
  uint64_t operations GUARDED_BY(mutex) = 0;
};

// Open files of the node, appending from `position` on; the path is for messages.
std::unique_ptr<WritableFile> NewMemoryWritableFile(std::shared_ptr<MemoryState> state, MemoryNodePtr node,
                                                    const std::string& path, LogMode mode, uint64_t position);
std::unique_ptr<RandomAccessFile> NewMemoryRandomAccessFile(std::shared_ptr<MemoryState> state,
                                                            MemoryNodePtr node);
// Requires: node->locked. Unlocks and empties the node when destroyed.
std::unique_ptr<FileLock> NewMemoryFileLock(std::shared_ptr<MemoryState> state, MemoryNodePtr node);

}  // namespace seerdb
