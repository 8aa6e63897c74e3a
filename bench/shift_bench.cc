// shift_bench: what a workload that shifts costs under each fixed compaction policy and under the adaptive
// one, in counted bytes and blocks. No time is taken: the same arguments give the same figures.
//
// One database a policy goes through three phases: writes (overwrites and inserts), gets (half of them of
// absent keys), and scans. The cost of a phase, in blocks of 4 KiB, is what flush and compaction wrote, what
// compaction read, and the blocks that reads looked into. Work in the background happens on the one thread of
// the program; between two steps of 1,000 operations the database is asked to do all that is due.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "digest.h"
#include "engine.h"
#include "seerdb/db.h"
#include "workload.h"

namespace seerdb::bench {
namespace {

struct ShiftConfig {
  std::string dir;
  uint64_t records = 400'000;
  uint64_t writes = 800'000;
  uint64_t gets = 2'400'000;
  uint64_t scans = 200'000;
  uint64_t scan_entries = 50;
  uint64_t value_bytes = 100;
  uint64_t memtable_bytes = uint64_t{1} << 20;
  uint64_t base_bytes = uint64_t{4} << 20;
  uint64_t file_bytes = uint64_t{1} << 20;
  uint64_t rounds = 1;
  uint64_t seed = 1;
  bool check = false;
};

struct Policy {
  std::string name;
  CompactionPolicy start;
  bool adaptive;
};

const std::vector<Policy>& Policies() {
  static const std::vector<Policy>& policies = *new std::vector<Policy>{
      {"leveled", CompactionPolicy::kLeveled, false},
      {"tiered", CompactionPolicy::kTiered, false},
      {"lazy_leveling", CompactionPolicy::kLazyLeveling, false},
      {"adaptive", CompactionPolicy::kLazyLeveling, true},
  };
  return policies;
}

struct Counts {
  uint64_t flush_bytes = 0;
  uint64_t compaction_read_bytes = 0;
  uint64_t compaction_written_bytes = 0;
  uint64_t read_blocks = 0;  // that gets and scans looked into
  uint64_t filter_probes = 0;

  static Counts Of(const DBStats& s) {
    return {s.flush_bytes_written, s.compaction_bytes_read, s.compaction_bytes_written,
            s.blocks_read + s.iterator_blocks_read,
            s.filter_negatives + s.index_model_hits + s.index_fallbacks};
  }
  void Add(const Counts& more, const Counts& less) {
    flush_bytes += more.flush_bytes - less.flush_bytes;
    compaction_read_bytes += more.compaction_read_bytes - less.compaction_read_bytes;
    compaction_written_bytes += more.compaction_written_bytes - less.compaction_written_bytes;
    read_blocks += more.read_blocks - less.read_blocks;
    filter_probes += more.filter_probes - less.filter_probes;
  }
  double cost_blocks() const {
    return static_cast<double>(flush_bytes + compaction_read_bytes + compaction_written_bytes) / 4096 +
           static_cast<double>(read_blocks);
  }
};

enum Step : size_t { kLoad, kWrites, kGets, kScans, kSteps };
const char* const kStepNames[kSteps] = {"load", "writes", "gets", "scans"};

struct Outcome {
  Counts steps[kSteps];
  std::string shapes[kSteps];
  Digest digest;

  Counts whole() const {
    Counts sum;
    for (size_t step = kWrites; step < kSteps; ++step) sum.Add(steps[step], Counts());
    return sum;
  }
};

void Check(const Status& status, const char* operation) {
  if (!status.ok()) Die(std::string(operation) + ": " + status.ToString());
}

// Runs and bytes of each level that has any.
std::string ShapeOf(const DBStats& stats) {
  std::string shape;
  for (size_t level = 0; level < stats.levels.size(); ++level) {
    if (stats.levels[level].runs == 0) continue;
    char text[64];
    std::snprintf(text, sizeof(text), "%sL%zu %ux %.1f MB", shape.empty() ? "" : ", ", level,
                  stats.levels[level].runs, static_cast<double>(stats.levels[level].bytes) / 1e6);
    shape += text;
  }
  return shape;
}

// One policy's way through all phases.
class ShiftRun {
 public:
  ShiftRun(const ShiftConfig& config, const Policy& policy)
      : config_(config),
        codec_(16, KeySpacing::kEven, config.seed),
        values_(config.value_bytes, config.seed),
        key_(&codec_),
        rng_(config.seed) {
    const std::string path = config.dir + "/shift_bench-" + policy.name;
    std::filesystem::remove_all(path);
    Options options;
    options.memtable_capacity = config.memtable_bytes;
    options.base_level_size = config.base_bytes;
    options.target_file_size = config.file_bytes;
    options.compaction_policy = policy.start;
    options.adaptive_compaction = policy.adaptive;
    options.wal_sync_policy = SyncPolicy::kNone;
    options.wal_segment_bytes = config.memtable_bytes;
    options.background_flush = false;
    options.background_compaction = false;
    options.seed = config.seed;
    auto db = DB::Open(options, path);
    if (!db.ok()) Check(db.status(), "open");
    db_ = std::move(*db);
  }

  Outcome Run() {
    const Permutation permutation(config_.records, config_.seed);
    RunStep(kLoad, config_.records, [&](uint64_t i) { PutOne(permutation(i), 0); });
    for (uint64_t round = 0; round < config_.rounds; ++round) {
      RunStep(kWrites, config_.writes, [&](uint64_t i) {
        const bool inserts = i % 10 == 0;
        PutOne(inserts ? records_++ : rng_.Below(records_), round * config_.writes + i + 1);
      });
      RunStep(kGets, config_.gets, [&](uint64_t i) { GetOne(rng_.Below(records_), i % 2 == 1); });
      RunStep(kScans, config_.scans, [&](uint64_t) { ScanOne(rng_.Below(records_)); });
    }
    Check(db_->Close(), "close");
    return outcome_;
  }

 private:
  template <typename Op>
  void RunStep(Step step, uint64_t count, Op op) {
    constexpr uint64_t kOpsBetweenWaits = 1'000;
    const Counts before = Counts::Of(db_->Stats());
    for (uint64_t i = 0; i < count; ++i) {
      op(i);
      if (i % kOpsBetweenWaits == kOpsBetweenWaits - 1) Check(db_->WaitForCompaction(), "wait");
    }
    Check(db_->WaitForCompaction(), "wait");
    const DBStats after = db_->Stats();
    outcome_.steps[step].Add(Counts::Of(after), before);
    outcome_.shapes[step] = ShapeOf(after);
  }
  void PutOne(uint64_t record, uint64_t version) {
    Check(db_->Put(key_.Set(record), values_.Value(record, version)), "put");
  }
  void GetOne(uint64_t record, bool absent) {
    const auto answer = db_->Get(key_.Set(record, absent));
    if (!answer.ok()) Check(answer.status(), "get");
    if (answer->has_value()) {
      outcome_.digest.AddValue((*answer)->slice());
    } else {
      outcome_.digest.AddMiss();
    }
  }
  void ScanOne(uint64_t record) {
    const auto it = db_->NewIterator();
    it->Seek(key_.Set(record));
    for (uint64_t left = config_.scan_entries; left > 0 && it->Valid(); --left) {
      outcome_.digest.AddEntry(it->key(), it->value());
      if (left > 1) it->Next();
    }
    Check(it->status(), "scan");
  }

  const ShiftConfig& config_;
  const KeyCodec codec_;
  const ValuePool values_;
  KeyBuffer key_;
  Rng rng_;
  std::unique_ptr<DB> db_;
  uint64_t records_ = config_.records;
  Outcome outcome_;
};

void PrintRow(const std::string& name, const Counts& c, double best) {
  const auto mb = [](uint64_t bytes) { return static_cast<double>(bytes) / 1e6; };
  std::printf("%-14s %9.1f %9.1f %9.1f %12" PRIu64 " %13" PRIu64 " %12.0f %8.3f\n", name.c_str(),
              mb(c.flush_bytes), mb(c.compaction_read_bytes), mb(c.compaction_written_bytes), c.read_blocks,
              c.filter_probes, c.cost_blocks(), c.cost_blocks() / best);
}

// Prints one phase of all policies; returns the last one's cost over the best fixed one's.
double PrintPhase(const std::string& name, const std::vector<Counts>& of_policies) {
  double best = of_policies.front().cost_blocks();
  for (size_t i = 0; i + 1 < of_policies.size(); ++i) best = std::min(best, of_policies[i].cost_blocks());
  best = std::max(best, 1.0);
  std::printf("\n%-14s %9s %9s %9s %12s %13s %12s %8s\n", name.c_str(), "flush MB", "comp. rd", "comp. wr",
              "read blocks", "filter probes", "cost blocks", "to best");
  for (size_t i = 0; i < of_policies.size(); ++i) PrintRow(Policies()[i].name, of_policies[i], best);
  return of_policies.back().cost_blocks() / best;
}

int Report(const std::vector<Outcome>& outcomes) {
  constexpr double kPhaseLimit = 1.10;
  bool holds = true;
  for (size_t step = kLoad; step < kSteps; ++step) {
    std::vector<Counts> counts;
    for (const Outcome& outcome : outcomes) counts.push_back(outcome.steps[step]);
    const double ratio = PrintPhase(kStepNames[step], counts);
    for (size_t i = 0; i < outcomes.size(); ++i) {
      std::printf("  %-12s %s\n", Policies()[i].name.c_str(), outcomes[i].shapes[step].c_str());
    }
    if (step != kLoad) holds = holds && ratio <= kPhaseLimit;
  }
  std::vector<Counts> counts;
  for (const Outcome& outcome : outcomes) counts.push_back(outcome.whole());
  const double whole = PrintPhase("whole", counts);
  holds = holds && whole < 1;
  std::printf(
      "\nadaptive within %.2f of the best fixed policy in each phase, and ahead of all over the whole: %s\n",
      kPhaseLimit, holds ? "yes" : "no");
  return holds ? 0 : 1;
}

int Run(const ShiftConfig& config) {
  std::vector<Outcome> outcomes;
  for (const Policy& policy : Policies()) {
    outcomes.push_back(ShiftRun(config, policy).Run());
    std::filesystem::remove_all(config.dir + "/shift_bench-" + policy.name);
    if (outcomes.back().digest.sum() != outcomes.front().digest.sum())
      Die(policy.name + " gave other answers");
  }
  const int exit_code = Report(outcomes);
  return config.check ? exit_code : 0;
}

}  // namespace
}  // namespace seerdb::bench

int main(int argc, char** argv) {
  seerdb::bench::ShiftConfig config;
  CLI::App app("Counts what a shifting workload costs under each compaction policy.");
  app.add_option("--db", config.dir, "Directory; databases are its children shift_bench-<policy>")
      ->required();
  app.add_option("--records", config.records, "Records loaded before the first phase")
      ->check(CLI::Range(2ul, 1ul << 40));
  app.add_option("--writes", config.writes, "Puts of the first phase, one in ten a new key");
  app.add_option("--gets", config.gets, "Gets of the second, half of them of absent keys");
  app.add_option("--scans", config.scans, "Scans of the third");
  app.add_option("--scan-entries", config.scan_entries, "Entries of a scan")
      ->check(CLI::Range(1ul, 1ul << 30));
  app.add_option("--value-bytes", config.value_bytes, "Bytes of a value");
  app.add_option("--memtable-bytes", config.memtable_bytes, "Options::memtable_capacity");
  app.add_option("--base-bytes", config.base_bytes, "Options::base_level_size");
  app.add_option("--file-bytes", config.file_bytes, "Options::target_file_size");
  app.add_option("--rounds", config.rounds, "How often the three phases follow one another")
      ->check(CLI::Range(1, 1000));
  app.add_option("--seed", config.seed, "Seed of keys, values and draws");
  app.add_flag("--check", config.check, "Exit status 1 if the adaptive policy misses its aims");
  CLI11_PARSE(app, argc, argv);
  std::filesystem::create_directories(config.dir);
  return seerdb::bench::Run(config);
}
