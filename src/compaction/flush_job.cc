#include "compaction/flush_job.h"

#include "base/status_macros.h"
#include "compaction/compaction_stream.h"

namespace seerdb {

Result<std::vector<TableMeta>> WriteMemTable(FileSystem& fs, const MemTable& memtable,
                                             const std::vector<SequenceNumber>& snapshots,
                                             TableOutputOptions output) {
  output.expected_bytes = memtable.bytes();
  output.target_file_size = 0;
  const KeyspaceTablePtr keyspaces = output.keyspaces;
  const uint64_t now_us = output.now_us;
  const uint64_t max_value_bytes = output.max_value_bytes;
  TableOutput tables(fs, std::move(output));
  const std::unique_ptr<InternalIterator> input = memtable.NewIterator();
  CompactionStreamOptions stream_options;
  stream_options.snapshots = snapshots;
  stream_options.keyspaces = keyspaces;
  stream_options.now_us = now_us;
  stream_options.max_value_bytes = max_value_bytes;
  CompactionStream stream(input.get(), std::move(stream_options));
  for (stream.SeekToFirst(); stream.Valid(); stream.Next()) {
    SEERDB_RETURN_IF_ERROR(tables.Add(stream.key(), stream.trailer(), stream.value(), stream.starts_key()));
  }
  SEERDB_RETURN_IF_ERROR(stream.status());
  return tables.Finish();
}

}  // namespace seerdb
