// openloop: put latency of seerdb at a steady arrival rate, beside what the machine does to an idle thread.
//
// First the rate that can be sustained is found: one writer puts as fast as it is let, and the second half
// of that time counts, when what compaction owes has stopped growing. Then puts arrive on a schedule at a
// part of that rate, and each is timed from when it should have arrived, so that a pause counts for every put
// that it delays (no coordinated omission). A control thread sleeps a millisecond at a time throughout and
// notes how much too late it wakes: what of a pause the machine owes. Prints a summary as JSON, and writes
// one line a second to a CSV file.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "openloop_meters.h"
#include "seerdb/db.h"
#include "workload.h"

namespace seerdb::bench {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;

struct Arguments {
  std::string directory = "openloop-db";
  std::string csv = "openloop.csv";
  std::string events;  // file for the engine's log lines, with the second of each
  uint64_t keys = 10'000'000;
  uint32_t value_bytes = 100;
  uint64_t find_seconds = 240;
  uint64_t seconds = 600;
  double part = 0.8;
  double rate = 0;  // puts a second; 0 = find it
  bool sync = false;
  uint64_t compaction_bytes_per_second = 0;
  uint32_t compactions = 0;
};

void Die(const Status& status, const char* what) {
  if (status.ok()) return;
  std::cerr << what << ": " << status.ToString() << "\n";
  std::exit(1);
}

// Puts of random keys out of the key space, so that the tree stops growing.
class Writer {
 public:
  Writer(DB* db, const Arguments& args) : db_(db), keys_(args.keys), rng_(17), pool_(1 << 20, '\0') {
    options_ = args.sync ? WriteOptions::Sync() : WriteOptions::NoSync();
    value_bytes_ = args.value_bytes;
    for (char& c : pool_) c = static_cast<char>(rng_.Next());
  }
  void Put() {
    char key[17];
    std::snprintf(key, sizeof key, "%016llx", static_cast<unsigned long long>(Mix64(rng_.Below(keys_))));
    const uint64_t offset = rng_.Below(pool_.size() - value_bytes_);
    Die(db_->Put(options_, Slice(key, 16), Slice(pool_.data() + offset, value_bytes_)), "put");
  }

 private:
  DB* const db_;
  const uint64_t keys_;
  WriteOptions options_;
  uint32_t value_bytes_ = 0;
  Rng rng_;
  std::string pool_;
};

uint64_t L0Runs(const DBStats& stats) { return stats.levels.empty() ? 0 : stats.levels[0].runs; }

// Writes one line of the series a second.
class Series {
 public:
  explicit Series(const std::string& path) : file_(std::fopen(path.c_str(), "w")) {
    if (file_ == nullptr) Die(Status::IoError("cannot write " + path), "csv");
    std::fprintf(file_,
                 "phase,second,puts,p50_us,p99_us,p999_us,max_us,control_max_us,l0_runs,immutables,"
                 "stall_ms,compaction_mb,disk_mb\n");
  }
  ~Series() { std::fclose(file_); }
  void Add(const char* phase, uint64_t second, const Histogram& puts, double control_us,
           const DBStats& stats) {
    std::fprintf(file_, "%s,%llu,%llu,%.1f,%.1f,%.1f,%.1f,%.1f,%llu,%llu,%.1f,%.1f,%.1f\n", phase,
                 static_cast<unsigned long long>(second), static_cast<unsigned long long>(puts.total()),
                 puts.At(0.5), puts.At(0.99), puts.At(0.999), puts.max_us(), control_us,
                 static_cast<unsigned long long>(L0Runs(stats)),
                 static_cast<unsigned long long>(stats.immutable_memtables),
                 static_cast<double>(stats.write_stall_us - stall_us_) / 1e3,
                 static_cast<double>(stats.compaction_bytes_written - compacted_) / 1e6,
                 static_cast<double>(stats.total_disk_bytes) / 1e6);
    std::fflush(file_);
    stall_us_ = stats.write_stall_us;
    compacted_ = stats.compaction_bytes_written;
  }

 private:
  std::FILE* const file_;
  uint64_t stall_us_ = 0;
  uint64_t compacted_ = 0;
};

// Collects a second at a time on the writer's thread; another one prints, since Stats takes a while.
class Collector {
 public:
  Collector(DB* db, Series* series, ControlThread* control, const char* phase)
      : db_(db), series_(series), control_(control), phase_(phase), printer_([this] { Run(); }) {}
  ~Collector() {
    stop_ = true;
    printer_.join();
  }
  void Add(uint64_t ns) {
    all_.Add(ns);
    second_.Add(ns);
  }
  // The writer's second is over.
  void EndSecond() {
    if (ready_.load(std::memory_order_acquire)) return;  // the printer is behind: the next second is longer
    std::swap(second_, printed_);
    second_.Clear();
    ready_.store(true, std::memory_order_release);
  }
  const Histogram& all() const { return all_; }
  double control_max_us() const { return control_max_us_; }
  uint64_t most_l0_runs() const { return most_l0_runs_; }

 private:
  void Run() {
    uint64_t second = 0;
    while (!stop_) {
      if (!ready_.load(std::memory_order_acquire)) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        continue;
      }
      const DBStats stats = db_->Stats();
      const double control_us = control_->TakeWorstUs();
      control_max_us_ = std::max(control_max_us_.load(), control_us);
      most_l0_runs_ = std::max(most_l0_runs_.load(), L0Runs(stats));
      series_->Add(phase_, ++second, printed_, control_us, stats);
      ready_.store(false, std::memory_order_release);
    }
  }

  DB* const db_;
  Series* const series_;
  ControlThread* const control_;
  const char* const phase_;
  Histogram all_, second_, printed_;
  std::atomic<bool> ready_{false}, stop_{false};
  std::atomic<double> control_max_us_{0};
  std::atomic<uint64_t> most_l0_runs_{0};
  std::thread printer_;
};

// Puts a second that one writer was let do in the second half of a closed loop.
struct ClosedRate {
  double mean = 0;
  double slowest = 0;  // of any ten seconds in a row: what can be sustained
};

ClosedRate RunClosedLoop(Writer* writer, Collector* collector, uint64_t seconds) {
  constexpr size_t kWindowSeconds = 10;
  std::vector<uint64_t> puts;  // of each second of the second half
  const uint64_t half = seconds / 2;
  const uint64_t start = NowNs();
  for (uint64_t second = 0; second < seconds; ++second) {
    const uint64_t end = start + (second + 1) * kSecondNs;
    uint64_t counted = 0;
    for (uint64_t now = NowNs(); now < end; ++counted) {
      const uint64_t before = now;
      writer->Put();
      now = NowNs();
      collector->Add(now - before);
    }
    collector->EndSecond();
    if (second >= half) puts.push_back(counted);
  }
  const size_t window = std::min(kWindowSeconds, puts.size());
  const auto mean = [&](size_t begin, size_t n) {
    const auto first = puts.begin() + static_cast<std::ptrdiff_t>(begin);
    return static_cast<double>(std::accumulate(first, first + static_cast<std::ptrdiff_t>(n), uint64_t{0})) /
           static_cast<double>(n);
  };
  ClosedRate rate{mean(0, puts.size()), mean(0, window)};
  for (size_t i = 1; i + window <= puts.size(); ++i) rate.slowest = std::min(rate.slowest, mean(i, window));
  return rate;
}

// What made bursts slow, as far as the kernel's counts of the writer's thread tell.
class Causes {
 public:
  static constexpr uint64_t kSlowNs = 5'000'000;

  void Begin() {
    Read(&before_);
    start_ns_ = NowNs();
  }
  void End() {
    const uint64_t took_ns = NowNs() - start_ns_;
    if (took_ns < kSlowNs) return;
    rusage after;
    Read(&after);
    const bool blocked = after.ru_nvcsw > before_.ru_nvcsw;
    const bool read_in = after.ru_majflt > before_.ru_majflt;
    const bool preempted = after.ru_nivcsw > before_.ru_nivcsw;
    Cause& cause = read_in ? page_read_ : blocked ? blocked_ : preempted ? preempted_ : other_;
    ++cause.bursts;
    cause.worst_us = std::max(cause.worst_us, static_cast<double>(took_ns) / 1e3);
  }
  nlohmann::json ToJson() const {
    nlohmann::json out;
    const auto add = [&out](const char* name, const Cause& cause) {
      out[name] = {{"bursts", cause.bursts}, {"worst_us", cause.worst_us}};
    };
    add("page_read", page_read_);
    add("blocked", blocked_);
    add("preempted_only", preempted_);
    add("other", other_);
    return out;
  }

 private:
  struct Cause {
    uint64_t bursts = 0;
    double worst_us = 0;
  };
  static void Read(rusage* usage) { ::getrusage(RUSAGE_THREAD, usage); }

  rusage before_ = {};
  uint64_t start_ns_ = 0;
  Cause page_read_, blocked_, preempted_, other_;
};

// Waits for the time: asleep while it is far, since a spinning writer would take a whole processor.
uint64_t WaitFor(uint64_t due) {
  constexpr uint64_t kSpinNs = 100'000;
  uint64_t now = NowNs();
  while (now < due) {
    if (due - now > kSpinNs) std::this_thread::sleep_for(std::chrono::nanoseconds(due - now - kSpinNs / 2));
    now = NowNs();
  }
  return now;
}

nlohmann::json RunOpenLoop(Writer* writer, Collector* collector, double rate, uint64_t seconds) {
  Causes causes;
  // Puts come in little bursts of one due time each, so that the writer can sleep between them.
  constexpr double kBurstsPerSecond = 2000;
  const double interval_ns = static_cast<double>(kSecondNs) / kBurstsPerSecond;
  const uint64_t start = NowNs();
  uint64_t next_second = start + kSecondNs;
  double owed = 0;
  const auto bursts = static_cast<uint64_t>(kBurstsPerSecond * static_cast<double>(seconds));
  for (uint64_t burst = 0; burst < bursts; ++burst) {
    const uint64_t due = start + static_cast<uint64_t>(static_cast<double>(burst) * interval_ns);
    uint64_t now = WaitFor(due);
    const double puts = rate / kBurstsPerSecond;
    const double step_ns = interval_ns / std::max(1.0, puts);
    owed += puts;
    causes.Begin();
    for (uint64_t i = 0; owed >= 1; ++i, owed -= 1) {
      // Within a burst the arrivals are spread; one that is not due yet is put at once and counts as no wait.
      const uint64_t arrival = due + static_cast<uint64_t>(static_cast<double>(i) * step_ns);
      const uint64_t before = now;  // asking once a put costs what it costs while the rate is found
      writer->Put();
      now = NowNs();
      collector->Add(now - std::min(arrival, before));
    }
    causes.End();
    if (now >= next_second) {
      collector->EndSecond();
      next_second += kSecondNs;
    }
  }
  return causes.ToJson();
}

nlohmann::json Summary(const Collector& collector) {
  const Histogram& puts = collector.all();
  return {{"puts", puts.total()},
          {"p50_us", puts.At(0.5)},
          {"p99_us", puts.At(0.99)},
          {"p999_us", puts.At(0.999)},
          {"p9999_us", puts.At(0.9999)},
          {"max_us", puts.max_us()},
          {"control_max_us", collector.control_max_us()},
          {"most_l0_runs", collector.most_l0_runs()}};
}

int Run(Arguments args) {
  std::filesystem::remove_all(args.directory);
  Options options;
  options.wal_sync_policy = args.sync ? SyncPolicy::kSyncData : SyncPolicy::kNone;
  options.compaction_bytes_per_second = args.compaction_bytes_per_second;
  options.max_background_compactions = args.compactions;
  options.memtable_capacity = uint64_t{64} << 20;
  std::FILE* const events = args.events.empty() ? nullptr : std::fopen(args.events.c_str(), "w");
  if (!args.events.empty() && events == nullptr)
    Die(Status::IoError("cannot write " + args.events), "events");
  if (events != nullptr) {
    options.logger = [events, start = NowNs()](Slice line) {
      std::fprintf(events, "%.3f %.*s\n", static_cast<double>(NowNs() - start) / kSecondNs,
                   static_cast<int>(line.size()), line.data());
      std::fflush(events);
    };
  }
  Result<std::unique_ptr<DB>> opened = DB::Open(options, args.directory);
  Die(opened.status(), "open");
  DB& db = **opened;
  nlohmann::json out;
  out["keys"] = args.keys;
  out["value_bytes"] = args.value_bytes;
  out["sync"] = args.sync;
  {
    Series series(args.csv);
    ControlThread control;
    Writer writer(&db, args);
    if (args.rate == 0) {
      Collector collector(&db, &series, &control, "closed");
      const ClosedRate rate = RunClosedLoop(&writer, &collector, std::max<uint64_t>(2, args.find_seconds));
      out["closed"] = Summary(collector);
      out["closed"]["mean_puts_per_second"] = rate.mean;
      out["sustainable_puts_per_second"] = rate.slowest;
      args.rate = args.part * rate.slowest;
    }
    out["puts_per_second"] = args.rate;
    out["seconds"] = args.seconds;
    const uint64_t settle_start = NowNs();
    Die(db.WaitForCompaction(), "settle");
    out["settle_s"] = static_cast<double>(NowNs() - settle_start) / kSecondNs;
    control.TakeWorstUs();
    const uint64_t stall_before = db.Stats().write_stall_us;
    Collector collector(&db, &series, &control, "open");
    const nlohmann::json causes = RunOpenLoop(&writer, &collector, args.rate, args.seconds);
    out["open"] = Summary(collector);
    out["open"]["bursts_over_5_ms"] = causes;
    out["open"]["stall_us"] = db.Stats().write_stall_us - stall_before;
    // Whether the machine is still as fast as it was.
    if (out.contains("closed")) {
      Collector again(&db, &series, &control, "again");
      const ClosedRate rate = RunClosedLoop(&writer, &again, std::max<uint64_t>(2, args.find_seconds / 4));
      out["again"] = {{"mean_puts_per_second", rate.mean}, {"slowest_puts_per_second", rate.slowest}};
    }
  }
  std::cout << out.dump(1) << "\n";
  Die(db.Close(), "close");
  std::filesystem::remove_all(args.directory);
  return 0;
}

}  // namespace
}  // namespace seerdb::bench

int main(int argc, char** argv) {
  seerdb::bench::Arguments args;
  CLI::App app("put latency of seerdb at a steady arrival rate");
  app.add_option("--directory", args.directory, "database; deleted before and after");
  app.add_option("--csv", args.csv, "a line a second");
  app.add_option("--events", args.events, "file for the engine's log lines");
  app.add_option("--keys", args.keys, "size of the key space");
  app.add_option("--value-bytes", args.value_bytes);
  app.add_option("--find-seconds", args.find_seconds, "closed loop, to find the sustainable rate");
  app.add_option("--seconds", args.seconds, "open loop");
  app.add_option("--part", args.part, "of the sustainable rate");
  app.add_option("--rate", args.rate, "puts a second, instead of finding it");
  app.add_option("--compaction-bytes-per-second", args.compaction_bytes_per_second);
  app.add_option("--compactions", args.compactions);
  app.add_flag("--sync", args.sync, "each put durable");
  app.add_flag_callback(
      "--quick", [&args] { args.find_seconds = 20, args.seconds = 30, args.keys = 2'000'000; },
      "20 s and 30 s on 2,000,000 keys");
  CLI11_PARSE(app, argc, argv);
  return seerdb::bench::Run(args);
}
