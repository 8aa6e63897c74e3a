#include "iter/merging_iterator.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/key_window.h"
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
// inserted again; it often stays first, which costs one comparison.
//
// All their keys start with prefix_. Beside each child stands the window of its key behind the prefix, so
// that most comparisons are of two numbers and touch no key; where windows tie, whole entries are compared.
// Many ties make the prefix as long as the present keys allow; a key that lacks it makes it shorter.
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
    order_.front().child->Next();
    Settle<true>();
  }
  void Prev() override {
    if (forward_) Turn(false);
    if (order_.empty()) return;
    order_.front().child->Prev();
    Settle<false>();
  }

  Status status() const override { return status_; }

 private:
  struct Source {
    uint64_t window;
    InternalIterator* child;
  };

  // True if a's entry comes before b's in the direction.
  template <bool kForward>
  bool Before(const Source& a, const Source& b) {
    if (a.window != b.window || SEERDB_MUTANT("merge-trusts-equal-windows")) [[likely]]
      return kForward == (a.window < b.window);
    ++ties_;
    const int order = CompareInternal(a.child->key(), a.child->trailer(), b.child->key(), b.child->trailer());
    return kForward ? order < 0 : order > 0;
  }

  bool HasPrefix(Slice key) const {
    if (prefix_.empty() || SEERDB_MUTANT("merge-trusts-old-prefix")) return true;
    return key.size() >= prefix_.size() && std::memcmp(key.data(), prefix_.data(), prefix_.size()) == 0;
  }

  void SetPrefix(Slice prefix) {
    prefix_.assign(prefix);
    ties_ = 0;
    for (Source& source : order_) source.window = LoadWindow(source.child->key(), prefix_.size());
  }

  void Publish() {
    valid_ = !order_.empty() && status_.ok();
    if (!valid_) return;
    const InternalIterator* winner = order_.front().child;
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
        order_.push_back({0, child.get()});
      } else if (Status status = child->status(); !status.ok()) {
        Fail(std::move(status));
        return;
      }
    }
    SetPrefix("");
    if (forward) {
      std::sort(order_.begin(), order_.end(),
                [this](const Source& a, const Source& b) { return Before<true>(a, b); });
    } else {
      std::sort(order_.begin(), order_.end(),
                [this](const Source& a, const Source& b) { return Before<false>(a, b); });
    }
    Publish();
  }

  // Puts the moved winner back in its place.
  template <bool kForward>
  void Settle() {
    Source& moved = order_.front();
    if (!moved.child->Valid()) [[unlikely]] {
      RemoveWinner();
    } else {
      const Slice key = moved.child->key();
      if (!HasPrefix(key)) [[unlikely]]
        SetPrefix(Slice(prefix_).substr(0, CommonPrefixBytes(prefix_, key)));
      moved.window = LoadWindow(key, prefix_.size());
      if (order_.size() > 1 && !Before<kForward>(moved, order_[1])) Sink<kForward>();
      if (ties_ > kMaxTies) [[unlikely]]
        LengthenPrefix();
    }
    Publish();
  }

  // Requires: the first child belongs behind the second.
  template <bool kForward>
  void Sink() {
    const Source moved = order_.front();
    const size_t count = order_.size();
    size_t place = 1;
    order_[0] = order_[1];
    // The place is near more often than far.
    for (; place + 1 < count && place < kNear && !Before<kForward>(moved, order_[place + 1]); ++place) {
      order_[place] = order_[place + 1];
    }
    if (place == kNear && place + 1 < count) {
      const auto begin = order_.begin() + static_cast<std::ptrdiff_t>(place) + 1;
      const auto end = std::partition_point(
          begin, order_.end(), [&](const Source& other) { return !Before<kForward>(moved, other); });
      place = static_cast<size_t>(std::move(begin, end, begin - 1) - order_.begin());
    }
    order_[place] = moved;
  }

  void LengthenPrefix() {
    const Slice first = order_.front().child->key();
    SetPrefix(first.substr(0, CommonPrefixBytes(first, order_.back().child->key())));
  }

  void RemoveWinner() {
    if (Status status = order_.front().child->status(); !status.ok()) {
      Fail(std::move(status));
      return;
    }
    order_.erase(order_.begin());
  }

  // Changes direction: all children but the winner step to the other side of its entry. No other child
  // holds that very entry, so the winner stays first.
  void Turn(bool forward) {
    InternalIterator* winner = order_.front().child;
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

  static constexpr size_t kNear = 8;
  static constexpr uint32_t kMaxTies = 32;

  const std::vector<std::unique_ptr<InternalIterator>> children_;
  std::vector<Source> order_;
  std::string prefix_;
  uint32_t ties_ = 0;  // comparisons that windows did not decide, since the prefix was set
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
