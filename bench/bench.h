// Bench: runs phases against one engine, in threads, and reports one JSON object a phase.
//
// Thread safety: external synchronization; a Worker belongs to its thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <latch>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine.h"
#include "usage.h"
#include "workload.h"

namespace seerdb::bench {

struct BenchConfig {
  std::string engine = "seerdb";
  std::string dir;
  std::string phases;
  uint64_t num = 1'000'000;   // records that fill phases write
  uint64_t ops = 0;           // operations of the other phases; 0 = num
  uint64_t sync_ops = 1'000;  // writes of fillsync
  // A phase that only reads, with nothing but such phases since a warm one, is run again with other draws
  // until it has taken so long.
  uint64_t least_read_ms = 500;
  uint64_t key_bytes = 16;
  uint64_t value_bytes = 100;
  uint64_t cache_bytes = uint64_t{1} << 30;
  uint64_t write_buffer_bytes = uint64_t{64} << 20;
  uint32_t threads = 1;
  uint64_t seed = 1;
  bool sync = false;
  bool use_existing = false;
  bool vary_values = false;  // from half of value_bytes to half as much again
  Compression compression = Compression::kNone;
  KeySpacing spacing = KeySpacing::kEven;

  uint64_t operations() const { return ops == 0 ? num : ops; }
};

// What the operations of a phase are made of, and how much of it exists. Shared by all workers.
struct Dataset {
  explicit Dataset(const BenchConfig& config)
      : codec(config.key_bytes, config.spacing, config.seed),
        values(config.value_bytes, config.seed, config.vary_values),
        records(config.num) {}

  KeyCodec codec;
  ValuePool values;
  uint64_t records;  // indexes 0 .. records-1 have been inserted
};

// One thread of a phase.
class Worker {
 public:
  Worker(const BenchConfig& bench_config, const Dataset& dataset, uint32_t thread_index, uint64_t phase_seed)
      : config(bench_config),
        data(dataset),
        index(thread_index),
        version(phase_seed),
        rng(Mix64(phase_seed) + thread_index),
        key(&dataset.codec) {}

  // Runs op(0) .. op(count-1); times every 16th.
  template <typename Op>
  void Loop(uint64_t count, Op op) {
    using Clock = std::chrono::steady_clock;
    AwaitStart();
    for (uint64_t i = 0; i < count; ++i) {
      if (i % kSamplePeriod == 0) {
        const auto begin = Clock::now();
        op(i);
        samples_ns.push_back(static_cast<uint64_t>((Clock::now() - begin).count()));
      } else {
        op(i);
      }
    }
    end = Clock::now();
  }
  // This thread's share of `total` operations.
  uint64_t Share(uint64_t total) const {
    return total / config.threads + (index < total % config.threads ? 1 : 0);
  }
  // Where this thread's share of `total` begins.
  uint64_t ShareBegin(uint64_t total) const {
    return total / config.threads * index + std::min<uint64_t>(index, total % config.threads);
  }
  // A record for this thread to write: no other thread writes it, so the outcome does not depend on timing.
  uint64_t OwnRecord(uint64_t draw) const {
    const uint64_t own = draw - draw % config.threads + index;
    return own < data.records ? own : index;
  }
  void Put(uint64_t record, uint64_t write_version) {
    const std::string_view k = key.Set(record);
    const std::string_view v = data.values.Value(record, write_version);
    session->Put(k, v);
    bytes_written += k.size() + v.size();
  }

  static constexpr uint64_t kSamplePeriod = 16;

  const BenchConfig& config;
  const Dataset& data;
  const uint32_t index;
  const uint64_t version;  // of the values this phase writes
  Rng rng;
  KeyBuffer key;
  std::unique_ptr<Session> session;
  Digest digest;
  uint64_t ops = 0;
  uint64_t bytes_written = 0;
  uint64_t inserted = 0;  // records added behind data.records
  std::vector<uint64_t> samples_ns;
  std::chrono::steady_clock::time_point end;
  std::latch* ready = nullptr;
  std::latch* go = nullptr;

 private:
  void AwaitStart() {
    ready->count_down();
    go->wait();
  }
};

struct Phase {
  const char* name;
  // Prepares, then calls Worker::Loop once, and sets Worker::ops.
  void (*run)(Worker* worker);
  bool fresh = false;  // starts with an empty database
  bool always_sync = false;
  // With several threads, reads may or may not see concurrent writes: checksums then mean nothing.
  bool racy = false;
  bool only_reads = false;
  bool warms = false;  // brings caches to a steady state
  uint32_t keys_a_sample = 1;
};

// All phases but those that the engine does as a whole, see seerdb_bench.cc.
const std::vector<Phase>& Phases();
const std::vector<Phase>& YcsbPhases();

class Bench {
 public:
  explicit Bench(const BenchConfig& config);
  // Runs the phases in order; prints each result to stdout as a line of JSON.
  void Run();

 private:
  using Clock = std::chrono::steady_clock;
  // The last phase that began with an empty database.
  struct Fill {
    UsageMeter usage;
    Clock::time_point begin;
  };

  struct Pass {
    uint64_t ops = 0;
    uint64_t bytes = 0;
    double seconds = 0;
    Digest digest;
    std::vector<uint64_t> samples_ns;
    nlohmann::json usage;
  };

  void RunPhase(const std::string& spec);
  Pass RunPass(const Phase& phase, const BenchConfig& config, uint64_t seed);
  bool WantsMore(size_t passes, double seconds) const;
  // Reports the pass whose time is the median, and the latencies of all.
  void RunWorkers(const Phase& phase, const BenchConfig& config, nlohmann::json* result);
  void RunWhole(const std::string& name, nlohmann::json* result);
  void RunSettle(nlohmann::json* result);
  // Closes the database, if it is open, and reports the time to open it and to answer one get.
  void RunOpen(nlohmann::json* result);
  // Makes the open engine suit the next phase.
  void Reopen(bool fresh, bool sync);

  const BenchConfig config_;
  const std::string path_;
  Dataset data_;
  std::function<std::unique_ptr<Engine>(const EngineConfig&)> open_;
  std::unique_ptr<Engine> engine_;
  bool engine_sync_ = false;
  uint64_t phase_number_ = 0;
  bool steady_ = false;  // nothing but reads since caches were warmed
  std::optional<Fill> fill_;
};

}  // namespace seerdb::bench
