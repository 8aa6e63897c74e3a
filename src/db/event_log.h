// EventLog: one line for each event, to the user's logger, one at a time. Nothing without a logger.
//
// Thread safety: all methods concurrently. mu_ is a leaf lock, held while the user's function runs.
#pragma once

#include <functional>
#include <string>

#include "base/mutex.h"
#include "seerdb/slice.h"

namespace seerdb {

class EventLog {
 public:
  explicit EventLog(std::function<void(Slice)> sink) : sink_(std::move(sink)) {}
  bool enabled() const { return sink_ != nullptr; }
  void Write(const std::string& line) EXCLUDES(mu_) {
    if (sink_ == nullptr) return;
    MutexLock lock(&mu_);
    sink_(line);
  }

 private:
  const std::function<void(Slice)> sink_;
  Mutex mu_;
};

}  // namespace seerdb
