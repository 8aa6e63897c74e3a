#include "db/event_log.h"

namespace seerdb {

EventLine& EventLine::Add(Slice key, Slice value) {
  constexpr Slice kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:/";
  Key(key);
  if (!value.empty() && value.find_first_not_of(kPlain) == Slice::npos) {
    text_ += value;
    return *this;
  }
  text_ += '"';
  for (const char c : value) {
    if (c == '\n') {
      text_ += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') text_ += '\\';
    text_ += c;
  }
  text_ += '"';
  return *this;
}

}  // namespace seerdb
