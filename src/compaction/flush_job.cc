#include "compaction/flush_job.h"

#include <algorithm>
#include <string>

#include "base/mutant.h"
#include "base/status_macros.h"
#include "compaction/compaction_stream.h"

namespace seerdb {

namespace {

// Whether the tables have keys, and none in the range of these.
bool LiesBeside(InternalIterator* entries, const Version& version) {
  if (version.table_count() == 0) return false;
  entries->SeekToLast();
  if (!entries->Valid()) return false;
  const std::string largest(entries->key());
  entries->SeekToFirst();
  if (!entries->Valid()) return false;
  for (const Level& level : version.levels()) {
    for (const Run& run : level.runs) {
      if (!Version::Overlapping(run, entries->key(), largest).empty()) return false;
    }
  }
  return true;
}

}  // namespace

Result<std::vector<TableMeta>> WriteMemTable(FileSystem& fs, const MemTable& memtable, const Version* version,
                                             const std::vector<SequenceNumber>& snapshots,
                                             TableOutputOptions output) {
  const std::unique_ptr<InternalIterator> entries = memtable.NewIterator();
  return WriteFlushInput(fs, {entries.get(), memtable.range_tombstones(), memtable.bytes(), version},
                         snapshots, std::move(output));
}

Result<std::vector<TableMeta>> WriteFlushInput(FileSystem& fs, const FlushInput& input,
                                               const std::vector<SequenceNumber>& snapshots,
                                               TableOutputOptions output) {
  output.expected_bytes = input.bytes;
  output.target_file_size = 0;
  output.table.mostly_absent = input.version == nullptr || !LiesBeside(input.entries, *input.version);
  // Writers wait for it more than readers will: where the kernel has no large page at hand, it makes one.
  output.table.chunk_bytes = kSmallTableChunkBytes;
  if (input.ranges != nullptr) output.ranges_applied = input.ranges->last_sequence();
  CompactionStreamOptions stream_options = StreamOptionsFor(output);
  TableOutput tables(fs, std::move(output));
  stream_options.snapshots = snapshots;
  stream_options.ranges.AddMap(input.ranges, kMaxSequence);
  CompactionStream stream(input.entries, std::move(stream_options));
  SEERDB_RETURN_IF_ERROR(WriteStream(&stream, &tables));
  return tables.Finish();
}

namespace {

// So many states are looked through; where more can be told apart, all tombstones are listed.
constexpr size_t kMostStates = 16;

// The snapshots, and the end of time, as of which the map has different states.
std::vector<SequenceNumber> StatesOf(const RangeTombstoneMap& map, std::vector<SequenceNumber> snapshots) {
  snapshots.push_back(kMaxSequence);
  std::vector<SequenceNumber> states;
  SequenceNumber last = 0;  // sequence of the newest tombstone as of the state before
  for (const SequenceNumber snapshot : snapshots) {
    const SequenceNumber newest = map.NewestAt(snapshot);
    if (newest == last) continue;
    states.push_back(snapshot);
    last = newest;
  }
  return states;
}

}  // namespace

std::vector<RangeTombstone> RangesOf(const RangeTombstoneMap* map, std::vector<SequenceNumber> snapshots,
                                     uint64_t since_s) {
  std::vector<RangeTombstone> ranges;
  if (map == nullptr || SEERDB_MUTANT("flush-forgets-range-tombstones")) return ranges;
  const auto add = [&](SequenceNumber sequence, Slice begin, Slice end) {
    ranges.push_back({std::string(begin), std::string(end), sequence, since_s});
  };
  const std::vector<SequenceNumber> states = StatesOf(*map, std::move(snapshots));
  SequenceNumber previous = 0;
  for (size_t i = 0; i < states.size() && states.size() <= kMostStates; ++i) {
    map->Visit(states[i], [&](const CoveredStretch& stretch) {
      if (stretch.sequence > previous) add(stretch.sequence, stretch.begin, stretch.end);
    });
    previous = states[i];
  }
  if (states.size() > kMostStates) map->VisitAll(add);
  std::stable_sort(ranges.begin(), ranges.end(),
                   [](const RangeTombstone& a, const RangeTombstone& b) { return a.sequence < b.sequence; });
  return ranges;
}

}  // namespace seerdb
