// memtable_bench: one operation of a memtable at a time, one thread, 16-byte keys and 100-byte values.
//
// Insert and Drain: a whole memtable in each iteration; their time is the thread's CPU time of one entry. The
// others: one operation on a full memtable in each iteration.
#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "memtable/memtable.h"

namespace seerdb {
namespace {

constexpr size_t kKeyBytes = 16;
constexpr size_t kValueBytes = 100;

enum KeyShape : int64_t { kDecimal = 0, kBinary = 1, kSequential = 2 };

std::string MakeKey(KeyShape shape, uint64_t index, Random* random) {
  std::string key(kKeyBytes, '0');
  if (shape == kBinary) {
    const uint64_t words[2] = {random->Next(), random->Next()};
    std::copy_n(reinterpret_cast<const char*>(words), kKeyBytes, key.begin());
    return key;
  }
  uint64_t number = shape == kDecimal ? random->Uniform(10'000'000'000'000'000) : index;
  for (size_t i = kKeyBytes; i-- > 0; number /= 10) key[i] = static_cast<char>('0' + number % 10);
  return key;
}

// Keys one after another in memory, so that reading them costs the same for every shape.
std::string MakeKeys(KeyShape shape, uint64_t count, uint64_t seed) {
  Random random(seed);
  std::string keys;
  for (uint64_t i = 0; i < count; ++i) keys += MakeKey(shape, i, &random);
  return keys;
}

Slice KeyAt(const std::string& keys, uint64_t index) {
  return Slice(keys.data() + index * kKeyBytes, kKeyBytes);
}

void Fill(MemTable* memtable, const std::string& keys) {
  const std::string value(kValueBytes, 'v');
  for (uint64_t i = 0; i < keys.size() / kKeyBytes; ++i) {
    memtable->Add(i + 1, ValueType::kValue, KeyAt(keys, i), value);
  }
}

double CpuSeconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// A full memtable, made once for each shape and size, and keys in another order than that of insertion.
struct Filled {
  KeyShape shape;
  uint64_t count;
  MemTable memtable;
  std::string hits;
  std::string misses;
};

const Filled& GetFilled(benchmark::State& state) {
  static std::vector<std::unique_ptr<Filled>> all;
  const KeyShape shape = static_cast<KeyShape>(state.range(0));
  const uint64_t count = static_cast<uint64_t>(state.range(1));
  for (const auto& one : all) {
    if (one->shape == shape && one->count == count) return *one;
  }
  all.clear();
  auto filled = std::make_unique<Filled>();
  filled->shape = shape;
  filled->count = count;
  const std::string keys = MakeKeys(shape, count, 1);
  Fill(&filled->memtable, keys);
  Random random(2);
  for (uint64_t i = 0; i < count; ++i) filled->hits += KeyAt(keys, random.Uniform(count));
  filled->misses = shape == kSequential ? filled->hits : MakeKeys(shape, count, 3);
  if (shape == kSequential) {
    for (uint64_t i = 0; i < count; ++i) filled->misses[i * kKeyBytes + kKeyBytes - 1] = '/';
  }
  all.push_back(std::move(filled));
  return *all.back();
}

void BM_Insert(benchmark::State& state) {
  const std::string keys = MakeKeys(static_cast<KeyShape>(state.range(0)), state.range(1), 1);
  double bytes = 0;
  for (auto _ : state) {
    auto memtable = std::make_unique<MemTable>();
    const double start = CpuSeconds();
    Fill(memtable.get(), keys);
    state.SetIterationTime((CpuSeconds() - start) / static_cast<double>(state.range(1)));
    bytes = static_cast<double>(memtable->bytes()) / static_cast<double>(state.range(1));
  }
  state.counters["bytes/entry"] = bytes;
}

void Get(benchmark::State& state, const Filled& filled, const std::string& keys) {
  const uint64_t count = keys.size() / kKeyBytes;
  uint64_t i = 0;
  uint64_t found = 0;
  Lookup lookup;
  for (auto _ : state) {
    filled.memtable.Get({KeyAt(keys, i), kMaxSequence, 0}, &lookup);
    found += lookup.state == Lookup::State::kFound;
    if (++i == count) i = 0;
  }
  state.counters["found"] = static_cast<double>(found) / static_cast<double>(state.iterations());
}

void BM_GetHit(benchmark::State& state) {
  const Filled& filled = GetFilled(state);
  Get(state, filled, filled.hits);
}

void BM_GetMiss(benchmark::State& state) {
  const Filled& filled = GetFilled(state);
  Get(state, filled, filled.misses);
}

void BM_Seek(benchmark::State& state) {
  const Filled& filled = GetFilled(state);
  const auto it = filled.memtable.NewIterator();
  uint64_t i = 0;
  for (auto _ : state) {
    it->Seek(KeyAt(filled.hits, i), kFirstTrailer);
    benchmark::DoNotOptimize(it->Valid());
    if (++i == filled.count) i = 0;
  }
}

void BM_Drain(benchmark::State& state) {
  const Filled& filled = GetFilled(state);
  const auto it = filled.memtable.NewIterator();
  uint64_t sum = 0;
  for (auto _ : state) {
    const double start = CpuSeconds();
    uint64_t entries = 0;
    for (it->SeekToFirst(); it->Valid(); it->Next(), ++entries) {
      sum += static_cast<unsigned char>(it->key().back()) + it->value().size();
    }
    state.SetIterationTime((CpuSeconds() - start) / static_cast<double>(entries));
  }
  benchmark::DoNotOptimize(sum);
}

void Shapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"shape", "entries"});
  for (const int64_t shape : {kDecimal, kBinary, kSequential}) benchmark->Args({shape, 1'000'000});
}

// An iteration's time is that of one entry, so the number of iterations is given.
BENCHMARK(BM_Insert)->Apply(Shapes)->UseManualTime()->Iterations(5);
BENCHMARK(BM_Drain)->Apply(Shapes)->UseManualTime()->Iterations(5);
BENCHMARK(BM_GetHit)->Apply(Shapes);
BENCHMARK(BM_GetMiss)->Apply(Shapes);
BENCHMARK(BM_Seek)->Apply(Shapes);

}  // namespace
}  // namespace seerdb

BENCHMARK_MAIN();
