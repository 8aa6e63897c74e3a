#include "txn/transaction_iterator.h"

#include <algorithm>
#include <utility>

#include "format/keyspace_prefix.h"
#include "iter/merge_chain.h"
#include "seerdb/db.h"
#include "txn/transaction_impl.h"

namespace seerdb {

void TransactionIterator::Parts::SetBounds(const ReadOptions& options) {
  lower = prefix + std::max(options.lower_bound, options.prefix);
  upper = options.upper_bound.empty() ? BehindPrefix(prefix) : prefix + options.upper_bound;
  if (options.prefix.empty()) return;
  const std::string successor = PrefixSuccessor(options.prefix);
  if (!successor.empty()) upper = std::min(upper, prefix + successor);
}

TransactionIterator::TransactionIterator(Parts parts) : parts_(std::move(parts)) {}

TransactionIterator::~TransactionIterator() {
  if (parts_.transaction == nullptr) return;
  Settle();
  parts_.transaction->ForgetIterator(this);
}

Status TransactionIterator::status() const {
  observed_ = true;
  return status_;
}

void TransactionIterator::Settle() {
  if (parts_.track) parts_.transaction->NoteRangeRead(low_, high_);
  if (!observed_) parts_.transaction->NoteUnobserved(status_);
}

void TransactionIterator::Detach() {
  parts_.transaction = nullptr;
  valid_ = false;
  status_ = TransactionEnded();
  observed_ = true;
}

bool TransactionIterator::Reposition() {
  valid_ = false;
  if (parts_.transaction == nullptr) return false;
  Settle();
  status_ = Status();
  observed_ = true;
  skip_limit_ = base_ended_ = base_at_position_ = false;
  own_version_ = kNoVersion;
  if (!parts_.track) return true;
  // Each move to elsewhere is another range that was read.
  Status status = parts_.transaction->CheckHeld();
  if (!status.ok()) Fail(std::move(status));
  return status_.ok();
}

void TransactionIterator::Fail(Status status) {
  skip_limit_ = status.detail() == StatusDetail::kSkipLimit;
  status_ = std::move(status);
  observed_ = skip_limit_;
}

void TransactionIterator::Cover() {
  if (!parts_.track) return;
  if (forward_) {
    std::string end = valid_ ? position_ + '\0' : parts_.upper;
    if (end > high_) high_ = std::move(end);
  } else {
    const std::string& begin = valid_ ? position_ : parts_.lower;
    if (begin < low_) low_ = begin;
  }
}

void TransactionIterator::SeekBase() {
  if (position_ >= parts_.upper) {
    base_ended_ = true;
  } else {
    parts_.base->Seek(UserKey(position_));
  }
}

void TransactionIterator::SeekBaseForPrev() {
  if (position_ <= parts_.lower) {
    base_ended_ = true;
  } else if (position_ >= parts_.upper) {
    parts_.base->SeekToLast();
  } else {
    parts_.base->SeekForPrev(UserKey(position_));
    if (parts_.base->Valid() && parts_.base->key() == UserKey(position_)) parts_.base->Prev();
  }
}

void TransactionIterator::SeekToFirst() {
  if (!Reposition()) return;
  forward_ = true;
  position_ = low_ = high_ = parts_.lower;
  SeekBase();
  FindForward();
}

void TransactionIterator::SeekToLast() {
  if (!Reposition()) return;
  forward_ = false;
  position_ = low_ = high_ = parts_.upper;
  SeekBaseForPrev();
  FindBackward();
}

void TransactionIterator::Seek(Slice target) {
  const std::string key = parts_.prefix + std::string(target);  // it may be the key that this stands at
  if (!Reposition()) return;
  forward_ = true;
  position_ = std::max(key, parts_.lower);
  low_ = high_ = position_;
  SeekBase();
  FindForward();
}

void TransactionIterator::SeekForPrev(Slice target) {
  const std::string behind = parts_.prefix + std::string(target) + '\0';
  if (!Reposition()) return;
  forward_ = false;
  position_ = std::min(behind, parts_.upper);
  low_ = high_ = position_;
  SeekBaseForPrev();
  FindBackward();
}

void TransactionIterator::Next() {
  if (parts_.transaction == nullptr) return;
  const bool moved_on = skip_limit_;  // position_ is where to go on
  const bool anew = NoteRollbacks() || (!forward_ && !skip_limit_);
  if (std::exchange(skip_limit_, false)) status_ = Status();
  if (!moved_on) position_.push_back('\0');
  if (anew) {
    forward_ = true;
    base_ended_ = false;
    own_version_ = kNoVersion;
    SeekBase();
  } else if (moved_on || base_at_position_) {
    parts_.base->Next();
  }
  FindForward();
}

void TransactionIterator::Prev() {
  if (parts_.transaction == nullptr) return;
  const bool moved_on = skip_limit_;
  const bool anew = NoteRollbacks() || (forward_ && !skip_limit_);
  if (std::exchange(skip_limit_, false)) status_ = Status();
  if (anew) {
    forward_ = false;
    base_ended_ = false;
    own_version_ = kNoVersion;
    SeekBaseForPrev();
  } else if (moved_on || base_at_position_) {
    parts_.base->Prev();
  }
  FindBackward();
}

bool TransactionIterator::NoteRollbacks() {
  const uint64_t rollbacks = parts_.transaction->batch().rollbacks();
  return std::exchange(rollbacks_, rollbacks) != rollbacks;
}

bool TransactionIterator::BaseStands() {
  if (base_ended_) return false;
  if (parts_.base->Valid()) return true;
  if (Status status = parts_.base->status(); !status.ok()) Fail(std::move(status));
  return false;
}

Slice TransactionIterator::BaseKey() {
  base_key_.assign(parts_.prefix).append(parts_.base->key());
  return base_key_;
}

const KeyNode* TransactionIterator::NextOwn() {
  const IndexedBatch& batch = parts_.transaction->batch();
  if (own_version_ != batch.version() || (own_ != nullptr && own_->key < Slice(position_))) {
    own_version_ = batch.version();
    own_ = batch.FirstWritten(position_, parts_.upper);
  }
  return own_;
}

const KeyNode* TransactionIterator::PreviousOwn() {
  const IndexedBatch& batch = parts_.transaction->batch();
  if (own_version_ != batch.version() || (own_ != nullptr && own_->key >= Slice(position_))) {
    own_version_ = batch.version();
    own_ = batch.LastWritten(parts_.lower, position_);
  }
  return own_;
}

bool TransactionIterator::SkipDeletedForward(Slice base_key) {
  const KeyRanges& deleted = parts_.transaction->batch().deleted();
  const KeyRanges::Map::value_type* const range = deleted.empty() ? nullptr : deleted.Find(base_key);
  if (range == nullptr) return false;
  if (range->second >= parts_.upper) {
    base_ended_ = true;
  } else {
    parts_.base->Seek(UserKey(range->second));
  }
  return true;
}

bool TransactionIterator::SkipDeletedBackward(Slice base_key) {
  const KeyRanges& deleted = parts_.transaction->batch().deleted();
  const KeyRanges::Map::value_type* const range = deleted.empty() ? nullptr : deleted.Find(base_key);
  if (range == nullptr) return false;
  if (range->first <= parts_.lower) {
    base_ended_ = true;
    return true;
  }
  const Slice begin = UserKey(range->first);
  parts_.base->SeekForPrev(begin);
  if (parts_.base->Valid() && parts_.base->key() == begin) parts_.base->Prev();
  return true;
}

void TransactionIterator::ShowBase(Slice base_key) {
  position_.assign(base_key);
  value_ = parts_.base->value();
  base_at_position_ = true;
  valid_ = true;
}

bool TransactionIterator::ShowOwn(const KeyNode& own, bool at_base) {
  Slice value;
  own_value_.clear();
  const IndexedBatch& batch = parts_.transaction->batch();
  switch (batch.Look(&own, own.key, parts_.now_us, &value)) {
    case IndexedBatch::Own::kValue:
      if (!parts_.keys_only) own_value_.assign(value);
      break;
    case IndexedBatch::Own::kMerge: {
      MergeChain chain;
      batch.FillChain(own, parts_.now_us, &chain);
      if (chain.size() == 1 && chain.ended()) return false;  // its newest operand has expired
      if (parts_.keys_only) break;
      if (!chain.ended() && at_base) {
        chain.Add(PackTrailer(0, ValueType::kValue), parts_.base->value());
      }
      Result<std::optional<std::string>> merged =
          chain.Merge(parts_.merge_operator.get(), parts_.merge_operator_name, UserKey(own.key));
      if (!merged.ok()) {
        Fail(merged.status());
        return false;
      }
      if (!merged->has_value()) return false;
      own_value_ = **std::move(merged);
      break;
    }
    case IndexedBatch::Own::kAbsent:
    case IndexedBatch::Own::kNothing:
      return false;
  }
  position_.assign(own.key);
  value_ = own_value_;
  base_at_position_ = at_base;
  valid_ = true;
  return true;
}

void TransactionIterator::FindForward() {
  valid_ = false;
  while (!valid_ && status_.ok()) {
    const bool base = BaseStands();
    if (!status_.ok()) break;
    const KeyNode* const own = NextOwn();
    if (!base && own == nullptr) break;
    const Slice base_key = base ? BaseKey() : Slice();
    if (own == nullptr || (base && base_key < own->key)) {
      if (!SkipDeletedForward(base_key)) ShowBase(base_key);
      continue;
    }
    const bool at_base = base && base_key == own->key;
    if (ShowOwn(*own, at_base) || !status_.ok()) continue;
    position_.assign(own->key).push_back('\0');
    if (at_base) parts_.base->Next();
  }
  Cover();
}

void TransactionIterator::FindBackward() {
  valid_ = false;
  while (!valid_ && status_.ok()) {
    const bool base = BaseStands();
    if (!status_.ok()) break;
    const KeyNode* const own = PreviousOwn();
    if (!base && own == nullptr) break;
    const Slice base_key = base ? BaseKey() : Slice();
    if (own == nullptr || (base && base_key > own->key)) {
      if (!SkipDeletedBackward(base_key)) ShowBase(base_key);
      continue;
    }
    const bool at_base = base && base_key == own->key;
    if (ShowOwn(*own, at_base) || !status_.ok()) continue;
    position_.assign(own->key);
    if (at_base) parts_.base->Prev();
  }
  Cover();
}

}  // namespace seerdb
