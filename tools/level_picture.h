// LevelPicture: levels, runs, files and bytes of a database, drawn in text.
#pragma once

#include <string>

#include "seerdb/statistics.h"

namespace seerdb::cli {

// One line a level down to the deepest that holds data, then a sum. A bar's length is the level's share of
// the largest level; '#' stands for live entries, '-' for the share of tombstones.
std::string LevelPicture(const DBStats& stats);

}  // namespace seerdb::cli
