// The files that hold the manifest: records in MANIFEST-000007, and CURRENT, which names one.
//
// Format: docs/format/manifest.md. Thread safety: plain functions; ManifestWriter has one user at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "seerdb/file_system.h"
#include "seerdb/result.h"

namespace seerdb {

inline constexpr uint32_t kManifestFormatVersion = 1;
inline constexpr size_t kManifestHeaderBytes = 64;
inline constexpr size_t kManifestRecordHeadBytes = 16;

// Hands the records of the manifest `path` to `visit` in order. A last record that is cut off or damaged
// ends the list; one with an intact record behind it is kCorruption/kManifestCorruption, and so is a
// header that is damaged or not of manifest `number`. 0 = any number. Returns how many bytes follow the last
// record: more than none is what a crash has left, or such damage.
Result<uint64_t> ReadManifestRecords(FileSystem& fs, const std::string& path, uint64_t number,
                                     const std::function<Status(uint64_t offset, Slice payload)>& visit);

// Hands every intact record of a manifest to `visit`, in order of index, whatever lies between them and in
// the header. `number`, that of the file's name, is part of their checksums.
Status VisitIntactManifestRecords(FileSystem& fs, const std::string& path, uint64_t number,
                                  const std::function<Status(uint64_t index, Slice payload)>& visit);

// The number of the manifest that CURRENT names. kIoError/kNotFound if there is no CURRENT;
// kCorruption/kManifestCorruption if it is damaged.
Result<uint64_t> ReadCurrent(FileSystem& fs, const std::string& directory);

// Makes CURRENT name manifest `number`, durably. `*renamed` tells whether the rename was tried: before it,
// an error leaves the old CURRENT in force; from then on either may be.
Status WriteCurrent(FileSystem& fs, const std::string& directory, uint64_t number, bool* renamed);

// Appends records to a new manifest file. After an error the file must not be appended to again.
class ManifestWriter {
 public:
  // Fails with kIoError/kAlreadyExists if there is such a file.
  static Result<std::unique_ptr<ManifestWriter>> Create(FileSystem& fs, const std::string& path,
                                                        uint64_t number);
  // The header is written with the first record. Durable when OK, the file's name excepted.
  Status Append(Slice payload);

  uint64_t bytes() const { return bytes_; }
  const std::string& path() const { return path_; }

 private:
  ManifestWriter(std::unique_ptr<WritableFile> file, std::string path, uint64_t number);

  const std::unique_ptr<WritableFile> file_;
  const std::string path_;
  const uint64_t number_;
  uint64_t next_index_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace seerdb
