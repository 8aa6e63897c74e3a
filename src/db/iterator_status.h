// IteratorStatus: the status of an iterator, and whether its user has asked for it.
//
// An error that nobody asked for before it goes is told to the database (docs/decisions/0005). Thread safety:
// external synchronization.
#pragma once

#include <utility>

#include "db/db_iterator.h"
#include "seerdb/status.h"

namespace seerdb {

class IteratorStatus {
 public:
  // Borrows `host`.
  explicit IteratorStatus(const IteratorHost* host) : host_(*host) {}
  ~IteratorStatus() { TellUnobserved(); }
  IteratorStatus(const IteratorStatus&) = delete;
  IteratorStatus& operator=(const IteratorStatus&) = delete;

  bool ok() const { return status_.ok(); }
  const Status& Observe() const {
    observed_ = true;
    return status_;
  }
  // What the iterator has met; it goes on, or stops, with that.
  void Set(Status status) {
    status_ = std::move(status);
    observed_ = false;
  }
  // The iterator is positioned afresh.
  void Reset() {
    TellUnobserved();
    Set(Status());
  }

 private:
  void TellUnobserved() const {
    if (status_.ok() || observed_ || host_.unobserved == nullptr) return;
    host_.unobserved->Add(status_);
    host_.statistics->Add(Counter::unobserved_iterator_errors);
  }

  const IteratorHost& host_;
  Status status_;
  mutable bool observed_ = false;
};

}  // namespace seerdb
