// What openloop measures with: a histogram of latencies, and a thread that notes the pauses of the machine.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <thread>
#include <vector>

namespace seerdb::bench {

using Clock = std::chrono::steady_clock;

inline uint64_t NowNs() {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch()).count());
}

// Latencies in buckets that are about 1.6 % wide.
class Histogram {
 public:
  void Add(uint64_t ns) {
    ++counts_[Bucket(ns)];
    ++total_;
    max_ns_ = std::max(max_ns_, ns);
  }
  // The upper end of the bucket that holds this part of all, in microseconds.
  double At(double part) const {
    if (total_ == 0) return 0;
    const auto rank = static_cast<uint64_t>(std::ceil(part * static_cast<double>(total_)));
    uint64_t seen = 0;
    for (size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen >= rank) return static_cast<double>(std::min(Upper(i), max_ns_)) / 1e3;
    }
    return max_us();
  }
  double max_us() const { return static_cast<double>(max_ns_) / 1e3; }
  uint64_t total() const { return total_; }
  void Clear() { *this = Histogram(); }

 private:
  static constexpr unsigned kBits = 6;  // of precision
  static size_t Bucket(uint64_t ns) {
    if (ns < (1u << kBits)) return ns;
    const auto shift = static_cast<unsigned>(63 - __builtin_clzll(ns)) - kBits;
    return (static_cast<size_t>(shift + 1) << kBits) + ((ns >> shift) & ((1u << kBits) - 1));
  }
  static uint64_t Upper(size_t bucket) {
    if (bucket < (1u << kBits)) return bucket;
    const size_t shift = (bucket >> kBits) - 1;
    return (((bucket & ((1u << kBits) - 1)) + (1u << kBits) + 1) << shift) - 1;
  }

  std::vector<uint64_t> counts_ = std::vector<uint64_t>((64 - kBits + 1) << kBits);
  uint64_t total_ = 0;
  uint64_t max_ns_ = 0;
};

// Sleeps a millisecond at a time, and notes by how much it wakes too late.
class ControlThread {
 public:
  ControlThread() : thread_([this] { Run(); }) {}
  ~ControlThread() {
    stop_ = true;
    thread_.join();
  }
  // The longest since the last call.
  double TakeWorstUs() { return static_cast<double>(worst_ns_.exchange(0)) / 1e3; }

 private:
  void Run() {
    constexpr uint64_t kSleepNs = 1'000'000;
    while (!stop_) {
      const uint64_t start = NowNs();
      std::this_thread::sleep_for(std::chrono::nanoseconds(kSleepNs));
      const uint64_t late = NowNs() - start - kSleepNs;
      uint64_t worst = worst_ns_;
      while (late > worst && !worst_ns_.compare_exchange_weak(worst, late)) {
      }
    }
  }

  std::atomic<bool> stop_{false};
  std::atomic<uint64_t> worst_ns_{0};
  std::thread thread_;
};

}  // namespace seerdb::bench
