// The part of DbImpl that compacts because somebody asks for it.
#include <algorithm>
#include <utility>

#include "base/status_macros.h"
#include "db/db_impl.h"
#include "format/keyspace_prefix.h"

namespace seerdb {

Status DbImpl::CompactRange(std::optional<Slice> begin, std::optional<Slice> end) {
  const bool all = !begin.has_value() && !end.has_value();
  return CompactEngineRange(all ? Slice() : kDefaultKeyspacePrefix, begin, end);
}

Status DbImpl::CompactRange(const Keyspace& keyspace, std::optional<Slice> begin, std::optional<Slice> end) {
  SEERDB_RETURN_IF_ERROR(keyspaces_.Check(keyspace.state().get()));
  return CompactEngineRange(keyspace.state()->prefix, begin, end);
}

Status DbImpl::CompactEngineRange(Slice prefix, std::optional<Slice> begin, std::optional<Slice> end) {
  SEERDB_RETURN_IF_ERROR(Flush());
  KeyRange wanted;
  wanted.empty = false;
  wanted.smallest.assign(prefix).append(begin.value_or(Slice()));
  if (end.has_value()) {
    wanted.largest.assign(prefix).append(*end);
  } else {
    wanted.largest = prefix.empty() ? std::string(kBehindAllEngineKeys) : PrefixSuccessor(prefix);
  }
  Status status = work_->RunAsCompaction([&] { return CompactLevels(wanted); });
  const bool refused = status.detail() == StatusDetail::kDiskSpaceFull;
  if (status.IsIoError() && !refused) error_->Set("compaction", status);
  return status;
}

Status DbImpl::WaitForCompaction() {
  SEERDB_RETURN_IF_ERROR(CheckOpen());
  const Status status = work_->WaitUntilIdle();
  RemoveReplacedFiles();
  return status;
}

namespace {

bool Meets(const Level& level, const KeyRange& wanted) {
  return std::any_of(level.runs.begin(), level.runs.end(), [&](const Run& run) {
    return !Version::Overlapping(run, wanted.smallest, wanted.largest).empty();
  });
}

Status InTheWay(uint32_t level) {
  return Status::Corruption(
      "range compaction of L" + std::to_string(level) + ": a damaged table is in the way, see Verify()",
      StatusDetail::kTableCorruption);
}

}  // namespace

Status DbImpl::CompactLevels(const KeyRange& wanted) {
  // The range ends up in the deepest level that holds part of it, at least L1.
  uint32_t last = 1;
  {
    const VersionPtr version = versions_->current();
    for (uint32_t level = 1; level < version->num_levels(); ++level) {
      if (Meets(version->level(level), wanted)) last = level;
    }
  }
  for (uint32_t level = 0; level < last; ++level) {
    std::shared_ptr<const TreeView> tree = views_->Acquire()->tree();
    if (!Meets(tree->version()->level(level), wanted)) continue;
    const auto plan = PlanRangeCompaction(*tree->version(), level, wanted, Unavailable());
    if (!plan.has_value()) return InTheWay(level);
    const std::set<uint64_t> empties = Empties(*tree);
    SEERDB_RETURN_IF_ERROR(ExecutePlan(*plan, std::move(tree), options_.target_file_size, empties));
  }
  SEERDB_RETURN_IF_ERROR(ConsolidateRange(last, wanted));
  return RewriteStale(last, wanted);
}

Status DbImpl::ConsolidateRange(uint32_t level, const KeyRange& wanted) {
  const std::vector<RunningOutput> none;
  for (;;) {
    std::shared_ptr<const TreeView> tree = views_->Acquire()->tree();
    const TableNumberSet unavailable = Unavailable();
    const MergePlanner planner(*tree->version(), unavailable, none);
    std::optional<CompactionPlan> plan = planner.Consolidate(level, &wanted, UINT64_MAX);
    if (!plan.has_value()) return {};
    plan->reason = "range compaction of L" + std::to_string(level);
    const std::set<uint64_t> empties = Empties(*tree);
    SEERDB_RETURN_IF_ERROR(ExecutePlan(*plan, std::move(tree), options_.target_file_size, empties));
  }
}

Status DbImpl::RewriteStale(uint32_t level, const KeyRange& wanted) {
  std::shared_ptr<const TreeView> tree = views_->Acquire()->tree();
  const KeyspaceTablePtr keyspaces = keyspaces_.table();
  const std::set<uint64_t> empties = Empties(*tree);
  const auto stale = [&](const TableMetaPtr& table) {
    if (keyspaces->HasFilter(table->smallest_key, table->largest_key)) return true;
    if (keyspaces->MayHoldDropped(table->smallest_key, table->largest_key)) return true;
    if (tree->version()->RangesOver(*table, 1) > 0 || BytesIn(table->values, empties) > 0) return true;
    const Result<const TableReader*> reader = table_files_.Get(table)->reader();
    return reader.ok() && (table->tombstones > 0 || (*reader)->properties().keys < table->entries);
  };
  for (CompactionPlan& plan : PlanRewrites(*tree->version(), level, wanted, stale, Unavailable())) {
    plan.for_values = true;
    // As the present one has all that is still to be written anew, what is replaced goes at once.
    tree = views_->Acquire()->tree();
    SEERDB_RETURN_IF_ERROR(ExecutePlan(plan, std::move(tree), options_.target_file_size, empties));
  }
  return {};
}

}  // namespace seerdb
