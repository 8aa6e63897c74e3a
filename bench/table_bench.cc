// Time of one table, mapped: build, Get that hits, Get that misses, and iteration, each per entry.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "base/hash.h"
#include "base/random.h"
#include "format/internal_key.h"
#include "sstable/table_builder.h"
#include "sstable/table_reader.h"

namespace seerdb {
namespace {

constexpr size_t kValueBytes = 100;
enum Keys : int64_t { kDecimal = 0, kScattered = 1, kPaths = 2 };

std::string Digits(uint64_t n) {
  char buffer[24];
  std::snprintf(buffer, sizeof buffer, "%016llu", static_cast<unsigned long long>(n));
  return buffer;
}

std::vector<std::string> MakePaths(size_t count) {
  std::vector<std::string> paths;
  std::error_code error;
  std::filesystem::recursive_directory_iterator walk(
      "/usr", std::filesystem::directory_options::skip_permission_denied, error);
  const std::filesystem::recursive_directory_iterator end;
  while (!error && walk != end) {
    paths.push_back(walk->path().string());
    walk.increment(error);
  }
  // The same tree again under other names, until there are enough.
  const size_t tree = paths.size();
  for (size_t copy = 1; tree > 0 && paths.size() < count; ++copy) {
    for (size_t i = 0; i < tree && paths.size() < count; ++i) {
      paths.push_back("/home/user" + std::to_string(copy) + paths[i]);
    }
  }
  return paths;
}

struct Fixture {
  std::vector<std::string> keys;    // sorted, in the table
  std::vector<std::string> absent;  // not in the table, from the same space
  std::vector<uint32_t> order;
  std::string path;
  std::shared_ptr<TableReader> reader;
  TableProperties properties;
};

Fixture* MakeFixture(int64_t kind, size_t count) {
  auto* fixture = new Fixture;
  Random random(42);
  std::vector<std::string> all;
  if (kind == kPaths) {
    all = MakePaths(count);
    for (const std::string& key : all) fixture->absent.push_back(key + "~");
  } else {
    for (uint64_t i = 0; i < 2 * count; ++i) {
      std::string key = Digits(kind == kDecimal ? i / 2 : random.Uniform(10'000'000'000'000'000));
      if (i % 2 == 0)
        all.push_back(std::move(key));
      else
        fixture->absent.push_back(kind == kDecimal ? key + "x" : std::move(key));
    }
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  fixture->keys = std::move(all);
  for (size_t i = 0; i < fixture->keys.size(); ++i) fixture->order.push_back(static_cast<uint32_t>(i));
  for (size_t i = fixture->order.size(); i > 1; --i)
    std::swap(fixture->order[i - 1], fixture->order[random.Uniform(i)]);
  fixture->path =
      (std::filesystem::temp_directory_path() / ("seerdb_table_bench_" + std::to_string(kind))).string();
  return fixture;
}

void BuildTable(Fixture& fixture) {
  auto file = PosixFileSystem()->NewWritableFile(fixture.path, CreateMode::kTruncate);
  TableBuilder builder({}, file->get());
  const std::string value(kValueBytes, 'v');
  Random random(3);
  for (const std::string& key : fixture.keys) {
    builder.Add(key, PackTrailer(1 + random.Uniform(fixture.keys.size()), ValueType::kValue), value)
        .IgnoreError("Finish reports it");
  }
  Result<TableProperties> properties = builder.Finish();
  if (properties.ok()) fixture.properties = *properties;
  (*file)->Close().IgnoreError("benchmark");
}

Fixture& FixtureFor(benchmark::State& state) {
  static Fixture* fixture = nullptr;
  static int64_t kind = -1;
  static int64_t count = -1;
  if (kind != state.range(0) || count != state.range(1)) {
    delete fixture;
    kind = state.range(0);
    count = state.range(1);
    fixture = MakeFixture(kind, static_cast<size_t>(count));
    BuildTable(*fixture);
    auto reader = TableReader::Open(*PosixFileSystem(), fixture->path, {});
    if (!reader.ok())
      state.SkipWithError(reader.status().ToString().c_str());
    else
      fixture->reader = *reader;
    const TableProperties& p = fixture->properties;
    std::printf("# %zu keys, %llu blocks, file %llu, index %llu, filter %llu, segments %llu, error %llu\n",
                fixture->keys.size(), static_cast<unsigned long long>(p.data_blocks),
                static_cast<unsigned long long>(p.file_bytes), static_cast<unsigned long long>(p.index_bytes),
                static_cast<unsigned long long>(p.filter_bytes),
                static_cast<unsigned long long>(p.model_segments),
                static_cast<unsigned long long>(p.model_max_error));
  }
  return *fixture;
}

void GetAll(benchmark::State& state, const Fixture& fixture, const std::vector<std::string>& keys) {
  size_t i = 0;
  uint64_t found = 0;
  for (auto _ : state) {
    const std::string& key = keys[fixture.order[i] % keys.size()];
    Lookup result;
    const Status status = fixture.reader->Get({}, {key, kMaxSequence, Hash64(key)}, &result);
    benchmark::DoNotOptimize(result.value.data());
    found += status.ok() && result.state == Lookup::State::kFound ? 1 : 0;
    if (++i == fixture.order.size()) i = 0;
  }
  state.counters["found"] = static_cast<double>(found) / static_cast<double>(state.iterations());
}

// What the loop itself costs: fetching a random key and hashing it.
void BM_KeyOnly(benchmark::State& state) {
  const Fixture& fixture = FixtureFor(state);
  size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(Hash64(fixture.keys[fixture.order[i]]));
    if (++i == fixture.order.size()) i = 0;
  }
}

void BM_GetHit(benchmark::State& state) {
  const Fixture& fixture = FixtureFor(state);
  GetAll(state, fixture, fixture.keys);
}

void BM_GetMiss(benchmark::State& state) {
  const Fixture& fixture = FixtureFor(state);
  GetAll(state, fixture, fixture.absent);
}

void BM_Seek(benchmark::State& state) {
  const Fixture& fixture = FixtureFor(state);
  const auto iterator = fixture.reader->NewIterator({});
  size_t i = 0;
  for (auto _ : state) {
    iterator->Seek(fixture.keys[fixture.order[i]], kFirstTrailer);
    benchmark::DoNotOptimize(iterator->key().data());
    if (++i == fixture.order.size()) i = 0;
  }
}

void BM_Iterate(benchmark::State& state) {
  const Fixture& fixture = FixtureFor(state);
  const auto iterator = fixture.reader->NewIterator({});
  uint64_t bytes = 0;
  for (auto _ : state) {
    if (!iterator->Valid())
      iterator->SeekToFirst();
    else
      iterator->Next();
    if (iterator->Valid()) bytes += iterator->key().size() + iterator->value().size();
  }
  benchmark::DoNotOptimize(bytes);
}

void BM_Build(benchmark::State& state) {
  Fixture& fixture = FixtureFor(state);
  for (auto _ : state) BuildTable(fixture);
  state.counters["ns_per_entry"] = benchmark::Counter(
      static_cast<double>(state.iterations()) * static_cast<double>(fixture.keys.size()) * 1e-9,
      benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void Register(int64_t kind, int64_t count) {
  for (const auto& [name, run] : {std::pair{"Iterate", &BM_Iterate},
                                  {"KeyOnly", &BM_KeyOnly},
                                  {"GetHit", &BM_GetHit},
                                  {"GetMiss", &BM_GetMiss},
                                  {"Seek", &BM_Seek},
                                  {"Build", &BM_Build}}) {
    auto* bench = benchmark::RegisterBenchmark(name, run)->Args({kind, count});
    if (std::string(name) == "Build") bench->Iterations(2)->Unit(benchmark::kMillisecond);
  }
}

}  // namespace
}  // namespace seerdb

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  for (const int64_t kind : {seerdb::kDecimal, seerdb::kScattered, seerdb::kPaths}) {
    seerdb::Register(kind, 3'000'000);
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
