#include "db/apart_value.h"

#include "base/status_macros.h"
#include "db/db_iterator.h"

namespace seerdb {

ValuePrefetch::Parts ApartValue::PrefetchParts() const {
  ValuePrefetch::Parts parts = parts_.prefetch;
  parts.read_ahead = [view = parts_.view](uint64_t segment, uint64_t offset, uint64_t bytes) {
    const ValueFile* const file = view->FindValues(segment);
    if (file != nullptr) file->ReadAhead(offset, bytes);
  };
  return parts;
}

Status ApartValue::Read(Slice bytes, Slice engine_key, bool forward) {
  ValuePointer pointer;
  if (!ParseValuePointer(bytes, &pointer)) {
    return Status::Corruption("scan: an entry that points to its value is malformed");
  }
  const uint64_t start_us = parts_.clock->NowMicros();
  SEERDB_RETURN_IF_ERROR(parts_.view->Fetch(pointer, &value_));
  prefetch_.NoteRead(engine_key, forward, parts_.clock->NowMicros() - start_us);
  return {};
}

std::unique_ptr<ApartValue> NewApartValue(const DbIteratorOptions& options) {
  ApartValueParts parts{options.view, options.host->clock, {}};
  parts.prefetch.open = [&options] {
    return options.view->NewIterator(options.flags, options.bounds, options.cover);
  };
  parts.prefetch.sequence = options.sequence;
  parts.prefetch.always = options.flags.read_ahead_bytes > 0;
  return std::make_unique<ApartValue>(std::move(parts));
}

}  // namespace seerdb
