#include "tests/gating/crash_census.h"

#include <cinttypes>
#include <cstdio>

namespace seerdb::testing {
namespace {

constexpr const char* kBoundaryNames[kBoundaryCount] = {"append",    "sync",  "rotate",   "recycle",
                                                        "directory", "table", "manifest", "CURRENT",
                                                        "delete",    "other", "values"};
constexpr const char* kPolicyNames[] = {"none", "barrier", "data", "all"};

bool Contains(const std::string& path, const char* part) { return path.find(part) != std::string::npos; }

}  // namespace

Boundary BoundaryOf(FileOp op, const std::string& path) {
  if (op == FileOp::kDelete) return Boundary::kDelete;
  if (op == FileOp::kSyncDir) return Boundary::kDirectory;
  if (Contains(path, ".vlog")) return Boundary::kValues;
  if (Contains(path, ".sst")) return Boundary::kTable;
  if (Contains(path, "MANIFEST")) return Boundary::kManifest;
  if (Contains(path, "CURRENT") || Contains(path, ".tmp")) return Boundary::kCurrent;
  if (!Contains(path, ".log")) return Boundary::kOther;
  switch (op) {
    case FileOp::kRename:
      return Boundary::kRecycle;
    case FileOp::kAppend:
    case FileOp::kAppendSynced:
      return Boundary::kAppend;
    case FileOp::kSync:
    case FileOp::kSyncAll:
      return Boundary::kSync;
    default:
      return Boundary::kRotate;
  }
}

uint64_t CrashCensus::count(SyncPolicy policy, LogMode mode, Boundary boundary) const {
  const auto found = counts_.find({policy, mode});
  return found == counts_.end() ? 0 : found->second[static_cast<size_t>(boundary)];
}

std::string CrashCensus::Table() const {
  char cell[32];
  std::string table = "policy   log      ";
  for (const char* name : kBoundaryNames) {
    std::snprintf(cell, sizeof cell, "%10s", name);
    table += cell;
  }
  for (const auto& [key, counts] : counts_) {
    std::snprintf(cell, sizeof cell, "\n%-8s %-9s", kPolicyNames[static_cast<int>(key.first)],
                  LogModeName(key.second));
    table += cell;
    for (const uint64_t count : counts) {
      std::snprintf(cell, sizeof cell, "%10" PRIu64, count);
      table += cell;
    }
  }
  return table + "\n";
}

CrashCensus& GlobalCrashCensus() {
  static CrashCensus census;
  return census;
}

}  // namespace seerdb::testing
