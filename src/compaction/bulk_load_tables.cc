#include "compaction/bulk_load_tables.h"

#include <algorithm>

#include "base/mutant.h"
#include "format/file_name.h"

namespace seerdb {
namespace {

// Space is reserved in steps of this much.
constexpr uint64_t kReserveBytes = uint64_t{64} << 20;

// Reserves space ahead of what is appended.
class ReservingFile final : public WritableFile {
 public:
  explicit ReservingFile(std::unique_ptr<WritableFile> base) : base_(std::move(base)) {}

  Status Append(Slice bytes) override {
    const uint64_t end = appended_ + bytes.size();
    if (end > reserved_ && reserves_) {
      reserved_ = std::max(end, reserved_ + kReserveBytes);
      const Status status = base_->Allocate(reserved_, /*extend=*/false);
      if (!status.ok() && !status.IsNotSupported()) return status;
      reserves_ = status.ok();
    }
    SEERDB_RETURN_IF_ERROR(base_->Append(bytes));
    appended_ = end;
    return {};
  }
  void StartWriteback(uint64_t offset, uint64_t bytes) override { base_->StartWriteback(offset, bytes); }
  Status Sync() override { return base_->Sync(); }
  Status SyncAll() override { return base_->SyncAll(); }
  Status Allocate(uint64_t bytes, bool extend) override { return base_->Allocate(bytes, extend); }
  Status Truncate(uint64_t bytes) override { return base_->Truncate(bytes); }
  Status Close() override { return base_->Close(); }

 private:
  const std::unique_ptr<WritableFile> base_;
  uint64_t appended_ = 0;
  uint64_t reserved_ = 0;
  bool reserves_ = true;
};

}  // namespace

BulkLoadTables::BulkLoadTables(FileSystem& fs, TableOutputOptions output, uint64_t max_entries)
    : fs_(fs), output_(std::move(output)), max_entries_(max_entries) {
  if (output_.values.has_value()) values_.emplace(fs_, *output_.values);
}

BulkLoadTables::~BulkLoadTables() {
  if (kept_) return;
  builder_.reset();
  file_.reset();
  unsynced_.reset();
  for (const Written& written : written_) {
    const std::string path =
        written.named ? TableFilePath(output_.directory, written.number) : TemporaryOf(written.number);
    fs_.DeleteFile(path).IgnoreError("swept at the next open");
  }
}

std::string BulkLoadTables::TemporaryOf(uint64_t number) const {
  return TemporaryPath(TableFilePath(output_.directory, number));
}

Status BulkLoadTables::NextTable() {
  SEERDB_RETURN_IF_ERROR(EndTable());
  SEERDB_ASSIGN_OR_RETURN(const uint64_t number, output_.new_file_number());
  SEERDB_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file,
                          fs_.NewWritableFile(TemporaryOf(number), CreateMode::kTruncate));
  written_.push_back({number, {}, false});
  file_ = std::make_unique<ReservingFile>(std::move(file));
  TableBuilderOptions table = output_.table;
  table.table_number = number;
  builder_ = std::make_unique<TableBuilder>(table, file_.get());
  entries_left_ = max_entries_;
  payload_bytes_ = 0;
  return {};
}

Status BulkLoadTables::SyncLast() {
  if (unsynced_ == nullptr) return {};
  SEERDB_RETURN_IF_ERROR(unsynced_->Sync().WithDetail(StatusDetail::kSyncFailed));
  SEERDB_RETURN_IF_ERROR(unsynced_->Close());
  unsynced_.reset();
  return {};
}

Status BulkLoadTables::EndTable() {
  if (builder_ == nullptr) return {};
  Written& written = written_.back();
  SEERDB_ASSIGN_OR_RETURN(written.table, builder_->FinishWithoutEnd());
  builder_.reset();
  // Gives back what was reserved and not used.
  SEERDB_RETURN_IF_ERROR(file_->Truncate(written.table.properties.file_bytes));
  SEERDB_RETURN_IF_ERROR(SyncLast());
  unsynced_ = std::move(file_);
  metas_.push_back(MetaOf(written.table.properties, output_.epoch));
  return {};
}

Status BulkLoadTables::FinishData() {
  SEERDB_RETURN_IF_ERROR(EndTable());
  if (values_.has_value()) SEERDB_RETURN_IF_ERROR(values_->Finish());
  return SyncLast();
}

Status BulkLoadTables::AddEnds(SequenceNumber sequence) {
  for (size_t i = 0; i < written_.size(); ++i) {
    Written& written = written_[i];
    const std::string temporary = TemporaryOf(written.number);
    SEERDB_ASSIGN_OR_RETURN(const auto file, fs_.NewWritableFile(temporary, CreateMode::kAppend));
    SEERDB_ASSIGN_OR_RETURN(const TableProperties properties,
                            AppendTableEnd(std::move(written.table), sequence, file.get()));
    if (!SEERDB_MUTANT("bulk-load-skips-sync")) {
      SEERDB_RETURN_IF_ERROR(file->Sync().WithDetail(StatusDetail::kSyncFailed));
    }
    SEERDB_RETURN_IF_ERROR(file->Close());
    SEERDB_RETURN_IF_ERROR(fs_.RenameFile(temporary, TableFilePath(output_.directory, written.number)));
    written.named = true;
    metas_[i] = MetaOf(properties, output_.epoch);
  }
  return {};
}

}  // namespace seerdb
