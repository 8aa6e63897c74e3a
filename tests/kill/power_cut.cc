#include "tests/kill/power_cut.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/random.h"
#include "base/status_macros.h"
#include "tests/kill/power_journal.h"

namespace seerdb::testing {
namespace {

constexpr size_t kSectorBytes = 512;

Result<std::string> ReadWholeFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return Status::FromErrno("read " + path, errno);
  std::ostringstream bytes;
  bytes << in.rdbuf();
  return bytes.str();
}

uint64_t InodeOf(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 ? info.st_ino : 0;
}

Status Unexpected(const std::string& what) { return Status::Corruption("power journal: " + what); }

}  // namespace

Result<FileContents> ReadDirectoryFiles(const std::string& directory) {
  FileContents files;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    SEERDB_ASSIGN_OR_RETURN(files[entry.path().filename().string()], ReadWholeFile(entry.path().string()));
  }
  return files;
}

Status WriteDirectoryFiles(const std::string& directory, const FileContents& files) {
  std::error_code ignored;
  std::filesystem::remove_all(directory, ignored);
  std::filesystem::create_directories(directory, ignored);
  for (const auto& [name, content] : files) {
    std::ofstream out(directory + "/" + name, std::ios::binary);
    if (!out.write(content.data(), static_cast<std::streamsize>(content.size())).flush()) {
      return Status::FromErrno("write " + directory + "/" + name, errno);
    }
  }
  return Status::Ok();
}

Result<PowerCut> PowerCut::Begin(const std::string& directory) {
  PowerCut cut;
  cut.directory_ = directory;
  SEERDB_ASSIGN_OR_RETURN(const FileContents files, ReadDirectoryFiles(directory));
  for (const auto& [name, content] : files) {
    auto file = std::make_shared<File>(File{content, content, false, InodeOf(directory + "/" + name)});
    cut.by_inode_[file->inode] = file;
    cut.names_[name] = cut.durable_names_[name] = std::move(file);
  }
  return cut;
}

Status PowerCut::End(const std::string& journal_path) {
  if (std::filesystem::exists(journal_path)) {
    SEERDB_ASSIGN_OR_RETURN(const std::string journal, ReadWholeFile(journal_path));
    SEERDB_RETURN_IF_ERROR(Replay(journal));
  }
  // By inode: the kill may have come between a rename and its record.
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    const auto known = by_inode_.find(InodeOf(entry.path().string()));
    if (known == by_inode_.end() || known->second->gone) continue;
    SEERDB_ASSIGN_OR_RETURN(known->second->current, ReadWholeFile(entry.path().string()));
  }
  return Status::Ok();
}

Status PowerCut::Change(const std::string& removed, const std::string& added, std::shared_ptr<File> file) {
  if (!removed.empty() && names_.erase(removed) == 0) return Unexpected("no file " + removed);
  if (!added.empty()) names_[added] = file;
  pending_.push_back({removed, added, std::move(file)});
  return Status::Ok();
}

Status PowerCut::Replay(const std::string& journal) {
  for (size_t at = 0; journal.size() - at >= sizeof(PowerRecordHead);) {
    PowerRecordHead head;
    std::memcpy(&head, journal.data() + at, sizeof head);
    at += sizeof head;
    if (journal.size() - at < head.name_bytes + head.content_bytes) break;  // cut by the kill
    const std::string name = journal.substr(at, head.name_bytes);
    std::string content = journal.substr(at + head.name_bytes, head.content_bytes);
    at += head.name_bytes + head.content_bytes;
    switch (head.kind) {
      case PowerRecord::kCreated: {
        auto file = std::make_shared<File>(File{"", "", false, head.inode});
        by_inode_[head.inode] = file;
        SEERDB_RETURN_IF_ERROR(Change("", name, std::move(file)));
        break;
      }
      case PowerRecord::kRenamed: {
        const std::string from = name.substr(0, name.find('\0')), to = name.substr(from.size() + 1);
        const auto file = names_.find(from);
        if (file == names_.end()) return Unexpected("renames " + from + ", which is not there");
        SEERDB_RETURN_IF_ERROR(Change(from, to, file->second));
        break;
      }
      case PowerRecord::kUnlinked:
        SEERDB_RETURN_IF_ERROR(Change(name, "", nullptr));
        break;
      case PowerRecord::kDirectory:
        ++directory_syncs_;
        durable_names_ = names_;
        pending_.clear();
        break;
      case PowerRecord::kFile: {
        ++file_syncs_;
        const auto file = by_inode_.find(head.inode);
        if (file == by_inode_.end()) return Unexpected("syncs inode " + std::to_string(head.inode));
        file->second->synced = file->second->current = std::move(content);
        break;
      }
      case PowerRecord::kRange: {
        ++file_syncs_;
        const auto file = by_inode_.find(head.inode);
        if (file == by_inode_.end()) return Unexpected("syncs inode " + std::to_string(head.inode));
        std::string& synced = file->second->synced;
        const size_t offset = std::strtoull(name.c_str(), nullptr, 10);
        if (synced.size() < offset + content.size()) synced.resize(offset + content.size());
        synced.replace(offset, content.size(), content);
        break;
      }
      case PowerRecord::kLastContent: {
        const auto file = names_.find(name);
        if (file == names_.end()) return Unexpected("removes " + name + ", which is not there");
        file->second->current = std::move(content);
        file->second->gone = true;
        break;
      }
      default:
        return Unexpected("a record of kind " + std::to_string(static_cast<uint32_t>(head.kind)));
    }
  }
  return Status::Ok();
}

std::string PowerCut::ContentAfterCut(const File& file, uint64_t seed) const {
  const std::string &old = file.synced, &now = file.current;
  if (old == now) return old;
  Random random(seed);
  // Nothing, everything or a random part of what was not synced.
  const uint64_t kept_in_16 = random.OneIn(4) ? 0 : random.OneIn(4) ? 16 : 1 + random.Uniform(15);
  const size_t shorter = std::min(old.size(), now.size()), longer = std::max(old.size(), now.size());
  size_t length = random.OneIn(2) ? now.size() : old.size();
  if (random.OneIn(2)) length = shorter + random.Uniform(longer - shorter + 1);
  std::string content(length, '\0');
  for (size_t at = 0; at < length; at += kSectorBytes) {
    const std::string& from = random.Uniform(16) < kept_in_16 ? now : old;
    if (at >= from.size()) continue;
    const size_t n = std::min({kSectorBytes, length - at, from.size() - at});
    content.replace(at, n, from, at, n);
  }
  return content;
}

FileContents PowerCut::Image(Kind kind, uint64_t seed) const {
  Random random(seed);
  Names names = durable_names_;
  const size_t prefix = random.Uniform(pending_.size() + 1);
  for (size_t i = 0; i < pending_.size() && kind != Kind::kSyncedOnly; ++i) {
    const bool stays = kind == Kind::kInOrder ? i < prefix : random.OneIn(2);
    if (!stays) continue;
    if (!pending_[i].removed.empty()) names.erase(pending_[i].removed);
    if (!pending_[i].added.empty()) names[pending_[i].added] = pending_[i].file;
  }
  FileContents files;
  for (const auto& [name, file] : names) {
    files[name] = kind == Kind::kSyncedOnly ? file->synced : ContentAfterCut(*file, random.Next());
  }
  return files;
}

uint64_t PowerCut::unsynced_files() const {
  return static_cast<uint64_t>(std::count_if(names_.begin(), names_.end(), [](const auto& entry) {
    return entry.second->synced != entry.second->current;
  }));
}

}  // namespace seerdb::testing
