// Lookup: what one memtable or table knows about a LookupKey.
#pragma once

#include <memory>

#include "format/internal_key.h"
#include "seerdb/slice.h"

namespace seerdb {

struct Lookup {
  enum class State : uint8_t {
    kAbsent,   // no visible version here: ask the next older source
    kFound,    // `value` is the answer
    kDeleted,  // the newest visible version is a tombstone: the answer is "none", ask no further
  };
  State state = State::kAbsent;
  ValueType type = ValueType::kValue;  // of the version found
  SequenceNumber sequence = 0;         // of the version found or of the tombstone
  Slice value;
  // Keeps `value` readable beyond the view that was read; null when the view itself owns the bytes and the
  // caller must copy or take a reference to the source.
  std::shared_ptr<const void> owner;
};

}  // namespace seerdb
