#include "format/batch_codec.h"

#include <optional>

#include "format/entry_payload.h"
#include "format/keyspace_prefix.h"
#include "format/range_tombstone.h"

namespace seerdb {

void AppendBatchOperation(std::string* out, ValueType type, Slice prefix, Slice user_key, Slice value) {
  const BatchOperationParts operation{type, prefix, user_key, value};
  const size_t begin = out->size();
  out->resize(begin + operation.max_head_bytes());
  char* const end = EncodeBatchHead(operation, out->data() + begin);
  out->resize(static_cast<size_t>(end - out->data()));
  if (operation.has_value()) out->append(value);
}

void AppendBatchOperation(std::string* out, ValueType type, uint32_t keyspace, Slice user_key, Slice value) {
  if (keyspace == kDefaultKeyspace) [[likely]] {
    return AppendBatchOperation(out, type, kDefaultKeyspacePrefix, user_key, value);
  }
  std::string prefix;
  AppendKeyspacePrefix(&prefix, keyspace);
  AppendBatchOperation(out, type, Slice(prefix), user_key, value);
}

void AppendRangeDeletion(std::string* out, uint32_t keyspace, Slice begin, std::optional<Slice> end) {
  std::string prefix;
  AppendKeyspacePrefix(&prefix, keyspace);
  const std::string engine_end = end.has_value() ? prefix + std::string(*end) : BehindPrefix(prefix);
  AppendBatchOperation(out, ValueType::kRangeDeletion, Slice(prefix), begin, engine_end);
}

Status CheckBatchOperations(Slice operations, uint32_t* count) {
  BatchReader reader(operations);
  BatchOperation operation;
  uint32_t n = 0;
  uint32_t keyspace = 0;
  Slice user_key;
  while (reader.Next(&operation)) {
    if (!ParseEngineKey(operation.key, &keyspace, &user_key)) {
      return Status::Corruption("write batch: operation " + std::to_string(n) + " has no keyspace prefix");
    }
    if (operation.type == ValueType::kRangeDeletion &&
        !IsRangeOfOneKeyspace(operation.key, operation.value)) {
      return Status::Corruption("write batch: operation " + std::to_string(n) +
                                " deletes a range that is empty or leaves its keyspace");
    }
    EntryPayload payload;
    if (!ParsePayload(operation.type, operation.value, &payload)) {
      return Status::Corruption("write batch: operation " + std::to_string(n) + " expires and has no time");
    }
    ++n;
  }
  if (!reader.ok())
    return Status::Corruption("write batch: operation " + std::to_string(n) + " is malformed");
  *count = n;
  return {};
}

namespace {

// The end of the field at `p`, whose length stands in front of it; nullopt if none of at most `left` bytes
// can stand there. What lies behind `limit` is not seen: then the end lies there, too, or is `limit`.
std::optional<uint64_t> FieldBytes(const char* p, const char* limit, uint64_t left, uint64_t least) {
  uint64_t bytes = 0;
  const char* const start = DecodeVarint(p, limit, &bytes);
  const auto seen = static_cast<uint64_t>(limit - p);
  if (start == nullptr) return seen < kMaxVarint64Bytes && seen < left ? std::optional(seen) : std::nullopt;
  const auto head = static_cast<uint64_t>(start - p);
  if (bytes < least || bytes > left - head) return std::nullopt;
  return head + bytes;
}

}  // namespace

bool MayBeOperations(Slice first, uint64_t bytes) {
  constexpr int kOperationsLooked = 16;
  const char* p = first.data();
  const char* const limit = p + first.size();
  uint64_t left = bytes;
  for (int i = 0; i < kOperationsLooked && p < limit; ++i) {
    const auto kind = static_cast<uint8_t>(*p++);
    --left;
    if (kind > kMaxValueType) return kind <= kMaxLaterValueType;
    const int fields = kind == static_cast<uint8_t>(ValueType::kDeletion) ? 1 : 2;
    for (int field = 0; field < fields; ++field) {
      // A key has at least the prefix of its keyspace.
      const auto field_bytes = FieldBytes(p, limit, left, field == 0 ? 1 : 0);
      if (!field_bytes.has_value()) return false;
      if (*field_bytes >= static_cast<uint64_t>(limit - p)) return true;
      p += *field_bytes;
      left -= *field_bytes;
    }
  }
  return true;
}

}  // namespace seerdb
