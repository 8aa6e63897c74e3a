// HostileFiles: a file system in memory that holds what an input made, and fails one call of its readers.
//
// Thread safety: external synchronization.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "env/fault_file_system.h"
#include "env/memory_file_system.h"
#include "seerdb/slice.h"

namespace seerdb::fuzz {

class HostileFiles {
 public:
  HostileFiles();

  FileSystem& fs() { return *faults_; }
  // Makes the file, or replaces its bytes. Not subject to faults.
  void Write(const std::string& path, Slice bytes);
  // 0: none. Else the low three bits say what happens, and the others at which call from now on: an error
  // of an open, a read, a mapping or a size, no mapping, or a file that shrinks before it is read.
  void ArmFault(uint8_t choice);
  // Whether the fault has happened.
  bool fired() const { return faults_->faults_fired() > 0; }

 private:
  const std::shared_ptr<MemoryFileSystem> memory_;
  const std::shared_ptr<FaultFileSystem> faults_;
};

}  // namespace seerdb::fuzz
