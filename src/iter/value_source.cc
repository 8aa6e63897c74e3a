#include "iter/value_source.h"

#include "base/status_macros.h"

namespace seerdb {

ValueSource::~ValueSource() = default;

Status BringIn(const ValueSource* values, ValueType* type, std::string* payload) {
  uint64_t expires_us = 0;
  ValuePointer pointer;
  if (!ParsePointerPayload(*type, *payload, &pointer, &expires_us)) {
    return Status::Corruption("read value: an entry that points to it is malformed");
  }
  if (values == nullptr) return Status::Corruption("read value: found a pointer where none is expected");
  FetchedValue value;
  SEERDB_RETURN_IF_ERROR(values->Fetch(pointer, &value));
  payload->clear();
  AppendPayload(payload, expires_us, value.bytes);
  *type = TypeFor(/*merge=*/false, expires_us);
  return {};
}

}  // namespace seerdb
