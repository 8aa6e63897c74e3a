// ValueSource: gives the bytes of values that lie apart from their keys.
//
// Who reads entries of a tree holds one that knows every segment that those entries point into.
// Thread safety: all methods concurrently.
#pragma once

#include <memory>
#include <string>

#include "format/entry_payload.h"
#include "format/value_pointer.h"
#include "seerdb/status.h"

namespace seerdb {

struct FetchedValue {
  Slice bytes;
  std::shared_ptr<const void> owner;  // keeps them
};

class ValueSource {
 public:
  virtual ~ValueSource();
  // The whole value, checked. kCorruption/kValueCorruption if its bytes are not those that were written, or
  // its segment is missing.
  virtual Status Fetch(const ValuePointer& pointer, FetchedValue* value) const = 0;
};

// Puts the value of an entry that points to one into the entry: `*type` becomes the kind that holds its value
// itself, and `*payload` what it holds. Requires: IsPointer(*type).
Status BringIn(const ValueSource* values, ValueType* type, std::string* payload);

}  // namespace seerdb
