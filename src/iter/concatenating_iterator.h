// ConcatenatingIterator: a sorted run of parts with disjoint, ascending key ranges as one iterator.
//
// A part is opened when the walk reaches it, and closed when it leaves. A part that cannot be opened stops
// the walk with its error. Thread safety: external synchronization.
#pragma once

#include <cstddef>
#include <memory>

#include "iter/internal_iterator.h"
#include "seerdb/slice.h"

namespace seerdb {

// The parts of a run. All keys of part i lie in [smallest(i), largest(i)], and largest(i) < smallest(i+1).
class RunParts {
 public:
  virtual ~RunParts() = default;
  virtual size_t count() const = 0;
  virtual Slice smallest(size_t part) const = 0;
  virtual Slice largest(size_t part) const = 0;
  // Never null; a failure shows in the iterator's status().
  virtual std::unique_ptr<InternalIterator> Open(size_t part) const = 0;
};

std::unique_ptr<InternalIterator> NewConcatenatingIterator(std::unique_ptr<RunParts> parts);

}  // namespace seerdb
