// Linearizability: whether a recorded history of concurrent operations can be explained by some order in
// which each operation took effect at one moment between its call and its return.
//
// The database is one object of a few keys, so operations on several keys at once (batches, reads of one
// view) are checked to be atomic too. The search is Wing's and Gong's, done just in time as Lowe's: events
// are walked in order of time with the set of all states that the database could be in; an operation is made
// to take effect only when its return demands that it has. Thread safety: CheckLinearizable is pure; a
// HistoryRecorder may be used by its threads concurrently.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace seerdb::testing {

inline constexpr size_t kHistoryKeys = 6;
inline constexpr size_t kHistoryThreads = 16;
inline constexpr uint64_t kAbsent = 0;  // the value of a key that is not there

// Sees all reads, then makes all writes, at one moment within [invoked, returned].
struct HistoryOperation {
  size_t thread = 0;                                     // has one operation at a time
  std::vector<std::pair<size_t, uint64_t>> reads = {};   // key, value found
  std::vector<std::pair<size_t, uint64_t>> writes = {};  // key, new value; in order
  uint64_t invoked = 0;
  uint64_t returned = 0;
};
using History = std::vector<HistoryOperation>;

// "" if some order explains the history (from a database without keys); else the operation that none
// explains, and those around it. Requires: times are distinct, values at most kHistoryKeys keys and
// kHistoryThreads threads.
std::string CheckLinearizable(const History& history);

// The clock of a history: a counter that all threads share.
class HistoryClock {
 public:
  uint64_t Now() { return now_.fetch_add(1) + 1; }

 private:
  std::atomic<uint64_t> now_{0};
};

}  // namespace seerdb::testing
