// The option sets under which every script must give the same answers.
#pragma once

#include <string>
#include <vector>

#include "tests/metamorphic/seerdb_target.h"

namespace seerdb::testing {

struct MetamorphicSet {
  std::string name;
  Settings settings;
};

// The first is the default: no settings.
const std::vector<MetamorphicSet>& MetamorphicSets();

}  // namespace seerdb::testing
