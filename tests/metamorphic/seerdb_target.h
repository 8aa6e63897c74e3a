// SeerdbTarget: seerdb under a script, on a MemoryFileSystem; and the settings it is run with.
//
// A Setting is one statement about a SeerdbConfig `c`, kept with its text, so that a set of settings can be
// printed as code and shrunk by leaving statements out. Thread safety: plain data.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "seerdb/options.h"
#include "tests/metamorphic/script_target.h"

namespace seerdb::testing {

// What a setting changes: nothing set is Options::Default() with threads of its own.
struct SeerdbConfig {
  Options options;
  // Background work runs between the operations, on the script's thread.
  bool cooperative = false;
  // For sets that do not log: what is not flushed would be lost.
  bool flush_before_crash = false;
  // Batches, puts, merges, and gets of the latest go through transactions, which read back what they write.
  bool transactions = false;
};

struct Setting {
  std::string code;
  void (*apply)(SeerdbConfig& c);
};
using Settings = std::vector<Setting>;

#define SEERDB_SETTING(statement)                                      \
  ::seerdb::testing::Setting {                                         \
#statement, [](::seerdb::testing::SeerdbConfig & c) { statement; } \
  }

// What the runs of targets went through, added up.
struct SeerdbCoverage {
  uint64_t flushes = 0;
  uint64_t merges = 0;
  uint64_t reopens = 0;
  uint64_t deepest_level = 0;  // that held tables
};

// `coverage`, if given, grows when the target reopens and when it goes; it must outlive the target.
std::unique_ptr<ScriptTarget> NewSeerdbTarget(const Settings& settings, SeerdbCoverage* coverage = nullptr);

}  // namespace seerdb::testing
