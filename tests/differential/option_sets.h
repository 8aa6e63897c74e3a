// The option sets under which the differential test runs.
#pragma once

#include <string>
#include <vector>

#include "seerdb/options.h"

namespace seerdb::testing {

struct OptionSet {
  std::string name;
  Options options;           // without seams, except the executor's kind
  bool cooperative = false;  // background work runs when the test says so, on the test's thread
  bool real_files = false;   // PosixFileSystem in a temporary directory; else MemoryFileSystem
};

const std::vector<OptionSet>& OptionSets();

}  // namespace seerdb::testing
