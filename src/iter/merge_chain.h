// MergeChain: the versions of one key from its newest merge operand down to what that rests on, and what they
// make together.
//
// Filled from the newest version on, until Add says that nothing older matters. Each version counts until it
// expires by its own time; then it ends the chain, as a deletion does.
// Thread safety: external synchronization.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "format/entry_payload.h"
#include "format/internal_key.h"
#include "seerdb/merge_operator.h"
#include "seerdb/slice.h"
#include "seerdb/status.h"
#include "seerdb/types.h"

namespace seerdb {

class MergeChain {
 public:
  // An entry that takes the place of versions.
  struct Entry {
    uint64_t trailer = 0;
    std::string payload;
  };

  // What has expired by `now_us` counts as deleted.
  void Begin(uint64_t now_us);
  uint64_t now_us() const { return now_us_; }
  bool empty() const { return elements_.empty(); }
  size_t size() const { return elements_.size(); }
  // Copies the next older version. True while an older one could matter. Requires: the last call returned
  // true; the first version is a merge operand. A pointer counts as malformed: see BringIn.
  bool Add(uint64_t trailer, Slice payload);
  // Nothing older matters.
  bool ended() const { return ended_; }

  // The value of the key, nullopt if its newest version has expired. Requires: ended(), or there is nothing
  // older. kInvalidArgument/kMergeFailed if there is no operator (null; `name` is then what it is called) or
  // it refuses; kCorruption if a version is malformed.
  Result<std::optional<std::string>> Merge(const MergeOperator* merge_operator, Slice name,
                                           Slice user_key) const;
  // As few entries as can stand for the chain at every time from now on, newest first: a version that expires
  // before a newer one stays apart from it, and nothing is merged into more than `max_bytes`.
  // `nothing_older`: there is no older version anywhere.
  std::vector<Entry> Fold(const MergeOperator* merge_operator, Slice user_key, bool nothing_older,
                          uint64_t max_bytes = kMaxValueBytes) const;

 private:
  struct Element {
    uint64_t trailer = 0;
    size_t begin = 0;  // of its payload in bytes_
    size_t end = 0;
    uint64_t expires_us = kNeverExpires;
    bool dead = false;  // deleted, or expired by now: what is newer starts from nothing

    ValueType type() const { return TrailerType(trailer); }
  };
  Slice PayloadOf(const Element& element) const {
    return Slice(bytes_).substr(element.begin, element.end - element.begin);
  }
  Slice ValueOf(const Element& element) const {
    return PayloadOf(element).substr(Expires(element.type()) ? sizeof(uint64_t) : 0);
  }
  // The operands of elements [newest, oldest), oldest first.
  std::vector<Slice> Operands(size_t newest, size_t oldest) const;
  // Appends what elements [newest, oldest) come to, alone if that can be had. `rests_on_all`: they begin with
  // the value, the deletion or the nothing that ends the chain.
  struct Folding {
    const MergeOperator* merge_operator = nullptr;
    Slice user_key;
    uint64_t max_bytes = 0;
  };
  void FoldPart(const Folding& folding, size_t newest, size_t oldest, bool rests_on_all,
                std::vector<Entry>* out) const;

  uint64_t now_us_ = 0;
  std::string bytes_;
  std::vector<Element> elements_;  // newest first
  bool ended_ = false;
  bool malformed_ = false;
};

}  // namespace seerdb
