// GetRange and GetSize of DbImpl: reads that need less than a value.
#include <algorithm>

#include "base/status_macros.h"
#include "db/db_impl.h"
#include "db/engine_key.h"
#include "metrics/read_meter.h"

namespace seerdb {

// What a key has, without the bytes of a value that lies apart.
struct DbImpl::FoundValue {
  bool found = false;
  std::optional<ValuePointer> apart;
  std::optional<PinnedValue> value;  // otherwise
};

Result<DbImpl::FoundValue> DbImpl::FindValue(const ReadView& view, const TableReadFlags& flags,
                                             const ReadOptions& options, Slice prefix, Slice key) {
  FoundValue found;
  if (key.size() > kMaxKeyBytes) return found;
  const EngineKey engine_key(prefix, key);
  LookupKey lookup{engine_key.slice(), SequenceOf(options), 0};
  ReadView::Answer answer;
  SEERDB_RETURN_IF_ERROR(view.Get(flags, &lookup, &answer));
  if (answer.lookup.state != Lookup::State::kFound) return found;
  const ValueType type = answer.lookup.type;
  if (IsPointer(type)) {
    uint64_t expires_us = 0;
    if (!ParsePointerPayload(type, answer.lookup.value, &found.apart.emplace(), &expires_us)) {
      return Status::Corruption("get: an entry that points to its value is malformed");
    }
    found.found = expires_us > clock_->WallMicros();
    if (found.found && flags.shard != nullptr) flags.shard->Add(Counter::total_gets_found);
    return found;
  }
  SEERDB_ASSIGN_OR_RETURN(found.value, PinFound(view, flags, lookup, answer, options));
  found.found = found.value.has_value();
  return found;
}

Result<std::optional<PinnedValue>> DbImpl::GetRange(const ReadOptions& options, Slice key, uint64_t offset,
                                                    uint64_t bytes) {
  SEERDB_RETURN_IF_ERROR(CheckOpen());
  const ReadMeter meter(statistics_.get(), 1, Latency::get_latency);
  const ReadViewHolder::Pin view(views_.get());  // before the keyspace is looked at
  Slice prefix;
  SEERDB_RETURN_IF_ERROR(PrefixFor(options, &prefix));
  SEERDB_ASSIGN_OR_RETURN(const FoundValue found,
                          FindValue(*view, PointFlags(options, meter.shard()), options, prefix, key));
  if (!found.found) return std::optional<PinnedValue>();
  const uint64_t all_bytes = found.apart.has_value() ? found.apart->bytes : found.value->size();
  const uint64_t begin = std::min(offset, all_bytes);
  const uint64_t part_bytes = std::min(bytes, all_bytes - begin);
  if (!found.apart.has_value()) {
    return std::optional<PinnedValue>(PinnedValue::Copy(found.value->slice().substr(begin, part_bytes)));
  }
  if (part_bytes == 0) return std::optional<PinnedValue>(PinnedValue::Copy(Slice()));
  const ValueFile* const file = view->FindValues(found.apart->segment);
  if (file == nullptr) return NoSuchSegment(*found.apart);
  FetchedValue part;
  SEERDB_RETURN_IF_ERROR(file->FetchPart(*found.apart, begin, part_bytes, &part));
  return std::optional<PinnedValue>(PinnedValue::Pin(part.bytes, std::move(part.owner)));
}

Result<std::optional<uint64_t>> DbImpl::GetSize(const ReadOptions& options, Slice key) {
  SEERDB_RETURN_IF_ERROR(CheckOpen());
  const ReadMeter meter(statistics_.get(), 1, Latency::get_latency);
  const ReadViewHolder::Pin view(views_.get());  // before the keyspace is looked at
  Slice prefix;
  SEERDB_RETURN_IF_ERROR(PrefixFor(options, &prefix));
  SEERDB_ASSIGN_OR_RETURN(const FoundValue found,
                          FindValue(*view, PointFlags(options, meter.shard()), options, prefix, key));
  if (!found.found) return std::optional<uint64_t>();
  return std::optional<uint64_t>(found.apart.has_value() ? found.apart->bytes : found.value->size());
}

}  // namespace seerdb
