#include <optional>
#include <string>
#include <vector>

#include "base/assert.h"
#include "format/batch_codec.h"
#include "format/entry_payload.h"
#include "format/keyspace_prefix.h"
#include "fuzz/targets.h"
#include "iter/merge_chain.h"

namespace seerdb::fuzz {
namespace {

// As versions of one key, the last operation the newest: what they come to is the same before and after they
// are folded, at every time from then on.
void CheckMerges(Slice operations, const MergeOperator& merge_operator) {
  constexpr uint64_t kFoldedAtUs = 1'000;
  std::vector<BatchOperation> versions;
  BatchReader reader(operations);
  BatchOperation operation;
  while (reader.Next(&operation)) {
    if (IsPointKind(static_cast<uint8_t>(operation.type)) && operation.type != ValueType::kValuePointer) {
      versions.push_back(operation);
    }
  }
  if (versions.empty() || !IsMerge(versions.back().type)) return;
  MergeChain chain;
  chain.Begin(kFoldedAtUs);
  uint64_t sequence = versions.size();
  bool wants_older = true;
  for (auto at = versions.rbegin(); at != versions.rend() && wants_older; ++at, --sequence) {
    wants_older = chain.Add(PackTrailer(sequence, at->type), at->value);
  }
  const std::vector<MergeChain::Entry> folded = chain.Fold(&merge_operator, "k", /*nothing_older=*/true);
  SEERDB_ASSERT(!folded.empty() && folded.size() <= chain.size());
  const auto before = chain.Merge(&merge_operator, "", "k");
  if (!before.ok() || !before->has_value()) return;
  std::optional<std::string> after;
  const ValueType newest = TrailerType(folded.front().trailer);
  if (IsMerge(newest)) {
    MergeChain again;
    again.Begin(kFoldedAtUs);
    for (const MergeChain::Entry& entry : folded) {
      if (!again.Add(entry.trailer, entry.payload)) break;
    }
    const auto merged = again.Merge(&merge_operator, "", "k");
    SEERDB_ASSERT(merged.ok());
    after = *merged;
  } else {
    EntryPayload payload;
    SEERDB_ASSERT(ParsePayload(newest, folded.front().payload, &payload));
    after = std::string(payload.value);
  }
  SEERDB_ASSERT(after == *before);
}

}  // namespace

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
  CheckMerges(bytes, *U64Add());
  CheckMerges(bytes, *StringAppend("|"));
  CheckMerges(bytes, *ListAppend());
  if (!accepted) return;
  SEERDB_ASSERT(reader.ok() && read == count);
  uint32_t count_again = 0;
  SEERDB_ASSERT(CheckBatchOperations(again, &count_again).ok() && count_again == count);
}

}  // namespace seerdb::fuzz
