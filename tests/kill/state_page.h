// StatePage: what a process is doing, in memory shared with another, so that it can be read when the process
// has been killed. Lies in a file without a name, whose descriptor the child inherits.
//
// Thread safety: all fields are atomics; any thread of either process may use them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace seerdb::testing {

enum class RunState : unsigned char {
  kRecovery,    // inside DB::Open
  kFlush,       // a flush task that has begun its table
  kCompaction,  // a compaction task that has begun a table
  kRotation,    // the making of a log file, until it is durable and open
  kManifest,    // a call on the manifest or on CURRENT
  kDelete,      // the deletion of a file
  kLogAppend,   // an append to a log
  kLogSync,     // a sync of a log
};
inline constexpr size_t kRunStates = 8;
inline constexpr const char* kRunStateNames[kRunStates] = {"recovery", "flush",  "compaction", "rotation",
                                                           "manifest", "delete", "log append", "log sync"};

struct StatePage {
  std::atomic<int32_t> running[kRunStates];   // how many threads are in it
  std::atomic<uint64_t> entered[kRunStates];  // how often it began
  std::atomic<uint64_t> flushes;              // reported to Options::logger
  std::atomic<uint64_t> compactions;

  std::atomic<int32_t>& of(RunState state) { return running[static_cast<size_t>(state)]; }
  void Enter(RunState state) {
    of(state).fetch_add(1);
    entered[static_cast<size_t>(state)].fetch_add(1);
  }
  void Leave(RunState state) { of(state).fetch_sub(1); }
};
static_assert(std::atomic<uint64_t>::is_always_lock_free);

class StateScope {
 public:
  StateScope(StatePage* page, RunState state) : page_(page), state_(state) { page_->Enter(state_); }
  ~StateScope() { page_->Leave(state_); }
  StateScope(const StateScope&) = delete;
  StateScope& operator=(const StateScope&) = delete;

 private:
  StatePage* const page_;
  const RunState state_;
};

}  // namespace seerdb::testing
