// RangeSkippingIterator: leaves out stretches of keys of which range tombstones hide every entry that the
// source may have, without walking through them.
//
// It saves work only: entries that are hidden one by one come through, and are for the one above to hide.
// Thread safety: external synchronization.
#pragma once

#include <memory>

#include "iter/internal_iterator.h"
#include "iter/range_cover.h"

namespace seerdb {

// No entry of `source` that the reader of `cover` may see has a sequence above `newest`.
std::unique_ptr<InternalIterator> NewRangeSkippingIterator(std::unique_ptr<InternalIterator> source,
                                                           RangeCover cover, SequenceNumber newest);

}  // namespace seerdb
