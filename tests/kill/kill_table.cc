#include "tests/kill/kill_table.h"

#include <cinttypes>
#include <cstdio>

namespace seerdb::testing {

void KillTable::Add(size_t setup, const KillOutcome& outcome) {
  Column& column = columns_[setup];
  ++column.kills;
  for (size_t i = 0; i < kRunStates; ++i) column.in[i] += outcome.running[i];
  column.idle += outcome.Idle();
  column.acknowledged += outcome.acknowledged;
  column.flushes += outcome.flushes;
  column.compactions += outcome.compactions;
}

template <class Number>
void KillTable::PrintRow(const char* name, const Number& number) const {
  uint64_t all = 0;
  std::printf("  %-24s", name);
  for (const Column& column : columns_) {
    all += number(column);
    std::printf("%12" PRIu64, number(column));
  }
  std::printf("%12" PRIu64 "\n", all);
}

void KillTable::Print(const char* title) const {
  std::printf("[ KILLS    ] %s\n  %-24s", title, "");
  for (const KillSetup& setup : KillSetups()) std::printf("%12s", setup.name.c_str());
  std::printf("%12s\n", "all");
  PrintRow("kills", [](const Column& c) { return c.kills; });
  for (size_t i = 0; i < kRunStates; ++i) {
    const std::string name = std::string("  during ") + kRunStateNames[i];
    PrintRow(name.c_str(), [i](const Column& c) { return c.in[i]; });
  }
  PrintRow("  during none of these", [](const Column& c) { return c.idle; });
  PrintRow("acknowledged units", [](const Column& c) { return c.acknowledged; });
  PrintRow("finished flushes", [](const Column& c) { return c.flushes; });
  PrintRow("finished compactions", [](const Column& c) { return c.compactions; });
  PrintRow("opened and found right", [](const Column& c) { return c.opened; });
  std::fflush(stdout);
}

uint64_t KillTable::kills() const {
  uint64_t sum = 0;
  for (const Column& column : columns_) sum += column.kills;
  return sum;
}

uint64_t KillTable::in(RunState state) const {
  uint64_t sum = 0;
  for (const Column& column : columns_) sum += column.in[static_cast<size_t>(state)];
  return sum;
}

}  // namespace seerdb::testing
