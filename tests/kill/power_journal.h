// The journal of what a process made durable, written by unsynced_preload.cc and read by power_cut.cc.
//
// A record is a head, then `name_bytes` of a name (for a rename the old name, a zero byte, the new name),
// then `content_bytes`. The last record may be cut short: what it says had not returned to the caller then.
#pragma once

#include <cstdint>

namespace seerdb::testing {

enum class PowerRecord : uint32_t {
  kCreated = 1,      // name, inode: a new file has this name
  kRenamed = 2,      // names: afterwards
  kUnlinked = 3,     // name: afterwards
  kDirectory = 4,    // the directory's names are durable
  kFile = 5,         // inode, content: the file is durable with this content
  kRange = 6,        // inode, content; the name is the offset in decimal: these bytes of the file are durable
  kLastContent = 7,  // name, content: comes before the call that takes the name away
};

struct PowerRecordHead {
  PowerRecord kind;
  uint32_t name_bytes;
  uint64_t inode;
  uint64_t content_bytes;
};

// Environment of the process: the directory that is watched, and where the journal goes (outside of it).
inline constexpr char kPowerDirectoryVariable[] = "SEERDB_POWER_DIRECTORY";
inline constexpr char kPowerJournalVariable[] = "SEERDB_POWER_JOURNAL";

}  // namespace seerdb::testing
