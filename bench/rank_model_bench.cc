// rank_model_bench: what each kind of RankModel costs over sorted windows in memory, beside std::lower_bound:
// to build (ns a key), to keep (bits a key), and to search with (ns a lookup of a window that is there).
//
// A lookup begins where the one before it ended, so that none runs ahead of another. Rounds are interleaved;
// the median is printed. All kinds must have found the same.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "base/random.h"
#include "learned/bracket_search.h"
#include "learned/optimal_pla.h"
#include "learned/pgm_model.h"
#include "learned/pla_builder.h"
#include "learned/radix_spline.h"

namespace seerdb::bench {
namespace {

using Windows = std::vector<uint64_t>;
using SteadyClock = std::chrono::steady_clock;

double NanosSince(SteadyClock::time_point start) {
  return std::chrono::duration<double, std::nano>(SteadyClock::now() - start).count();
}

double Normal(Random* random) {
  const double u = 1 - random->NextDouble();
  return std::sqrt(-2 * std::log(u)) * std::cos(2 * M_PI * random->NextDouble());
}

Windows MakeWindows(const std::string& data, size_t count) {
  Random random(count);
  Windows windows(count);
  uint64_t next = 1'000'000;
  for (uint64_t& window : windows) {
    if (data == "sequential") {
      window = next++;
    } else if (data == "uniform") {
      window = random.Next();
    } else {
      window = static_cast<uint64_t>(std::exp(2 * Normal(&random)) * 1e12);
    }
  }
  std::sort(windows.begin(), windows.end());
  return windows;
}

// The rank where `lookups` dependent lookups end; `find` gives the lower bound of a window.
template <typename Find>
uint64_t Chase(const Windows& windows, uint64_t lookups, const Find& find) {
  uint64_t rank = 0;
  for (uint64_t i = 0; i < lookups; ++i) {
    const uint64_t mixed = (rank + i + 1) * 0x9e3779b97f4a7c15;
    const auto at = static_cast<uint64_t>((static_cast<unsigned __int128>(mixed) * windows.size()) >> 64);
    rank = find(windows[at]);
  }
  return rank;
}

struct Contender {
  std::string name;
  size_t segments = 0;
  uint32_t max_error = 0;
  double bits_a_key = 0;
  double build_ns = 0;
  std::function<uint64_t(uint64_t lookups)> chase;
  std::vector<double> lookup_ns;
};

size_t SegmentsOf(const PlaModel& model) { return model.segments().size(); }
size_t SegmentsOf(const PgmModel& model) { return model.SegmentsOf(0).size(); }
size_t SegmentsOf(const RadixSpline& model) { return model.knot_count() - 1; }

template <typename Builder>
Contender Built(const std::string& name, const Windows& windows, uint32_t epsilon) {
  const auto start = SteadyClock::now();
  Builder builder(epsilon);
  for (const uint64_t window : windows) builder.Add(window);
  auto model = builder.Finish();
  Contender built;
  built.build_ns = NanosSince(start) / static_cast<double>(windows.size());
  built.name = name;
  built.segments = SegmentsOf(model);
  built.max_error = model.max_error();
  built.bits_a_key = 8.0 * static_cast<double>(model.memory_bytes()) / static_cast<double>(windows.size());
  built.chase = [&windows, model = std::move(model)](uint64_t lookups) {
    return Chase(windows, lookups, [&](uint64_t window) {
      return BracketSearch(
                 model, windows.size(), window, [&](size_t i) { return windows[i]; },
                 [](size_t) { return false; })
          .rank;
    });
  };
  return built;
}

Contender LowerBound(const Windows& windows) {
  Contender contender;
  contender.name = "std::lower_bound";
  contender.chase = [&windows](uint64_t lookups) {
    return Chase(windows, lookups, [&](uint64_t window) {
      return static_cast<uint64_t>(std::lower_bound(windows.begin(), windows.end(), window) -
                                   windows.begin());
    });
  };
  return contender;
}

void Measure(const std::string& data, size_t keys, uint64_t lookups, uint64_t rounds) {
  const Windows windows = MakeWindows(data, keys);
  std::vector<Contender> contenders = {LowerBound(windows)};
  for (const uint32_t epsilon : {16u, 64u}) {
    const std::string suffix = " e" + std::to_string(epsilon);
    contenders.push_back(Built<PlaBuilder>("greedy PLA" + suffix, windows, epsilon));
    contenders.push_back(Built<OptimalPlaBuilder>("optimal PLA" + suffix, windows, epsilon));
    contenders.push_back(Built<PgmBuilder>("PGM" + suffix, windows, epsilon));
    contenders.push_back(Built<RadixSplineBuilder>("RadixSpline" + suffix, windows, epsilon));
  }
  const uint64_t expected = contenders[0].chase(lookups);
  for (uint64_t round = 0; round < rounds; ++round) {
    for (Contender& contender : contenders) {
      const auto start = SteadyClock::now();
      const uint64_t ended = contender.chase(lookups);
      contender.lookup_ns.push_back(NanosSince(start) / static_cast<double>(lookups));
      if (ended != expected) {
        std::fprintf(stderr, "rank_model_bench: %s finds other ranks\n", contender.name.c_str());
        std::exit(1);
      }
    }
  }
  for (Contender& contender : contenders) {
    std::sort(contender.lookup_ns.begin(), contender.lookup_ns.end());
    std::printf("%-10s %8zu  %-16s %9zu %6u %9.4f %9.1f %9.1f\n", data.c_str(), keys, contender.name.c_str(),
                contender.segments, contender.max_error, contender.bits_a_key, contender.build_ns,
                contender.lookup_ns[contender.lookup_ns.size() / 2]);
  }
}

int Main(int argc, char** argv) {
  CLI::App app("what each kind of model of sorted windows costs");
  std::vector<size_t> keys = {1'000'000, 4'000'000};
  uint64_t lookups = 200'000, rounds = 3;
  app.add_option("--keys", keys, "numbers of windows");
  app.add_option("--lookups", lookups, "lookups a round, at least 1")->check(CLI::PositiveNumber);
  app.add_option("--rounds", rounds, "rounds, at least 1")->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  std::printf("%-10s %8s  %-16s %9s %6s %9s %9s %9s\n", "windows", "keys", "kind", "segments", "error",
              "bits/key", "build ns", "lookup ns");
  for (const char* data : {"sequential", "uniform", "lognormal"}) {
    for (const size_t count : keys) Measure(data, count, lookups, rounds);
  }
  return 0;
}

}  // namespace
}  // namespace seerdb::bench

int main(int argc, char** argv) { return seerdb::bench::Main(argc, argv); }
