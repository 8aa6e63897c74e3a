// What the kill tests share: how many kills, at which moments, and what is kept of a failure.
#pragma once

#include <cstdint>
#include <string>

#include "base/random.h"
#include "tests/kill/kill_life.h"

namespace seerdb::testing {

inline constexpr uint64_t kLivesOfADirectory = 8;

// SEERDB_KILLS, or `by_default`: more of them in a long run, fewer under a sanitizer.
uint64_t Kills(uint64_t by_default);
// Half of the kills come at any moment, the others when something begins.
KillAim RandomAim(Random* random);
// Copies the directory of a failure to where it is not removed, and says where.
std::string KeepDirectory(const std::string& path);

}  // namespace seerdb::testing
