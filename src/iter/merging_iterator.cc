#include "iter/merging_iterator.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

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

// A tree of losers (Knuth, vol. 3, 5.4.1) over the children's present entries: each inner node keeps who lost
// there, so that a winner that moved on plays once a level on its way up, and nobody else does.
//
// All keys start with prefix_. Beside each child stands the rank of its entry: the window of its key behind
// the prefix, turned over when walking backward, so that the lower rank wins and most games touch no key and
// take no branch; where ranks tie, whole entries are compared. A child at its end has the last rank.
// Many ties make the prefix as long as the present keys allow; a key that lacks it makes it shorter.
class MergingIterator final : public InternalIterator {
 public:
  explicit MergingIterator(std::vector<std::unique_ptr<InternalIterator>> children)
      : children_(std::move(children)), players_(2 * children_.size()) {}

  void SeekToFirst() override {
    for (auto& child : children_) child->SeekToFirst();
    Rebuild(true);
  }
  void SeekToLast() override {
    for (auto& child : children_) child->SeekToLast();
    Rebuild(false);
  }
  void Seek(Slice key, uint64_t trailer) override {
    for (int step = 0; step < kSeekSteps; ++step) {
      for (auto& child : children_) child->PrepareSeek(key, step);
    }
    for (auto& child : children_) child->Seek(key, trailer);
    Rebuild(true);
  }
  void SeekForPrev(Slice key, uint64_t trailer) override {
    for (auto& child : children_) child->SeekForPrev(key, trailer);
    Rebuild(false);
  }

  void Next() override {
    if (!forward_) Turn(true);
    if (!status_.ok()) return;  // turning met an error
    Winner().Next();
    Settle<true>();
  }
  void Prev() override {
    if (forward_) Turn(false);
    if (!status_.ok()) return;
    Winner().Prev();
    Settle<false>();
  }

  Status status() const override { return status_; }

 private:
  struct Player {
    uint64_t rank = kLastRank;
    uint32_t child = 0;
  };
  InternalIterator& ChildOf(const Player& player) const { return *children_[player.child]; }
  InternalIterator& Winner() const { return ChildOf(players_.front()); }

  template <bool kForward>
  uint64_t RankOf(Slice key) const {
    const uint64_t window = LoadWindow(key, prefix_.size());
    return kForward ? window : ~window;
  }

  // Whether a comes before b in the direction where their ranks do not tell.
  template <bool kForward>
  bool WinsTie(const Player& a, const Player& b) {
    const InternalEntry* const x = ChildOf(a).entry();
    const InternalEntry* const y = ChildOf(b).entry();
    if (x == nullptr || y == nullptr) return x != nullptr;
    if (SEERDB_MUTANT("merge-trusts-equal-windows")) return false;
    if (SameBytes(x->key, y->key)) return kForward ? x->trailer > y->trailer : x->trailer < y->trailer;
    ++ties_;
    const int order = x->key.compare(y->key);
    return kForward ? order < 0 : order > 0;
  }
  template <bool kForward>
  bool Wins(const Player& a, const Player& b) {
    return a.rank != b.rank ? a.rank < b.rank : WinsTie<kForward>(a, b);
  }

  void SetPrefix(Slice prefix) {
    prefix_.assign(prefix);
    ties_ = 0;
    for (size_t i = 0; i < children_.size(); ++i) {
      Player& player = players_[i];
      const InternalEntry* const entry = ChildOf(player).entry();
      if (entry == nullptr) continue;
      player.rank = forward_ ? RankOf<true>(entry->key) : RankOf<false>(entry->key);
    }
  }

  void Fail(Status status) {
    if (status_.ok()) status_ = std::move(status);
    shown_ = nullptr;
  }

  void Rebuild(bool forward) {
    forward_ = forward;
    status_ = Status();
    prefix_.clear();
    ties_ = 0;
    for (const auto& child : children_) {
      if (Status status = child->Valid() ? Status() : child->status(); !status.ok()) {
        Fail(std::move(status));
        return;
      }
    }
    if (forward) {
      Play<true>();
    } else {
      Play<false>();
    }
    shown_ = Winner().entry();
  }

  // Every game, from the leaves up. players_[i] keeps the winner of place i for its parent's game, and then
  // the loser.
  template <bool kForward>
  void Play() {
    const size_t count = children_.size();
    for (size_t i = 0; i < count; ++i) {
      const InternalEntry* const entry = children_[i]->entry();
      players_[count + i] = {entry != nullptr ? RankOf<kForward>(entry->key) : kLastRank,
                             static_cast<uint32_t>(i)};
    }
    for (size_t i = count - 1; i > 0; --i) {
      Player& a = players_[2 * i];
      Player& b = players_[2 * i + 1];
      const bool a_wins = !Wins<kForward>(b, a);
      players_[i] = a_wins ? a : b;
      // Who lost waits in a's place until all games above have taken their winners.
      if (a_wins) std::swap(a, b);
    }
    players_[0] = players_[1];
    for (size_t i = 1; i < count; ++i) players_[i] = players_[2 * i];
  }

  // Plays the moved winner's games again.
  template <bool kForward>
  void Settle() {
    Player player = players_[0];
    const InternalIterator& child = ChildOf(player);
    if (!child.Valid()) [[unlikely]] {
      if (Status status = child.status(); !status.ok()) {
        Fail(std::move(status));
        return;
      }
      player.rank = kLastRank;
    } else {
      const Slice key = child.key();
      if (!BeginsWith(key, prefix_) && !SEERDB_MUTANT("merge-trusts-old-prefix")) [[unlikely]] {
        SetPrefix(Slice(prefix_).substr(0, CommonPrefixBytes(prefix_, key)));
      }
      player.rank = RankOf<kForward>(key);
    }
    for (size_t i = (children_.size() + player.child) / 2; i > 0; i /= 2) {
      Player& other = players_[i];
      if (other.rank == player.rank) [[unlikely]] {
        if (WinsTie<kForward>(other, player)) std::swap(other, player);
      } else {
        SwapIf(other.rank < player.rank, &other, &player);
      }
    }
    players_[0] = player;
    shown_ = Winner().entry();
    if (ties_ > kMaxTies) [[unlikely]]
      LengthenPrefix();
  }

  // Without a branch, which could not be foretold.
  static void SwapIf(bool swap, Player* a, Player* b) {
    const auto exchange = [swap]<typename Number>(Number* x, Number* y) {
      const Number difference = (*x ^ *y) & (Number{0} - static_cast<Number>(swap));
      *x ^= difference;
      *y ^= difference;
    };
    exchange(&a->rank, &b->rank);
    exchange(&a->child, &b->child);
  }

  void LengthenPrefix() {
    if (!Valid()) return;
    const Slice first = Winner().key();
    size_t bytes = first.size();
    for (size_t i = 1; i < children_.size(); ++i) {
      const InternalIterator& other = ChildOf(players_[i]);
      if (other.Valid()) bytes = std::min(bytes, CommonPrefixBytes(first, other.key()));
    }
    SetPrefix(first.substr(0, bytes));
  }

  // Changes direction: all children but the winner step to the other side of its entry. No other child
  // holds that very entry, so the winner stays first.
  void Turn(bool forward) {
    const InternalIterator& winner = Winner();
    for (auto& child : children_) {
      if (child.get() == &winner) continue;
      if (SEERDB_MUTANT("turn-forgets-exhausted-input") && !child->Valid()) continue;
      if (forward) {
        child->Seek(winner.key(), winner.trailer());
      } else {
        child->SeekForPrev(winner.key(), winner.trailer());
      }
    }
    Rebuild(forward);
  }

  static constexpr uint64_t kLastRank = UINT64_MAX;
  static constexpr uint32_t kMaxTies = 32;

  const std::vector<std::unique_ptr<InternalIterator>> children_;
  // The winner, and then those that lost: place i's parent is i / 2, the root 1, and the leaf of a child
  // behind all inner nodes.
  std::vector<Player> players_;
  std::string prefix_;
  uint32_t ties_ = 0;  // games of two keys that ranks did not decide, since the prefix was set
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
