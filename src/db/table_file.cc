#include "db/table_file.h"

#include "format/file_name.h"

namespace seerdb {

Status CheckAsListed(const TableReader& table, const TableMeta& listed) {
  const TableProperties& found = table.properties();
  const bool agrees = found.smallest_key == listed.smallest_key && found.largest_key == listed.largest_key &&
                      found.entries == listed.entries && found.largest_sequence == listed.largest_sequence &&
                      found.values == listed.values;
  return agrees ? Status()
                : Status::Corruption("table " + table.path() + ": its properties differ from the manifest",
                                     StatusDetail::kTableCorruption);
}

TableFile::TableFile(std::shared_ptr<FileSystem> fs, std::string path, TableMetaPtr meta,
                     TableOpenOptions options, std::shared_ptr<FileRemover> remover)
    : fs_(std::move(fs)),
      path_(std::move(path)),
      meta_(std::move(meta)),
      options_(std::move(options)),
      remover_(std::move(remover)),
      metadata_(options_.account, MemoryClass::kTableMetadata),
      mapped_(options_.account, MemoryClass::kMappedTables) {
  MutexLock lock(&mu_);
  metadata_.Set(sizeof(TableFile) + sizeof(TableMeta) + meta_->smallest_key.capacity() +
                meta_->largest_key.capacity());
  OpenLocked();
}

void TableFile::MarkObsolete() {
  remover_->NoteObsolete(meta_->bytes);
  obsolete_.store(true, std::memory_order_release);
  MutexLock lock(&mu_);
  mapped_.MoveTo(MemoryClass::kMappedObsolete);
}

void TableFile::OpenLocked() const {
  Result<std::shared_ptr<TableReader>> opened = TableReader::Open(*fs_, path_, options_);
  damage_ = opened.status();
  if (damage_.detail() == StatusDetail::kNotFound) {
    damage_ = Status::Corruption("table " + path_ + ": the manifest lists it, and it is missing",
                                 StatusDetail::kTableCorruption);
  }
  if (opened.ok()) damage_ = CheckAsListed(**opened, *meta_);
  if (!damage_.ok()) return;
  owner_ = *std::move(opened);
  metadata_.Add(owner_->held_bytes());
  mapped_.Set(owner_->mapped_bytes());
  reader_.store(owner_.get(), std::memory_order_release);
}

Result<const TableReader*> TableFile::OpenAgain() const {
  MutexLock lock(&mu_);
  if (owner_ == nullptr && damage_.IsIoError()) OpenLocked();
  if (owner_ == nullptr) return damage_;
  return owner_.get();
}

Result<std::shared_ptr<const TableReader>> TableFile::shared_reader() const {
  const Result<const TableReader*> opened = reader();
  if (!opened.ok()) return opened.status();
  MutexLock lock(&mu_);
  return std::shared_ptr<const TableReader>(owner_);
}

TableFile::~TableFile() {
  {
    MutexLock lock(&mu_);
    owner_.reset();
  }
  if (obsolete_.load(std::memory_order_acquire)) remover_->Remove(path_, meta_->bytes);
}

TableFiles::TableFiles(std::shared_ptr<FileSystem> fs, std::string directory, TableOpenOptions options,
                       std::shared_ptr<Executor> executor, FileRemover::Pace removal_pace)
    : fs_(std::move(fs)),
      directory_(std::move(directory)),
      options_(std::move(options)),
      access_(options_.access),
      remover_(std::make_shared<FileRemover>(fs_, std::move(executor), removal_pace)) {}

std::shared_ptr<TableFile> TableFiles::Get(const TableMetaPtr& meta) {
  MutexLock lock(&mu_);
  std::weak_ptr<TableFile>& known = files_[meta->number];
  if (std::shared_ptr<TableFile> file = known.lock()) return file;
  TableOpenOptions options = options_;
  options.table_number = meta->number;
  options.expected_bytes = meta->bytes;
  options.access = access_.load(std::memory_order_relaxed);
  auto file = std::make_shared<TableFile>(fs_, TableFilePath(directory_, meta->number), meta,
                                          std::move(options), remover_);
  known = file;
  return file;
}

void TableFiles::Forget(uint64_t number) {
  MutexLock lock(&mu_);
  const auto it = files_.find(number);
  if (it != files_.end() && it->second.expired()) files_.erase(it);
}

void TableFiles::MarkObsolete(uint64_t number) {
  std::shared_ptr<TableFile> file;  // released, and perhaps deleted, outside the lock
  MutexLock lock(&mu_);
  const auto it = files_.find(number);
  if (it == files_.end()) return;
  file = it->second.lock();
  if (file != nullptr) file->MarkObsolete();
  files_.erase(it);
}

}  // namespace seerdb
