// MemoryTree: files and directories of a MemoryFileSystem as nodes, the durable state of their names, and
// the trees that a crash may leave.
//
// A directory has the entries that are seen, those that are durable, and the operations that lead from the
// durable to the seen ones. Each change of a name is one operation (a rename within a directory too); a
// rename between directories is one in each, of which the removal is never durable before the addition.
// Thread safety: external synchronization.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "env/memory_content.h"

namespace seerdb {

struct MemoryNode;
using MemoryNodePtr = std::shared_ptr<MemoryNode>;
using MemoryEntries = std::map<std::string, MemoryNodePtr>;

struct NameOperation {
  uint64_t id = 0;                   // increases over the whole tree; the same for both halves of a rename
  std::string removed;               // empty: none
  std::string added;                 // empty: none; applied after `removed`
  MemoryNodePtr node;                // of `added`
  std::weak_ptr<MemoryNode> target;  // set if `removed` is now a name in this other directory
};

struct MemoryNode {
  bool is_directory = false;
  uint64_t links = 1;
  MemoryContent content;  // of a file
  bool locked = false;
  std::string lock_holder;

  // Of a directory:
  MemoryEntries entries;
  MemoryEntries durable_entries;
  std::vector<NameOperation> pending;  // by increasing id
};

// What a crash leaves of the data and of the pending name operations.
struct CrashOptions {
  enum Kind {
    kProcessCrash,  // all appended bytes and all names stay, and are as little durable as before
    kPowerCut,      // what was not synced stays or goes, by the seed
    kDropUnsynced,  // nothing stays that was not synced; the seed has no influence
  };
  uint64_t seed = 0;
  Kind kind = kPowerCut;
  // kPowerCut keeps a prefix of each directory's operations; if false, any subset of them.
  bool directory_ops_in_order = true;
};

MemoryNodePtr NewMemoryDirectory();
// Makes the pending operations of `directory` with ids up to `id` durable, and the additions that their
// removals rely on.
void SyncNames(MemoryNode* directory, uint64_t id);
// The tree under `root` after a crash. Shares no node with it, and has no locks.
MemoryNodePtr CrashTree(const MemoryNodePtr& root, const CrashOptions& options);

}  // namespace seerdb
