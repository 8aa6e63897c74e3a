#include "tests/kill/kill_table.h"

#include <cinttypes>
#include <cstdio>

namespace seerdb::testing {

void KillTable::Add(size_t setup, const KillOutcome& outcome) {
  Row& row = rows_[setup];
  ++row.kills;
  for (size_t i = 0; i < kRunStates; ++i) row.in[i] += outcome.running[i];
  row.idle += outcome.Idle();
  row.acknowledged += outcome.acknowledged;
  row.flushes += outcome.flushes;
  row.compactions += outcome.compactions;
}

KillTable::Row KillTable::Sum() const {
  Row sum;
  for (const Row& row : rows_) {
    sum.kills += row.kills;
    for (size_t i = 0; i < kRunStates; ++i) sum.in[i] += row.in[i];
    sum.idle += row.idle;
    sum.acknowledged += row.acknowledged;
    sum.flushes += row.flushes;
    sum.compactions += row.compactions;
    sum.opened += row.opened;
  }
  return sum;
}

void KillTable::PrintRow(const std::string& name, const Row& row) {
  std::printf("| %-16s | %5" PRIu64 " |", name.c_str(), row.kills);
  for (const uint64_t count : row.in) std::printf(" %10" PRIu64 " |", count);
  std::printf(" %4" PRIu64 " | %12" PRIu64 " | %7" PRIu64 " | %11" PRIu64 " | %6" PRIu64 " |\n", row.idle,
              row.acknowledged, row.flushes, row.compactions, row.opened);
}

void KillTable::Print(const char* title) const {
  std::printf("[ KILLS    ] %s\n| %-16s | kills |", title, "policy and log");
  for (const char* name : kRunStateNames) std::printf(" %10s |", name);
  std::printf(" none | acknowledged | flushes | compactions | opened |\n|---|");
  for (size_t i = 0; i < kRunStates + 6; ++i) std::printf("---:|");
  std::printf("\n");
  for (size_t i = 0; i < rows_.size(); ++i) PrintRow(KillSetups()[i].name, rows_[i]);
  PrintRow("all", Sum());
  std::fflush(stdout);
}

}  // namespace seerdb::testing
