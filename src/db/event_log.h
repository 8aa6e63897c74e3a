// EventLog: one line for each event, to the user's logger, one at a time. Nothing without a logger.
//
// Thread safety: all methods concurrently. mu_ is a leaf lock, held while the user's function runs.
#pragma once

#include <functional>
#include <string>

#include "base/mutex.h"
#include "seerdb/slice.h"

namespace seerdb {

// One line, "event=NAME key=value key=value": a value that is text and not a plain word stands in double
// quotes, with `"` and `\` behind a backslash and line ends as \n. docs/observing.md lists the events.
class EventLine {
 public:
  explicit EventLine(Slice event) : text_("event=") { text_ += event; }
  EventLine& Add(Slice key, uint64_t value) {
    Key(key);
    text_ += std::to_string(value);
    return *this;
  }
  EventLine& Add(Slice key, Slice value);
  const std::string& text() const { return text_; }

 private:
  void Key(Slice key) {
    text_ += ' ';
    text_ += key;
    text_ += '=';
  }
  std::string text_;
};

class EventLog {
 public:
  explicit EventLog(std::function<void(Slice)> sink) : sink_(std::move(sink)) {}
  bool enabled() const { return sink_ != nullptr; }
  void Write(const EventLine& line) EXCLUDES(mu_) {
    if (sink_ == nullptr) return;
    MutexLock lock(&mu_);
    sink_(line.text());
  }

 private:
  const std::function<void(Slice)> sink_;
  Mutex mu_;
};

}  // namespace seerdb
