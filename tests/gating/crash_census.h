// CrashCensus: how many distinct crashes were explored, by what the crash interrupted.
//
// A crash is distinct by trace, change of the file system, and outcome: two crashes at one change that leave
// the same bytes, names and promises are one. Thread safety: external synchronization.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "env/fault_rule.h"
#include "seerdb/options.h"

namespace seerdb::testing {

// What the change at a crash belongs to.
enum class Boundary : unsigned char {
  kAppend,     // to a log
  kSync,       // of a log
  kRotate,     // making the file of the next log
  kRecycle,    // renaming a released log
  kDirectory,  // syncing a directory
  kTable,      // making a table
  kManifest,
  kCurrent,  // making CURRENT name another manifest
  kDelete,   // of any file
  kOther,    // the lock, the directory, the end
  kValues,   // making, writing and syncing a value segment; behind kOther: not every history has large values
};
inline constexpr size_t kBoundaryCount = static_cast<size_t>(Boundary::kValues) + 1;

Boundary BoundaryOf(FileOp op, const std::string& path);

class CrashCensus {
 public:
  void Count(SyncPolicy policy, LogMode mode, Boundary boundary) {
    ++counts_[{policy, mode}][static_cast<size_t>(boundary)];
    ++total_;
  }
  uint64_t total() const { return total_; }
  uint64_t count(SyncPolicy policy, LogMode mode, Boundary boundary) const;
  // A line for each policy and mode.
  std::string Table() const;

 private:
  std::map<std::pair<SyncPolicy, LogMode>, std::array<uint64_t, kBoundaryCount>> counts_;
  uint64_t total_ = 0;
};

// Of this process.
CrashCensus& GlobalCrashCensus();

}  // namespace seerdb::testing
