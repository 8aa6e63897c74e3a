// EntryJudge: what one version of a key means to an iterator's reader, who sees one sequence at one time.
//
// Thread safety: external synchronization.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/key_window.h"
#include "base/mutant.h"
#include "db/db_iterator.h"
#include "iter/internal_iterator.h"

namespace seerdb {

enum class Meaning : uint8_t { kNothing, kValue, kMerge };

// What is to be shown of an entry whose meaning is kValue.
struct ShownValue {
  size_t skip_bytes = 0;  // of the entry's value, in front of the user's
  bool apart = false;     // what follows is a pointer, and what it points to is wanted
};

class EntryJudge {
 public:
  // Borrows the options, and moves their cover.
  explicit EntryJudge(DbIteratorOptions* options)
      : options_(*options),
        covered_(!options->cover.empty()),
        lower_window_(LoadWindow(options->bounds.lower, 0)),
        upper_window_(LoadWindow(options->bounds.upper, 0)) {}

  // True if the entry lies before the lower bound.
  bool IsBelow(const InternalEntry& entry) const {
    const uint64_t window = LoadWindow(entry.key, 0);
    return window != lower_window_ ? window < lower_window_ : entry.key < Slice(options_.bounds.lower);
  }

  // True if the entry is a value that nothing has to be known about, and surely below the upper bound.
  bool IsPlain(const InternalEntry& entry) const {
    return IsPlainValue(entry) && LoadWindow(entry.key, 0) < upper_window_;
  }
  // The same, and surely not below the lower bound, whatever the upper one.
  bool IsPlainAndNotBelow(const InternalEntry& entry) const {
    return IsPlainValue(entry) && LoadWindow(entry.key, 0) > lower_window_;
  }
  // True if a range tombstone hides the entry.
  bool IsHidden(const InternalEntry& entry) {
    return covered_ && options_.cover.HiddenBelow(entry.key) > TrailerSequence(entry.trailer) &&
           !SEERDB_MUTANT("scan-ignores-range-tombstones");
  }
  // Of the newest visible version of a key. kNothing with a `broken` that is not OK: it cannot be understood.
  Meaning Judge(const InternalEntry& entry, ShownValue* shown, Status* broken);

 private:
  bool IsPlainValue(const InternalEntry& entry) const {
    return TrailerType(entry.trailer) == ValueType::kValue &&
           TrailerSequence(entry.trailer) <= options_.sequence && !covered_;
  }

  DbIteratorOptions& options_;
  const bool covered_;           // range tombstones may hide entries
  const uint64_t lower_window_;  // the bounds' first bytes
  const uint64_t upper_window_;
};

}  // namespace seerdb
