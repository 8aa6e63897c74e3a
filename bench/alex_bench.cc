// Times AlexTree beside std::lower_bound over a sorted array and std::map: building, finding keys that are
// present, in an order in which each is known only when the one before was found, inserting, and memory.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "base/random.h"
#include "learned/alex_tree.h"

namespace seerdb {
namespace {

using Clock = std::chrono::steady_clock;

struct Settings {
  std::vector<size_t> counts = {1'000'000, 10'000'000};
  size_t finds = 1'000'000;
  size_t inserts = 500'000;
  size_t map_most = 1'000'000;
  uint64_t seed = 1;
};

double NanosSince(Clock::time_point start, size_t count) {
  const std::chrono::duration<double, std::nano> passed = Clock::now() - start;
  return passed.count() / static_cast<double>(std::max<size_t>(count, 1));
}

std::vector<uint64_t> MakeKeys(const std::string& kind, size_t count, Random* random) {
  std::vector<uint64_t> keys;
  keys.reserve(count);
  while (keys.size() < count) {
    if (kind == "sequential") {
      keys.push_back(keys.size() * 8);
    } else if (kind == "uniform") {
      keys.push_back(random->Next());
    } else {
      const double radius = std::sqrt(-2 * std::log(1 - random->NextDouble()));
      const double normal = radius * std::cos(6.283185307 * random->NextDouble());
      keys.push_back(static_cast<uint64_t>(std::exp(2 * normal) * 1e12));
    }
  }
  return keys;
}

struct Row {
  const char* index;
  double build = 0;  // nanoseconds a key
  double find = 0;
  double insert = 0;  // 0: not measured
  double bytes = 0;   // a key, after the build
};

void Print(const std::string& kind, size_t count, const Row& row) {
  std::printf("%-11s %9zu  %-12s build %7.1f  find %7.1f", kind.c_str(), count, row.index, row.build,
              row.find);
  if (row.insert > 0) std::printf("  insert %8.1f", row.insert);
  std::printf(" ns a key, %5.1f bytes a key\n", row.bytes);
  std::fflush(stdout);
}

// Each answer is zero but the compiler does not know: so the next key waits for it.
template <typename Find>
double TimeFinds(const std::vector<uint64_t>& probes, const Find& find) {
  uint64_t nothing = 0;
  const Clock::time_point start = Clock::now();
  for (const uint64_t probe : probes) nothing = find(probe ^ nothing) ^ probe;
  const double nanos = NanosSince(start, probes.size());
  if (nothing != 0) std::printf("a key was not found\n");
  return nanos;
}

struct Workload {
  std::vector<uint64_t> sorted;  // to build from
  std::vector<uint64_t> added;   // to insert, in this order
  std::vector<uint64_t> probes;
};

Workload MakeWorkload(const std::string& kind, size_t count, const Settings& settings) {
  Random random(settings.seed);
  Workload made;
  std::vector<uint64_t> keys = MakeKeys(kind, count + settings.inserts, &random);
  made.added.assign(keys.begin() + static_cast<std::ptrdiff_t>(count), keys.end());
  keys.resize(count);
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  made.sorted = std::move(keys);
  for (size_t i = 0; i < settings.finds; ++i) {
    made.probes.push_back(made.sorted[random.Uniform(made.sorted.size())]);
  }
  return made;
}

Row MeasureAlex(const Workload& workload, AlexShape* shape) {
  Row row{"alex"};
  std::vector<AlexEntry> entries;
  entries.reserve(workload.sorted.size());
  for (const uint64_t key : workload.sorted) entries.push_back({key, key});
  AlexTree tree;
  Clock::time_point start = Clock::now();
  tree.BulkLoad(entries);
  row.build = NanosSince(start, entries.size());
  *shape = tree.Shape();
  row.bytes = static_cast<double>(tree.memory_bytes()) / static_cast<double>(tree.size());
  row.find = TimeFinds(workload.probes, [&](uint64_t key) { return tree.Find(key).value_or(0); });
  start = Clock::now();
  for (const uint64_t key : workload.added) tree.InsertOrAssign(key, key);
  row.insert = NanosSince(start, workload.added.size());
  return row;
}

Row MeasureArray(const Workload& workload) {
  Row row{"lower_bound"};
  row.bytes = sizeof(AlexEntry);
  std::vector<AlexEntry> entries;
  const Clock::time_point start = Clock::now();
  entries.reserve(workload.sorted.size());
  for (const uint64_t key : workload.sorted) entries.push_back({key, key});
  row.build = NanosSince(start, entries.size());
  row.find = TimeFinds(workload.probes, [&](uint64_t key) {
    return std::lower_bound(entries.begin(), entries.end(), key,
                            [](const AlexEntry& entry, uint64_t probe) { return entry.key < probe; })
        ->payload;
  });
  return row;
}

Row MeasureMap(const Workload& workload) {
  Row row{"std::map"};
  row.bytes = 64;  // a node, as glibc's malloc gives it
  std::map<uint64_t, uint64_t> map;
  Clock::time_point start = Clock::now();
  for (const uint64_t key : workload.sorted) map.emplace_hint(map.end(), key, key);
  row.build = NanosSince(start, map.size());
  row.find = TimeFinds(workload.probes, [&](uint64_t key) { return map.find(key)->second; });
  start = Clock::now();
  for (const uint64_t key : workload.added) map.insert_or_assign(key, key);
  row.insert = NanosSince(start, workload.added.size());
  return row;
}

void Run(const Settings& settings) {
  for (const size_t count : settings.counts) {
    for (const std::string kind : {"uniform", "lognormal", "sequential"}) {
      const Workload workload = MakeWorkload(kind, count, settings);
      AlexShape shape;
      Print(kind, count, MeasureAlex(workload, &shape));
      std::printf("    %zu leaves, %zu inner nodes, %zu pointers, depth %zu, %.2f iterations expected\n",
                  shape.leaves, shape.inner_nodes, shape.pointers, shape.depth, shape.search_error);
      Print(kind, count, MeasureArray(workload));
      if (count <= settings.map_most) Print(kind, count, MeasureMap(workload));
    }
  }
}

}  // namespace
}  // namespace seerdb

int main(int argc, char** argv) {
  seerdb::Settings settings;
  CLI::App app("Times AlexTree beside std::lower_bound and std::map");
  app.add_option("--keys", settings.counts, "how many keys it is built of, several times");
  app.add_option("--finds", settings.finds, "keys that are looked up");
  app.add_option("--inserts", settings.inserts, "keys that are inserted after the build");
  app.add_option("--map-most", settings.map_most, "std::map is measured up to so many keys");
  app.add_option("--seed", settings.seed, "of the keys");
  CLI11_PARSE(app, argc, argv);
  seerdb::Run(settings);
  return 0;
}
