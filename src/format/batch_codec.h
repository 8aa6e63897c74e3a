// The encoding of a WriteBatch's operations, as batches hold it and logs store it.
//
// Operation: u8 kind (ValueType), varint key length, engine key, varint value length, value (only for kinds
// that have one: not kDeletion). That of a range deletion is the engine key before which the range ends.
// Operation i of a batch has sequence base + i. Format: docs/format/log.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/coding.h"
#include "format/internal_key.h"
#include "seerdb/slice.h"
#include "seerdb/status.h"
#include "seerdb/write_batch.h"

namespace seerdb {

struct BatchOperation {
  ValueType type;
  Slice key;  // engine key
  Slice value;
};

// Reads operations one after another. Safe on hostile bytes.
class BatchReader {
 public:
  explicit BatchReader(Slice operations)
      : p_(operations.data()), limit_(operations.data() + operations.size()) {}
  // False at the end and on malformed input; ok() tells which.
  bool Next(BatchOperation* operation) {
    if (p_ == limit_) return false;
    const uint8_t kind = static_cast<uint8_t>(*p_++);
    operation->type = static_cast<ValueType>(kind);
    operation->value = Slice();
    if (kind > kMaxValueType || !NextField(&operation->key)) [[unlikely]]
      return Fail();
    if (operation->type == ValueType::kDeletion || NextField(&operation->value)) [[likely]]
      return true;
    return Fail();
  }
  bool ok() const { return !failed_; }

 private:
  bool NextField(Slice* field) {
    uint64_t bytes = 0;
    const char* const start = DecodeVarint(p_, limit_, &bytes);
    if (start == nullptr || bytes > static_cast<uint64_t>(limit_ - start)) [[unlikely]]
      return false;
    *field = Slice(start, bytes);
    p_ = start + bytes;
    return true;
  }
  bool Fail() {
    failed_ = true;
    p_ = limit_;
    return false;
  }

  const char* p_;
  const char* limit_;
  bool failed_ = false;
};

// One operation that is to be encoded.
struct BatchOperationParts {
  ValueType type;
  Slice prefix;  // of the keyspace
  Slice user_key;
  Slice value;  // of kinds that have one

  bool has_value() const { return type != ValueType::kDeletion; }
  // No fewer than what stands before the value takes.
  uint64_t max_head_bytes() const { return 1 + 2 * kMaxVarint64Bytes + prefix.size() + user_key.size(); }
};
// Writes what stands before the value, at most max_head_bytes(), to `out`; returns the end.
inline char* EncodeBatchHead(const BatchOperationParts& operation, char* out) {
  const auto put = [&out](Slice bytes) {
    if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
    out += bytes.size();
  };
  *out++ = static_cast<char>(operation.type);
  out = EncodeVarint(out, operation.prefix.size() + operation.user_key.size());
  if (operation.prefix.size() == 1) [[likely]] {
    *out++ = operation.prefix[0];
  } else {
    put(operation.prefix);
  }
  put(operation.user_key);
  return operation.has_value() ? EncodeVarint(out, operation.value.size()) : out;
}

void AppendBatchOperation(std::string* out, ValueType type, uint32_t keyspace, Slice user_key, Slice value);
// With the prefix of the keyspace.
void AppendBatchOperation(std::string* out, ValueType type, Slice prefix, Slice user_key, Slice value);
// All keys from `begin` up to `end`, or of the rest of the keyspace. Requires: begin < end.
void AppendRangeDeletion(std::string* out, uint32_t keyspace, Slice begin, std::optional<Slice> end);

// Counts the operations; kCorruption if malformed, of an unknown kind, with a key that has no well-formed
// keyspace prefix, or with a range of keys that is empty or not of one keyspace.
Status CheckBatchOperations(Slice operations, uint32_t* count);

// Whether `bytes` bytes of operations may begin with `first`. Looks at a few of them and never says no to
// well-formed ones, nor to kinds up to 15, which a later version may write: for searches among foreign bytes,
// where most answers are no. Requires: first.size() <= bytes.
bool MayBeOperations(Slice first, uint64_t bytes);

// What DB::Write checks before a batch is accepted.
struct WriteBatchAccess {
  static uint64_t LargestKeyBytes(const WriteBatch& batch) { return batch.largest_key_bytes_; }
  static const std::vector<std::shared_ptr<const KeyspaceState>>& Keyspaces(const WriteBatch& batch) {
    return batch.keyspaces_;
  }
  // The batch holds times to live in the place of times, and merges that nobody has checked.
  static bool Unfinished(const WriteBatch& batch) { return batch.unfinished_; }
  static uint32_t RangeCount(const WriteBatch& batch) { return batch.range_count_; }
  // A range ends before it begins.
  static bool HasInvertedRange(const WriteBatch& batch) { return batch.inverted_range_; }
  static uint64_t LargestValueBytes(const WriteBatch& batch) { return batch.largest_value_bytes_; }
};

}  // namespace seerdb
