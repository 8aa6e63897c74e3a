// Clock: every reading of time and every pause of the engine goes through this interface.
//
// Thread safety: all methods may be called concurrently.
#pragma once

#include <cstdint>
#include <memory>

#include "seerdb/export.h"

namespace seerdb {

class SEERDB_EXPORT Clock {
 public:
  virtual ~Clock() = default;
  // Microseconds since an arbitrary start; never goes back.
  virtual uint64_t NowMicros() = 0;
  // Microseconds since 1970-01-01 UTC; may jump.
  virtual uint64_t WallMicros() = 0;
  // Writers call it too, for a moment in which they leave the database to another: it must not wait for one.
  virtual void SleepMicros(uint64_t micros) = 0;
  // Lets other threads that are ready run first. Default: the operating system's yield.
  virtual void Yield();
  // NowMicros in nanoseconds, for latencies. Default: as fine as NowMicros.
  virtual uint64_t NowNanos() { return NowMicros() * 1000; }
};

// The operating system's clocks. The same object for every call; never destroyed.
SEERDB_EXPORT std::shared_ptr<Clock> SystemClock();

}  // namespace seerdb
