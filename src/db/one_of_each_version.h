// OneOfEachVersion: of entries that say the same version of a key twice, one.
//
// A table may lie beside the one that it was compacted into: then versions come twice. As values and
// tombstones they are the same; but a value may have been moved, and of two places one may be gone. A merge
// operand may have become a value, which then stands for it and all before it, and is taken; or been combined
// with older ones, which cannot be told, and is reported. Forward only. Thread safety: external
// synchronization.
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
  // `readable` tells whether the value is there to which an entry points.
  OneOfEachVersion(std::unique_ptr<InternalIterator> input, std::function<void(Slice key)> doubt,
                   std::function<bool(ValueType type, Slice payload)> readable)
      : input_(std::move(input)), doubt_(std::move(doubt)), readable_(std::move(readable)) {}

  void SeekToFirst() override {
    input_->SeekToFirst();
    Take();
  }
  void Next() override { Take(); }
  Status status() const override { return input_->status(); }

  // Not used.
  void SeekToLast() override { shown_ = nullptr; }
  void Seek(Slice, uint64_t) override { shown_ = nullptr; }
  void SeekForPrev(Slice, uint64_t) override { shown_ = nullptr; }
  void Prev() override { shown_ = nullptr; }

 private:
  // How much of what became of a version an entry says.
  static int Rank(ValueType type) { return type == ValueType::kDeletion ? 2 : IsPut(type) ? 1 : 0; }
  // True if the input's entry is rather to be taken than the one kept.
  bool IsBetter() const {
    const int order = Rank(input_->type()) - Rank(type());
    if (order != 0) return order > 0;
    return IsPointer(type()) && input_->value() != Slice(kept_value_) && !readable_(type(), kept_value_);
  }
  // The input's entry, and over all of the same key and sequence.
  void Take() {
    shown_ = nullptr;
    if (!input_->Valid()) return;
    Copy();
    bool doubtful = false;
    for (input_->Next(); input_->Valid(); input_->Next()) {
      if (input_->key() != Slice(kept_key_) || input_->sequence() != sequence()) break;
      doubtful |= IsMerge(type()) && IsMerge(input_->type()) && input_->value() != Slice(kept_value_);
      if (IsBetter()) Copy();
    }
    // What is behind an error is not known.
    if (!input_->Valid() && !input_->status().ok()) shown_ = nullptr;
    if (shown_ != nullptr && doubtful && IsMerge(type())) doubt_(kept_key_);
  }
  void Copy() {
    kept_key_.assign(input_->key());
    kept_value_.assign(input_->value());
    own_ = {kept_key_, input_->trailer(), kept_value_};
    shown_ = &own_;
  }

  const std::unique_ptr<InternalIterator> input_;
  const std::function<void(Slice key)> doubt_;
  const std::function<bool(ValueType type, Slice payload)> readable_;
  std::string kept_key_;
  std::string kept_value_;
};

}  // namespace seerdb
