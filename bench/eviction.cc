#include "eviction.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "workload.h"

namespace seerdb::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kLineBytes = 64;
constexpr size_t kLeastBytes = size_t{64} << 20;
constexpr size_t kMostBytes = size_t{1} << 30;

// 0 if the system does not say.
size_t LastLevelBytes() {
  for (const int name : {_SC_LEVEL4_CACHE_SIZE, _SC_LEVEL3_CACHE_SIZE, _SC_LEVEL2_CACHE_SIZE}) {
    const long bytes = sysconf(name);
    if (bytes > 0) return static_cast<size_t>(bytes);
  }
  return 0;
}

// Lines that each lead to the next one, all over 4 MiB.
class Ring {
 public:
  Ring() : lines_((size_t{4} << 20) / kLineBytes) {
    const Permutation order(lines_.size(), 1);
    for (size_t i = 0; i < lines_.size(); ++i) {
      lines_[order(i)].next = static_cast<uint32_t>(order((i + 1) % lines_.size()));
    }
  }
  void Load() const {
    uint64_t sum = 0;
    for (const Line& line : lines_) sum += line.next;
    asm volatile("" : : "r"(sum));
  }
  double NsToWalk() const {
    constexpr int kSteps = 1000;
    const auto start = Clock::now();
    uint32_t at = 0;
    for (int i = 0; i < kSteps; ++i) at = lines_[at].next;
    asm volatile("" : : "r"(at));
    return std::chrono::duration<double, std::nano>(Clock::now() - start).count() / kSteps;
  }

 private:
  struct alignas(kLineBytes) Line {
    uint32_t next;
  };
  std::vector<Line> lines_;
};

}  // namespace

Eviction::Eviction(size_t bytes) : walked_(bytes) {
  const size_t most = bytes > 0 ? bytes : std::clamp(2 * LastLevelBytes(), kLeastBytes, kMostBytes);
  // Not zeros, which could all be one page.
  buffer_.assign(most / sizeof(uint64_t), 1);
  if (bytes == 0) Measure();
}

void Eviction::Measure() {
  constexpr int kRepeats = 5;
  const Ring ring;
  double most_ns = 0;
  for (size_t bytes = kLeastBytes / 2; bytes <= buffer_.size() * sizeof(uint64_t); bytes *= 2) {
    walked_ = bytes;
    std::vector<double> ns;
    for (int i = 0; i < kRepeats; ++i) {
      ring.Load();
      Evict();
      ns.push_back(ring.NsToWalk());
    }
    std::sort(ns.begin(), ns.end());
    trials_.push_back({bytes, ns[kRepeats / 2]});
    most_ns = std::max(most_ns, trials_.back().ns);
  }
  const auto enough = std::find_if(trials_.begin(), trials_.end(),
                                   [&](const Trial& trial) { return trial.ns >= 0.9 * most_ns; });
  walked_ = enough->bytes;
}

void Eviction::Evict() {
  uint64_t sum = 0;
  for (size_t i = 0; i < walked_ / sizeof(uint64_t); i += kLineBytes / sizeof(uint64_t)) sum += buffer_[i];
  asm volatile("" : : "r"(sum));
}

nlohmann::json Eviction::Facts() const {
  nlohmann::json trials = nlohmann::json::array();
  for (const Trial& trial : trials_) trials.push_back({{"bytes", trial.bytes}, {"ns", trial.ns}});
  return {{"walked_bytes", walked_}, {"last_level_cache_bytes", LastLevelBytes()}, {"trials", trials}};
}

}  // namespace seerdb::bench
