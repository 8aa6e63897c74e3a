// Speed of merging tables and of building them from sorted records, on real files, as one thread sees it.
//
// A merge reads its inputs with every block's checksum checked, and each output is synced. MB/s count the
// bytes of user keys and values that went in (MB = 1,000,000), by the thread's processor time ("core") and by
// the clock ("wall"). The digest is that of all bytes written: it changes only when the tables do.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/crc32c.h"
#include "base/status_macros.h"
#include "compaction/compaction_job.h"
#include "compaction/table_output.h"
#include "format/file_name.h"
#include "format/internal_key.h"
#include "workload.h"

namespace seerdb {
namespace {

constexpr size_t kValueBytes = 100;
constexpr uint64_t kTargetFileBytes = uint64_t{64} << 20;
constexpr char kKeyspacePrefix = '\0';  // of the default keyspace: one byte before each user key

enum class Keys { kBinary, kPaths };

struct Case {
  const char* name;
  Keys keys;
  CompressionType compression;
  size_t runs;  // 0: tables are built from sorted records
};

constexpr Case kCases[] = {
    {"build", Keys::kBinary, CompressionType::kNone, 0},
    {"build-lz4", Keys::kBinary, CompressionType::kLz4, 0},
    {"build-paths", Keys::kPaths, CompressionType::kNone, 0},
    {"build-paths-lz4", Keys::kPaths, CompressionType::kLz4, 0},
    {"merge1", Keys::kBinary, CompressionType::kNone, 1},
    {"merge4", Keys::kBinary, CompressionType::kNone, 4},
    {"merge4-lz4", Keys::kBinary, CompressionType::kLz4, 4},
    {"merge4-paths", Keys::kPaths, CompressionType::kNone, 4},
    {"merge4-paths-lz4", Keys::kPaths, CompressionType::kLz4, 4},
    {"merge10", Keys::kBinary, CompressionType::kNone, 10},
    {"merge10-lz4", Keys::kBinary, CompressionType::kLz4, 10},
    {"merge10-paths", Keys::kPaths, CompressionType::kNone, 10},
};

// 16 bytes of a number that is never drawn twice.
std::string BinaryKey(uint64_t i) {
  std::string key(17, kKeyspacePrefix);
  const uint64_t high = bench::Mix64(i + 1);
  const uint64_t low = bench::Mix64(high);
  for (size_t byte = 0; byte < 8; ++byte) {
    key[1 + byte] = static_cast<char>(high >> (56 - 8 * byte));
    key[9 + byte] = static_cast<char>(low >> (56 - 8 * byte));
  }
  return key;
}

// Shaped like the file index of a distribution: long shared directories, 67 bytes on average.
std::string PathKey(uint64_t i) {
  static constexpr const char* kPlaces[] = {"share/doc",         "share/locale", "lib/x86_64-linux-gnu",
                                            "lib/python3",       "include/lib",  "share/icons",
                                            "src/linux-headers", "share/man"};
  static constexpr const char* kWords[] = {"network",  "manager", "static",   "session",
                                           "driver",   "common",  "template", "service",
                                           "document", "display", "package",  "utility"};
  bench::Rng random(i / 40);  // forty files in a directory
  std::string key(1, kKeyspacePrefix);
  key += "usr/";
  key += kPlaces[random.Below(std::size(kPlaces))];
  for (int part = 0; part < 3; ++part) {
    key += '/';
    key += kWords[random.Below(std::size(kWords))];
    if (part < 2) key += '-' + std::to_string(random.Below(50));
  }
  key += '-' + std::to_string(i / 40) + '/';
  key += kWords[i % std::size(kWords)];
  return key + '_' + std::to_string(i % 40) + ".html";
}

struct Record {
  Slice key;
  Slice value;
  uint64_t index;  // in the order of writing
};

// Sorted by key; the bytes lie in that order too, so that reading them costs little.
class Records {
 public:
  Records(Keys kind, uint64_t count) {
    std::vector<std::pair<std::string, uint64_t>> keys;
    for (uint64_t i = 0; i < count; ++i)
      keys.emplace_back(kind == Keys::kBinary ? BinaryKey(i) : PathKey(i), i);
    std::sort(keys.begin(), keys.end());
    const bench::ValuePool values(kValueBytes, 1);
    uint64_t total = 0;
    for (const auto& [key, index] : keys) total += key.size() + kValueBytes;
    user_bytes_ = total - count;
    bytes_.reserve(total);
    for (const auto& [key, index] : keys) {
      const size_t begin = bytes_.size();
      bytes_.append(key).append(values.Value(index, 0));
      const Slice both = Slice(bytes_).substr(begin);
      records_.push_back({both.substr(0, key.size()), both.substr(key.size()), index});
    }
  }
  const std::vector<Record>& list() const { return records_; }
  size_t size() const { return records_.size(); }
  // Of user keys and values.
  uint64_t user_bytes() const { return user_bytes_; }

 private:
  std::string bytes_;
  std::vector<Record> records_;
  uint64_t user_bytes_ = 0;
};

double ThreadSeconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

struct Measured {
  double core_s = 0;
  double wall_s = 0;
};

// Runs one case in a directory of its own, which it empties.
class Runner {
 public:
  Runner(const Case& which, std::string directory, uint64_t count)
      : case_(which), directory_(std::move(directory)), records_(which.keys, count) {}
  ~Runner() { std::filesystem::remove_all(directory_); }

  uint64_t records() const { return records_.size(); }
  uint64_t bytes() const { return records_.user_bytes(); }
  uint32_t digest() const { return digest_; }

  Status Prepare() {
    std::filesystem::remove_all(directory_);
    SEERDB_RETURN_IF_ERROR(fs_->CreateDirectory(directory_));
    for (size_t run = 0; run < case_.runs; ++run) SEERDB_RETURN_IF_ERROR(WriteInput(run));
    return {};
  }

  Result<Measured> Run() {
    const double core_begin = ThreadSeconds();
    const auto wall_begin = std::chrono::steady_clock::now();
    Result<std::vector<TableMeta>> written = case_.runs == 0 ? Build() : Merge();
    Measured measured;
    measured.core_s = ThreadSeconds() - core_begin;
    measured.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - wall_begin).count();
    if (!written.ok()) return written.status();
    SEERDB_RETURN_IF_ERROR(Remove(*written));
    return measured;
  }

 private:
  TableOutputOptions Output() {
    TableOutputOptions output;
    output.directory = directory_;
    output.table.compression = case_.compression;
    output.target_file_size = kTargetFileBytes;
    output.new_file_number = [this] { return Result<uint64_t>(++last_number_); };
    return output;
  }

  // Every runs-th record by index: run 0 is the oldest.
  Status WriteInput(size_t run) {
    TableOutputOptions options = Output();
    options.target_file_size = 0;
    TableOutput output(*fs_, std::move(options));
    for (const Record& record : records_.list()) {
      if (record.index % case_.runs != run) continue;
      const SequenceNumber sequence = 1 + run * records_.size() + record.index / case_.runs;
      SEERDB_RETURN_IF_ERROR(
          output.Add(record.key, PackTrailer(sequence, ValueType::kValue), record.value, true));
    }
    SEERDB_ASSIGN_OR_RETURN(const std::vector<TableMeta> tables, output.Finish());
    TableOpenOptions open;
    open.table_number = tables.front().number;
    open.expected_bytes = tables.front().bytes;
    const std::string path = TableFilePath(directory_, open.table_number);
    SEERDB_ASSIGN_OR_RETURN(std::shared_ptr<const TableReader> reader, TableReader::Open(*fs_, path, open));
    readers_.push_back(std::move(reader));
    inputs_.push_back({0, tables.front().number, std::make_shared<TableMeta>(tables.front())});
    return {};
  }

  Result<std::vector<TableMeta>> Build() {
    TableOutputOptions options = Output();
    options.expected_bytes = bytes();
    TableOutput output(*fs_, std::move(options));
    SequenceNumber sequence = 0;
    for (const Record& record : records_.list()) {
      SEERDB_RETURN_IF_ERROR(
          output.Add(record.key, PackTrailer(++sequence, ValueType::kValue), record.value, true));
    }
    return output.Finish();
  }

  Result<std::vector<TableMeta>> Merge() {
    CompactionInputs inputs;
    inputs.plan.output_level = 1;
    // Newest first.
    inputs.plan.inputs.assign(inputs_.rbegin(), inputs_.rend());
    inputs.readers.assign(readers_.rbegin(), readers_.rend());
    inputs.version = std::make_shared<const Version>(7);
    inputs.snapshots = {kMaxSequence};
    SEERDB_ASSIGN_OR_RETURN(CompactionOutcome outcome, RunCompaction(*fs_, inputs, Output()));
    std::vector<TableMeta> tables;
    for (VersionEdit::AddedTable& added : outcome.edit.added_tables) tables.push_back(std::move(added.meta));
    return tables;
  }

  // Removes what a run wrote, and takes the digest of the first one.
  Status Remove(const std::vector<TableMeta>& tables) {
    uint64_t entries = 0;
    uint32_t digest = 0;
    for (const TableMeta& table : tables) {
      const std::string path = TableFilePath(directory_, table.number);
      if (!has_digest_) {
        SEERDB_ASSIGN_OR_RETURN(const std::string bytes, ReadFileToString(*fs_, path));
        digest = crc32c::Extend(digest, bytes);
      }
      entries += table.entries;
      SEERDB_RETURN_IF_ERROR(fs_->DeleteFile(path));
    }
    if (!has_digest_) digest_ = digest;
    has_digest_ = true;
    last_number_ = case_.runs;  // the next run's tables get the same numbers
    return entries == records_.size() ? Status() : Status::Corruption("records were lost");
  }

  const Case case_;
  const std::string directory_;
  const std::shared_ptr<FileSystem> fs_ = PosixFileSystem();
  const Records records_;
  uint64_t last_number_ = 0;
  uint32_t digest_ = 0;
  bool has_digest_ = false;
  std::vector<CompactionPlan::Input> inputs_;
  std::vector<std::shared_ptr<const TableReader>> readers_;
};

Status RunCase(const Case& which, const std::string& directory, uint64_t records, int repeat) {
  Runner runner(which, directory, records);
  SEERDB_RETURN_IF_ERROR(runner.Prepare());
  Measured best{1e9, 1e9};
  for (int i = 0; i < repeat; ++i) {
    SEERDB_ASSIGN_OR_RETURN(const Measured measured, runner.Run());
    best.core_s = std::min(best.core_s, measured.core_s);
    best.wall_s = std::min(best.wall_s, measured.wall_s);
  }
  const double megabytes = static_cast<double>(runner.bytes()) * 1e-6;
  const double ns = best.core_s * 1e9 / static_cast<double>(runner.records());
  std::printf("%-18s %9llu records %7.1f MB/s core %7.1f MB/s wall %7.1f ns/record  digest %08x\n",
              which.name, static_cast<unsigned long long>(runner.records()), megabytes / best.core_s,
              megabytes / best.wall_s, ns, runner.digest());
  std::fflush(stdout);
  return {};
}

}  // namespace
}  // namespace seerdb

int main(int argc, char** argv) {
  CLI::App app("Speed of merging and building tables; the best of the repetitions.");
  std::vector<std::string> names;
  uint64_t records = 2'000'000;
  int repeat = 3;
  std::string directory = (std::filesystem::temp_directory_path() / "seerdb_compaction_bench").string();
  app.add_option("cases", names, "which cases; all if none is named");
  app.add_option("--records", records, "records in each case")->check(CLI::Range(100, 100'000'000));
  app.add_option("--repeat", repeat, "how often each is measured")->check(CLI::Range(1, 1000));
  app.add_option("--dir", directory, "where the files go: emptied, and removed at the end");
  CLI11_PARSE(app, argc, argv);
  for (const seerdb::Case& which : seerdb::kCases) {
    if (!names.empty() && std::find(names.begin(), names.end(), which.name) == names.end()) continue;
    const seerdb::Status status = seerdb::RunCase(which, directory, records, repeat);
    if (!status.ok()) {
      std::fprintf(stderr, "%s: %s\n", which.name, status.ToString().c_str());
      return 1;
    }
  }
  return 0;
}
