// OneOfEachVersion: of entries that say the same version of a key twice, one.
//
// A table may lie beside the one that it was compacted into: then versions come twice. As values and
// tombstones they are the same. A merge operand may have become a value, which then stands for it and all
// before it, and is taken; or been combined with older ones, which cannot be told, and is reported. Forward
// only. Thread safety: external synchronization.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "format/entry_payload.h"
#include "iter/internal_iterator.h"

namespace seerdb {

class OneOfEachVersion final : public InternalIterator {
 public:
  // `doubt` is called with the key of operands of one sequence that differ.
  OneOfEachVersion(std::unique_ptr<InternalIterator> input, std::function<void(Slice key)> doubt)
      : input_(std::move(input)), doubt_(std::move(doubt)) {}

  void SeekToFirst() override {
    input_->SeekToFirst();
    Take();
  }
  void Next() override { Take(); }
  Status status() const override { return input_->status(); }

  // Not used.
  void SeekToLast() override { valid_ = false; }
  void Seek(Slice, uint64_t) override { valid_ = false; }
  void SeekForPrev(Slice, uint64_t) override { valid_ = false; }
  void Prev() override { valid_ = false; }

 private:
  // The input's entry, and over all of the same key and sequence. Of these the smallest kind comes last: a
  // tombstone, a value, an operand.
  void Take() {
    valid_ = input_->Valid();
    if (!valid_) return;
    Copy();
    bool doubtful = false;
    for (input_->Next(); input_->Valid(); input_->Next()) {
      if (input_->key() != Slice(kept_key_) || input_->sequence() != sequence()) break;
      doubtful |= IsMerge(type()) && IsMerge(input_->type()) && input_->value() != Slice(kept_value_);
      Copy();
    }
    // What is behind an error is not known.
    if (!input_->Valid() && !input_->status().ok()) valid_ = false;
    if (valid_ && doubtful && IsMerge(type())) doubt_(kept_key_);
  }
  void Copy() {
    kept_key_.assign(input_->key());
    kept_value_.assign(input_->value());
    key_ = kept_key_;
    value_ = kept_value_;
    trailer_ = input_->trailer();
  }

  const std::unique_ptr<InternalIterator> input_;
  const std::function<void(Slice key)> doubt_;
  std::string kept_key_;
  std::string kept_value_;
};

}  // namespace seerdb
