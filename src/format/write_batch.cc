#include "seerdb/write_batch.h"

#include <algorithm>

#include "format/batch_codec.h"
#include "format/entry_payload.h"
#include "format/keyspace_prefix.h"
#include "seerdb/keyspace.h"

namespace seerdb {
namespace {

void HandRange(const BatchOperation& operation, uint32_t keyspace, Slice begin,
               WriteBatch::Handler* handler) {
  const Slice prefix = operation.key.substr(0, operation.key.size() - begin.size());
  std::optional<Slice> end;
  if (operation.value.starts_with(prefix)) end = operation.value.substr(prefix.size());
  handler->DeleteRange(keyspace, begin, end);
}

void Hand(const BatchOperation& operation, uint32_t keyspace, Slice key, WriteBatch::Handler* handler) {
  EntryPayload payload;
  switch (operation.type) {
    case ValueType::kDeletion:
      return handler->Delete(keyspace, key);
    case ValueType::kMerge:
      return handler->Merge(keyspace, key, operation.value);
    case ValueType::kRangeDeletion:
      return HandRange(operation, keyspace, key, handler);
    case ValueType::kExpiringValue:
      if (!ParsePayload(operation.type, operation.value, &payload)) return;
      return handler->PutWithTtl(keyspace, key, payload.value, payload.expires_us);
    default:
      return handler->Put(keyspace, key, operation.value);
  }
}

}  // namespace

WriteBatch::WriteBatch() = default;
WriteBatch::WriteBatch(size_t bytes) { rep_.reserve(bytes); }

uint32_t WriteBatch::Use(const Keyspace& keyspace) {
  constexpr ptrdiff_t kLooked = 8;  // a batch over few keyspaces names each of them once
  const auto begin = keyspaces_.end() - std::min(kLooked, std::ssize(keyspaces_));
  if (std::find(begin, keyspaces_.end(), keyspace.state()) == keyspaces_.end()) {
    keyspaces_.push_back(keyspace.state());
  }
  return keyspace.valid() ? keyspace.id() : kDefaultKeyspace;
}

void WriteBatch::AddPut(uint32_t keyspace, Slice key, Slice value) {
  largest_key_bytes_ = std::max<uint64_t>(largest_key_bytes_, key.size());
  largest_value_bytes_ = std::max<uint64_t>(largest_value_bytes_, value.size());
  AppendBatchOperation(&rep_, ValueType::kValue, keyspace, key, value);
  ++count_;
}

void WriteBatch::AddDelete(uint32_t keyspace, Slice key) {
  largest_key_bytes_ = std::max<uint64_t>(largest_key_bytes_, key.size());
  AppendBatchOperation(&rep_, ValueType::kDeletion, keyspace, key, Slice());
  ++count_;
}

void WriteBatch::AddMerge(uint32_t keyspace, Slice key, Slice operand) {
  largest_key_bytes_ = std::max<uint64_t>(largest_key_bytes_, key.size());
  largest_value_bytes_ = std::max<uint64_t>(largest_value_bytes_, operand.size());
  AppendBatchOperation(&rep_, ValueType::kMerge, keyspace, key, operand);
  unfinished_ = true;
  ++count_;
}

void WriteBatch::AddDeleteRange(uint32_t keyspace, Slice begin, std::optional<Slice> end) {
  largest_key_bytes_ = std::max<uint64_t>({largest_key_bytes_, begin.size(), end.value_or(Slice()).size()});
  if (end.has_value() && *end <= begin) {
    inverted_range_ |= *end < begin;
    return;
  }
  AppendRangeDeletion(&rep_, keyspace, begin, end);
  ++range_count_;
  ++count_;
}

void WriteBatch::AddPutWithTtl(uint32_t keyspace, Slice key, Slice value, uint64_t ttl_us) {
  largest_key_bytes_ = std::max<uint64_t>(largest_key_bytes_, key.size());
  largest_value_bytes_ = std::max<uint64_t>(largest_value_bytes_, value.size());
  std::string payload;
  AppendU64(&payload, ttl_us);
  payload.append(value);
  AppendBatchOperation(&rep_, ValueType::kExpiringValue, keyspace, key, payload);
  unfinished_ = true;
  ++count_;
}

void WriteBatch::Merge(Slice key, Slice operand) { AddMerge(kDefaultKeyspace, key, operand); }
void WriteBatch::Merge(const Keyspace& keyspace, Slice key, Slice operand) {
  AddMerge(Use(keyspace), key, operand);
}
void WriteBatch::DeleteRange(Slice begin, std::optional<Slice> end) {
  AddDeleteRange(kDefaultKeyspace, begin, end);
}
void WriteBatch::DeleteRange(const Keyspace& keyspace, Slice begin, std::optional<Slice> end) {
  AddDeleteRange(Use(keyspace), begin, end);
}
void WriteBatch::PutWithTtl(Slice key, Slice value, uint64_t ttl_us) {
  AddPutWithTtl(kDefaultKeyspace, key, value, ttl_us);
}
void WriteBatch::PutWithTtl(const Keyspace& keyspace, Slice key, Slice value, uint64_t ttl_us) {
  AddPutWithTtl(Use(keyspace), key, value, ttl_us);
}
void WriteBatch::Put(Slice key, Slice value) { AddPut(kDefaultKeyspace, key, value); }
void WriteBatch::Delete(Slice key) { AddDelete(kDefaultKeyspace, key); }
void WriteBatch::Put(const Keyspace& keyspace, Slice key, Slice value) { AddPut(Use(keyspace), key, value); }
void WriteBatch::Delete(const Keyspace& keyspace, Slice key) { AddDelete(Use(keyspace), key); }

void WriteBatch::Clear() {
  rep_.clear();
  count_ = 0;
  largest_key_bytes_ = 0;
  largest_value_bytes_ = 0;
  unfinished_ = false;
  range_count_ = 0;
  inverted_range_ = false;
  keyspaces_.clear();
}

void WriteBatch::Iterate(Handler* handler) const {
  BatchReader reader(rep_);
  BatchOperation operation;
  while (reader.Next(&operation)) {
    uint32_t keyspace = 0;
    Slice user_key;
    ParseEngineKey(operation.key, &keyspace, &user_key);
    Hand(operation, keyspace, user_key, handler);
  }
}

}  // namespace seerdb
