#include "db/unobserved_errors.h"

namespace seerdb {

void UnobservedErrors::Add(const Status& status) {
  MutexLock lock(&mu_);
  if (first_.ok()) first_ = status.WithContext("an iterator stopped and nobody asked for its status");
}

Status UnobservedErrors::first() const {
  MutexLock lock(&mu_);
  return first_;
}

}  // namespace seerdb
