#include "format/batch_codec.h"

#include "format/keyspace_prefix.h"

namespace seerdb {

bool BatchReader::Next(BatchOperation* operation) {
  if (p_ == limit_) return false;
  const uint8_t kind = static_cast<uint8_t>(*p_++);
  Slice fields[2];
  const int field_count = kind == static_cast<uint8_t>(ValueType::kDeletion) ? 1 : 2;
  if (kind > kMaxValueType) {
    failed_ = true;
    p_ = limit_;
    return false;
  }
  for (int i = 0; i < field_count; ++i) {
    uint64_t bytes = 0;
    const char* start = DecodeVarint(p_, limit_, &bytes);
    if (start == nullptr || bytes > static_cast<uint64_t>(limit_ - start)) {
      failed_ = true;
      p_ = limit_;
      return false;
    }
    fields[i] = Slice(start, bytes);
    p_ = start + bytes;
  }
  *operation = {static_cast<ValueType>(kind), fields[0], fields[1]};
  return true;
}

void AppendBatchOperation(std::string* out, ValueType type, uint32_t keyspace, Slice user_key, Slice value) {
  out->push_back(static_cast<char>(type));
  if (keyspace == kDefaultKeyspace) [[likely]] {
    AppendVarint(out, user_key.size() + 1);
    out->push_back('\0');
  } else {
    std::string prefix;
    AppendKeyspacePrefix(&prefix, keyspace);
    AppendVarint(out, user_key.size() + prefix.size());
    out->append(prefix);
  }
  out->append(user_key);
  if (type != ValueType::kDeletion) AppendLengthPrefixed(out, value);
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
    ++n;
  }
  if (!reader.ok())
    return Status::Corruption("write batch: operation " + std::to_string(n) + " is malformed");
  *count = n;
  return {};
}

}  // namespace seerdb
