#include "bench.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <sstream>
#include <thread>
#include <utility>

namespace seerdb::bench {
namespace {

using Json = nlohmann::json;
// An engine whose background work has paused for this long is done with it.
constexpr double kQuietSeconds = 2;
// Reads in a steady state are repeated for so long, and three times unless that takes so long.
constexpr double kLongSeconds = 3;
constexpr size_t kFewestPasses = 3;
constexpr size_t kMostPasses = 999;
namespace stdfs = std::filesystem;

uint64_t HashName(std::string_view name) { return XXH3_64bits(name.data(), name.size()); }

double PercentileUs(const std::vector<uint64_t>& sorted_ns, double share) {
  const auto rank = static_cast<size_t>(share * static_cast<double>(sorted_ns.size()));
  return static_cast<double>(sorted_ns[std::min(rank, sorted_ns.size() - 1)]) / 1000.0;
}

void ReportLatency(std::vector<uint64_t>* samples_ns, uint32_t keys_a_sample, Json* result) {
  if (samples_ns->empty()) return;
  std::sort(samples_ns->begin(), samples_ns->end());
  (*result)["p50_us"] = PercentileUs(*samples_ns, 0.5);
  (*result)["p99_us"] = PercentileUs(*samples_ns, 0.99);
  (*result)["p99_9_us"] = PercentileUs(*samples_ns, 0.999);
  (*result)["keys_per_sample"] = keys_a_sample;
  (*result)["samples"] = samples_ns->size();
}

void ReportRate(uint64_t ops, double seconds, uint64_t bytes, Json* result) {
  (*result)["ops"] = ops;
  (*result)["seconds"] = seconds;
  if (ops == 0) return;
  (*result)["us_per_op"] = seconds * 1e6 / static_cast<double>(ops);
  (*result)["ops_per_s"] = static_cast<double>(ops) / seconds;
  (*result)["mb_per_s"] = static_cast<double>(bytes) / seconds / 1e6;
}

const Phase* FindPhase(const std::string& name) {
  for (const std::vector<Phase>* phases : {&Phases(), &YcsbPhases()}) {
    for (const Phase& phase : *phases) {
      if (phase.name == name) return &phase;
    }
  }
  return nullptr;
}

bool IsWhole(const std::string& name) {
  for (const char* whole : {"compact", "settle", "flush", "tables", "reopen", "recover", "kill"}) {
    if (name == whole) return true;
  }
  return false;
}

// What labels as in "readrandom:paths:2t" say of threads.
uint32_t ThreadsOf(const std::string& spec, uint32_t otherwise) {
  std::istringstream labels(spec);
  for (std::string label; std::getline(labels, label, ':');) {
    const size_t digits = label.find_first_not_of("0123456789");
    if (digits == 0 || digits + 1 != label.size() || label[digits] != 't') continue;
    otherwise = static_cast<uint32_t>(std::stoul(label));
    if (otherwise < 1 || otherwise > 1024) Die("threads of " + spec);
  }
  return otherwise;
}

}  // namespace

Bench::Bench(const BenchConfig& config)
    : config_(config), path_(config.dir + "/seerdb_bench-" + config.engine), data_(config) {
  std::string linked;
  for (const EngineKind& kind : LinkedEngines()) {
    if (kind.name == config_.engine) open_ = kind.open;
    linked += std::string(" ") + kind.name;
  }
  if (!open_) Die("engine " + config_.engine + " is not linked into this program; linked:" + linked);
}

void Bench::Run() {
  std::istringstream specs(config_.phases);
  for (std::string spec; std::getline(specs, spec, ',');) RunPhase(spec);
  engine_.reset();
}

void Bench::Reopen(bool fresh, bool sync) {
  fresh = fresh && !config_.use_existing;
  if (engine_ != nullptr && !fresh && sync == engine_sync_) return;
  engine_.reset();
  std::error_code error;
  if (fresh) {
    stdfs::remove_all(path_, error);
    data_.records = config_.num;
  } else if (!stdfs::exists(path_)) {
    Die("no database in " + path_ + ": begin with a fill phase");
  }
  stdfs::create_directories(path_, error);
  if (error) Die("create " + path_ + ": " + error.message());
  EngineConfig engine_config;
  engine_config.path = path_;
  engine_config.cache_bytes = config_.cache_bytes;
  engine_config.write_buffer_bytes = config_.write_buffer_bytes;
  engine_config.data_bytes = (config_.num + config_.operations()) * (config_.key_bytes + config_.value_bytes);
  engine_config.value_bytes = config_.value_bytes;
  engine_config.sync = sync;
  engine_config.compression = config_.compression;
  engine_ = open_(engine_config);
  engine_sync_ = sync;
}

void Bench::RunPhase(const std::string& spec) {
  const size_t colon = spec.find(':');
  const std::string name = spec.substr(0, colon);
  const Phase* phase = FindPhase(name);
  if (phase == nullptr && !IsWhole(name)) Die("unknown phase " + name);
  ++phase_number_;
  BenchConfig config = config_;
  config.threads = ThreadsOf(spec, config_.threads);
  if (name != "recover") {
    Reopen(phase != nullptr && phase->fresh, config.sync || (phase != nullptr && phase->always_sync));
  }

  Json result = {{"engine", config_.engine},       {"phase", spec},
                 {"threads", config.threads},      {"num", config_.num},
                 {"key_bytes", config_.key_bytes}, {"value_bytes", config_.value_bytes},
                 {"seed", config_.seed},           {"sync", engine_sync_ ? "data" : "none"}};
  if (phase != nullptr) {
    RunWorkers(*phase, config, &result);
  } else {
    steady_ = false;
    RunWhole(name, &result);
  }
  for (const auto& [figure, value] : engine_->Figures()) result[figure] = value;
  result["rss_anon_bytes"] = AnonymousBytes();
  result["db_bytes"] = DiskBytes(path_);
  result["options"] = engine_->options();
  std::cout << result.dump() << std::endl;
  if (name == "kill") raise(SIGKILL);
}

void Bench::RunWhole(const std::string& name, Json* result) {
  if (name == "settle") return RunSettle(result);
  if (name == "reopen" || name == "recover") return RunOpen(result);
  const UsageMeter usage;
  const auto begin = Clock::now();
  if (name == "compact") (*result)["supported"] = engine_->Compact();
  if (name == "flush") (*result)["supported"] = engine_->Flush();
  const std::chrono::duration<double> elapsed = Clock::now() - begin;
  usage.Report(result);
  ReportRate(1, elapsed.count(), 0, result);
}

void Bench::RunOpen(Json* result) {
  engine_.reset();
  const UsageMeter usage;
  const auto begin = Clock::now();
  Reopen(false, config_.sync);
  KeyBuffer key(&data_.codec);
  Digest digest;
  engine_->NewSession()->Get(key.Set(0), &digest);
  const std::chrono::duration<double> elapsed = Clock::now() - begin;
  usage.Report(result);
  ReportRate(1, elapsed.count(), 0, result);
  (*result)["open_ms"] = elapsed.count() * 1e3;
  (*result)["hits"] = digest.hits();
}

void Bench::RunSettle(Json* result) {
  const UsageMeter usage;
  const auto begin = Clock::now();
  (*result)["supported"] = engine_->Settle();
  const double quiet_s = AwaitQuiet(kQuietSeconds);
  const auto end = Clock::now();
  const auto seconds_since = [&](Clock::time_point then) {
    return std::chrono::duration<double>(end - then).count() - quiet_s;
  };
  usage.Report(result);
  ReportRate(1, seconds_since(begin), 0, result);
  if (!fill_.has_value()) return;
  Json since_fill;
  fill_->usage.Report(&since_fill);
  since_fill["seconds"] = seconds_since(fill_->begin);
  (*result)["since_fill"] = since_fill;
}

Bench::Pass Bench::RunPass(const Phase& phase, const BenchConfig& config, uint64_t seed) {
  std::latch ready(config.threads);
  std::latch go(1);
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < config.threads; ++i) {
    workers.push_back(std::make_unique<Worker>(config, data_, i, seed));
    Worker* worker = workers.back().get();
    worker->ready = &ready;
    worker->go = &go;
    worker->session = engine_->NewSession();
    threads.emplace_back([worker, &phase] { phase.run(worker); });
  }
  ready.wait();
  Pass pass;
  const UsageMeter usage;
  const auto begin = Clock::now();
  if (phase.fresh) fill_ = Fill{usage, begin};
  go.count_down();
  for (std::thread& thread : threads) thread.join();
  usage.Report(&pass.usage);

  auto end = begin;
  uint64_t inserted_max = 0;
  for (const auto& worker : workers) {
    end = std::max(end, worker->end);
    pass.digest.AddDigest(worker->digest);
    pass.ops += worker->ops;
    pass.bytes += worker->bytes_written;
    inserted_max = std::max(inserted_max, worker->inserted);
    pass.samples_ns.insert(pass.samples_ns.end(), worker->samples_ns.begin(), worker->samples_ns.end());
  }
  pass.bytes += pass.digest.bytes();
  data_.records += inserted_max * config.threads;
  pass.seconds = std::chrono::duration<double>(end - begin).count();
  return pass;
}

// An odd number of passes, so that one of them has the median.
bool Bench::WantsMore(size_t passes, double seconds) const {
  if (passes % 2 == 0) return true;
  if (passes >= kMostPasses) return false;
  const double least_seconds = static_cast<double>(config_.least_read_ms) / 1e3;
  return seconds < least_seconds || (passes < kFewestPasses && seconds < kLongSeconds && least_seconds > 0);
}

void Bench::RunWorkers(const Phase& phase, const BenchConfig& config, Json* result) {
  // Phases differ in their draws and in the values they write, also when one is repeated.
  const uint64_t phase_seed = Mix64(HashName(phase.name) + phase_number_ * 1000 + config.seed);
  std::vector<Pass> passes;
  double seconds = 0;
  do {
    passes.push_back(RunPass(phase, config, phase_seed + passes.size()));
    seconds += passes.back().seconds;
  } while (phase.only_reads && steady_ && WantsMore(passes.size(), seconds));
  steady_ = phase.only_reads && (steady_ || phase.warms);

  // Engines are compared by what the first pass found: only that do all of them run.
  const Digest& digest = passes.front().digest;
  (*result)["hits"] = digest.hits();
  (*result)["misses"] = digest.misses();
  char checksum[17];
  std::snprintf(checksum, sizeof(checksum), "%016llx", static_cast<unsigned long long>(digest.sum()));
  (*result)["checksum"] = checksum;
  (*result)["comparable"] = config.threads == 1 || !phase.racy;
  (*result)["passes"] = passes.size();

  std::vector<uint64_t> samples_ns;
  for (const Pass& pass : passes) {
    samples_ns.insert(samples_ns.end(), pass.samples_ns.begin(), pass.samples_ns.end());
  }
  ReportLatency(&samples_ns, phase.keys_a_sample, result);
  const auto middle = passes.begin() + static_cast<ptrdiff_t>(passes.size() / 2);
  std::nth_element(passes.begin(), middle, passes.end(),
                   [](const Pass& a, const Pass& b) { return a.seconds < b.seconds; });
  result->update(middle->usage);
  ReportRate(middle->ops, middle->seconds, middle->bytes, result);
}

}  // namespace seerdb::bench
