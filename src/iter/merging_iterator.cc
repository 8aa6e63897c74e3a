#include "iter/merging_iterator.h"

#include <algorithm>

#include "base/mutant.h"

namespace seerdb {
namespace {

class EmptyIterator final : public InternalIterator {
 public:
  explicit EmptyIterator(Status status) : status_(std::move(status)) {}
  void SeekToFirst() override {}
  void SeekToLast() override {}
  void Seek(Slice, uint64_t) override {}
  void SeekForPrev(Slice, uint64_t) override {}
  void Next() override {}
  void Prev() override {}
  Status status() const override { return status_; }

 private:
  const Status status_;
};

// order_ holds the valid children sorted by their present entry, the winner first. A winner that moved on is
// inserted again; it usually stays first, which costs one comparison.
class MergingIterator final : public InternalIterator {
 public:
  explicit MergingIterator(std::vector<std::unique_ptr<InternalIterator>> children)
      : children_(std::move(children)) {
    order_.reserve(children_.size());
  }

  void SeekToFirst() override {
    for (auto& child : children_) child->SeekToFirst();
    Rebuild(true);
  }
  void SeekToLast() override {
    for (auto& child : children_) child->SeekToLast();
    Rebuild(false);
  }
  void Seek(Slice key, uint64_t trailer) override {
    for (auto& child : children_) child->Seek(key, trailer);
    Rebuild(true);
  }
  void SeekForPrev(Slice key, uint64_t trailer) override {
    for (auto& child : children_) child->SeekForPrev(key, trailer);
    Rebuild(false);
  }

  void Next() override {
    if (!forward_) Turn(true);
    if (order_.empty()) return;  // turning met an error
    order_.front()->Next();
    Settle();
  }
  void Prev() override {
    if (forward_) Turn(false);
    if (order_.empty()) return;
    order_.front()->Prev();
    Settle();
  }

  Status status() const override { return status_; }

 private:
  // True if a's entry comes before b's in the present direction.
  bool Before(const InternalIterator* a, const InternalIterator* b) const {
    const int order = CompareInternal(a->key(), a->trailer(), b->key(), b->trailer());
    return forward_ ? order < 0 : order > 0;
  }

  void Publish() {
    valid_ = !order_.empty() && status_.ok();
    if (!valid_) return;
    const InternalIterator* winner = order_.front();
    key_ = winner->key();
    trailer_ = winner->trailer();
    value_ = winner->value();
  }

  void Fail(Status status) {
    if (status_.ok()) status_ = std::move(status);
    order_.clear();
    valid_ = false;
  }

  void Rebuild(bool forward) {
    forward_ = forward;
    status_ = Status();
    order_.clear();
    for (auto& child : children_) {
      if (child->Valid()) {
        order_.push_back(child.get());
      } else if (Status status = child->status(); !status.ok()) {
        Fail(std::move(status));
        return;
      }
    }
    std::sort(order_.begin(), order_.end(),
              [this](const InternalIterator* a, const InternalIterator* b) { return Before(a, b); });
    Publish();
  }

  // Puts the moved winner back in its place.
  void Settle() {
    InternalIterator* moved = order_.front();
    if (!moved->Valid()) {
      if (Status status = moved->status(); !status.ok()) {
        Fail(std::move(status));
        return;
      }
      order_.erase(order_.begin());
    } else if (order_.size() > 1 && !Before(moved, order_[1])) {
      size_t low = 2;
      size_t high = order_.size();
      while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (Before(moved, order_[middle])) {
          high = middle;
        } else {
          low = middle + 1;
        }
      }
      std::move(order_.begin() + 1, order_.begin() + static_cast<std::ptrdiff_t>(low), order_.begin());
      order_[low - 1] = moved;
    }
    Publish();
  }

  // Changes direction: all children but the winner step to the other side of its entry. No other child
  // holds that very entry, so the winner stays first.
  void Turn(bool forward) {
    InternalIterator* winner = order_.front();
    for (auto& child : children_) {
      if (child.get() == winner) continue;
      if (SEERDB_MUTANT("turn-forgets-exhausted-input") && !child->Valid()) continue;
      if (forward) {
        child->Seek(winner->key(), winner->trailer());
      } else {
        child->SeekForPrev(winner->key(), winner->trailer());
      }
    }
    Rebuild(forward);
  }

  const std::vector<std::unique_ptr<InternalIterator>> children_;
  std::vector<InternalIterator*> order_;
  bool forward_ = true;
  Status status_;
};

}  // namespace

std::unique_ptr<InternalIterator> NewEmptyIterator(Status status) {
  return std::make_unique<EmptyIterator>(std::move(status));
}

std::unique_ptr<InternalIterator> NewMergingIterator(
    std::vector<std::unique_ptr<InternalIterator>> children) {
  if (children.empty()) return NewEmptyIterator(Status());
  if (children.size() == 1) return std::move(children.front());
  return std::make_unique<MergingIterator>(std::move(children));
}

}  // namespace seerdb
