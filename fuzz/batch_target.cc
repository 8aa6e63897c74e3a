#include "base/assert.h"
#include "format/batch_codec.h"
#include "fuzz/targets.h"

namespace seerdb::fuzz {

// What CheckBatchOperations accepts is read to its end, in as many steps as it says, and encodes back to
// operations that are accepted too.
void FuzzBatch(Slice input) {
  uint32_t count = 0;
  const bool accepted = CheckBatchOperations(input, &count).ok();
  BatchReader reader(input);
  BatchOperation operation;
  uint32_t read = 0;
  std::string again;
  while (reader.Next(&operation)) {
    ++read;
    SEERDB_ASSERT(operation.key.size() <= input.size() && operation.value.size() <= input.size());
    AppendBatchOperation(&again, operation.type, 0, operation.key, operation.value);
  }
  if (!accepted) return;
  SEERDB_ASSERT(reader.ok());
  SEERDB_ASSERT(read == count);
  uint32_t count_again = 0;
  SEERDB_ASSERT(CheckBatchOperations(again, &count_again).ok());
  SEERDB_ASSERT(count_again == count);
}

}  // namespace seerdb::fuzz
