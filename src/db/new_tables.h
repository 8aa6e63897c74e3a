// NewTables: the tables that a job has written, read back and held open until the tree has them.
//
// A table takes the place of the log, or of older tables, which are deleted: what was written is compared
// with its checksums before that. Readers find such a table mapped and known to be whole. Thread safety:
// external synchronization.
#pragma once

#include <memory>
#include <vector>

#include "db/table_file.h"
#include "manifest/table_meta.h"
#include "seerdb/status.h"

namespace seerdb {

class NewTables {
 public:
  // Borrows `files`.
  explicit NewTables(TableFiles* files) : files_(files) {}
  NewTables(const NewTables&) = delete;
  NewTables& operator=(const NewTables&) = delete;
  // Lets go of them: of those that did not become part of the tree, nothing is left but the file.
  ~NewTables();

  // Opens the table and reads all of it. kIoError, and never kCorruption, if it is not what was written.
  Status ReadBack(const TableMeta& meta);

 private:
  TableFiles* const files_;
  std::vector<std::shared_ptr<TableFile>> held_;
};

}  // namespace seerdb
