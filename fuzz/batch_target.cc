#include <string>

#include "base/assert.h"
#include "format/batch_codec.h"
#include "format/keyspace_prefix.h"
#include "fuzz/targets.h"

namespace seerdb::fuzz {

// What CheckBatchOperations accepts is read to its end, in as many steps as it says, and the same operations
// encoded again read the same. A look at the first bytes takes none of it for something else.
void FuzzBatch(Slice bytes) {
  uint32_t count = 0;
  const bool accepted = CheckBatchOperations(bytes, &count).ok();
  for (size_t seen = 0; seen <= bytes.size(); seen += 1 + seen / 8) {
    const std::string first(bytes.substr(0, seen));  // of its own size: a read beyond it is seen
    SEERDB_ASSERT(MayBeOperations(first, bytes.size()) || !accepted);
  }
  BatchReader reader(bytes);
  BatchOperation operation;
  uint32_t read = 0;
  std::string again;
  while (reader.Next(&operation)) {
    ++read;
    SEERDB_ASSERT(operation.key.size() <= bytes.size() && operation.value.size() <= bytes.size());
    uint32_t keyspace = 0;
    Slice user_key;
    const bool parsed = ParseEngineKey(operation.key, &keyspace, &user_key);
    SEERDB_ASSERT(parsed || !accepted);
    if (!parsed) continue;
    const size_t begin = again.size();
    AppendBatchOperation(&again, operation.type, keyspace, user_key, operation.value);
    BatchReader second(Slice(again).substr(begin));
    BatchOperation same;
    SEERDB_ASSERT(second.Next(&same) && same.type == operation.type);
    SEERDB_ASSERT(same.key == operation.key && same.value == operation.value);
    SEERDB_ASSERT(!second.Next(&same) && second.ok());
  }
  if (!accepted) return;
  SEERDB_ASSERT(reader.ok() && read == count);
  uint32_t count_again = 0;
  SEERDB_ASSERT(CheckBatchOperations(again, &count_again).ok() && count_again == count);
}

}  // namespace seerdb::fuzz
