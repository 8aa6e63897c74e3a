#include "compaction/flush_job.h"

#include <algorithm>
#include <string>

#include "base/mutant.h"
#include "base/status_macros.h"
#include "compaction/compaction_stream.h"

namespace seerdb {

Result<std::vector<TableMeta>> WriteMemTable(FileSystem& fs, const MemTable& memtable,
                                             const std::vector<SequenceNumber>& snapshots,
                                             TableOutputOptions output) {
  output.expected_bytes = memtable.bytes();
  output.target_file_size = 0;
  const RangeTombstoneMap* const ranges = memtable.range_tombstones();
  if (ranges != nullptr) output.ranges_applied = ranges->last_sequence();
  CompactionStreamOptions stream_options = StreamOptionsFor(output);
  TableOutput tables(fs, std::move(output));
  const std::unique_ptr<InternalIterator> input = memtable.NewIterator();
  stream_options.snapshots = snapshots;
  stream_options.ranges.AddMap(ranges, kMaxSequence);
  CompactionStream stream(input.get(), std::move(stream_options));
  SEERDB_RETURN_IF_ERROR(WriteStream(&stream, &tables));
  return tables.Finish();
}

std::vector<RangeTombstone> RangesOf(const MemTable& memtable, std::vector<SequenceNumber> snapshots,
                                     uint64_t since_s) {
  std::vector<RangeTombstone> ranges;
  const RangeTombstoneMap* const map = memtable.range_tombstones();
  if (map == nullptr || SEERDB_MUTANT("flush-forgets-range-tombstones")) return ranges;
  snapshots.push_back(kMaxSequence);
  SequenceNumber previous = 0;
  for (const SequenceNumber snapshot : snapshots) {
    map->Visit(snapshot, [&](const CoveredStretch& stretch) {
      if (stretch.sequence <= previous) return;
      ranges.push_back({std::string(stretch.begin), std::string(stretch.end), stretch.sequence, since_s});
    });
    if (snapshot >= map->last_sequence()) break;
    previous = snapshot;
  }
  std::stable_sort(ranges.begin(), ranges.end(),
                   [](const RangeTombstone& a, const RangeTombstone& b) { return a.sequence < b.sequence; });
  return ranges;
}

}  // namespace seerdb
