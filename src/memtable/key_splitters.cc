#include "memtable/key_splitters.h"

#include <algorithm>

namespace seerdb {

KeySplitters::KeySplitters(Slice shared, std::vector<uint64_t> windows, size_t parts) : shared_(shared) {
  std::sort(windows.begin(), windows.end());
  for (size_t part = 1; part < parts && !windows.empty(); ++part) {
    const uint64_t least = windows[windows.size() * part / parts];
    if (least_.empty() ? least > windows.front() : least > least_.back()) least_.push_back(least);
  }
}

}  // namespace seerdb
