#include "txn/indexed_batch.h"

#include "base/coding.h"
#include "format/batch_codec.h"
#include "format/entry_payload.h"
#include "format/keyspace_prefix.h"

namespace seerdb {

void IndexedBatch::Push(KeyNode* node, ValueType type, size_t payload, size_t bytes) {
  writes_.push_back({node, payload, static_cast<uint32_t>(bytes), node->newest, type});
  node->newest = static_cast<uint32_t>(writes_.size());
}

bool IndexedBatch::Add(ValueType type, Slice prefix, Slice user_key, Slice payload, KeyNode** node) {
  ++version_;
  AppendBatchOperation(&operations_, type, prefix, user_key, payload);
  // The encoding ends with the payload, and before that and its length stands the key.
  const size_t payload_at = operations_.size() - payload.size();
  const size_t length_bytes = type == ValueType::kDeletion ? 0 : VarintBytes(payload.size());
  const size_t key_bytes = prefix.size() + user_key.size();
  const Slice key = Slice(operations_).substr(payload_at - length_bytes - key_bytes, key_bytes);
  bool added = false;
  *node = index_.FindOrAdd(key, &added);
  if (IsMerge(type) && (*node)->newest == 0 && deleted_.Find(key) != nullptr) {
    Push(*node, ValueType::kDeletion, payload_at, 0);  // what the merge rests on
  }
  Push(*node, type, payload_at, payload.size());
  ++now_.count;
  if (type != ValueType::kDeletion) ++now_.additions;
  return added;
}

void IndexedBatch::AddRange(uint32_t keyspace, Slice prefix, Slice begin, std::optional<Slice> end) {
  ++version_;
  AppendRangeDeletion(&operations_, keyspace, begin, end);
  std::string first(prefix);
  first.append(begin);
  std::string last = end.has_value() ? std::string(prefix).append(*end) : BehindPrefix(prefix);
  for (KeyIndex::Position at = index_.LowerBound(first); KeyNode* const node = index_.At(at);
       index_.Advance(&at)) {
    if (node->key >= Slice(last)) break;
    // A deletion hides as much as another one: without this, n keys under m ranges would take n * m entries.
    if (node->newest == 0 || writes_[node->newest - 1].type == ValueType::kDeletion) continue;
    Push(node, ValueType::kDeletion, operations_.size(), 0);
  }
  writes_.emplace_back();
  deleted_.Add(first, last);
  range_deletes_.emplace_back(std::move(first), std::move(last));
  ++now_.count;
  ++now_.ranges;
}

void IndexedBatch::SetSavepoint() {
  Mark mark = now_;
  mark.writes = writes_.size();
  mark.bytes = operations_.size();
  savepoints_.push_back(mark);
}

bool IndexedBatch::RollbackToSavepoint() {
  if (savepoints_.empty()) return false;
  ++version_;
  ++rollbacks_;
  const Mark mark = savepoints_.back();
  savepoints_.pop_back();
  while (writes_.size() > mark.writes) {
    const Write& write = writes_.back();
    if (write.node != nullptr) write.node->newest = write.older;
    writes_.pop_back();
  }
  operations_.resize(mark.bytes);
  if (now_.ranges != mark.ranges) {
    range_deletes_.resize(mark.ranges);
    deleted_.Clear();
    for (const auto& [begin, end] : range_deletes_) deleted_.Add(begin, end);
  }
  now_ = mark;
  return true;
}

bool IndexedBatch::ReleaseSavepoint() {
  if (savepoints_.empty()) return false;
  savepoints_.pop_back();
  return true;
}

IndexedBatch::Own IndexedBatch::Look(const KeyNode* node, Slice key, uint64_t now_us, Slice* value) const {
  if (node == nullptr || node->newest == 0) {
    return !deleted_.empty() && deleted_.Find(key) != nullptr ? Own::kAbsent : Own::kNothing;
  }
  const Write& write = writes_[node->newest - 1];
  if (write.type == ValueType::kDeletion) return Own::kAbsent;
  if (IsMerge(write.type)) return Own::kMerge;
  EntryPayload payload;
  ParsePayload(write.type, Slice(operations_).substr(write.payload, write.bytes), &payload);
  if (payload.expires_us <= now_us) return Own::kAbsent;
  *value = payload.value;
  return Own::kValue;
}

void IndexedBatch::FillChain(const KeyNode& node, uint64_t now_us, MergeChain* chain) const {
  chain->Begin(now_us);
  uint32_t newest = node.newest;
  while (newest != 0) {
    const Write& write = writes_[newest - 1];
    const Slice payload = Slice(operations_).substr(write.payload, write.bytes);
    if (!chain->Add(PackTrailer(newest, write.type), payload)) return;
    newest = write.older;
  }
}

const KeyNode* IndexedBatch::FirstWritten(Slice begin, Slice end) const {
  for (KeyIndex::Position at = index_.LowerBound(begin); const KeyNode* const node = index_.At(at);
       index_.Advance(&at)) {
    if (node->key >= end) return nullptr;
    if (node->newest != 0) return node;
  }
  return nullptr;
}

const KeyNode* IndexedBatch::LastWritten(Slice begin, Slice end) const {
  KeyIndex::Position at = index_.LowerBound(end);
  while (index_.StepBack(&at)) {
    const KeyNode* const node = index_.At(at);
    if (node->key < begin) return nullptr;
    if (node->newest != 0) return node;
  }
  return nullptr;
}

}  // namespace seerdb
