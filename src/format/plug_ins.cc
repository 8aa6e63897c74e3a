// The base classes of what users plug in: here, since every room that holds one must know its type.
#include "seerdb/compaction_filter.h"
#include "seerdb/merge_operator.h"

namespace seerdb {

MergeOperator::~MergeOperator() = default;
bool MergeOperator::PartialMerge(Slice, std::span<const Slice>, std::string*) const { return false; }

CompactionFilter::~CompactionFilter() = default;
bool CompactionFilter::MergeVersions(uint32_t, Slice, std::span<const Slice>, std::string*) const {
  return false;
}

}  // namespace seerdb
