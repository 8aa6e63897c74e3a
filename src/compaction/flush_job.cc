#include "compaction/flush_job.h"

#include "base/status_macros.h"
#include "compaction/compaction_stream.h"

namespace seerdb {

Result<std::vector<TableMeta>> WriteMemTable(FileSystem& fs, const MemTable& memtable,
                                             const std::vector<SequenceNumber>& snapshots,
                                             TableOutputOptions output) {
  output.expected_bytes = memtable.bytes();
  output.target_file_size = 0;
  CompactionStreamOptions stream_options = StreamOptionsFor(output);
  TableOutput tables(fs, std::move(output));
  const std::unique_ptr<InternalIterator> input = memtable.NewIterator();
  stream_options.snapshots = snapshots;
  CompactionStream stream(input.get(), std::move(stream_options));
  for (stream.SeekToFirst(); stream.Valid(); stream.Next()) {
    SEERDB_RETURN_IF_ERROR(tables.Add(stream.key(), stream.trailer(), stream.value(), stream.starts_key()));
  }
  SEERDB_RETURN_IF_ERROR(stream.status());
  return tables.Finish();
}

}  // namespace seerdb
