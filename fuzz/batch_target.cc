#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/assert.h"
#include "base/hash.h"
#include "format/batch_codec.h"
#include "format/entry_payload.h"
#include "format/keyspace_prefix.h"
#include "fuzz/targets.h"
#include "iter/merge_chain.h"
#include "iter/range_cover.h"
#include "iter/value_source.h"
#include "memtable/memtable.h"

namespace seerdb::fuzz {
namespace {

// Of the operations in a memtable so many are asked for.
constexpr size_t kAsked = 24;

// Of a pointer, the value is the name of its segment.
class Names final : public ValueSource {
 public:
  Status Fetch(const ValuePointer& pointer, FetchedValue* value) const override {
    const auto name = std::make_shared<const std::string>(std::to_string(pointer.segment));
    *value = {*name, name};
    return {};
  }
};

// As a read does: what lies apart is brought in, and stays what it is where that cannot be done.
bool AddVersion(uint64_t trailer, Slice payload, MergeChain* chain) {
  ValueType type = TrailerType(trailer);
  if (!IsPointer(type)) return chain->Add(trailer, payload);
  std::string brought(payload);
  const Names names;
  const Status status = BringIn(&names, &type, &brought);
  SEERDB_ASSERT(status.ok() != IsPointer(type) && (status.ok() || Slice(brought) == payload));
  return chain->Add(PackTrailer(TrailerSequence(trailer), type), brought);
}

// As versions of one key, the last operation the newest: what they come to is the same before and after they
// are folded, at every time from then on.
void CheckMerges(Slice operations, const MergeOperator& merge_operator) {
  constexpr uint64_t kFoldedAtUs = 1'000;
  std::vector<BatchOperation> versions;
  BatchReader reader(operations);
  BatchOperation operation;
  while (reader.Next(&operation)) {
    if (IsPointKind(static_cast<uint8_t>(operation.type))) versions.push_back(operation);
  }
  if (versions.empty() || !IsMerge(versions.back().type)) return;
  MergeChain chain;
  chain.Begin(kFoldedAtUs);
  uint64_t sequence = versions.size();
  bool wants_older = true;
  for (auto at = versions.rbegin(); at != versions.rend() && wants_older; ++at, --sequence) {
    wants_older = AddVersion(PackTrailer(sequence, at->type), at->value, &chain);
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

// What a read of `key` finds in a memtable of the first `at` operations, and what hides it.
void CheckKey(const MemTable& memtable, const std::vector<BatchOperation>& operations, Slice key, size_t at) {
  SequenceNumber newest = 0;
  SequenceNumber hidden_below = 0;
  for (size_t i = 0; i < at; ++i) {
    const BatchOperation& operation = operations[i];
    if (operation.type == ValueType::kRangeDeletion) {
      if (operation.key <= key && key < operation.value) hidden_below = i + 1;
    } else if (operation.key == key) {
      newest = i + 1;
    }
  }
  Lookup found;
  memtable.Get({key, at, Hash64(key)}, &found);
  SEERDB_ASSERT((found.state == Lookup::State::kAbsent) == (newest == 0));
  if (newest != 0) {
    SEERDB_ASSERT(found.sequence == newest && found.type == operations[newest - 1].type);
    SEERDB_ASSERT(found.value == operations[newest - 1].value);
  }
  const RangeTombstoneMap* const ranges = memtable.range_tombstones();
  SEERDB_ASSERT(RangeCover(ranges, at).HiddenBelow(key) == hidden_below);
  if (ranges == nullptr) return;
  SEERDB_ASSERT(ranges->Find(key, at) == hidden_below);
  const CoveredStretch stretch = ranges->StretchAt(key, at);
  SEERDB_ASSERT(stretch.sequence == hidden_below);
  SEERDB_ASSERT(stretch.begin <= key && (!stretch.has_end || key < stretch.end));
}

// The stretches that are covered in the end, and whether all of what lies between two keys is hidden.
void CheckStretches(const RangeTombstoneMap& ranges, const std::vector<BatchOperation>& operations) {
  Slice last;
  ranges.Visit(operations.size(), [&](const CoveredStretch& stretch) {
    SEERDB_ASSERT(stretch.sequence != 0 && stretch.has_end);
    SEERDB_ASSERT(last <= stretch.begin && stretch.begin < stretch.end);
    SEERDB_ASSERT(ranges.Find(stretch.begin, operations.size()) == stretch.sequence);
    last = stretch.end;
  });
  RangeCover cover(&ranges, operations.size());
  for (size_t i = 0; i < std::min(operations.size(), kAsked); ++i) {
    const Slice smallest = std::min(operations[0].key, operations[i].key);
    const Slice largest = std::max(operations[0].key, operations[i].key);
    if (!cover.HidesAll(smallest, largest, i)) continue;
    for (const BatchOperation& operation : operations) {
      const bool between = smallest <= operation.key && operation.key <= largest;
      SEERDB_ASSERT(!between || ranges.Find(operation.key, operations.size()) > i);
    }
  }
}

// In a memtable, one after another from sequence 1 on, they read as they say: after each of them and at the
// end, at their keys and at the ends of their ranges. Requires: CheckBatchOperations accepts them.
void CheckMemtable(Slice operations) {
  constexpr size_t kOperationsMax = 200;
  std::vector<BatchOperation> all;
  BatchReader reader(operations);
  MemTable memtable;
  BatchOperation operation;
  while (all.size() < kOperationsMax && reader.Next(&operation)) {
    all.push_back(operation);
    if (operation.type == ValueType::kRangeDeletion) {
      memtable.AddRange(all.size(), operation.key, operation.value);
    } else {
      memtable.Add(all.size(), operation.type, operation.key, operation.value);
    }
  }
  SEERDB_ASSERT(memtable.entries() == all.size());
  for (size_t i = 0; i < std::min(all.size(), kAsked); ++i) {
    const Slice other_end = all[i].type == ValueType::kRangeDeletion ? all[i].value : all[i].key;
    for (const size_t at : {i, i + 1, all.size()}) {
      CheckKey(memtable, all, all[i].key, at);
      CheckKey(memtable, all, other_end, at);
    }
  }
  if (memtable.range_tombstones() != nullptr) CheckStretches(*memtable.range_tombstones(), all);
}

// A value or an operand that was accepted is of the kind that its time and its place ask for.
void CheckPayload(const BatchOperation& operation) {
  EntryPayload payload;
  SEERDB_ASSERT(ParsePayload(operation.type, operation.value, &payload));
  // A time that was stored may be any; the one that stands for none is not written as a time.
  if (Expires(operation.type) && payload.expires_us == kNeverExpires) return;
  SEERDB_ASSERT(operation.type == (IsPointer(operation.type)
                                       ? PointerTypeFor(payload.expires_us)
                                       : TypeFor(IsMerge(operation.type), payload.expires_us)));
  std::string again;
  AppendPayload(&again, payload.expires_us, payload.value);
  SEERDB_ASSERT(again == operation.value);
}

// A range deletion that was accepted has an end in its keyspace, or that of the keyspace: encoded from these
// it is the same.
void CheckRangeDeletion(const BatchOperation& operation, uint32_t keyspace, Slice user_begin) {
  const Slice prefix = operation.key.substr(0, operation.key.size() - user_begin.size());
  std::optional<Slice> user_end;
  if (operation.value.starts_with(prefix)) user_end = operation.value.substr(prefix.size());
  std::string again;
  AppendRangeDeletion(&again, keyspace, user_begin, user_end);
  BatchReader reader(again);
  BatchOperation same;
  SEERDB_ASSERT(reader.Next(&same) && same.type == operation.type);
  SEERDB_ASSERT(same.key == operation.key && same.value == operation.value);
}

}  // namespace

// What CheckBatchOperations accepts is read to its end, in as many steps as it says, and the same operations
// encoded again read the same; a memtable takes it and answers from it. A look at the first bytes takes none
// of it for something else.
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
    if (accepted && operation.type == ValueType::kRangeDeletion) {
      CheckRangeDeletion(operation, keyspace, user_key);
    }
    if (accepted && (IsPut(operation.type) || IsMerge(operation.type))) CheckPayload(operation);
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
  CheckMemtable(bytes);
}

}  // namespace seerdb::fuzz
