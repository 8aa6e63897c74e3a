// ManualClock: a clock for tests that moves only when told to; a sleep moves it and returns at once.
//
// Thread safety: all methods may be called concurrently.
#pragma once

#include <atomic>
#include <cstdint>

#include "seerdb/clock.h"

namespace seerdb {

class ManualClock final : public Clock {
 public:
  explicit ManualClock(uint64_t now_us = 1, uint64_t wall_us = 1700000000000000)
      : now_us_(now_us), wall_us_(wall_us) {}

  uint64_t NowMicros() override { return now_us_.load(); }
  uint64_t WallMicros() override { return wall_us_.load(); }
  void SleepMicros(uint64_t micros) override {
    slept_us_ += micros;
    Advance(micros);
  }

  // Moves both readings forward.
  void Advance(uint64_t micros) {
    now_us_ += micros;
    wall_us_ += micros;
  }
  // Makes the wall clock jump, also back.
  void SetWallMicros(uint64_t wall_us) { wall_us_ = wall_us; }
  // The sum of all sleeps.
  uint64_t slept_us() const { return slept_us_.load(); }

 private:
  std::atomic<uint64_t> now_us_;
  std::atomic<uint64_t> wall_us_;
  std::atomic<uint64_t> slept_us_{0};
};

}  // namespace seerdb
