#include "usage.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "engine.h"

namespace seerdb::bench {
namespace {

namespace stdfs = std::filesystem;
using SteadyClock = std::chrono::steady_clock;

double SecondsOf(int who) {
  rusage usage{};
  getrusage(who, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

IoCounters ReadIoCounters() {
  IoCounters counters;
  std::ifstream in("/proc/self/io");
  std::string name;
  for (uint64_t value = 0; in >> name >> value;) {
    if (name == "rchar:") counters.read_call_bytes = value;
    if (name == "read_bytes:") counters.device_read_bytes = value;
    if (name == "write_bytes:") counters.written_bytes = value;
    if (name == "cancelled_write_bytes:") counters.cancelled_bytes = value;
  }
  return counters;
}

double CpuSeconds() { return SecondsOf(RUSAGE_SELF); }
double OtherThreadsCpuSeconds() { return SecondsOf(RUSAGE_SELF) - SecondsOf(RUSAGE_THREAD); }

uint64_t AnonymousBytes() {
  std::ifstream in("/proc/self/status");
  for (std::string word; in >> word;) {
    uint64_t kib = 0;
    if (word == "RssAnon:" && in >> kib) return kib * 1024;
  }
  return 0;
}

uint64_t DiskBytes(const std::string& path) {
  uint64_t blocks = 0;
  std::error_code error;
  for (stdfs::recursive_directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    struct stat info;
    if (lstat(it->path().c_str(), &info) == 0 && S_ISREG(info.st_mode)) {
      blocks += static_cast<uint64_t>(info.st_blocks);
    }
  }
  return blocks * 512;
}

void UsageMeter::Report(nlohmann::json* result) const {
  const IoCounters now = ReadIoCounters();
  (*result)["cpu_seconds"] = CpuSeconds() - cpu_before_;
  (*result)["read_call_bytes"] = now.read_call_bytes - io_before_.read_call_bytes;
  (*result)["device_read_bytes"] = now.device_read_bytes - io_before_.device_read_bytes;
  (*result)["written_bytes"] = now.written_bytes - io_before_.written_bytes;
  (*result)["cancelled_bytes"] = now.cancelled_bytes - io_before_.cancelled_bytes;
}

double AwaitQuiet(double quiet_s) {
  constexpr double kSampleSeconds = 0.1;
  constexpr double kTickCpuSeconds = 0.005;
  constexpr uint64_t kTickBytes = 64 << 10;
  constexpr double kLimitSeconds = 3600;
  const auto seconds_since = [](SteadyClock::time_point then) {
    return std::chrono::duration<double>(SteadyClock::now() - then).count();
  };
  const auto start = SteadyClock::now();
  auto active = start;
  double cpu = OtherThreadsCpuSeconds();
  uint64_t written = ReadIoCounters().written_bytes;
  while (seconds_since(active) < quiet_s) {
    if (seconds_since(start) > kLimitSeconds) Die("the engine's background work does not end");
    std::this_thread::sleep_for(std::chrono::duration<double>(kSampleSeconds));
    const double cpu_now = OtherThreadsCpuSeconds();
    const uint64_t written_now = ReadIoCounters().written_bytes;
    if (cpu_now - cpu > kTickCpuSeconds || written_now - written > kTickBytes) active = SteadyClock::now();
    cpu = cpu_now;
    written = written_now;
  }
  return seconds_since(active);
}

}  // namespace seerdb::bench
