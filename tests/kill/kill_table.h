// KillTable: how many kills hit what, as a table of setups by states.
//
// Thread safety: external synchronization.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/kill/kill_life.h"

namespace seerdb::testing {

class KillTable {
 public:
  KillTable() : rows_(KillSetups().size()) {}

  void Add(size_t setup, const KillOutcome& outcome);
  // What a kill left was opened and found right.
  void AddOpened(size_t setup) { ++rows_[setup].opened; }
  // In Markdown, a row for each setup and one for all.
  void Print(const char* title) const;

  uint64_t kills() const { return Sum().kills; }
  uint64_t opened() const { return Sum().opened; }
  uint64_t in(RunState state) const { return Sum().in[static_cast<size_t>(state)]; }

 private:
  // A kill counts in every state that a thread was in.
  struct Row {
    uint64_t kills = 0;
    std::array<uint64_t, kRunStates> in = {};
    uint64_t idle = 0;  // between all of them
    uint64_t acknowledged = 0;
    uint64_t flushes = 0;
    uint64_t compactions = 0;
    uint64_t opened = 0;
  };
  Row Sum() const;
  static void PrintRow(const std::string& name, const Row& row);

  std::vector<Row> rows_;
};

}  // namespace seerdb::testing
