// filter_bench: what membership filters take, what they let pass, and how long they take, in one thread.
//
// Keys are 8 bytes big-endian: uniform; clustered, a thousand in each 2^32 values; and in a row with every
// hundredth left out. Absent keys are made like the keys ("near": in the same clusters, or the holes of the
// row) or evenly between the least and the greatest key ("even"). A lookup's place in the list of probes
// depends on the answer before it. Of three passes the fastest counts. `filter_bench 1000000` leaves out
// what has more keys.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <type_traits>
#include <vector>

#include "base/hash.h"
#include "base/random.h"
#include "learned/binary_fuse_builder.h"
#include "learned/bit_packed_bloom_filter.h"
#include "learned/bloom_filter.h"
#include "learned/key_filter.h"
#include "learned/learned_filter.h"

namespace seerdb {
namespace {

constexpr size_t kProbes = 1 << 19;
constexpr uint64_t kClusterKeys = 1000;

uint64_t HashOf(uint64_t window) {
  const uint64_t key = __builtin_bswap64(window);
  return Hash64(Slice(reinterpret_cast<const char*>(&key), sizeof key));
}

class Timer {
 public:
  double Nanos() const {
    return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

struct Keys {
  const char* name;
  std::vector<uint64_t> windows;
  std::vector<uint64_t> hashes;
  std::vector<FilterProbe> present, near, even;
};

std::vector<FilterProbe> Absent(const Keys& keys, const std::function<uint64_t()>& make) {
  std::vector<FilterProbe> probes;
  while (probes.size() < kProbes) {
    const uint64_t window = make();
    if (std::binary_search(keys.windows.begin(), keys.windows.end(), window)) continue;
    probes.push_back({HashOf(window), window});
  }
  return probes;
}

// `key(i)` is key i, `near()` a key made alike, absent or not.
Keys MakeKeys(const char* name, size_t count, const std::function<uint64_t(uint64_t)>& key,
              const std::function<uint64_t()>& near) {
  Keys keys{name, {}, {}, {}, {}, {}};
  for (uint64_t i = 0; i < count; ++i) keys.windows.push_back(key(i));
  std::sort(keys.windows.begin(), keys.windows.end());
  keys.windows.erase(std::unique(keys.windows.begin(), keys.windows.end()), keys.windows.end());
  for (const uint64_t window : keys.windows) keys.hashes.push_back(HashOf(window));
  Random random(2);
  for (size_t i = 0; i < kProbes; ++i) {
    const size_t at = random.Uniform(keys.windows.size());
    keys.present.push_back({keys.hashes[at], keys.windows[at]});
  }
  keys.near = Absent(keys, near);
  const uint64_t span = keys.windows.back() - keys.windows.front();
  // Of a row every absent key is a hole.
  keys.even = span < 2 * count ? keys.near
                               : Absent(keys, [&] { return keys.windows.front() + random.Uniform(span); });
  return keys;
}

Keys UniformKeys(size_t count) {
  Random random(1);
  const auto any = [&] { return random.Next(); };
  return MakeKeys(
      "uniform", count, [&](uint64_t) { return any(); }, any);
}

Keys ClusteredKeys(size_t count) {
  Random random(3);
  std::vector<uint64_t> begins(count / kClusterKeys);
  for (uint64_t& begin : begins) begin = random.Next() >> 32 << 32;
  const auto any = [&] { return begins[random.Uniform(begins.size())] + (random.Next() >> 32); };
  return MakeKeys(
      "clustered", count, [&](uint64_t) { return any(); }, any);
}

Keys RowKeys(size_t count) {
  Random random(4);
  const uint64_t holes = count / 99;
  return MakeKeys(
      "row", count, [](uint64_t i) { return i + i / 99; }, [&] { return random.Uniform(holes) * 100 + 99; });
}

template <typename Filter>
bool AskFilter(const Filter& filter, const FilterProbe& probe) {
  if constexpr (std::is_same_v<Filter, LearnedFilter>) {
    return filter.MayContain(probe.hash, probe.window);
  } else {
    return filter.MayContain(probe.hash);
  }
}

// Nanoseconds a lookup; the share that passes, in percent, to `passed`.
template <typename Filter>
double Lookups(const Filter& filter, const std::vector<FilterProbe>& probes, double* passed) {
  double best = 1e9;
  for (int pass = 0; pass < 3; ++pass) {
    const Timer timer;
    size_t yes = 0;
    size_t asked = 0;
    for (size_t at = 0; at < probes.size(); ++asked) {
      const bool answer = AskFilter(filter, probes[at]);
      yes += answer ? 1 : 0;
      at += answer ? 2 : 1;
    }
    best = std::min(best, timer.Nanos() / static_cast<double>(asked));
    *passed = 100 * static_cast<double>(yes) / static_cast<double>(asked);
  }
  return best;
}

template <typename Filter>
void Row(const char* kind, const Keys& keys, uint32_t bits, const std::function<std::string()>& build) {
  const auto count = static_cast<double>(keys.hashes.size());
  const Timer timer;
  const std::string bytes = build();
  const double build_ns = timer.Nanos() / count;
  const Result<Filter> filter = Filter::Decode(bytes);
  if (!filter.ok()) {
    std::fprintf(stderr, "filter_bench: %s\n", filter.status().ToString().c_str());
    std::exit(1);
  }
  size_t memory = bytes.size();
  if constexpr (std::is_same_v<Filter, LearnedFilter>) memory += filter->memory_bytes();
  double all = 0;
  double near = 0;
  double even = 0;
  const double present_ns = Lookups(*filter, keys.present, &all);
  const double near_ns = Lookups(*filter, keys.near, &near);
  const double even_ns = Lookups(*filter, keys.even, &even);
  if (all != 100) {
    std::fprintf(stderr, "filter_bench: %s denies keys\n", kind);
    std::exit(1);
  }
  std::printf("%-10s %9zu %-14s %4u %7.2f %8.1f %9.4f %9.4f %8.1f %8.1f %8.1f\n", keys.name,
              keys.hashes.size(), kind, bits, static_cast<double>(memory) * 8 / count, build_ns, near, even,
              present_ns, near_ns, even_ns);
  std::fflush(stdout);
}

void Rows(const Keys& keys, uint32_t bits) {
  Row<BloomFilter>("blocked Bloom", keys, bits, [&] {
    return *BuildFilter(FilterKind::kBlockedBloom, {keys.hashes, {}, false}, bits);
  });
  Row<BitPackedBloomFilter>("Bloom", keys, bits,
                            [&] { return BitPackedBloomFilter::Build(keys.hashes, bits); });
  Row<BinaryFuseFilter>("binary fuse 3", keys, bits, [&] {
    return *BuildBinaryFuse(keys.hashes, FuseOptionsFor(keys.hashes.size(), bits, 3));
  });
  Row<BinaryFuseFilter>("binary fuse 4", keys, bits, [&] {
    return *BuildBinaryFuse(keys.hashes, FuseOptionsFor(keys.hashes.size(), bits, 4));
  });
  Row<LearnedFilter>("learned", keys, bits, [&] {
    return *LearnedFilter::Build(keys.hashes, keys.windows, {bits, true});
  });
}

void Run(size_t most_keys) {
  std::printf("%-10s %9s %-14s %4s %7s %8s %9s %9s %8s %8s %8s\n", "keys", "count", "filter", "want",
              "bits/key", "build ns", "near fp%", "even fp%", "hit ns", "near ns", "even ns");
  for (const size_t count : {100'000u, 1'000'000u, 10'000'000u}) {
    if (count > most_keys) continue;
    for (const auto& make : {UniformKeys, ClusteredKeys, RowKeys}) {
      // The largest take their time.
      if (count > 1'000'000 && make == RowKeys) continue;
      const Keys keys = make(count);
      for (const uint32_t bits : {8u, 10u, 12u, 16u}) {
        if (count > 1'000'000 && bits != 10 && bits != 16) continue;
        Rows(keys, bits);
      }
    }
  }
}

}  // namespace
}  // namespace seerdb

int main(int argc, char** argv) {
  seerdb::Run(argc > 1 ? std::strtoull(argv[1], nullptr, 10) : SIZE_MAX);
  return 0;
}
