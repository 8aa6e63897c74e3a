#include <cerrno>
#include <ctime>
#include <thread>

#include "base/units.h"
#include "seerdb/clock.h"

namespace seerdb {
namespace {

uint64_t ReadMicros(clockid_t id) {
  timespec now;
  ::clock_gettime(id, &now);
  return static_cast<uint64_t>(now.tv_sec) * kMicrosPerSecond + static_cast<uint64_t>(now.tv_nsec) / 1000;
}

class OsClock final : public Clock {
 public:
  uint64_t NowMicros() override { return ReadMicros(CLOCK_MONOTONIC); }
  uint64_t WallMicros() override { return ReadMicros(CLOCK_REALTIME); }
  uint64_t NowNanos() override {
    timespec now;
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1000 * kMicrosPerSecond + static_cast<uint64_t>(now.tv_nsec);
  }
  void SleepMicros(uint64_t micros) override {
    timespec left;
    left.tv_sec = static_cast<time_t>(micros / kMicrosPerSecond);
    left.tv_nsec = static_cast<long>(micros % kMicrosPerSecond) * 1000;
    while (::clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
    }
  }
};

}  // namespace

std::shared_ptr<Clock> SystemClock() {
  // Not destroyed at exit: threads that outlive main may still read the time.
  static const auto* const clock = new std::shared_ptr<Clock>(std::make_shared<OsClock>());
  return *clock;
}

}  // namespace seerdb
