#include "db/new_tables.h"

#include <utility>

namespace seerdb {

void NewTables::LetGo() {
  for (std::shared_ptr<TableFile>& file : held_) {
    const uint64_t number = file->meta().number;
    file.reset();
    files_->Forget(number);
  }
  held_.clear();
}

Status NewTables::ReadBack(const TableMeta& meta) {
  held_.push_back(files_->Get(std::make_shared<const TableMeta>(meta)));
  const Result<const TableReader*> reader = held_.back()->reader();
  return Told(reader.ok() ? (*reader)->ReadBack() : reader.status());
}

Status NewTables::Told(const Status& status) {
  if (!status.IsCorruption()) return status;
  return Status::IoError("read back what was written: " + status.ToString(), StatusDetail::kTableCorruption);
}

}  // namespace seerdb
