#include "compaction/table_output.h"

#include <algorithm>

#include "base/key_window.h"
#include "base/mutant.h"
#include "base/status_macros.h"
#include "env/sync_names.h"
#include "format/file_name.h"

namespace seerdb {

CompactionStreamOptions StreamOptionsFor(const TableOutputOptions& output) {
  CompactionStreamOptions stream;
  stream.keyspaces = output.keyspaces;
  stream.now_us = output.now_us;
  stream.max_value_bytes = output.max_value_bytes;
  if (output.values.has_value()) stream.values = output.values->source;
  return stream;
}

TableMeta MetaOf(const TableProperties& properties, uint64_t epoch) {
  TableMeta meta;
  meta.number = properties.table_number;
  meta.bytes = properties.file_bytes;
  meta.smallest_key = properties.smallest_key;
  meta.largest_key = properties.largest_key;
  meta.smallest_sequence = properties.smallest_sequence;
  meta.largest_sequence = properties.largest_sequence;
  meta.entries = properties.entries;
  meta.tombstones = properties.tombstones;
  meta.expires_us = properties.expires_us;
  meta.values = properties.values;
  meta.epoch = epoch;
  return meta;
}

TableOutput::TableOutput(FileSystem& fs, TableOutputOptions options)
    : fs_(fs), options_(std::move(options)), keyspace_(options_.keyspaces) {
  if (options_.values.has_value()) values_.emplace(fs_, *options_.values);
}

TableOutput::~TableOutput() {
  if (file_ != nullptr) {
    builder_.reset();
    file_.reset();
    fs_.DeleteFile(temporary_path_).IgnoreError("swept at the next open");
  }
  if (finished_) return;
  for (const TableMeta& table : tables_) {
    fs_.DeleteFile(TableFilePath(options_.directory, table.number)).IgnoreError("swept at the next open");
  }
}

CompressionType TableOutput::Compression() const {
  const KeyspaceState* const keyspace = keyspace_.state();
  return keyspace == nullptr ? options_.table.compression
                             : keyspace->options.compression.value_or(options_.table.compression);
}

Status TableOutput::StartTable(Slice first_key) {
  SEERDB_ASSIGN_OR_RETURN(number_, options_.new_file_number());
  temporary_path_ = TemporaryPath(TableFilePath(options_.directory, number_));
  SEERDB_ASSIGN_OR_RETURN(file_, fs_.NewWritableFile(temporary_path_, CreateMode::kTruncate));
  // Reserving space keeps the file in few extents, and finds a full disk before the work is done.
  uint64_t reserve = options_.expected_bytes;
  if (options_.target_file_size != 0) {
    reserve = std::min(reserve, options_.target_file_size + options_.target_file_size / 8);
  }
  if (reserve > 0) {
    Status allocated = file_->Allocate(reserve, /*extend=*/false);
    if (!allocated.ok() && !allocated.IsNotSupported()) return allocated;
  }
  TableBuilderOptions table = options_.table;
  table.table_number = number_;
  table.shared_prefix.assign(first_key.substr(0, CommonPrefixBytes(first_key, options_.largest_key)));
  builder_ = std::make_unique<TableBuilder>(table, file_.get());
  return {};
}

Status TableOutput::EndTable() {
  SEERDB_ASSIGN_OR_RETURN(const TableProperties properties, builder_->Finish());
  // Gives back what was reserved and not used.
  SEERDB_RETURN_IF_ERROR(file_->Truncate(properties.file_bytes));
  if (values_.has_value()) SEERDB_RETURN_IF_ERROR(values_->Sync());
  if (!SEERDB_MUTANT("table-skips-sync")) {
    SEERDB_RETURN_IF_ERROR(file_->Sync().WithDetail(StatusDetail::kSyncFailed));
  }
  SEERDB_RETURN_IF_ERROR(file_->Close());
  SEERDB_RETURN_IF_ERROR(fs_.RenameFile(temporary_path_, TableFilePath(options_.directory, number_)));
  file_.reset();
  builder_.reset();
  bytes_written_ += properties.file_bytes;
  TableMeta meta = MetaOf(properties, options_.epoch);
  meta.ranges_applied = std::min(options_.ranges_applied, hidden_after_);
  hidden_after_ = kMaxSequence;
  if (meta.tombstones > 0) meta.tombstones_since_s = options_.tombstones_since_s;
  tables_.push_back(std::move(meta));
  return options_.written == nullptr ? Status() : options_.written(tables_.back());
}

Status TableOutput::Add(Slice key, uint64_t trailer, Slice value, bool starts_key) {
  if (builder_ != nullptr && starts_key && options_.target_file_size != 0) {
    const uint64_t bytes = builder_->estimated_bytes();
    const bool full = options_.should_end_before != nullptr ? options_.should_end_before(key, bytes)
                                                            : bytes >= options_.target_file_size;
    const bool end =
        full || (options_.table_memory_bytes != 0 && builder_->memory_bytes() >= options_.table_memory_bytes);
    if (end) SEERDB_RETURN_IF_ERROR(EndTable());
  }
  if (builder_ == nullptr) SEERDB_RETURN_IF_ERROR(StartTable(key));
  if (starts_key && options_.keyspaces != nullptr) {
    keyspace_.MoveTo(key);
    SEERDB_RETURN_IF_ERROR(builder_->SetCompression(Compression()));
    const KeyspaceState* const keyspace = keyspace_.state();
    separation_bytes_ =
        keyspace == nullptr ? UINT64_MAX : keyspace->life->separation_bytes.load(std::memory_order_relaxed);
  }
  if (value.size() >= separation_bytes_ || IsPointer(TrailerType(trailer))) [[unlikely]] {
    if (values_.has_value()) {
      SEERDB_RETURN_IF_ERROR(values_->Place(key, separation_bytes_, &trailer, &value));
    }
  }
  return builder_->Add(key, trailer, value);
}

Status WriteStream(CompactionStream* stream, TableOutput* tables) {
  for (stream->SeekToFirst(); stream->Valid(); stream->Next()) {
    SEERDB_RETURN_IF_ERROR(
        tables->Add(stream->key(), stream->trailer(), stream->value(), stream->starts_key()));
    tables->NoteHiddenAfter(stream->hidden_after());
  }
  return stream->status();
}

Result<std::vector<TableMeta>> TableOutput::Finish() {
  if (values_.has_value()) SEERDB_RETURN_IF_ERROR(values_->Finish());
  if (builder_ != nullptr) SEERDB_RETURN_IF_ERROR(EndTable());
  if (!tables_.empty()) {
    SEERDB_RETURN_IF_ERROR(SyncNames(fs_, options_.directory));
  }
  finished_ = true;
  if (values_.has_value()) values_->Keep();
  return tables_;
}

}  // namespace seerdb
