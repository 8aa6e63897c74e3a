// ReplayedValues: whether the values are there to which records of a log point.
//
// A value may be lost, or torn, where the log that was written after it is whole: the two are files of their
// own. Thread safety: external synchronization.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/database_id.h"
#include "env/open_file_cap.h"
#include "format/internal_key.h"
#include "manifest/table_meta.h"
#include "seerdb/file_system.h"
#include "seerdb/result.h"
#include "vlog/value_reader.h"

namespace seerdb {

class ReplayedValues {
 public:
  // What is to be said of a value that the device does not give: its error, which may pass, or that it is
  // lost.
  enum class Unreadable : unsigned char { kIsAnError, kIsLost };

  // `database` as the manifest says.
  ReplayedValues(FileSystem& fs, std::string directory, const DatabaseId& database, Unreadable unreadable)
      : fs_(fs), directory_(std::move(directory)), database_(database), unreadable_(unreadable) {}

  // OK if every value that the operations point to is what was written. kCorruption/kValueCorruption
  // otherwise.
  Status Check(Slice operations);
  // The same of one entry that points to its value.
  Status CheckEntry(ValueType type, Slice payload);
  // Makes durable what tables point to that are about to be listed.
  Status Sync(const std::vector<TableMeta>& tables) const;

 private:
  Result<const ValueReader*> Reader(uint64_t segment);

  FileSystem& fs_;
  const std::string directory_;
  const DatabaseId database_;
  const Unreadable unreadable_;
  const size_t most_readers_ = DefaultMaxOpenFiles() / 2;  // each holds a descriptor
  std::map<uint64_t, std::shared_ptr<ValueReader>> readers_;
};

}  // namespace seerdb
