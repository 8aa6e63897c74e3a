// NewTables: the tables that a job has written, read back and held open until the tree has them, and the
// value segments it has written for them.
//
// A table takes the place of the log, or of older tables, which are deleted: what was written is compared
// with its checksums before that. Readers find such a table mapped and known to be whole. Thread safety:
// external synchronization.
#pragma once

#include <memory>
#include <vector>

#include "db/table_file.h"
#include "manifest/table_meta.h"
#include "seerdb/result.h"
#include "seerdb/status.h"

namespace seerdb {

class NewTables {
 public:
  // Borrows `files`.
  explicit NewTables(TableFiles* files) : files_(files) {}
  NewTables(const NewTables&) = delete;
  NewTables& operator=(const NewTables&) = delete;
  ~NewTables() { LetGo(); }

  // Opens the table and reads all of it. kIoError, and never kCorruption, if it is not what was written.
  Status ReadBack(const TableMeta& meta);
  // The job writes values to this segment, which no older table points into.
  Result<uint64_t> NoteSegment(Result<uint64_t> number) {
    if (number.ok()) segments_.push_back(*number);
    return number;
  }
  const std::vector<uint64_t>& segments() const { return segments_; }
  // The tree has them, or will not. Of those that it does not have, nothing is left but the file.
  void LetGo();

  // What is to be said of a table that was just written and read back: nothing that the tree has is damaged,
  // but the device, or the memory, cannot be trusted.
  static Status Told(const Status& status);

 private:
  TableFiles* const files_;
  std::vector<std::shared_ptr<TableFile>> held_;
  std::vector<uint64_t> segments_;
};

}  // namespace seerdb
