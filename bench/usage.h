// Usage: what the process and its files use, as the operating system counts it.
//
// Thread safety: functions may be called concurrently; a UsageMeter belongs to one thread.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace seerdb::bench {

// Fields of /proc/self/io. Writes count when a page is first made dirty, through a call or a mapping, whether
// or not the device ever sees it; `cancelled_bytes` of them were deleted or cut before it did. What is read
// through a mapping counts in `device_read_bytes` alone, and only if the page cache did not have it.
struct IoCounters {
  uint64_t read_call_bytes = 0;    // rchar
  uint64_t device_read_bytes = 0;  // read_bytes
  uint64_t written_bytes = 0;      // write_bytes
  uint64_t cancelled_bytes = 0;    // cancelled_write_bytes
};
IoCounters ReadIoCounters();

// User and system time of all threads so far.
double CpuSeconds();
// The same of the threads but the calling one.
double OtherThreadsCpuSeconds();
// Anonymous memory.
uint64_t AnonymousBytes();
// Bytes of blocks allocated to the files under `path`, which for sparse files is less than their size.
uint64_t DiskBytes(const std::string& path);

// What the process uses from construction on, background threads included.
class UsageMeter {
 public:
  UsageMeter() : cpu_before_(CpuSeconds()), io_before_(ReadIoCounters()) {}
  // Adds fields for the time since construction: cpu_seconds and those of IoCounters.
  void Report(nlohmann::json* result) const;

 private:
  double cpu_before_;
  IoCounters io_before_;
};

// Waits until the other threads of the process have neither computed nor written for `quiet_s`, and returns
// how many seconds ago they last did. An engine's occasional tick (a few milliseconds, some KiB of its own
// log a tenth of a second) does not count. Ends the program after an hour.
double AwaitQuiet(double quiet_s);

}  // namespace seerdb::bench
