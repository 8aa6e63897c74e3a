#include "iter/merge_chain.h"

#include <algorithm>

#include "base/mutant.h"

namespace seerdb {

void MergeChain::Begin(uint64_t now_us) {
  now_us_ = now_us;
  bytes_.clear();
  elements_.clear();
  ended_ = malformed_ = false;
}

bool MergeChain::Add(uint64_t trailer, Slice payload) {
  Element element{trailer, bytes_.size(), bytes_.size() + payload.size(), kNeverExpires, false};
  bytes_.append(payload);
  EntryPayload parsed;
  const auto kind = static_cast<uint8_t>(element.type());
  const bool known = IsPointKind(kind) && !IsPointer(element.type());
  malformed_ = !known || !ParsePayload(element.type(), payload, &parsed);
  element.expires_us = parsed.expires_us;
  element.dead = element.type() == ValueType::kDeletion || parsed.expires_us <= now_us_;
  ended_ = malformed_ || element.dead || !IsMerge(element.type());
  elements_.push_back(element);
  return !ended_;
}

std::vector<Slice> MergeChain::Operands(size_t newest, size_t oldest) const {
  std::vector<Slice> operands;
  operands.reserve(oldest - newest);
  for (size_t i = oldest; i-- > newest;) operands.push_back(ValueOf(elements_[i]));
  if (SEERDB_MUTANT("merge-order-reversed")) std::reverse(operands.begin(), operands.end());
  return operands;
}

Result<std::optional<std::string>> MergeChain::Merge(const MergeOperator* merge_operator, Slice name,
                                                     Slice user_key) const {
  if (malformed_)
    return Status::Corruption("merge: an entry is malformed, or of a kind that a later version writes");
  if (elements_.empty() || elements_.front().dead) return std::optional<std::string>();
  if (merge_operator == nullptr) {
    return Status::InvalidArgument("merge: the merge operator " + std::string(name) +
                                   " was not given when the database was opened")
        .WithDetail(StatusDetail::kMergeFailed);
  }
  const Element& last = elements_.back();
  const bool rests_on_value = !last.dead && !IsMerge(last.type());
  const size_t operands = elements_.size() - (rests_on_value || last.dead ? 1 : 0);
  std::optional<Slice> existing;
  if (rests_on_value) existing = ValueOf(last);
  std::optional<std::string> value(std::in_place);
  if (merge_operator->FullMerge(user_key, existing, Operands(0, operands), &*value)) {
    if (value->size() <= kMaxValueBytes) return value;
    return Status::InvalidArgument("merge: the value has " + std::to_string(value->size()) +
                                   " bytes, expected at most " + std::to_string(kMaxValueBytes))
        .WithDetail(StatusDetail::kMergeFailed);
  }
  return Status::InvalidArgument("merge: operator " + merge_operator->Name() + " refuses the " +
                                 std::to_string(operands) + " operands of a key of " +
                                 std::to_string(user_key.size()) + " bytes")
      .WithDetail(StatusDetail::kMergeFailed);
}

std::vector<MergeChain::Entry> MergeChain::Fold(const MergeOperator* merge_operator, Slice user_key,
                                                bool nothing_older, uint64_t max_bytes) const {
  std::vector<Entry> out;
  for (size_t newest = 0; newest < elements_.size();) {
    // A part of which each version lives at least as long as the next newer one: it ends as a whole, with its
    // newest. What is dead has ended already.
    size_t oldest = newest + 1;
    while (oldest < elements_.size() &&
           (elements_[oldest].dead || elements_[oldest].expires_us >= elements_[oldest - 1].expires_us ||
            SEERDB_MUTANT("merge-folds-what-expires-first"))) {
      ++oldest;
    }
    const bool rests_on_all = oldest == elements_.size() && (ended_ || nothing_older);
    FoldPart({merge_operator, user_key, max_bytes}, newest, oldest, rests_on_all, &out);
    newest = oldest;
  }
  return out;
}

void MergeChain::FoldPart(const Folding& folding, size_t newest, size_t oldest, bool rests_on_all,
                          std::vector<Entry>* out) const {
  const Element& first = elements_[newest];
  const Element& last = elements_[oldest - 1];
  const bool can = folding.merge_operator != nullptr && !malformed_;
  const size_t operands_end = oldest - (last.dead || !IsMerge(last.type()) ? 1 : 0);
  std::string result;
  if (can && rests_on_all && operands_end > newest) {
    std::optional<Slice> existing;
    if (!last.dead && !IsMerge(last.type())) existing = ValueOf(last);
    if (folding.merge_operator->FullMerge(folding.user_key, existing, Operands(newest, operands_end),
                                          &result) &&
        result.size() <= folding.max_bytes) {
      Entry& entry = out->emplace_back();
      entry.trailer = PackTrailer(TrailerSequence(first.trailer), TypeFor(/*merge=*/false, first.expires_us));
      AppendPayload(&entry.payload, first.expires_us, result);
      return;
    }
  }
  if (can && oldest - newest > 1 && operands_end == oldest &&
      folding.merge_operator->PartialMerge(folding.user_key, Operands(newest, oldest), &result) &&
      result.size() <= folding.max_bytes) {
    Entry& entry = out->emplace_back();
    entry.trailer = PackTrailer(TrailerSequence(first.trailer), TypeFor(/*merge=*/true, first.expires_us));
    AppendPayload(&entry.payload, first.expires_us, result);
    return;
  }
  for (size_t i = newest; i < oldest; ++i) {
    out->push_back({elements_[i].trailer, std::string(PayloadOf(elements_[i]))});
  }
}

}  // namespace seerdb
