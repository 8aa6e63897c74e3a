// DbIterator: turns entries of all sources into the user's keys and values as of one sequence.
//
// Hides newer versions, older versions, deleted and expired keys, merges operands, keeps to the bounds, and
// strips the keyspace prefix. Owns a reference to its view, so it outlives Close().
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "db/read_view.h"
#include "db/unobserved_errors.h"
#include "iter/internal_iterator.h"
#include "metrics/statistics.h"
#include "seerdb/clock.h"
#include "seerdb/iterator.h"
#include "seerdb/merge_operator.h"
#include "seerdb/result.h"

namespace seerdb {

// What the iterators of one database share.
struct IteratorHost {
  std::shared_ptr<Clock> clock;
  std::shared_ptr<UnobservedErrors> unobserved;  // null: nobody asks
  std::shared_ptr<Statistics> statistics;
};

struct DbIteratorOptions {
  std::shared_ptr<const IteratorHost> host;
  std::shared_ptr<const ReadView> view;
  SequenceNumber sequence = 0;
  RangeCover cover;         // of the view, at that sequence
  KeyBounds bounds;         // engine keys of one keyspace
  size_t prefix_bytes = 1;  // of the keyspace prefix in each engine key
  bool keys_only = false;
  // Entries passed over in one call before it stops with kSkipLimit; 0: no limit.
  uint64_t max_skipped = 0;
  std::shared_ptr<const MergeOperator> merge_operator;  // of the keyspace; may be null
  std::string merge_operator_name;
  uint64_t now_us = 0;  // what has expired by then is hidden
  TableReadFlags flags;
};

std::unique_ptr<Iterator> NewDbIterator(DbIteratorOptions&& options);
// Not valid, with `status`.
std::unique_ptr<Iterator> NewErrorIterator(Status status);

}  // namespace seerdb
