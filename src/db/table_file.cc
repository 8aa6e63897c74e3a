#include "db/table_file.h"

#include "format/file_name.h"

namespace seerdb {

TableFile::TableFile(std::shared_ptr<FileSystem> fs, std::string path, TableMetaPtr meta,
                     Result<std::shared_ptr<TableReader>> reader)
    : fs_(std::move(fs)), path_(std::move(path)), meta_(std::move(meta)) {
  if (reader.ok()) {
    reader_ = *std::move(reader);
  } else {
    damage_ = std::move(reader).status();
  }
}

TableFile::~TableFile() {
  reader_.reset();
  if (obsolete_.load(std::memory_order_acquire)) {
    fs_->DeleteFile(path_).IgnoreError("an orphan is swept at the next open");
  }
}

TableFiles::TableFiles(std::shared_ptr<FileSystem> fs, std::string directory, TableOpenOptions options)
    : fs_(std::move(fs)), directory_(std::move(directory)), options_(std::move(options)) {}

std::shared_ptr<TableFile> TableFiles::Get(const TableMetaPtr& meta) {
  MutexLock lock(&mu_);
  std::weak_ptr<TableFile>& known = files_[meta->number];
  if (std::shared_ptr<TableFile> file = known.lock()) return file;
  TableOpenOptions options = options_;
  options.table_number = meta->number;
  options.expected_bytes = meta->bytes;
  std::string path = TableFilePath(directory_, meta->number);
  auto reader = TableReader::Open(*fs_, path, options);
  auto file = std::make_shared<TableFile>(fs_, std::move(path), meta, std::move(reader));
  known = file;
  return file;
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
