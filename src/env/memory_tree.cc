#include "env/memory_tree.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/random.h"

namespace seerdb {
namespace {

void Apply(const NameOperation& operation, MemoryEntries* entries) {
  if (!operation.removed.empty()) entries->erase(operation.removed);
  if (!operation.added.empty()) (*entries)[operation.added] = operation.node;
}

// Copies the tree as seen, with what is durable of it.
class ProcessCrash {
 public:
  MemoryNodePtr Copy(const MemoryNodePtr& node) {
    MemoryNodePtr& copy = copies_[node.get()];
    if (copy != nullptr) return copy;
    const MemoryNodePtr result = copy = std::make_shared<MemoryNode>();
    result->is_directory = node->is_directory;
    result->links = node->links;
    result->content = node->content.Clone();
    result->entries = Copy(node->entries);
    result->durable_entries = Copy(node->durable_entries);
    for (const NameOperation& operation : node->pending) {
      NameOperation copied = operation;
      if (operation.node != nullptr) copied.node = Copy(operation.node);
      if (const MemoryNodePtr target = operation.target.lock()) copied.target = Copy(target);
      result->pending.push_back(std::move(copied));
    }
    return result;
  }

 private:
  MemoryEntries Copy(const MemoryEntries& entries) {
    MemoryEntries copies;
    for (const auto& [name, node] : entries) copies[name] = Copy(node);
    return copies;
  }

  std::map<const MemoryNode*, MemoryNodePtr> copies_;  // a file with two names is copied once
};

class PowerCut {
 public:
  explicit PowerCut(const CrashOptions& options) : options_(options), random_(options.seed) {}

  MemoryNodePtr Run(const MemoryNodePtr& root) {
    if (options_.kind == CrashOptions::kPowerCut) ChooseNames(root.get());
    const MemoryNodePtr image = Image(root);
    for (auto& [original, node] : images_) {
      if (!node->is_directory) node->links = names_[original];
    }
    return image;
  }

 private:
  // Decides for every directory which of its pending operations were durable.
  void ChooseNames(MemoryNode* node) {
    if (!node->is_directory || !visited_.insert(node).second) return;
    const size_t count = node->pending.size();
    if (count > 0 && options_.directory_ops_in_order) {
      const size_t kept = random_.Uniform(count + 1);
      if (kept > 0) Keep(node, node->pending[kept - 1].id);
    } else {
      for (const NameOperation& operation : node->pending) {
        if (random_.OneIn(2)) Keep(node, operation.id);
      }
    }
    for (const auto& [name, child] : node->durable_entries) ChooseNames(child.get());
    for (const NameOperation& operation : node->pending) {
      if (operation.node != nullptr) ChooseNames(operation.node.get());
    }
  }

  // Keeps operation `id` of the directory, all before it if operations keep their order, and the additions
  // elsewhere that the removals among them rely on.
  void Keep(MemoryNode* directory, uint64_t id) {
    for (const NameOperation& operation : directory->pending) {
      if (operation.id > id || (operation.id < id && !options_.directory_ops_in_order)) continue;
      if (!kept_.insert({directory, operation.id}).second) continue;
      if (const MemoryNodePtr target = operation.target.lock()) Keep(target.get(), operation.id);
    }
  }

  MemoryNodePtr Image(const MemoryNodePtr& node) {
    ++names_[node.get()];
    MemoryNodePtr& image = images_[node.get()];
    if (image != nullptr) return image;
    const MemoryNodePtr result = image = std::make_shared<MemoryNode>();
    result->is_directory = node->is_directory;
    if (!node->is_directory) {
      result->content = options_.kind == CrashOptions::kPowerCut ? node->content.AfterPowerCut(&random_)
                                                                 : node->content.DurableOnly();
      return result;
    }
    MemoryEntries left = node->durable_entries;
    for (const NameOperation& operation : node->pending) {
      if (kept_.count({node.get(), operation.id}) != 0) Apply(operation, &left);
    }
    for (const auto& [name, child] : left) result->entries[name] = Image(child);
    result->durable_entries = result->entries;
    return result;
  }

  const CrashOptions options_;
  Random random_;
  // Pointers serve as keys only: no choice depends on their order.
  std::set<const MemoryNode*> visited_;
  std::set<std::pair<const MemoryNode*, uint64_t>> kept_;
  std::map<const MemoryNode*, MemoryNodePtr> images_;
  std::map<const MemoryNode*, uint64_t> names_;  // how many names the node has in the image
};

}  // namespace

MemoryNodePtr NewMemoryDirectory() {
  auto node = std::make_shared<MemoryNode>();
  node->is_directory = true;
  return node;
}

void SyncNames(MemoryNode* directory, uint64_t id) {
  std::vector<NameOperation>& pending = directory->pending;
  const auto end = std::find_if(pending.begin(), pending.end(),
                                [id](const NameOperation& operation) { return operation.id > id; });
  // Taken out first: the directories of a chain of renames may refer back to this one.
  const std::vector<NameOperation> synced(std::make_move_iterator(pending.begin()),
                                          std::make_move_iterator(end));
  pending.erase(pending.begin(), end);
  for (const NameOperation& operation : synced) {
    if (const MemoryNodePtr target = operation.target.lock()) SyncNames(target.get(), operation.id);
    Apply(operation, &directory->durable_entries);
  }
}

MemoryNodePtr CrashTree(const MemoryNodePtr& root, const CrashOptions& options) {
  if (options.kind == CrashOptions::kProcessCrash) return ProcessCrash().Copy(root);
  return PowerCut(options).Run(root);
}

}  // namespace seerdb
