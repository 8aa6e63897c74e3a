#include "seerdb/write_batch.h"

#include <algorithm>

#include "format/batch_codec.h"
#include "format/keyspace_prefix.h"

namespace seerdb {

WriteBatch::WriteBatch() = default;
WriteBatch::WriteBatch(size_t bytes) { rep_.reserve(bytes); }

void WriteBatch::Put(Slice key, Slice value) {
  largest_key_bytes_ = std::max<uint64_t>(largest_key_bytes_, key.size());
  largest_value_bytes_ = std::max<uint64_t>(largest_value_bytes_, value.size());
  AppendBatchOperation(&rep_, ValueType::kValue, kDefaultKeyspace, key, value);
  ++count_;
}

void WriteBatch::Delete(Slice key) {
  largest_key_bytes_ = std::max<uint64_t>(largest_key_bytes_, key.size());
  AppendBatchOperation(&rep_, ValueType::kDeletion, kDefaultKeyspace, key, Slice());
  ++count_;
}

void WriteBatch::Clear() {
  rep_.clear();
  count_ = 0;
  largest_key_bytes_ = 0;
  largest_value_bytes_ = 0;
}

void WriteBatch::Iterate(Handler* handler) const {
  BatchReader reader(rep_);
  BatchOperation operation;
  while (reader.Next(&operation)) {
    uint32_t keyspace = 0;
    Slice user_key;
    ParseEngineKey(operation.key, &keyspace, &user_key);
    if (operation.type == ValueType::kDeletion) {
      handler->Delete(user_key);
    } else {
      handler->Put(user_key, operation.value);
    }
  }
}

}  // namespace seerdb
