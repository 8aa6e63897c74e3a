// UnlistedTables: the files of tables that Open has made and not listed yet; deletes them if it fails before.
//
// Without that attempts to open on a full disk would leave less of it each time. What they hold is in the
// logs that they were made from. Thread safety: external synchronization.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "format/file_name.h"
#include "seerdb/file_system.h"

namespace seerdb {

class UnlistedTables {
 public:
  UnlistedTables() = default;
  // Borrows `fs`.
  UnlistedTables(FileSystem* fs, std::string directory) : fs_(fs), directory_(std::move(directory)) {}
  UnlistedTables(UnlistedTables&& other) noexcept { *this = std::move(other); }
  UnlistedTables& operator=(UnlistedTables&& other) noexcept {
    std::swap(fs_, other.fs_);
    std::swap(directory_, other.directory_);
    std::swap(numbers_, other.numbers_);
    return *this;
  }
  ~UnlistedTables() {
    for (const uint64_t number : numbers_) {
      fs_->DeleteFile(TableFilePath(directory_, number)).IgnoreError("swept once the database opens");
    }
  }

  void Add(uint64_t number) { numbers_.push_back(number); }
  // They are listed, or may be.
  void Keep() { numbers_.clear(); }

 private:
  FileSystem* fs_ = nullptr;
  std::string directory_;
  std::vector<uint64_t> numbers_;
};

}  // namespace seerdb
