// OpenFileCap: a file system whose files for reading hold only so many descriptors together.
//
// A file that is read is opened again by its path when its descriptor was given up: the caller sees to it
// that the path means the same file for as long as somebody reads it, as tables are. Which descriptor is
// given up is CLOCK's choice: one that was not used since the hand last passed. Threads that open at the same
// moment may each go beyond the cap by one. Where the process has none left, one is given up below the cap,
// too. Everything else goes to the file system below. A file that is mapped and let go of holds none. Thread
// safety: as FileSystem. mu_ guards the ring and is held while a descriptor is taken from a file, not while
// one is opened or closed; each file's own mutex is a leaf.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "seerdb/file_system.h"

namespace seerdb {

struct OpenFileEvents {
  std::function<void()> opened;   // a descriptor, also again
  std::function<void()> evicted;  // one was given up
};

// `max_files` >= 1. Callbacks may be null, and are called from any thread.
std::shared_ptr<FileSystem> NewOpenFileCap(std::shared_ptr<FileSystem> below, size_t max_files,
                                           OpenFileEvents events);

// Three quarters of the process's limit of descriptors, at least 16.
size_t DefaultMaxOpenFiles();

}  // namespace seerdb
