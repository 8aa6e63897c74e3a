// MergingIterator: several iterators as one, in entry order, both ways.
//
// Children must be ordered newest first; no two hold the same (key, trailer). Children open lazily through
// their own implementations. A step costs one game a level of a tree of losers, mostly of two numbers.
// Thread safety: external synchronization.
#pragma once

#include <memory>
#include <vector>

#include "iter/internal_iterator.h"

namespace seerdb {

// One child is returned as it is; none gives an empty iterator.
std::unique_ptr<InternalIterator> NewMergingIterator(std::vector<std::unique_ptr<InternalIterator>> children);

// No entries, with `status`.
std::unique_ptr<InternalIterator> NewEmptyIterator(Status status);

}  // namespace seerdb
