// Speed of DB::BulkLoad, on real files: from the first record taken to the load installed and durable.
//
// MB/s count bytes of keys and values (MB = 1,000,000), by the processor time of the process ("core") and by
// the clock ("wall"). After each load every checksum of the database is verified and the entries are counted.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "seerdb/db.h"
#include "workload.h"

namespace seerdb::bench {
namespace {

constexpr size_t kValueBytes = 100;

struct Case {
  const char* name;
  bool paths;
  bool sorted;
  CompressionType compression;
};

constexpr Case kCases[] = {
    {"sorted", false, true, CompressionType::kNone},
    {"sorted-lz4", false, true, CompressionType::kLz4},
    {"sorted-paths", true, true, CompressionType::kNone},
    {"unsorted", false, false, CompressionType::kNone},
    {"unsorted-paths", true, false, CompressionType::kNone},
};

// 16 bytes of a number that is never drawn twice.
std::string BinaryKey(uint64_t i) {
  std::string key(16, '\0');
  const uint64_t halves[] = {Mix64(i + 1), Mix64(Mix64(i + 1))};
  for (size_t byte = 0; byte < 16; ++byte)
    key[byte] = static_cast<char>(halves[byte / 8] >> (56 - 8 * (byte % 8)));
  return key;
}

// Long shared directories, 50 to 60 bytes.
std::string PathKey(uint64_t i) {
  Rng random(i / 40);  // forty files in a directory
  std::string key = "usr/share/";
  for (int part = 0; part < 3; ++part) key += "package-" + std::to_string(random.Below(50)) + '/';
  return key + "directory-" + std::to_string(i / 40) + "/file_" + std::to_string(i % 40) + ".html";
}

// Keys and values lie one after the other in the order of loading, so that reading them costs little.
class Records {
 public:
  Records(const Case& which, uint64_t count) {
    std::vector<std::string> keys;
    keys.reserve(count);
    for (uint64_t i = 0; i < count; ++i) keys.push_back(which.paths ? PathKey(i) : BinaryKey(i));
    if (which.sorted) std::sort(keys.begin(), keys.end());
    const ValuePool values(kValueBytes, 1);
    size_t total = 0;
    for (const std::string& key : keys) total += key.size() + kValueBytes;
    bytes_.reserve(total);
    for (uint64_t i = 0; i < count; ++i) {
      const size_t begin = bytes_.size();
      bytes_.append(keys[i]).append(values.Value(i, 0));
      const Slice both = Slice(bytes_).substr(begin);
      list_.emplace_back(both.substr(0, keys[i].size()), both.substr(keys[i].size()));
    }
  }
  const std::vector<std::pair<Slice, Slice>>& list() const { return list_; }
  size_t bytes() const { return bytes_.size(); }

 private:
  std::string bytes_;
  std::vector<std::pair<Slice, Slice>> list_;
};

struct Measured {
  double core_s = 1e9;
  double wall_s = 1e9;
};

double ProcessSeconds() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

Result<Measured> Load(const Case& which, const Records& records, const std::string& directory) {
  std::filesystem::remove_all(directory);
  Options options;
  options.compression = which.compression;
  auto opened = DB::Open(options, directory);
  if (!opened.ok()) return opened.status();
  DB& db = **opened;
  const double core = ProcessSeconds();
  const auto wall = std::chrono::steady_clock::now();
  BulkLoadRange source(records.list().begin(), records.list().end());
  const auto loaded = db.BulkLoad(BulkLoadOptions().AlreadySorted(which.sorted), source);
  if (!loaded.ok()) return loaded.status();
  const Measured measured{ProcessSeconds() - core,
                          std::chrono::duration<double>(std::chrono::steady_clock::now() - wall).count()};
  const auto verified = db.Verify();
  if (!verified.ok()) return verified.status();
  uint64_t entries = 0;
  const auto it = db.NewIterator();
  for (it->SeekToFirst(); it->Valid(); it->Next()) ++entries;
  if (!it->status().ok()) return it->status();
  if (entries != records.list().size()) return Status::Corruption("records were lost");
  if (Status closed = db.Close(); !closed.ok()) return closed;
  return measured;
}

Status RunCase(const Case& which, const std::string& directory, uint64_t count, int repeat) {
  const Records records(which, count);
  Measured best;
  for (int i = 0; i < repeat; ++i) {
    const auto measured = Load(which, records, directory);
    if (!measured.ok()) return measured.status();
    best.core_s = std::min(best.core_s, measured->core_s);
    best.wall_s = std::min(best.wall_s, measured->wall_s);
  }
  const double megabytes = static_cast<double>(records.bytes()) * 1e-6;
  std::printf("%-16s %9llu records %7.1f MB/s core %7.1f MB/s wall\n", which.name,
              static_cast<unsigned long long>(count), megabytes / best.core_s, megabytes / best.wall_s);
  std::fflush(stdout);
  std::filesystem::remove_all(directory);
  return {};
}

}  // namespace
}  // namespace seerdb::bench

int main(int argc, char** argv) {
  CLI::App app("Speed of bulk loads; the best of the repetitions.");
  std::vector<std::string> names;
  uint64_t records = 5'000'000;
  int repeat = 3;
  std::string directory = (std::filesystem::temp_directory_path() / "seerdb_bulk_bench").string();
  app.add_option("cases", names, "which cases; all if none is named");
  app.add_option("--records", records, "records in each case")->check(CLI::Range(100, 100'000'000));
  app.add_option("--repeat", repeat, "how often each is measured")->check(CLI::Range(1, 1000));
  app.add_option("--dir", directory, "where the database goes: emptied, and removed at the end");
  CLI11_PARSE(app, argc, argv);
  for (const auto& which : seerdb::bench::kCases) {
    if (!names.empty() && std::find(names.begin(), names.end(), which.name) == names.end()) continue;
    const seerdb::Status status = seerdb::bench::RunCase(which, directory, records, repeat);
    if (!status.ok()) {
      std::fprintf(stderr, "%s: %s\n", which.name, status.ToString().c_str());
      return 1;
    }
  }
  return 0;
}
