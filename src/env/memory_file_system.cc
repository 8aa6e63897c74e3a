#include "env/memory_file_system.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/status_macros.h"
#include "env/errno_status.h"
#include "env/file_lock.h"
#include "env/memory_state.h"

namespace seerdb {
namespace {

constexpr uint64_t kDefaultSpaceBytes = uint64_t{1} << 40;

std::vector<std::string> SplitPath(const std::string& path) {
  std::vector<std::string> names;
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    std::string name = path.substr(begin, end - begin);
    if (name == "..") {
      if (!names.empty()) names.pop_back();
    } else if (!name.empty() && name != ".") {
      names.push_back(std::move(name));
    }
    begin = end + 1;
  }
  return names;
}

}  // namespace

Result<MemoryState::Place> MemoryState::Find(const char* operation, const std::string& path) {
  if (path.empty()) return ErrnoStatus(operation, path, ENOENT);
  Place place{nullptr, "", root};
  for (std::string& name : SplitPath(path)) {
    if (place.node == nullptr) return ErrnoStatus(operation, path, ENOENT);
    if (!place.node->is_directory) return ErrnoStatus(operation, path, ENOTDIR);
    place.directory = std::move(place.node);
    const auto found = place.directory->entries.find(name);
    place.node = found == place.directory->entries.end() ? nullptr : found->second;
    place.name = std::move(name);
  }
  return place;
}

Result<MemoryNodePtr> MemoryState::FindNode(const char* operation, const std::string& path) {
  SEERDB_ASSIGN_OR_RETURN(Place place, Find(operation, path));
  if (place.node == nullptr) return ErrnoStatus(operation, path, ENOENT);
  return std::move(place.node);
}

void MemoryState::Record(MemoryNode* directory, NameOperation operation) {
  if (!operation.removed.empty()) directory->entries.erase(operation.removed);
  if (!operation.added.empty()) {
    MemoryNodePtr& entry = directory->entries[operation.added];
    if (entry != nullptr) --entry->links;
    entry = operation.node;
  }
  directory->pending.push_back(std::move(operation));
}

MemoryFileSystem::MemoryFileSystem()
    : state_(std::make_shared<MemoryState>(NewMemoryDirectory(),
                                           SpaceInfo{kDefaultSpaceBytes, kDefaultSpaceBytes}, 0)) {}
MemoryFileSystem::MemoryFileSystem(std::shared_ptr<MemoryState> state) : state_(std::move(state)) {}
MemoryFileSystem::~MemoryFileSystem() = default;

std::shared_ptr<MemoryFileSystem> MemoryFileSystem::CrashClone(const CrashOptions& options) {
  std::shared_ptr<MemoryState> clone;
  {
    MutexLock lock(&state_->mutex);
    clone = std::make_shared<MemoryState>(CrashTree(state_->root, options), state_->space,
                                          state_->last_operation_id);
  }
  return std::shared_ptr<MemoryFileSystem>(new MemoryFileSystem(std::move(clone)));
}

uint64_t MemoryFileSystem::operations() const {
  MutexLock lock(&state_->mutex);
  return state_->operations;
}

void MemoryFileSystem::SetSpaceInfo(const SpaceInfo& space) {
  MutexLock lock(&state_->mutex);
  state_->space = space;
}

Status MemoryFileSystem::LinkFile(const std::string& from, const std::string& to) {
  MutexLock lock(&state_->mutex);
  ++state_->operations;
  SEERDB_ASSIGN_OR_RETURN(const MemoryNodePtr node, state_->FindNode("link", from));
  SEERDB_ASSIGN_OR_RETURN(const MemoryState::Place target, state_->Find("link", to));
  if (node->is_directory) return ErrnoStatus("link", from, EPERM);
  if (target.node != nullptr) return ErrnoStatus("link", to, EEXIST);
  ++node->links;
  state_->Record(target.directory.get(), {state_->NewOperationId(), "", target.name, node, {}});
  return Status::Ok();
}

Result<std::unique_ptr<WritableFile>> MemoryFileSystem::NewWritableFile(const std::string& path,
                                                                        CreateMode mode) {
  MutexLock lock(&state_->mutex);
  ++state_->operations;
  SEERDB_ASSIGN_OR_RETURN(MemoryState::Place place, state_->Find("open", path));
  if (place.node == nullptr) {
    if (mode == CreateMode::kOverwrite || mode == CreateMode::kAppend)
      return ErrnoStatus("open", path, ENOENT);
    place.node = std::make_shared<MemoryNode>();
    state_->Record(place.directory.get(), {state_->NewOperationId(), "", place.name, place.node, {}});
  } else {
    if (mode == CreateMode::kMustNotExist) return ErrnoStatus("open", path, EEXIST);
    if (place.node->is_directory) return ErrnoStatus("open", path, EISDIR);
    if (mode == CreateMode::kTruncate) place.node->content.Resize(0);
  }
  const uint64_t position = mode == CreateMode::kAppend ? place.node->content.size() : 0;
  return NewMemoryWritableFile(state_, std::move(place.node), path, LogMode::kBuffered, position);
}

Result<std::unique_ptr<WritableFile>> MemoryFileSystem::NewLogFile(const std::string& path, LogMode mode) {
  MutexLock lock(&state_->mutex);
  SEERDB_ASSIGN_OR_RETURN(MemoryNodePtr node, state_->FindNode("open", path));
  if (node->is_directory) return ErrnoStatus("open", path, EISDIR);
  return NewMemoryWritableFile(state_, std::move(node), path, mode, 0);
}

Result<std::unique_ptr<RandomAccessFile>> MemoryFileSystem::NewRandomAccessFile(const std::string& path) {
  MutexLock lock(&state_->mutex);
  SEERDB_ASSIGN_OR_RETURN(MemoryNodePtr node, state_->FindNode("open", path));
  if (node->is_directory) return ErrnoStatus("open", path, EISDIR);
  return NewMemoryRandomAccessFile(state_, std::move(node));
}

Result<std::vector<std::string>> MemoryFileSystem::ListDirectory(const std::string& path) {
  MutexLock lock(&state_->mutex);
  SEERDB_ASSIGN_OR_RETURN(const MemoryNodePtr node, state_->FindNode("list directory", path));
  if (!node->is_directory) return ErrnoStatus("list directory", path, ENOTDIR);
  std::vector<std::string> names;
  for (const auto& [name, child] : node->entries) names.push_back(name);
  return names;
}

Status MemoryFileSystem::CreateDirectory(const std::string& path) {
  MutexLock lock(&state_->mutex);
  ++state_->operations;
  if (path.empty()) return ErrnoStatus("create directory", path, ENOENT);
  MemoryNodePtr parent;
  MemoryNodePtr node = state_->root;
  for (const std::string& name : SplitPath(path)) {
    parent = node;
    const auto found = parent->entries.find(name);
    if (found != parent->entries.end()) {
      node = found->second;
      if (!node->is_directory) return ErrnoStatus("create directory", path, EEXIST);
      continue;
    }
    node = NewMemoryDirectory();
    state_->Record(parent.get(), {state_->NewOperationId(), "", name, node, {}});
    SyncNames(parent.get(), UINT64_MAX);
  }
  if (parent != nullptr) SyncNames(parent.get(), UINT64_MAX);
  return Status::Ok();
}

Status MemoryFileSystem::DeleteFile(const std::string& path) {
  MutexLock lock(&state_->mutex);
  ++state_->operations;
  SEERDB_ASSIGN_OR_RETURN(const MemoryState::Place place, state_->Find("delete", path));
  if (place.node == nullptr) return ErrnoStatus("delete", path, ENOENT);
  if (place.node->is_directory) return ErrnoStatus("delete", path, EISDIR);
  --place.node->links;
  state_->Record(place.directory.get(), {state_->NewOperationId(), place.name, "", nullptr, {}});
  return Status::Ok();
}

Status MemoryFileSystem::DeleteDirectory(const std::string& path) {
  MutexLock lock(&state_->mutex);
  ++state_->operations;
  SEERDB_ASSIGN_OR_RETURN(const MemoryState::Place place, state_->Find("delete directory", path));
  if (place.node == nullptr) return ErrnoStatus("delete directory", path, ENOENT);
  if (!place.node->is_directory) return ErrnoStatus("delete directory", path, ENOTDIR);
  if (place.directory == nullptr) return ErrnoStatus("delete directory", path, EBUSY);
  if (!place.node->entries.empty()) return ErrnoStatus("delete directory", path, ENOTEMPTY);
  state_->Record(place.directory.get(), {state_->NewOperationId(), place.name, "", nullptr, {}});
  return Status::Ok();
}

Status MemoryFileSystem::RenameFile(const std::string& from, const std::string& to) {
  MutexLock lock(&state_->mutex);
  ++state_->operations;
  const std::string both = from + " to " + to;
  SEERDB_ASSIGN_OR_RETURN(const MemoryState::Place source, state_->Find("rename", from));
  SEERDB_ASSIGN_OR_RETURN(const MemoryState::Place target, state_->Find("rename", to));
  if (source.node == nullptr) return ErrnoStatus("rename", both, ENOENT);
  if (source.directory == nullptr || target.directory == nullptr) return ErrnoStatus("rename", both, EBUSY);
  if (source.node == target.node) return Status::Ok();
  if (source.node->is_directory && source.directory != target.directory)
    return ErrnoStatus("rename", both, ENOTSUP);
  if (target.node != nullptr) {
    if (source.node->is_directory && !target.node->is_directory) return ErrnoStatus("rename", both, ENOTDIR);
    if (!source.node->is_directory && target.node->is_directory) return ErrnoStatus("rename", both, EISDIR);
    if (!target.node->entries.empty()) return ErrnoStatus("rename", both, ENOTEMPTY);
  }
  const uint64_t id = state_->NewOperationId();
  if (source.directory == target.directory) {
    state_->Record(source.directory.get(), {id, source.name, target.name, source.node, {}});
  } else {
    state_->Record(target.directory.get(), {id, "", target.name, source.node, {}});
    state_->Record(source.directory.get(), {id, source.name, "", nullptr, target.directory});
  }
  return Status::Ok();
}

Status MemoryFileSystem::SyncDirectory(const std::string& path) {
  MutexLock lock(&state_->mutex);
  ++state_->operations;
  SEERDB_ASSIGN_OR_RETURN(const MemoryNodePtr node, state_->FindNode("sync directory", path));
  if (!node->is_directory) return ErrnoStatus("sync directory", path, ENOTDIR);
  SyncNames(node.get(), UINT64_MAX);
  return Status::Ok();
}

Result<FileInfo> MemoryFileSystem::GetFileInfo(const std::string& path) {
  MutexLock lock(&state_->mutex);
  SEERDB_ASSIGN_OR_RETURN(const MemoryNodePtr node, state_->FindNode("stat", path));
  return FileInfo{node->content.size(), node->links, node->is_directory};
}

Result<SpaceInfo> MemoryFileSystem::GetSpaceInfo(const std::string& path) {
  MutexLock lock(&state_->mutex);
  SEERDB_RETURN_IF_ERROR(state_->FindNode("space of", path).status());
  return state_->space;
}

Result<std::unique_ptr<FileLock>> MemoryFileSystem::LockFile(const std::string& path,
                                                             const std::string& holder) {
  MutexLock lock(&state_->mutex);
  ++state_->operations;
  SEERDB_ASSIGN_OR_RETURN(MemoryState::Place place, state_->Find("lock", path));
  if (place.node == nullptr) {
    place.node = std::make_shared<MemoryNode>();
    state_->Record(place.directory.get(), {state_->NewOperationId(), "", place.name, place.node, {}});
  }
  if (place.node->is_directory) return ErrnoStatus("lock", path, EISDIR);
  if (place.node->locked) return LockedStatus(path, place.node->lock_holder);
  place.node->locked = true;
  place.node->lock_holder = LockHolderLine(holder);
  place.node->content.Resize(0);
  place.node->content.Write(0, place.node->lock_holder + "\n");
  return NewMemoryFileLock(state_, std::move(place.node));
}

}  // namespace seerdb
