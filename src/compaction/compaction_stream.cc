#include "compaction/compaction_stream.h"

#include <algorithm>

#include "base/mutant.h"

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
  input_->SeekToFirst();
  Settle();
}

void CompactionStream::Next() {
  input_->Next();
  Settle();
}

size_t CompactionStream::StripeAboveOldest(SequenceNumber sequence) const {
  const auto& snapshots = options_.snapshots;
  if (SEERDB_MUTANT("gc-ignores-snapshots")) return 0;
  return static_cast<size_t>(std::lower_bound(snapshots.begin(), snapshots.end(), sequence) -
                             snapshots.begin());
}

void CompactionStream::Settle() {
  for (; input_->Valid(); input_->Next()) {
    if (++entries_read_ % kEntriesBetweenChecks == 0 && options_.cancelled != nullptr &&
        options_.cancelled->load(std::memory_order_relaxed)) {
      cancelled_ = true;
      break;
    }
    unpaced_bytes_ += input_->key().size() + input_->value().size();
    if (unpaced_bytes_ >= kPaceBytes) [[unlikely]] {
      if (options_.pace != nullptr) options_.pace(unpaced_bytes_);
      unpaced_bytes_ = 0;
    }
    if (Keep()) {
      starts_key_ = !emitted_key_;
      emitted_key_ = true;
      valid_ = true;
      return;
    }
    ++entries_dropped_;
  }
  valid_ = false;
}

bool CompactionStream::Keep() {
  const Slice key = input_->key();
  const size_t stripe = StripeOf(input_->sequence());
  if (!has_key_ || key != Slice(current_key_)) {
    has_key_ = true;
    emitted_key_ = false;
    current_key_.assign(key);
    keyspace_.MoveTo(key);
  } else if (stripe == last_stripe_) {
    return false;  // a newer version serves every reader that could see this one
  }
  last_stripe_ = stripe;
  if (keyspace_.dropped()) [[unlikely]]
    return SEERDB_MUTANT("dropped-keyspace-survives-compaction");
  if (input_->type() != ValueType::kDeletion || stripe != 0) return true;
  if (SEERDB_MUTANT("tombstone-dropped-above-bottom")) return false;
  return options_.may_hold_below == nullptr || options_.may_hold_below(key);
}

}  // namespace seerdb
