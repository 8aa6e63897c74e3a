// TransactionImpl as a CommitCheck: what it has read and written, for the leader of the write queue.
#include <algorithm>
#include <utility>

#include "base/mutant.h"
#include "format/keyspace_prefix.h"
#include "txn/transaction_impl.h"

namespace seerdb {

bool TransactionImpl::IsChecked(const KeyNode& node) {
  return node.checked || (node.newest != 0 && !SEERDB_MUTANT("write-set-not-checked"));
}

const KeyFilter* TransactionImpl::filter() const {
  return batch_.deleted().empty() && read_ranges_.empty() ? &filter_ : nullptr;
}

bool TransactionImpl::Touches(Slice key) const {
  const KeyNode* const node = batch_.index().Find(key);
  if (node != nullptr && IsChecked(*node)) return true;
  return read_ranges_.Find(key) != nullptr || batch_.deleted().Find(key) != nullptr;
}

bool TransactionImpl::TouchesRange(Slice begin, Slice end) const {
  const KeyIndex& index = batch_.index();
  for (KeyIndex::Position at = index.LowerBound(begin); const KeyNode* const node = index.At(at);
       index.Advance(&at)) {
    if (node->key >= end) break;
    if (IsChecked(*node)) return true;
  }
  return read_ranges_.Meets(begin, end) || batch_.deleted().Meets(begin, end);
}

void TransactionImpl::ForEachKey(const std::function<bool(Slice)>& function) const {
  const KeyIndex& index = batch_.index();
  for (KeyIndex::Position at; const KeyNode* const node = index.At(at); index.Advance(&at)) {
    if (IsChecked(*node) && !function(node->key)) return;
  }
}

void TransactionImpl::ForEachRange(const std::function<bool(Slice, Slice)>& function) const {
  for (const KeyRanges* const ranges : {&read_ranges_, &batch_.deleted()}) {
    for (const auto& [begin, end] : ranges->ranges()) {
      if (!function(begin, end)) return;
    }
  }
}

bool TransactionImpl::Found(const FoundWrite& write) {
  uint32_t keyspace = 0;
  Slice key;
  ParseEngineKey(write.key, &keyspace, &key);
  const auto same = [&](const TransactionConflict& known) {
    return known.keyspace == keyspace && known.key == key && known.range == write.range;
  };
  if (std::any_of(conflicts_.begin(), conflicts_.end(), same)) return true;
  TransactionConflict conflict;
  conflict.keyspace = keyspace;
  conflict.key = key;
  conflict.range = write.range;
  conflict.sequence = write.sequence;
  const size_t prefix_bytes = write.key.size() - key.size();
  const std::string behind = BehindPrefix(write.key.substr(0, prefix_bytes));
  // What goes up to the end of the keyspace has no end that is a key.
  if (write.range && write.end != Slice(behind)) conflict.end = std::string(write.end.substr(prefix_bytes));
  conflicts_.push_back(std::move(conflict));
  return conflicts_.size() < kMaxConflicts;
}

}  // namespace seerdb
