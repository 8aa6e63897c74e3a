#include "compaction/compaction_stream.h"

#include <algorithm>

#include "base/mutant.h"
#include "format/entry_payload.h"

namespace seerdb {
namespace {

constexpr uint64_t kEntriesBetweenChecks = 1024;

}  // namespace

CompactionStream::CompactionStream(InternalIterator* input, CompactionStreamOptions options)
    : input_(input),
      options_(std::move(options)),
      ranges_(options_.ranges),
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
  if (!ranges_.empty()) {
    const SequenceNumber sequence = TrailerSequence(trailer());
    hidden_after_ = ranges_.HiddenBelow(key()) > sequence ? FirstReaderOf(sequence) : kMaxSequence;
  }
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
        MakeTombstone(input_->sequence());
        input_->Next();
        return Emit();
      case Fate::kFold:
        Fold();
        if (!made_.empty()) return Emit();
        if (StoppedWithin()) break;
        continue;  // a filter has removed what it came to
      case Fate::kFilter:
        FilterValues(*keyspace_.state()->options.compaction_filter);
        if (!made_.empty()) return Emit();
        if (StoppedWithin()) break;
        continue;
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
    prefix_bytes_ = keyspace_.state() != nullptr ? keyspace_.state()->prefix.size() : 0;
  } else if (stripe == last_stripe_) {
    return Fate::kDrop;  // a newer version serves every reader that could see this one
  }
  last_stripe_ = stripe;
  if (keyspace_.dropped()) [[unlikely]] {
    return SEERDB_MUTANT("dropped-keyspace-survives-compaction") ? Fate::kKeep : Fate::kDrop;
  }
  if (!ranges_.empty() && HiddenByRange()) return Fate::kDrop;
  const ValueType type = input_->type();
  if (type == ValueType::kValue) [[likely]]
    return FilterFor(type, input_->sequence()) == nullptr ? Fate::kKeep : Fate::kFilter;
  if (type == ValueType::kDeletion) return NothingBelow(stripe) ? Fate::kDrop : Fate::kKeep;
  if (Expires(type) && IsExpired()) {
    const bool drop = NothingBelow(stripe) || SEERDB_MUTANT("expired-value-uncovers-older");
    return drop ? Fate::kDrop : Fate::kExpired;
  }
  if (IsMerge(type)) return SEERDB_MUTANT("merge-base-dropped") ? Fate::kKeep : Fate::kFold;
  return FilterFor(type, input_->sequence()) == nullptr ? Fate::kKeep : Fate::kFilter;
}

bool CompactionStream::NothingBelow(size_t stripe) const {
  if (stripe != 0) return false;
  if (SEERDB_MUTANT("tombstone-dropped-above-bottom")) return true;
  return options_.may_hold_below != nullptr && !options_.may_hold_below(current_key_);
}

bool CompactionStream::HiddenByRange() {
  const SequenceNumber sequence = input_->sequence();
  if (ranges_.HiddenBelow(input_->key()) <= sequence) return false;
  // Later readers see as many tombstones as the first, and more.
  const SequenceNumber at =
      SEERDB_MUTANT("range-delete-ignores-snapshots") ? kMaxSequence : FirstReaderOf(sequence);
  return ranges_.HiddenBelowAt(input_->key(), at) > sequence;
}

bool CompactionStream::IsExpired() {
  EntryPayload payload;
  return ParsePayload(input_->type(), input_->value(), &payload) && payload.expires_us <= options_.now_us;
}

void CompactionStream::Fold() {
  chain_.Begin(options_.now_us);
  bool wants_older = true;
  bool older_stripe = false;
  MergeChain::Entry base;  // the value that the chain rests on, if it lies apart
  while (input_->Valid() && input_->key() == Slice(current_key_)) {
    older_stripe = StripeOf(input_->sequence()) != last_stripe_;
    if (older_stripe || !wants_older) break;
    if (!chain_.empty() && !Read()) return;
    // What is hidden hides what is older as well, and so does a value apart that has expired, which need not
    // be read.
    const bool hidden =
        !ranges_.empty() && HiddenByRange() && !SEERDB_MUTANT("fold-ignores-range-tombstones");
    const bool expired = IsPointer(input_->type()) && Expires(input_->type()) && IsExpired();
    if (hidden || expired) {
      wants_older = chain_.Add(PackTrailer(input_->sequence(), ValueType::kDeletion), Slice());
    } else if (IsPointer(input_->type())) {
      base = {input_->trailer(), std::string(input_->value())};
      MergeChain::Entry entry = base;
      if (!BringInValue(&entry)) return;
      wants_older = chain_.Add(entry.trailer, entry.payload);
    } else {
      wants_older = chain_.Add(input_->trailer(), input_->value());
    }
    input_->Next();
  }
  if (StoppedWithin()) return;  // behind an error nobody knows whether the key has ended
  const bool nothing_older =
      (!older_stripe && options_.may_hold_below != nullptr && !options_.may_hold_below(current_key_)) ||
      SEERDB_MUTANT("merge-without-base");
  const KeyspaceState* const keyspace = keyspace_.state();
  const MergeOperator* const merge_operator =
      keyspace != nullptr ? keyspace->options.merge_operator.get() : nullptr;
  made_ = chain_.Fold(merge_operator, UserKey(), nothing_older, options_.max_value_bytes);
  made_next_ = 0;
  // What the operands were not merged into stays where it lies: written anew by every compaction it would be
  // garbage as often, and collecting that would never end.
  if (!base.payload.empty() && TrailerSequence(made_.back().trailer) == TrailerSequence(base.trailer) &&
      !SEERDB_MUTANT("fold-writes-its-base-anew")) {
    made_.back() = std::move(base);
  }
  entries_dropped_ += chain_.size() - made_.size();
  const uint64_t newest = made_.front().trailer;
  const CompactionFilter* const filter = FilterFor(TrailerType(newest), TrailerSequence(newest));
  if (filter == nullptr || made_.size() > 1 || FilterOne(*filter, &made_.front())) return;
  made_.clear();
  if (NothingBelow(last_stripe_)) {
    ++entries_dropped_;
  } else {
    MakeTombstone(TrailerSequence(newest));
  }
}

bool CompactionStream::BringInValue(MergeChain::Entry* entry) {
  ValueType type = TrailerType(entry->trailer);
  Status status = BringIn(options_.values, &type, &entry->payload);
  if (status.ok()) {
    entry->trailer = PackTrailer(TrailerSequence(entry->trailer), type);
  } else if (!status.IsCorruption()) {
    unread_ = std::move(status);
    return false;
  }
  return true;
}

const CompactionFilter* CompactionStream::FilterFor(ValueType type, SequenceNumber sequence) const {
  if (sequence <= options_.filter_above || emitted_key_) return nullptr;
  if (!IsPut(type)) return nullptr;
  const KeyspaceState* const keyspace = keyspace_.state();
  return keyspace != nullptr ? keyspace->options.compaction_filter.get() : nullptr;
}

bool CompactionStream::FilterOne(const CompactionFilter& filter, MergeChain::Entry* entry) {
  MergeChain::Entry brought;  // a value that is kept stays apart
  const MergeChain::Entry* seen = entry;
  if (IsPointer(TrailerType(entry->trailer))) {
    brought = *entry;
    if (!BringInValue(&brought) || IsPointer(TrailerType(brought.trailer))) return true;
    seen = &brought;
  }
  EntryPayload payload;
  if (!ParsePayload(TrailerType(seen->trailer), seen->payload, &payload)) return true;
  std::string changed;
  const SequenceNumber sequence = TrailerSequence(entry->trailer);
  const FilterDecision decision =
      filter.Filter({options_.level, UserKey(), payload.value, sequence}, &changed);
  if (decision == FilterDecision::kRemove) return false;
  if (decision == FilterDecision::kChangeValue && changed != payload.value &&
      changed.size() <= options_.max_value_bytes) {
    entry->trailer = PackTrailer(sequence, TypeFor(/*merge=*/false, payload.expires_us));
    entry->payload.clear();
    AppendPayload(&entry->payload, payload.expires_us, changed);
  }
  return true;
}

void CompactionStream::FilterValues(const CompactionFilter& filter) {
  std::vector<MergeChain::Entry> versions;
  while (input_->Valid() && input_->key() == Slice(current_key_) &&
         StripeOf(input_->sequence()) == last_stripe_) {
    const bool value = IsPut(input_->type()) && !(Expires(input_->type()) && IsExpired());
    if (!versions.empty() && (!value || !filter.MergesVersions() || HiddenByRange())) break;
    if (!versions.empty() && !Read()) return;
    versions.push_back({input_->trailer(), std::string(input_->value())});
    input_->Next();
  }
  if (StoppedWithin()) return;
  const SequenceNumber sequence = TrailerSequence(versions.front().trailer);
  MergeVersions(filter, &versions);
  entries_dropped_ += versions.size();
  const bool kept = FilterOne(filter, &versions.front());
  if (!unread_.ok()) return;
  if (kept) {
    made_.push_back(std::move(versions.front()));
    made_next_ = 0;
  } else if (!NothingBelow(last_stripe_) && !SEERDB_MUTANT("filter-uncovers-older")) {
    MakeTombstone(sequence);
  }
  entries_dropped_ -= made_.size();
}

void CompactionStream::MergeVersions(const CompactionFilter& filter,
                                     std::vector<MergeChain::Entry>* versions) {
  if (versions->size() < 2) return;
  std::vector<MergeChain::Entry> brought = *versions;
  std::vector<Slice> values;
  uint64_t expires_us = kNeverExpires;  // of the newest
  for (MergeChain::Entry& version : brought) {
    const bool apart = IsPointer(TrailerType(version.trailer));
    if (apart && (!BringInValue(&version) || IsPointer(TrailerType(version.trailer)))) return;
    EntryPayload payload;
    if (!ParsePayload(TrailerType(version.trailer), version.payload, &payload)) return;
    if (values.empty()) expires_us = payload.expires_us;
    values.push_back(payload.value);
  }
  std::string merged;
  if (!filter.MergeVersions(options_.level, UserKey(), values, &merged)) return;
  if (merged.size() > options_.max_value_bytes) return;
  if (merged == values.front()) return;  // it stays where it lies
  std::string payload;
  AppendPayload(&payload, expires_us, merged);
  const SequenceNumber sequence = TrailerSequence(versions->front().trailer);
  versions->front() = {PackTrailer(sequence, TypeFor(/*merge=*/false, expires_us)), std::move(payload)};
}

void CompactionStream::MakeTombstone(SequenceNumber sequence) {
  made_.clear();
  made_.push_back({PackTrailer(sequence, ValueType::kDeletion), {}});
  made_next_ = 0;
}

}  // namespace seerdb
