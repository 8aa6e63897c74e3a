#include "db/entry_judge.h"

#include "format/entry_payload.h"

namespace seerdb {

Meaning EntryJudge::Judge(const InternalEntry& entry, ShownValue* shown, Status* broken) {
  *shown = {};
  const ValueType type = TrailerType(entry.trailer);
  if (IsHidden(entry)) [[unlikely]]
    return Meaning::kNothing;
  if (type == ValueType::kValue) [[likely]]
    return Meaning::kValue;
  if (type == ValueType::kDeletion) return Meaning::kNothing;
  EntryPayload payload;
  const bool known = IsPut(type) || IsMerge(type);
  if (!known || !ParsePayload(type, entry.value, &payload)) {
    *broken = Status::Corruption("scan: an entry of kind " + std::to_string(static_cast<int>(type)) +
                                 " is malformed or of a later version");
    return Meaning::kNothing;
  }
  if (payload.expires_us <= options_.now_us) return Meaning::kNothing;
  if (IsMerge(type)) return options_.keys_only ? Meaning::kValue : Meaning::kMerge;
  shown->skip_bytes = Expires(type) ? sizeof(uint64_t) : 0;
  shown->apart = IsPointer(type) && !options_.keys_only;
  return Meaning::kValue;
}

}  // namespace seerdb
