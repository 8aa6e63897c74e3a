// seerdb_bench: runs named phases against one key-value engine and prints a line of JSON for each.
#include <CLI/CLI.hpp>
#include <map>
#include <string>

#include "bench.h"

int main(int argc, char** argv) {
  using seerdb::bench::BenchConfig;
  BenchConfig config;
  config.phases = "fillrandom,compact,warm,readrandom,readmissing,seekrandom,readseq";
  std::string names;
  for (const auto* phases : {&seerdb::bench::Phases(), &seerdb::bench::YcsbPhases()}) {
    for (const auto& phase : *phases) names += std::string(phase.name) + " ";
  }
  bool list_engines = false;
  std::string sync = "none";
  std::string compression = "none";
  std::string keys = "even";
  std::string values = "fixed";

  CLI::App app(
      "Measures an embedded key-value engine. Phases: " + names +
      "compact settle flush tables reopen recover kill. A phase may carry labels after colons, as in "
      "readrandom:again:2t; the last one here says how many threads it has.");
  app.add_option("--engine", config.engine,
                 "seerdb, seerdb-floor, rocksdb, rocksdb-default, leveldb, lmdb or wiredtiger");
  app.add_flag("--list-engines", list_engines, "Print the engines linked in, and exit");
  app.add_option("--db", config.dir, "Directory; the database is its child seerdb_bench-<engine>");
  app.add_option("--phases", config.phases, "Comma-separated, run in order");
  app.add_option("--num", config.num, "Records that fill phases write")->check(CLI::Range(2ul, 1ul << 40));
  app.add_option("--ops", config.ops, "Operations of other phases; 0 = as --num");
  app.add_option("--sync-ops", config.sync_ops, "Writes of fillsync");
  app.add_option("--least-read-ms", config.least_read_ms,
                 "Reads behind warm are repeated until they have taken so long; the median is reported");
  app.add_option("--key-bytes", config.key_bytes, "Bytes of a key")
      ->check(CLI::Range(uint64_t{16}, seerdb::bench::KeyCodec::kMaxKeyBytes));
  app.add_option("--value-bytes", config.value_bytes, "Bytes of a value")->check(CLI::Range(0ul, 1ul << 26));
  app.add_option("--cache-bytes", config.cache_bytes, "Block cache of engines that have one");
  app.add_option("--write-buffer-bytes", config.write_buffer_bytes, "Memtable of engines that have one");
  app.add_option("--threads", config.threads, "Threads of every phase")->check(CLI::Range(1, 1024));
  app.add_option("--seed", config.seed, "Seed of keys, values and draws");
  app.add_option("--sync", sync, "Durability of writes")->check(CLI::IsMember({"none", "data"}));
  app.add_option("--compression", compression, "Table codec")->check(CLI::IsMember({"none", "lz4"}));
  app.add_option("--keys", keys, "Spacing of key numbers")->check(CLI::IsMember({"even", "jitter", "paths"}));
  app.add_option("--values", values, "Whether all are of --value-bytes, or vary by half of it")
      ->check(CLI::IsMember({"fixed", "varied"}));
  app.add_flag("--use-existing", config.use_existing, "Fill phases write into the database that is there");
  CLI11_PARSE(app, argc, argv);

  if (list_engines) {
    for (const auto& kind : seerdb::bench::LinkedEngines()) std::cout << kind.name << "\n";
    return 0;
  }
  if (config.dir.empty()) seerdb::bench::Die("--db is required");
  config.sync = sync == "data";
  if (compression == "lz4") config.compression = seerdb::bench::Compression::kLz4;
  if (keys == "jitter") config.spacing = seerdb::bench::KeySpacing::kJitter;
  if (keys == "paths") config.spacing = seerdb::bench::KeySpacing::kPaths;
  config.vary_values = values == "varied";
  seerdb::bench::Bench(config).Run();
  return 0;
}
