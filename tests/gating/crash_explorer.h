// CrashExplorer: runs a short history of writes, flushes, compactions and reopens, crashes it before every
// single change of the file system, and checks what each crash leaves.
//
// The history is a list of units (a put, a delete, a batch) that take effect whole or not at all. After a
// crash the database must hold the state after the first j units, with j between what the policy promised
// (everything acknowledged, after a process crash; everything acknowledged as durable, after a power cut)
// and what had been submitted. It must then take new writes, which win, and survive a second crash. The
// first recovery is crashed before each of its own changes too, and the second one must find the same.
// Thread safety: external synchronization. The database under test runs on the caller's thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "env/fault_rule.h"
#include "env/memory_file_system.h"
#include "seerdb/db.h"
#include "tests/gating/crash_census.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {

using Operation = std::pair<std::string, std::optional<std::string>>;  // no value: delete

struct TraceStep {
  enum Kind { kWrite, kFlush, kCompact, kReopen, kSnapshot, kReleaseSnapshots, kBulkLoad };
  Kind kind = kWrite;
  std::vector<Operation> operations;
  WriteOptions options;
  bool transaction = false;  // of a write
  BulkLoadOptions load;
};

struct Trace {
  std::string name;
  std::vector<TraceStep> steps;

  Trace& Put(const std::string& key, const std::string& value, WriteOptions options = {});
  Trace& Delete(const std::string& key);
  Trace& Batch(std::vector<Operation> operations);
  // The same committed as a transaction; another one that wrote the same keys then conflicts and leaves
  // nothing.
  Trace& Transaction(std::vector<Operation> operations, WriteOptions options = {});
  // One unit, and everything before it is durable afterwards.
  Trace& BulkLoad(std::vector<Operation> operations, const BulkLoadOptions& options = {});
  Trace& Flush() { return Add(TraceStep::kFlush); }
  Trace& Compact() { return Add(TraceStep::kCompact); }
  Trace& Reopen() { return Add(TraceStep::kReopen); }
  Trace& Snapshot() { return Add(TraceStep::kSnapshot); }
  Trace& ReleaseSnapshots() { return Add(TraceStep::kReleaseSnapshots); }
  Trace& Add(TraceStep::Kind kind);
};

class CrashExplorer {
 public:
  // `options` without file system. With `cooperative`, background work runs between the steps.
  CrashExplorer(const Trace& trace, const Options& options, bool cooperative);

  // Crashes at changes of this kind alone, from here on.
  void Focus(Boundary boundary) { focus_ = boundary; }
  // Explores everything; stops at the first failure. Also crashes each `inner_stride`-th recovery before
  // each of its changes (0 = none).
  void Explore(uint64_t inner_stride);
  // After Explore: kills the process, or cuts the power, in the middle of each `stride`-th append.
  void ExploreTornAppends(uint64_t stride);
  uint64_t crash_points() const { return crash_points_; }

 private:
  struct CrashPoint {
    std::shared_ptr<MemoryFileSystem> disk;
    CrashOptions crash;
    size_t lower = 0;    // units that must be there
    size_t upper = 0;    // units that may be there
    size_t durable = 0;  // units that must be there after a power cut
    uint64_t change = 0;
    Boundary boundary = Boundary::kOther;  // what the change belongs to
  };

  void RunTrace();
  Status RunStep(const TraceStep& step, Options* options, std::unique_ptr<DB>* db);
  static Status CommitOne(const TraceStep& step, DB* db);
  void Collect(Boundary boundary, const std::vector<CrashOptions>& crashes);
  void ExploreTorn(FileOp op, uint64_t stride);
  void RunTorn(const FaultRule& rule, Boundary boundary);
  void CheckPoint(const CrashPoint& point, bool inner);
  std::optional<size_t> Match(const Contents& found, const CrashPoint& point) const;
  // Writes on `disk` after a crash, crashes or closes again, and checks that the new writes won.
  void WriteOn(const CrashPoint& point, DB* db, std::shared_ptr<MemoryFileSystem> disk, Contents expected);
  std::vector<CrashPoint> CrashRecovery(const CrashPoint& point);
  std::string Describe(const CrashPoint& point) const;
  Options WithFileSystem(std::shared_ptr<FileSystem> fs) const;
  void Drain(const Options& options) const;

  const Trace trace_;
  const Options options_;
  const bool cooperative_;
  std::vector<Contents> states_;  // after 0, 1, ... units
  std::shared_ptr<MemoryFileSystem> disk_;
  std::vector<CrashPoint> points_;
  std::optional<Boundary> focus_;
  std::vector<Snapshot> snapshots_;
  size_t submitted_ = 0;
  size_t acknowledged_ = 0;
  size_t durable_ = 0;
  uint64_t changes_ = 0;
  uint64_t appends_[2] = {};  // of FileOp::kAppend and kAppendSynced
  uint64_t crash_points_ = 0;
};

}  // namespace seerdb::testing
