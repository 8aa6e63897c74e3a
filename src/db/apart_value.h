// ApartValue: the value of an iterator's entry that lies apart from its key, and how the next ones are asked
// for.
//
// Thread safety: external synchronization.
#pragma once

#include <memory>
#include <string>

#include "db/read_view.h"
#include "db/value_prefetch.h"
#include "seerdb/clock.h"

namespace seerdb {

// What an iterator reads: entries of `view` that it admits.
struct ApartValueParts {
  std::shared_ptr<const ReadView> view;
  std::shared_ptr<Clock> clock;
  ValuePrefetch::Parts prefetch;  // its read_ahead is filled in
};

class ApartValue {
 public:
  explicit ApartValue(ApartValueParts parts) : parts_(std::move(parts)), prefetch_(PrefetchParts()) {}

  // Reads the value that `pointer`, of an entry of `engine_key`, points to.
  Status Read(Slice pointer, Slice engine_key, bool forward);
  // As long as nothing else is read.
  Slice bytes() const { return value_.bytes; }
  void NoteJump() { prefetch_.NoteJump(); }

 private:
  ValuePrefetch::Parts PrefetchParts() const;

  const ApartValueParts parts_;
  ValuePrefetch prefetch_;
  FetchedValue value_;
};

struct DbIteratorOptions;
// Of an iterator with these options, which outlive it.
std::unique_ptr<ApartValue> NewApartValue(const DbIteratorOptions& options);

}  // namespace seerdb
