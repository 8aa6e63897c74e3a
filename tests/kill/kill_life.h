// One life of a kill_writer: started, killed at a chosen moment, and what it had acknowledged by then.
//
// Thread safety: external synchronization. No other thread of this process may be starting processes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/kill/kill_workload.h"
#include "tests/kill/state_page.h"

namespace seerdb::testing {

// When to kill: after that many acknowledgements; then, if a state is given, when a thread is in it; then
// `linger_us` later. What does not come in time is not waited for: a slow disk makes for earlier kills.
struct KillAim {
  uint64_t after_acknowledged = 0;
  std::optional<RunState> state;
  uint64_t linger_us = 0;
};

// What is known of a directory across its lives, per writer.
struct KillKnowledge {
  UnitBounds bounds;                                                       // least: acknowledged
  std::vector<uint64_t> durable = std::vector<uint64_t>(kKillWriters, 0);  // least after a power cut
};

struct KillOutcome {
  std::string error;  // of the child, or of a promise that its start broke; "" if none
  std::array<bool, kRunStates> running = {};
  uint64_t acknowledged = 0;
  uint64_t flushes = 0;
  uint64_t compactions = 0;

  bool Idle() const;
};

// Runs one life in `directory` with the variables added to the environment, and adds to what is known.
KillOutcome RunAndKill(const std::string& directory, size_t setup, const KillAim& aim,
                       const std::vector<std::pair<std::string, std::string>>& variables,
                       KillKnowledge* knowledge);

}  // namespace seerdb::testing
