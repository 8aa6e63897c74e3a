// What the killed process writes, and how to tell what is left of it.
//
// Each of kKillWriters threads writes its units 1, 2, 3, ... in order, each whole or not at all, and each
// fully determined by writer and number. Nearly all carry the writer's counter; every eighth is a single
// Delete or DeleteRange, which carries none, so what follows a counter may be there too. A process that goes
// on starts at the counter: repeating the unit behind it changes nothing. Thread safety: the functions may be
// called concurrently.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "seerdb/db.h"

namespace seerdb::testing {

inline constexpr int kKillWriters = 4;

// One way to run the database. The child is told its index.
struct KillSetup {
  std::string name;
  SyncPolicy policy;
  LogMode log_mode;
};
// Every log mode under every sync policy.
const std::vector<KillSetup>& KillSetups();
// Small everything, so that flush, compaction and rotation happen all the time; background threads.
Options KillOptions(const KillSetup& setup);

Status WriteUnit(DB& db, int writer, uint64_t unit);
// True if an acknowledgement of the unit promises that it survives a power cut.
bool IsDurable(const KillSetup& setup, int writer, uint64_t unit);

// The counter of a writer: the last unit that carries one. 0 if there is none.
Result<uint64_t> ReadCounter(DB& db, int writer);
// True if the state with this counter may hold unit `counter` + 1 as well.
bool MayBeOneMore(int writer, uint64_t counter);

// Per writer: units that must be there, and units that were submitted.
struct UnitBounds {
  std::vector<uint64_t> least = std::vector<uint64_t>(kKillWriters, 0);
  std::vector<uint64_t> most = std::vector<uint64_t>(kKillWriters, 0);
};

// Checks that the database holds exactly the state after units 1..j of each writer, with least <= j <= most,
// read forwards and backwards. Returns "" and sets the j, or says what is wrong.
std::string CheckUnits(DB& db, const UnitBounds& bounds, std::vector<uint64_t>* last);

}  // namespace seerdb::testing
