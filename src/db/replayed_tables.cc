#include "db/replayed_tables.h"

#include <algorithm>

#include "base/mutant.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "compaction/flush_job.h"
#include "db/new_tables.h"
#include "format/batch_codec.h"
#include "format/entry_payload.h"
#include "format/file_name.h"
#include "format/keyspace_prefix.h"
#include "seerdb/clock.h"
#include "sstable/table_reader.h"

namespace seerdb {

Status ReplayedTables::Apply(SequenceNumber base, Slice operations) {
  uint32_t count = 0;
  SEERDB_RETURN_IF_ERROR(CheckBatchOperations(operations, &count));
  if (base <= last_sequence_ || base - 1 > kMaxSequence - count) {
    return Status::Corruption("log replay: batch has sequence " + std::to_string(base) + ", expected above " +
                                  std::to_string(last_sequence_),
                              StatusDetail::kWalCorruption);
  }
  SEERDB_RETURN_IF_ERROR(failure_);
  SEERDB_RETURN_IF_ERROR(values_->Check(operations));
  if (entries_ == nullptr) entries_ = std::make_unique<EntrySorter>(pool_, epoch_);
  BatchReader reader(operations);
  BatchOperation operation;
  while (reader.Next(&operation)) {
    if (operation.type == ValueType::kRangeDeletion) {
      NoteKeyspace(operation.key);
      entries_->AddRange(base++, operation.key, operation.value);
      continue;
    }
    const bool known =
        operation.type == ValueType::kDeletion || IsMerge(operation.type) || IsPut(operation.type);
    if (!known) {
      return Status::NotSupported("log replay: an operation is of kind " +
                                  std::to_string(static_cast<int>(operation.type)) +
                                  ", which a later version writes");
    }
    NoteKeyspace(operation.key);
    entries_->Add(base++, operation.type, operation.key, operation.value);
  }
  last_sequence_ = base - 1;
  return entries_->bytes() < piece_bytes_ ? Status() : Spill();
}

void ReplayedTables::NoteKeyspace(Slice engine_key) {
  if (engine_key.starts_with(kDefaultKeyspacePrefix)) [[likely]]
    return;
  uint32_t id = 0;
  Slice user_key;
  if (!ParseEngineKey(engine_key, &id, &user_key)) return;
  if (id >= (keyspaces_ != nullptr ? keyspaces_->next_id() : 1)) unknown_keyspaces_.insert(id);
}

void ReplayedTables::TakeRanges(SequenceNumber base, Slice operations) {
  if (LastSequenceOf(base, operations) == 0) return;
  BatchReader reader(operations);
  BatchOperation operation;
  for (; reader.Next(&operation); ++base) {
    if (operation.type != ValueType::kRangeDeletion) continue;
    ranges_.push_back({std::string(operation.key), std::string(operation.value), base, NowSeconds()});
  }
}

void ReplayedTables::TakeSequences(SequenceNumber highest, uint64_t more) {
  if (SEERDB_MUTANT("salvage-reuses-sequences")) return;
  last_sequence_ = std::max(last_sequence_, highest);
  last_sequence_ += std::min(more, (kMaxSequence - last_sequence_) / 2);
}

SequenceNumber ReplayedTables::LastSequenceOf(SequenceNumber base, Slice operations) {
  uint32_t count = 0;
  if (!CheckBatchOperations(operations, &count).ok() || base == 0 || base - 1 > kMaxSequence - count)
    return 0;
  return base + count - 1;
}

uint64_t ReplayedTables::NowSeconds() const {
  return options_.clock != nullptr ? options_.clock->WallMicros() / kMicrosPerSecond : 0;
}

// The log, which has the same, is deleted once the table is listed.
Status ReplayedTables::ReadBack(const TableMeta& table) const {
  TableOpenOptions open;
  open.access = options_.table_access;
  open.table_number = table.number;
  open.expected_bytes = table.bytes;
  const auto reader = TableReader::Open(fs_, TableFilePath(directory_, table.number), open);
  return NewTables::Told(reader.ok() ? (*reader)->ReadBack() : reader.status());
}

uint64_t ReplayedTables::PieceBytes(uint64_t memtable_capacity, uint64_t log_bytes) {
  constexpr uint64_t kLeastBytes = uint64_t{64} << 20;
  constexpr uint64_t kPieces = 5;
  return std::clamp(log_bytes / kPieces, std::min(kLeastBytes, memtable_capacity), memtable_capacity);
}

Status ReplayedTables::Write(Piece* piece) const {
  TableOutputOptions output;
  output.directory = directory_;
  output.table = TableOptionsOf(options_);
  output.keyspaces = keyspaces_;
  output.epoch = epoch_;
  output.new_file_number = [this]() -> Result<uint64_t> { return next_file_number_++; };
  const std::vector<SequenceNumber> snapshots = {piece->last_sequence};
  {
    const std::unique_ptr<InternalIterator> sorted = piece->entries->NewIterator();
    const RangeTombstoneMap* const ranges = piece->entries->range_tombstones();
    SEERDB_ASSIGN_OR_RETURN(
        piece->tables, WriteFlushInput(fs_, {sorted.get(), ranges, piece->entries->entry_bytes()}, snapshots,
                                       std::move(output)));
    piece->ranges = RangesOf(ranges, snapshots, piece->now_seconds);
  }
  piece->entries.reset();
  return {};
}

Status ReplayedTables::Collect() {
  if (task_ == nullptr) return failure_;
  task_->Wait();
  TakePiece();
  return failure_;
}

void ReplayedTables::TakePiece() {
  task_.reset();
  if (failure_.ok()) failure_ = piece_.status;
  for (TableMeta& table : piece_.tables) tables_.push_back(std::move(table));
  for (RangeTombstone& range : piece_.ranges) ranges_.push_back(std::move(range));
  piece_ = Piece();
}

void ReplayedTables::Abandon() {
  if (task_ == nullptr) return;
  task_->Cancel();
  TakePiece();
}

Status ReplayedTables::ReadBackFrom(size_t first) {
  for (size_t i = first; i < tables_.size() && failure_.ok(); ++i) failure_ = ReadBack(tables_[i]);
  return failure_;
}

Status ReplayedTables::Spill() {
  const size_t unread = tables_.size();
  SEERDB_RETURN_IF_ERROR(Collect());
  if (entries_ != nullptr && !entries_->empty()) {
    piece_.entries = std::move(entries_);
    piece_.last_sequence = last_sequence_;
    piece_.now_seconds = NowSeconds();
    task_ = std::make_unique<HelpedTask>([this] { piece_.status = Write(&piece_); });
    if (!task_->Offer(executor_, Executor::Lane::kFlush)) task_->Wait();
  }
  return ReadBackFrom(unread);
}

Status ReplayedTables::Finish() {
  SEERDB_RETURN_IF_ERROR(Spill());
  return Spill();  // nothing is left to write: collects what the first began
}

}  // namespace seerdb
