// TransactionIterator: the database at a transaction's snapshot with what the transaction has written above
// it.
//
// It keeps the key at which it stands and looks for its neighbour in both when it moves: so writes made
// between two calls are seen. What it has passed over is a range of keys that the transaction has read.
// Thread safety: as its transaction's. Ownership: the caller's; the transaction tells it when that ends.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "seerdb/iterator.h"
#include "seerdb/merge_operator.h"
#include "seerdb/options.h"
#include "txn/indexed_batch.h"

namespace seerdb {

class TransactionImpl;

class TransactionIterator final : public Iterator {
 public:
  struct Parts {
    TransactionImpl* transaction = nullptr;
    std::unique_ptr<Iterator> base;  // with the same bounds
    std::string prefix;              // of the keyspace
    std::string lower;               // engine keys
    std::string upper;
    std::shared_ptr<const MergeOperator> merge_operator;  // may be null
    std::string merge_operator_name;
    uint64_t now_us = 0;
    bool keys_only = false;
    bool track = false;

    // Requires: prefix is set.
    void SetBounds(const ReadOptions& options);
  };

  explicit TransactionIterator(Parts parts);
  ~TransactionIterator() override;

  bool Valid() const override { return valid_; }
  Status status() const override;
  void SeekToFirst() override;
  void SeekToLast() override;
  void Seek(Slice target) override;
  void SeekForPrev(Slice target) override;
  void Next() override;
  void Prev() override;
  Slice key() const override { return Slice(position_).substr(parts_.prefix.size()); }
  Slice value() const override { return value_; }

  // Tells the transaction what was read, and of an error that nobody has asked for.
  void Settle();
  // The transaction has ended.
  void Detach();

 private:
  static constexpr uint64_t kNoVersion = UINT64_MAX;

  // Forward: the first key at or behind position_. Backward: the last one before it. The base stands at the
  // first / last of its keys there.
  void FindForward();
  void FindBackward();
  // False: there is nothing to position in.
  bool Reposition();
  void SeekBase();         // to the first key at or behind position_
  void SeekBaseForPrev();  // to the last key before it
  Slice UserKey(Slice engine_key) const { return engine_key.substr(parts_.prefix.size()); }
  // Whether the transaction has rolled back since this was last asked: the base may have been moved over what
  // is no longer deleted.
  bool NoteRollbacks();
  // False: it is not valid, because of an error or its end.
  bool BaseStands();
  // The base's key, as an engine key.
  Slice BaseKey();
  const KeyNode* NextOwn();
  const KeyNode* PreviousOwn();
  // Steps the base over what the transaction has deleted, from `base_key` on. False: it was not deleted.
  bool SkipDeletedForward(Slice base_key);
  bool SkipDeletedBackward(Slice base_key);
  // Whether the key of `own` is there; shows it then. `at_base`: the base stands at it.
  bool ShowOwn(const KeyNode& own, bool at_base);
  void ShowBase(Slice base_key);
  // The key at position_, or that there is none, belongs to what was passed over.
  void Cover();
  void Fail(Status status);

  Parts parts_;
  bool valid_ = false;
  bool base_ended_ = false;  // in this direction, what is left of the base is deleted
  bool forward_ = true;
  bool base_at_position_ = false;  // where the iterator stands the base stands too
  bool skip_limit_ = false;        // the last call stopped with kSkipLimit
  Status status_;
  mutable bool observed_ = true;
  std::string position_;  // engine key
  Slice value_;
  std::string own_value_;
  std::string base_key_;
  // The transaction's next key, as of its version.
  const KeyNode* own_ = nullptr;
  uint64_t own_version_ = kNoVersion;
  uint64_t rollbacks_ = 0;
  // What was passed over: [low_, high_).
  std::string low_;
  std::string high_;
};

}  // namespace seerdb
