#include "compaction/value_output.h"

#include "base/mutant.h"
#include "base/status_macros.h"
#include "format/entry_payload.h"
#include "format/file_name.h"

namespace seerdb {

ValueOutput::~ValueOutput() {
  writer_.reset();
  if (kept_) return;
  for (const uint64_t segment : segments_) {
    fs_.DeleteFile(ValueFilePath(options_.directory, segment)).IgnoreError("swept at the next open");
  }
}

Status ValueOutput::Sync() {
  if (writer_ == nullptr) return {};
  SEERDB_RETURN_IF_ERROR(writer_->Flush());
  return SEERDB_MUTANT("job-values-not-synced") ? Status() : writer_->Sync();
}

Status ValueOutput::EndSegment() {
  if (writer_ == nullptr) return {};
  SEERDB_RETURN_IF_ERROR(Sync());
  SEERDB_RETURN_IF_ERROR(writer_->Close());
  bytes_written_ += writer_->bytes();
  writer_.reset();
  return {};
}

Status ValueOutput::Write(Slice key, Slice value, ValuePointer* pointer) {
  if (writer_ != nullptr && writer_->bytes() + writer_->buffered_bytes() >= options_.segment_bytes) {
    SEERDB_RETURN_IF_ERROR(EndSegment());
  }
  if (writer_ == nullptr) {
    SEERDB_ASSIGN_OR_RETURN(const uint64_t number, options_.new_file_number());
    SEERDB_ASSIGN_OR_RETURN(writer_, ValueWriter::Create(fs_, ValueFilePath(options_.directory, number),
                                                         {options_.database, number, options_.epoch}));
    segments_.push_back(number);
  }
  if (options_.pace != nullptr) options_.pace(value.size());
  return writer_->Add(key, Slice(), value, pointer);
}

Status ValueOutput::Place(Slice key, uint64_t separation_bytes, uint64_t* trailer, Slice* value) {
  const ValueType type = TrailerType(*trailer);
  const bool apart = IsPointer(type);
  if (!IsPut(type) || (apart ? options_.empties.empty() : value->size() < separation_bytes)) return {};
  EntryPayload payload;
  if (!ParsePayload(type, *value, &payload)) return {};
  ValuePointer pointer;
  FetchedValue fetched;
  if (!apart) {
    if (payload.value.size() < separation_bytes) return {};
    fetched.bytes = payload.value;
  } else {
    if (!ParseValuePointer(payload.value, &pointer) || !options_.empties.contains(pointer.segment)) return {};
    const Status status = options_.source->Fetch(pointer, &fetched);
    if (status.IsCorruption()) return {};
    SEERDB_RETURN_IF_ERROR(status);
  }
  SEERDB_RETURN_IF_ERROR(Write(key, fetched.bytes, &pointer));
  payload_.clear();
  AppendPointerPayload(&payload_, payload.expires_us, pointer);
  *trailer = PackTrailer(TrailerSequence(*trailer), PointerTypeFor(payload.expires_us));
  *value = payload_;
  return {};
}

Status ValueOutput::Finish() {
  SEERDB_RETURN_IF_ERROR(EndSegment());
  if (options_.count != nullptr && bytes_written_ > 0) options_.count(bytes_written_);
  return {};
}

}  // namespace seerdb
