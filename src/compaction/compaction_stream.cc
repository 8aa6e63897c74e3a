#include "compaction/compaction_stream.h"

#include <algorithm>

#include "base/mutant.h"
#include "format/entry_payload.h"
#include "format/keyspace_prefix.h"

namespace seerdb {
namespace {

constexpr uint64_t kEntriesBetweenChecks = 1024;

}  // namespace

CompactionStream::CompactionStream(InternalIterator* input, CompactionStreamOptions options)
    : input_(input),
      options_(std::move(options)),
      keyspace_(options_.keyspaces),
      oldest_snapshot_(options_.snapshots.empty() ? kMaxSequence : options_.snapshots.front()) {}

void CompactionStream::SeekToFirst() {
  has_key_ = false;
  made_.clear();
  input_->SeekToFirst();
  Settle();
}

void CompactionStream::Next() {
  if (made_.empty()) [[likely]] {
    input_->Next();
  } else if (++made_next_ < made_.size()) {
    return Emit();
  } else {
    made_.clear();
  }
  Settle();
}

size_t CompactionStream::StripeAboveOldest(SequenceNumber sequence) const {
  const auto& snapshots = options_.snapshots;
  if (SEERDB_MUTANT("gc-ignores-snapshots")) return 0;
  return static_cast<size_t>(std::lower_bound(snapshots.begin(), snapshots.end(), sequence) -
                             snapshots.begin());
}

void CompactionStream::Emit() {
  starts_key_ = !emitted_key_;
  emitted_key_ = true;
  valid_ = true;
}

bool CompactionStream::Read() {
  if (++entries_read_ % kEntriesBetweenChecks == 0 && options_.cancelled != nullptr &&
      options_.cancelled->load(std::memory_order_relaxed)) {
    cancelled_ = true;
    return false;
  }
  unpaced_bytes_ += input_->key().size() + input_->value().size();
  if (unpaced_bytes_ >= kPaceBytes) [[unlikely]] {
    if (options_.pace != nullptr) options_.pace(unpaced_bytes_);
    unpaced_bytes_ = 0;
  }
  return true;
}

void CompactionStream::Settle() {
  while (input_->Valid()) {
    if (!Read()) break;
    switch (Judge()) {
      case Fate::kKeep:
        return Emit();
      case Fate::kExpired:
        // It covers what is older, as a tombstone does, and says no more than one.
        made_.push_back({PackTrailer(input_->sequence(), ValueType::kDeletion), {}});
        made_next_ = 0;
        input_->Next();
        return Emit();
      case Fate::kFold:
        Fold();
        if (made_.empty()) break;  // cancelled, or the input has failed
        return Emit();
      case Fate::kDrop:
        ++entries_dropped_;
        input_->Next();
        continue;
    }
    break;
  }
  valid_ = false;
}

CompactionStream::Fate CompactionStream::Judge() {
  const Slice key = input_->key();
  const size_t stripe = StripeOf(input_->sequence());
  if (!has_key_ || key != Slice(current_key_)) {
    has_key_ = true;
    emitted_key_ = false;
    current_key_.assign(key);
    keyspace_.MoveTo(key);
  } else if (stripe == last_stripe_) {
    return Fate::kDrop;  // a newer version serves every reader that could see this one
  }
  last_stripe_ = stripe;
  if (keyspace_.dropped()) [[unlikely]] {
    return SEERDB_MUTANT("dropped-keyspace-survives-compaction") ? Fate::kKeep : Fate::kDrop;
  }
  const ValueType type = input_->type();
  if (type == ValueType::kValue) [[likely]]
    return Fate::kKeep;
  if (type == ValueType::kDeletion) return NothingBelow(stripe) ? Fate::kDrop : Fate::kKeep;
  if (Expires(type) && IsExpired()) {
    const bool drop = NothingBelow(stripe) || SEERDB_MUTANT("expired-value-uncovers-older");
    return drop ? Fate::kDrop : Fate::kExpired;
  }
  return IsMerge(type) ? Fate::kFold : Fate::kKeep;
}

bool CompactionStream::NothingBelow(size_t stripe) const {
  if (stripe != 0) return false;
  if (SEERDB_MUTANT("tombstone-dropped-above-bottom")) return true;
  return options_.may_hold_below != nullptr && !options_.may_hold_below(current_key_);
}

bool CompactionStream::IsExpired() {
  EntryPayload payload;
  return ParsePayload(input_->type(), input_->value(), &payload) && payload.expires_us <= options_.now_us;
}

void CompactionStream::Fold() {
  chain_.Begin(options_.now_us);
  bool wants_older = true;
  bool older_stripe = false;
  while (input_->Valid() && input_->key() == Slice(current_key_)) {
    older_stripe = StripeOf(input_->sequence()) != last_stripe_;
    if (older_stripe || !wants_older) break;
    if (!chain_.empty() && !Read()) return;
    wants_older = chain_.Add(input_->trailer(), input_->value());
    input_->Next();
  }
  // Behind an error nobody knows whether the key has ended.
  if (!input_->Valid() && !input_->status().ok()) return;
  const bool nothing_older =
      (!older_stripe && options_.may_hold_below != nullptr && !options_.may_hold_below(current_key_)) ||
      SEERDB_MUTANT("merge-without-base");
  const KeyspaceState* const keyspace = keyspace_.state();
  const MergeOperator* const merge_operator =
      keyspace != nullptr ? keyspace->options.merge_operator.get() : nullptr;
  uint32_t id = 0;
  Slice user_key;
  ParseEngineKey(current_key_, &id, &user_key);
  made_ = chain_.Fold(merge_operator, user_key, nothing_older);
  made_next_ = 0;
  entries_dropped_ += chain_.size() - made_.size();
}

}  // namespace seerdb
