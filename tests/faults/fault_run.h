// FaultRun: a database on a memory disk behind a FaultFileSystem, and what may be found on that disk.
//
// Counts each write as acknowledged, failed (an error other than kReadOnly: it may have reached the log), or
// refused (kReadOnly: it did not). What a crash leaves must be the state after some number of acknowledged
// writes, at least those that were promised, or all of them with the failed ones; once writes have resumed
// the failed ones are gone for good. Thread safety: external synchronization. The database may have threads
// of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "env/fault_file_system.h"
#include "env/memory_file_system.h"
#include "seerdb/db.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {

inline constexpr char kFaultDirectory[] = "/db";

class FaultRun {
 public:
  using Operation = std::pair<std::string, std::optional<std::string>>;  // no value: delete

  // `options` without a file system. With `cooperative`, background work runs in RunTasks and where the
  // engine waits.
  FaultRun(const Options& options, bool cooperative);

  Status Open();
  Status Put(const std::string& key, const std::string& value, const WriteOptions& how = {});
  Status Write(const std::vector<Operation>& operations, const WriteOptions& how = {});
  Status Flush();
  Status CompactRange();
  Status Resume();
  Status Close();
  // Background tasks that are due, a bounded number of them.
  void RunTasks();
  // Puts of `bytes` bytes until one fails, at most `limit`. The first error, or OK.
  Status PutUntilFailure(int limit, size_t bytes);

  // Collects what crashes at each following change of the disk would leave, until StopCollecting.
  void Collect(std::vector<CrashOptions> crashes);
  void StopCollecting();
  // Clones the disk now.
  void CollectNow(const std::vector<CrashOptions>& crashes);
  // Opens each disk collected, checks it, writes on it, and forgets them all. Returns how many there were.
  uint64_t CheckCollected();

  // The first difference between what the open database holds and what was acknowledged.
  std::string LiveDifference();
  // Names of tables in the directory, temporary ones included.
  std::vector<std::string> TableFiles() const;

  DB& db() { return *db_; }
  bool is_open() const { return db_ != nullptr; }
  FaultFileSystem& faults() { return *faults_; }
  MemoryFileSystem& disk() { return *disk_; }
  const Contents& acknowledged() const { return states_.back(); }
  bool has_failed_writes() const { return !failed_.empty(); }

 private:
  // What may be found: states_[lower .. upper], or the alternatives.
  struct Allowed {
    size_t lower = 0;
    size_t upper = 0;
    std::vector<Contents> alternatives;
  };
  struct Moment {
    std::shared_ptr<MemoryFileSystem> disk;
    Allowed allowed;
    std::string what;
  };
  Allowed AllowedAfter(CrashOptions::Kind kind) const;
  void CheckMoment(const Moment& moment);
  Options WithFiles(std::shared_ptr<FileSystem> fs) const;
  static void Apply(const std::vector<Operation>& operations, Contents* contents);
  void NoteAllDurable() { durable_ = states_.size() - 1; }

  const Options options_;
  const bool cooperative_;
  const std::shared_ptr<MemoryFileSystem> disk_ = std::make_shared<MemoryFileSystem>();
  const std::shared_ptr<FaultFileSystem> faults_ = std::make_shared<FaultFileSystem>(disk_);
  Options open_options_;
  std::unique_ptr<DB> db_;
  std::vector<Contents> states_;  // after 0, 1, ... acknowledged writes
  size_t durable_ = 0;            // states_ index that a power cut must keep
  std::vector<std::vector<Operation>> failed_;
  std::optional<std::vector<Operation>> in_flight_;
  std::vector<CrashOptions> crashes_;
  std::vector<Moment> moments_;
  int puts_ = 0;
};

// The process killed; all unsynced lost; a power cut that keeps a random part.
std::vector<CrashOptions> AllCrashes();

}  // namespace seerdb::testing
