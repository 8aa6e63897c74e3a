#include "db/replayed_values.h"

#include <set>
#include <utility>

#include "base/mutant.h"
#include "base/status_macros.h"
#include "format/batch_codec.h"
#include "format/file_name.h"
#include "sstable/block_finder.h"

namespace seerdb {

Result<const ValueReader*> ReplayedValues::Reader(uint64_t segment) {
  if (const auto found = readers_.find(segment); found != readers_.end()) return found->second.get();
  ValueOpenOptions options;
  options.access = TableAccess::kPread;
  options.database = database_;
  options.segment = segment;
  options.forget_cached = !SEERDB_MUTANT("replay-trusts-cached-values");
  const std::string path = ValueFilePath(directory_, segment);
  auto opened = ValueReader::Open(fs_, path, options);
  if (opened.status().detail() == StatusDetail::kNotFound) {
    return Status::Corruption("read value " + path + ": the log points into it, and it is missing",
                              StatusDetail::kValueCorruption);
  }
  SEERDB_RETURN_IF_ERROR(opened.status());
  // A log goes on from segment to segment: the oldest is needed least.
  if (readers_.size() >= most_readers_) readers_.erase(readers_.begin());
  return readers_.emplace(segment, *std::move(opened)).first->second.get();
}

Status ReplayedValues::Check(Slice operations) {
  BatchReader reader(operations);
  BatchOperation operation;
  while (reader.Next(&operation)) {
    if (!IsPointer(operation.type) || SEERDB_MUTANT("replay-trusts-pointers")) continue;
    SEERDB_RETURN_IF_ERROR(CheckEntry(operation.type, operation.value));
  }
  return {};
}

Status ReplayedValues::CheckEntry(ValueType type, Slice bytes) {
  ValuePointer pointer;
  if (!ParsePointerPayload(type, bytes, &pointer)) {
    return Status::Corruption("read value: a pointer to it is malformed", StatusDetail::kWalCorruption);
  }
  const Result<const ValueReader*> values = Reader(pointer.segment);
  const Status status = values.ok() ? (*values)->Check(pointer) : values.status();
  if (unreadable_ == Unreadable::kIsAnError || !IsUnreadable(status)) return status;
  return Status::Corruption(std::string(status.message()), StatusDetail::kValueCorruption);
}

Status ReplayedValues::Sync(const std::vector<TableMeta>& tables) const {
  if (SEERDB_MUTANT("recovery-syncs-no-values")) return {};
  std::set<uint64_t> segments;
  for (const TableMeta& table : tables) {
    for (const ValueBytes& values : table.values) segments.insert(values.segment);
  }
  for (const uint64_t segment : segments) {
    SEERDB_ASSIGN_OR_RETURN(const auto file,
                            fs_.NewWritableFile(ValueFilePath(directory_, segment), CreateMode::kAppend));
    SEERDB_RETURN_IF_ERROR(file->Sync().WithDetail(StatusDetail::kSyncFailed));
    SEERDB_RETURN_IF_ERROR(file->Close());
  }
  return {};
}

}  // namespace seerdb
