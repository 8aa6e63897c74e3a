// value_bench: what large values cost, beside other log-structured stores in one run: loaded in random order,
// overwritten at random, read back.
//
// All engines: no compression, the same memtable, log without syncs, one thread. Rounds are interleaved, and
// the median of each measure is printed, with the bytes that the system wrote for each byte put (until all
// background work is done) and the bytes on disk for each live one.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "seerdb/db.h"
#include "value_subjects.h"

namespace seerdb::bench {
namespace {

// As the system counts for this process.
uint64_t SystemWrittenBytes() {
  std::ifstream io("/proc/self/io");
  std::string name;
  uint64_t value = 0;
  while (io >> name >> value) {
    if (name == "write_bytes:") return value;
  }
  return 0;
}

uint64_t BytesOnDisk(const std::string& path) {
  uint64_t bytes = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
    if (entry.is_regular_file(error)) bytes += entry.file_size(error);
  }
  return bytes;
}

class Chance {
 public:
  explicit Chance(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15 + 1) {}
  uint64_t Next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }

 private:
  uint64_t state_;
};

double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct Work {
  uint64_t value_bytes = 0;
  uint64_t keys = 0;
  uint64_t separation_bytes = 0;
  std::string directory;
};

std::string KeyOf(uint64_t i) {
  char key[24];
  std::snprintf(key, sizeof key, "k%015llu", static_cast<unsigned long long>(i));
  return key;
}

// Values that no two puts share, of a pool of chance.
class Values {
 public:
  explicit Values(uint64_t bytes) : bytes_(bytes), pool_(bytes + (uint64_t{1} << 20), '\0') {
    Chance chance(7);
    for (char& c : pool_) c = static_cast<char>(chance.Next() >> 32);
  }
  Slice Next() {
    offset_ = (offset_ + 4099) % (uint64_t{1} << 20);
    return Slice(pool_).substr(offset_, bytes_);
  }

 private:
  const uint64_t bytes_;
  std::string pool_;
  uint64_t offset_ = 0;
};

using Measures = std::map<std::string, double>;

Measures RunRound(const std::string& engine, const Work& work, uint64_t round) {
  const std::string path = work.directory + "/" + engine;
  std::filesystem::remove_all(path);
  Measures measures;
  Values values(work.value_bytes);
  std::vector<uint64_t> order(work.keys);
  for (uint64_t i = 0; i < work.keys; ++i) order[i] = i;
  Chance chance(round + 1);
  for (uint64_t i = work.keys; i > 1; --i) std::swap(order[i - 1], order[chance.Next() % i]);
  const double bytes = static_cast<double>(work.keys * (work.value_bytes + 16));
  std::unique_ptr<Subject> subject = Open(engine, path, work.value_bytes, work.separation_bytes);
  const auto timed = [&](const char* name, const auto& body) {
    const double start = Now();
    body();
    measures[name] += Now() - start;
  };
  uint64_t written = SystemWrittenBytes();
  timed("1 load s", [&] {
    for (const uint64_t i : order) subject->Put(KeyOf(i), values.Next());
  });
  measures["2 load+settle s"] = measures["1 load s"];
  timed("2 load+settle s", [&] { subject->Settle(); });
  measures["3 load written/put"] = static_cast<double>(SystemWrittenBytes() - written) / bytes;
  const auto get = [&] {
    for (uint64_t i = 0; i < work.keys; ++i) {
      if (subject->Get(KeyOf(chance.Next() % work.keys)) != work.value_bytes) Fail("a value is missing");
    }
  };
  timed("4 get s", get);
  timed("5 scan s", [&] {
    if (subject->Scan() != work.keys * work.value_bytes) Fail("a scan is wrong");
  });
  written = SystemWrittenBytes();
  timed("6 overwrite s", [&] {
    for (uint64_t i = 0; i < 2 * work.keys; ++i)
      subject->Put(KeyOf(chance.Next() % work.keys), values.Next());
  });
  measures["7 overwrite+settle s"] = measures["6 overwrite s"];
  timed("7 overwrite+settle s", [&] { subject->Settle(); });
  measures["8 overwrite written/put"] = static_cast<double>(SystemWrittenBytes() - written) / (2 * bytes);
  measures["9 disk/live"] = static_cast<double>(BytesOnDisk(path)) / bytes;
  timed("a get after s", get);
  subject.reset();
  std::filesystem::remove_all(path);
  return measures;
}

// Groups of about 64 KiB, and single puts, each of them durable.
Measures RunSyncedRound(const std::string& engine, const Work& work, uint64_t round) {
  constexpr uint64_t kGroupBytes = 64 << 10;
  const std::string path = work.directory + "/" + engine;
  Measures measures;
  Values values(work.value_bytes);
  for (const uint64_t group : {std::max<uint64_t>(1, kGroupBytes / work.value_bytes), uint64_t{1}}) {
    std::filesystem::remove_all(path);
    std::unique_ptr<Subject> subject = Open(engine, path, work.value_bytes, work.separation_bytes);
    Chance chance(round + 1);
    const uint64_t groups = group > 1 ? work.keys / group : std::min<uint64_t>(work.keys, 2000);
    const double bytes = static_cast<double>(groups * group * (work.value_bytes + 16));
    const uint64_t written = SystemWrittenBytes();
    const double start = Now();
    for (uint64_t i = 0; i < groups; ++i) {
      std::vector<std::pair<std::string, Slice>> entries;
      for (uint64_t j = 0; j < group; ++j)
        entries.emplace_back(KeyOf(chance.Next() % work.keys), values.Next());
      subject->PutSynced(entries);
    }
    const double took = Now() - start;
    subject->Settle();
    const std::string name = group > 1 || work.value_bytes >= kGroupBytes ? "1 group" : "2 single put";
    measures[name + " us"] = 1e6 * took / static_cast<double>(groups);
    measures[name + " written/put"] = static_cast<double>(SystemWrittenBytes() - written) / bytes;
    if (work.value_bytes >= kGroupBytes) break;
  }
  std::filesystem::remove_all(path);
  return measures;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace
}  // namespace seerdb::bench

int main(int argc, char** argv) {
  using seerdb::bench::Median;
  using seerdb::bench::RunRound;
  using seerdb::bench::RunSyncedRound;
  using seerdb::bench::Work;
  CLI::App app("Large values beside other stores");
  Work work;
  std::vector<uint64_t> sizes{1024, 4096, 16384, 65536};
  std::vector<std::string> engines{"seerdb", "rocksdb-blob", "rocksdb", "leveldb"};
  uint64_t total_bytes = uint64_t{512} << 20;
  uint64_t rounds = 5;
  work.separation_bytes = seerdb::Options().separation_bytes;
  work.directory = "value_bench.tmp";
  app.add_option("--value-bytes", sizes, "Sizes of values")->capture_default_str();
  app.add_option("--engines", engines, "Which")->capture_default_str();
  app.add_option("--bytes", total_bytes, "Of all live values")->capture_default_str();
  app.add_option("--rounds", rounds, "How often")->capture_default_str();
  app.add_option("--separation-bytes", work.separation_bytes, "As the option")->capture_default_str();
  app.add_option("--directory", work.directory, "For the databases")->capture_default_str();
  bool synced = false;
  app.add_flag("--synced", synced, "Durable writes instead");
  CLI11_PARSE(app, argc, argv);
  std::filesystem::create_directories(work.directory);
  for (const uint64_t size : sizes) {
    work.value_bytes = size;
    work.keys = std::max<uint64_t>(1, total_bytes / size);
    std::map<std::string, std::map<std::string, std::vector<double>>> all;
    for (uint64_t round = 0; round < rounds; ++round) {
      for (const std::string& engine : engines) {
        const auto measures = synced ? RunSyncedRound(engine, work, round) : RunRound(engine, work, round);
        for (const auto& [name, value] : measures) all[name][engine].push_back(value);
      }
    }
    std::printf("values of %llu bytes, %llu keys, %llu rounds\n%-26s", static_cast<unsigned long long>(size),
                static_cast<unsigned long long>(work.keys), static_cast<unsigned long long>(rounds), "");
    for (const std::string& engine : engines) std::printf("%22s", engine.c_str());
    std::printf("\n");
    for (auto& [name, of_engine] : all) {
      const double first = Median(of_engine[engines[0]]);
      std::printf("%-26s", name.c_str() + 2);
      for (const std::string& engine : engines) {
        const double median = Median(of_engine[engine]);
        std::printf("%12.3f (%6.2fx)", median, first == 0 ? 0 : median / first);
      }
      std::printf("\n");
    }
    std::fflush(stdout);
  }
  std::filesystem::remove_all(work.directory);
  return 0;
}
