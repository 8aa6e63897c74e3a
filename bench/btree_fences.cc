#include "btree_fences.h"

#include <algorithm>

namespace seerdb::bench {

BtreeFences::BtreeFences(std::span<const uint64_t> windows, uint32_t spacing)
    : spacing_(spacing), ranks_(static_cast<uint32_t>(windows.size())) {
  std::vector<uint64_t> fences;  // of the level that is built
  for (size_t i = 0; i < windows.size(); i += spacing) fences.push_back(windows[i]);
  std::vector<uint64_t> firsts = fences;  // the least fence below each node of the level beneath
  size_t nodes = 0;
  for (bool leaves = true; leaves ? !fences.empty() : nodes > 1; leaves = false) {
    std::vector<Node> level;
    std::vector<uint64_t> level_firsts;
    const size_t children = kFences + (leaves ? 0 : 1);
    const size_t below = firsts.size();
    for (size_t begin = 0; begin < below; begin += children) {
      Node node;
      std::fill(std::begin(node.fences), std::end(node.fences), UINT64_MAX);
      // A leaf has fences themselves; any other node has the least of each child but its first.
      for (size_t i = leaves ? 0 : 1; i < children && begin + i < below; ++i) {
        node.fences[leaves ? i : i - 1] = firsts[begin + i];
      }
      level.push_back(node);
      level_firsts.push_back(firsts[begin]);
    }
    nodes = level.size();
    firsts = std::move(level_firsts);
    levels_.insert(levels_.begin(), std::move(level));
  }
}

size_t BtreeFences::memory_bytes() const {
  size_t bytes = 0;
  for (const std::vector<Node>& level : levels_) bytes += level.size() * sizeof(Node);
  return bytes;
}

}  // namespace seerdb::bench
