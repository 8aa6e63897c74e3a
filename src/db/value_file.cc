#include "db/value_file.h"

#include <algorithm>
#include <utility>

#include "base/mutant.h"
#include "base/status_macros.h"
#include "format/file_name.h"

namespace seerdb {

ValueFile::~ValueFile() {
  if (obsolete_.load(std::memory_order_acquire)) remover_->Remove(path_, bytes());
}

Result<const ValueReader*> ValueFile::Reader(std::shared_ptr<const ValueReader>* keeper) const {
  if (const ValueReader* const reader = reader_.load(std::memory_order_acquire)) return reader;
  MutexLock lock(&mu_);
  const bool is_final = sealed();
  if (owner_ == nullptr || is_final != owner_is_final_) {
    if (!damage_.ok() && !damage_.IsIoError()) return damage_;
    Result<std::shared_ptr<ValueReader>> opened =
        ValueReader::Open(is_final ? *fs_ : *growing_fs_, path_, options_);
    damage_ = opened.status();
    if (damage_.detail() == StatusDetail::kNotFound) {
      damage_ = Status::Corruption("read value " + path_ + ": tables point into it, and it is missing",
                                   StatusDetail::kValueCorruption);
    }
    if (!opened.ok()) return damage_;
    owner_ = *std::move(opened);
    owner_is_final_ = is_final;
    if (is_final) {
      owner_->NoteSealed();
      reader_.store(owner_.get(), std::memory_order_release);
    }
  }
  *keeper = owner_;
  return keeper->get();
}

Status ValueFile::Fetch(const ValuePointer& pointer, FetchedValue* value) const {
  std::shared_ptr<const ValueReader> keeper;
  SEERDB_ASSIGN_OR_RETURN(const ValueReader* const reader, Reader(&keeper));
  return reader->Read(pointer, value);
}

Status ValueFile::FetchPart(const ValuePointer& pointer, uint64_t begin, uint64_t bytes,
                            FetchedValue* value) const {
  std::shared_ptr<const ValueReader> keeper;
  SEERDB_ASSIGN_OR_RETURN(const ValueReader* const reader, Reader(&keeper));
  return reader->ReadPart(pointer, begin, bytes, value);
}

Status ValueFile::Check(const ValuePointer& pointer) const {
  std::shared_ptr<const ValueReader> keeper;
  SEERDB_ASSIGN_OR_RETURN(const ValueReader* const reader, Reader(&keeper));
  return reader->Check(pointer);
}

void ValueFile::ReadAhead(uint64_t offset, uint64_t bytes) const {
  std::shared_ptr<const ValueReader> keeper;
  const Result<const ValueReader*> reader = Reader(&keeper);
  if (reader.ok()) (*reader)->ReadAhead(offset, bytes);
}

void ValueFile::NoteSealed() {
  std::shared_ptr<const ValueReader> growing;  // closed outside the lock
  sealed_.store(true, std::memory_order_release);
  MutexLock lock(&mu_);
  if (!owner_is_final_) growing = std::move(owner_);
}

void ValueFile::MarkObsolete() {
  if (obsolete_.exchange(true, std::memory_order_acq_rel)) return;
  remover_->NoteObsolete(bytes());
}

const ValueFile* ValueFileSet::Find(uint64_t segment) const {
  const auto at = std::partition_point(files_.begin(), files_.end(), [segment](const ValueFilePtr& file) {
    return file->segment() < segment;
  });
  return at != files_.end() && (*at)->segment() == segment ? at->get() : nullptr;
}

MemTableValues::~MemTableValues() {
  for (const Node* node = first_.load(std::memory_order_relaxed); node != nullptr;) {
    const Node* const next = node->next;
    delete node;
    node = next;
  }
}

void MemTableValues::Add(const ValueFilePtr& file) {
  if (Find(file->segment()) != nullptr || SEERDB_MUTANT("memtable-forgets-value-segment")) return;
  first_.store(new Node{file, first_.load(std::memory_order_relaxed)}, std::memory_order_release);
}

const ValueFile* MemTableValues::Find(uint64_t segment) const {
  const Node* node = first_.load(std::memory_order_acquire);
  while (node != nullptr && node->file->segment() != segment) node = node->next;
  return node == nullptr ? nullptr : node->file.get();
}

void MemTableValues::RemoveFrom(std::set<uint64_t>* segments) const {
  for (const Node* node = first_.load(std::memory_order_acquire); node != nullptr; node = node->next) {
    segments->erase(node->file->segment());
  }
}

ValueFiles::ValueFiles(std::shared_ptr<FileSystem> fs, std::shared_ptr<FileSystem> growing_fs,
                       std::string directory, ValueOpenOptions options, std::shared_ptr<FileRemover> remover)
    : fs_(std::move(fs)),
      growing_fs_(std::move(growing_fs)),
      directory_(std::move(directory)),
      options_(std::move(options)),
      access_(options_.access),
      remover_(std::move(remover)) {}

ValueFilePtr ValueFiles::MakeLocked(uint64_t segment) {
  ValueOpenOptions options = options_;
  options.segment = segment;
  options.access = access_.load(std::memory_order_relaxed);
  return std::make_shared<ValueFile>(fs_, growing_fs_, ValueFilePath(directory_, segment), std::move(options),
                                     remover_);
}

ValueFilePtr ValueFiles::Create(uint64_t segment) {
  MutexLock lock(&mu_);
  ValueFilePtr file = MakeLocked(segment);
  files_.insert_or_assign(segment, file);
  return file;
}

ValueFileSet ValueFiles::Of(const Version& version) {
  std::vector<ValueFilePtr> set;
  if (version.values() == nullptr) return ValueFileSet();
  MutexLock lock(&mu_);
  for (const ValueBytes& values : *version.values()) {
    auto at = files_.find(values.segment);
    if (at == files_.end()) {
      ValueFilePtr file = MakeLocked(values.segment);
      const Result<FileInfo> info = fs_->GetFileInfo(file->path());
      file->SetBytes(info.ok() ? info->bytes : 0);
      file->NoteSealed();
      at = files_.emplace(values.segment, std::move(file)).first;
    }
    set.push_back(at->second);
  }
  return ValueFileSet(std::move(set));
}

std::set<uint64_t> ValueFiles::Idle() const {
  std::set<uint64_t> segments;
  MutexLock lock(&mu_);
  for (const auto& [segment, file] : files_) {
    // In this order: a segment that is sealed gets no new writers.
    if (file->sealed() && !file->has_writers()) segments.insert(segment);
  }
  return segments;
}

void ValueFiles::Drop(const std::set<uint64_t>& idle, const Version& version) {
  std::vector<ValueFilePtr> dropped;  // let go of outside the lock
  const auto listed = [&version](uint64_t segment) {
    if (version.values() == nullptr) return false;
    const auto at = std::partition_point(version.values()->begin(), version.values()->end(),
                                         [segment](const ValueBytes& one) { return one.segment < segment; });
    return at != version.values()->end() && at->segment == segment;
  };
  MutexLock lock(&mu_);
  for (const uint64_t segment : idle) {
    const auto it = files_.find(segment);
    if (it == files_.end() || (listed(segment) && !SEERDB_MUTANT("listed-value-segment-removed"))) continue;
    it->second->MarkObsolete();
    dropped.push_back(std::move(it->second));
    files_.erase(it);
  }
}

uint64_t ValueFiles::bytes() const {
  uint64_t sum = 0;
  MutexLock lock(&mu_);
  for (const auto& [segment, file] : files_) sum += file->bytes();
  return sum;
}

uint64_t ValueFiles::count() const {
  MutexLock lock(&mu_);
  return files_.size();
}

ValueBytesList ValueFiles::SealedBytes() const {
  ValueBytesList list;
  MutexLock lock(&mu_);
  for (const auto& [segment, file] : files_) {
    if (file->sealed() && file->bytes() > 0) list.push_back({segment, file->bytes()});
  }
  return list;
}

}  // namespace seerdb
