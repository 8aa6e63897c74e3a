// KillTable: how many kills hit what, as a table of states by setups.
//
// Thread safety: external synchronization.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "tests/kill/kill_life.h"

namespace seerdb::testing {

class KillTable {
 public:
  KillTable() : columns_(KillSetups().size()) {}

  void Add(size_t setup, const KillOutcome& outcome);
  void AddOpened(size_t setup) { ++columns_[setup].opened; }
  void Print(const char* title) const;

  uint64_t kills() const;
  uint64_t in(RunState state) const;

 private:
  // A kill counts in every state that a thread was in.
  struct Column {
    uint64_t kills = 0;
    std::array<uint64_t, kRunStates> in = {};
    uint64_t idle = 0;  // between the calls
    uint64_t acknowledged = 0;
    uint64_t flushes = 0;
    uint64_t compactions = 0;
    uint64_t opened = 0;  // and found right
  };
  template <class Number>
  void PrintRow(const char* name, const Number& number) const;

  std::vector<Column> columns_;
};

}  // namespace seerdb::testing
