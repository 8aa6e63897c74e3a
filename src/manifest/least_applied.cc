#include "manifest/least_applied.h"

#include <algorithm>

namespace seerdb {

LeastApplied::LeastApplied(const Run& run) : tables_(run.tables), least_(2 * run.tables.size()) {
  const size_t count = tables_.size();
  for (size_t i = 0; i < count; ++i) {
    // A tombstone hides what is older than itself: what has its sequence, or a later one, is none of that.
    least_[count + i] = std::max(tables_[i]->smallest_sequence, tables_[i]->ranges_applied);
  }
  for (size_t i = count; i-- > 1;) least_[i] = std::min(least_[2 * i], least_[2 * i + 1]);
}

SequenceNumber LeastApplied::Least(size_t first, size_t last) const {
  SequenceNumber least = kMaxSequence;
  size_t low = first + tables_.size();
  size_t high = last + tables_.size();
  for (; low < high; low /= 2, high /= 2) {
    if (low % 2 == 1) least = std::min(least, least_[low++]);
    if (high % 2 == 1) least = std::min(least, least_[--high]);
  }
  return least;
}

bool LeastApplied::MayHide(const RangeTombstone& tombstone) const {
  const auto first = std::partition_point(tables_.begin(), tables_.end(), [&](const TableMetaPtr& table) {
    return table->largest_key < tombstone.begin;
  });
  const auto last = std::partition_point(
      first, tables_.end(), [&](const TableMetaPtr& table) { return table->smallest_key < tombstone.end; });
  return Least(static_cast<size_t>(first - tables_.begin()), static_cast<size_t>(last - tables_.begin())) <
         tombstone.sequence;
}

}  // namespace seerdb
