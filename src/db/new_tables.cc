#include "db/new_tables.h"

#include <utility>

namespace seerdb {

NewTables::~NewTables() {
  for (std::shared_ptr<TableFile>& file : held_) {
    const uint64_t number = file->meta().number;
    file.reset();
    files_->Forget(number);
  }
}

Status NewTables::ReadBack(const TableMeta& meta) {
  held_.push_back(files_->Get(std::make_shared<const TableMeta>(meta)));
  const Result<const TableReader*> reader = held_.back()->reader();
  Status status = reader.ok() ? (*reader)->ReadBack() : reader.status();
  // Nothing that the tree has is damaged.
  if (status.IsCorruption()) status = Status::IoError("read back what was written: " + status.ToString());
  return status;
}

}  // namespace seerdb
