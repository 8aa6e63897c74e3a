#include "learned/alex_model.h"

#include <vector>

#include "base/assert.h"

namespace seerdb {

AlexModel AlexModel::Build(std::span<const uint64_t> windows) {
  SEERDB_ASSERT(windows.size() < UINT32_MAX);
  AlexModel model;
  if (windows.empty()) return model;
  std::vector<AlexEntry> entries;
  entries.reserve(windows.size());
  for (size_t rank = 0; rank < windows.size(); ++rank) {
    SEERDB_ASSERT(rank == 0 || windows[rank - 1] <= windows[rank]);
    if (rank == 0 || windows[rank - 1] != windows[rank]) entries.push_back({windows[rank], rank});
  }
  const auto tree = std::make_shared<AlexTree>();
  tree->BulkLoad(entries);
  model.tree_ = tree;
  model.ranks_ = static_cast<uint32_t>(windows.size());
  return model;
}

}  // namespace seerdb
