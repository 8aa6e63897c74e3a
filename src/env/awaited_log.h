// AwaitedLog: says that somebody waits for a log file while it is made ready, so that no more is done than
// must be.
//
// A hint, for all databases of the process together. Thread safety: concurrently.
#pragma once

#include <atomic>
#include <cstdint>

namespace seerdb {

class AwaitedLog {
 public:
  AwaitedLog() { count_.fetch_add(1, std::memory_order_relaxed); }
  AwaitedLog(const AwaitedLog&) = delete;
  AwaitedLog& operator=(const AwaitedLog&) = delete;
  ~AwaitedLog() { count_.fetch_sub(1, std::memory_order_relaxed); }

  static bool Any() { return count_.load(std::memory_order_relaxed) != 0; }

 private:
  static inline std::atomic<uint32_t> count_{0};
};

}  // namespace seerdb
