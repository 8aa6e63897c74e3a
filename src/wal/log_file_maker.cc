#include "wal/log_file_maker.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/mutant.h"
#include "base/status_macros.h"
#include "base/system_memory.h"
#include "env/sync_names.h"

namespace seerdb {
namespace {

constexpr uint64_t kZeroBytes = uint64_t{1} << 20;
constexpr size_t kPartsOfLargePage = 8;
constexpr uint64_t kPartBytes = kHugePageBytes / kPartsOfLargePage;

// Renames a released file to `path`. False if it may not be reused; it is gone then.
Result<bool> Recycle(FileSystem& fs, const LogFileSpec& spec) {
  const Result<FileInfo> info = fs.GetFileInfo(spec.recycle_path);
  if (!info.ok()) {
    if (info.status().detail() == StatusDetail::kNotFound) return false;
    return info.status();
  }
  // A second name means that a checkpoint still holds these bytes.
  if (info->links != 1 && !SEERDB_MUTANT("linked-log-recycled")) {
    SEERDB_RETURN_IF_ERROR(fs.DeleteFile(spec.recycle_path));
    return false;
  }
  SEERDB_RETURN_IF_ERROR(fs.RenameFile(spec.recycle_path, spec.path));
  return true;
}

// False if the file system has no call for it.
Result<bool> Allocate(WritableFile& file, uint64_t bytes) {
  if (bytes == 0) return false;
  const Status allocated = file.Allocate(bytes, /*extend=*/true);
  if (allocated.IsNotSupported()) return false;
  SEERDB_RETURN_IF_ERROR(allocated);
  return true;
}

Status WriteZeros(WritableFile& file, uint64_t bytes) {
  const std::string zeros(static_cast<size_t>(std::min(bytes, kZeroBytes)), '\0');
  while (bytes > 0) {
    const uint64_t n = std::min<uint64_t>(bytes, zeros.size());
    SEERDB_RETURN_IF_ERROR(file.Append(Slice(zeros).substr(0, n)));
    bytes -= n;
  }
  return {};
}

// Writes the whole file once, so that no later write changes more than data. False if the file system
// refuses the mode.
Result<bool> WriteOnce(FileSystem& fs, const LogFileSpec& spec) {
  auto file = fs.NewLogFile(spec.path, spec.mode);
  Status status = file.status();
  if (status.ok()) status = WriteZeros(**file, spec.bytes);
  // A refusal may come at the first write only.
  if (status.IsNotSupported()) return false;
  SEERDB_RETURN_IF_ERROR(status);
  SEERDB_RETURN_IF_ERROR((*file)->SyncAll().WithDetail(StatusDetail::kSyncFailed));
  SEERDB_RETURN_IF_ERROR((*file)->Close());
  return true;
}

Status CreateFile(FileSystem& fs, const LogFileSpec& spec, bool recycled, PreparedLogFile* prepared) {
  SEERDB_ASSIGN_OR_RETURN(
      const std::unique_ptr<WritableFile> file,
      fs.NewWritableFile(spec.path, recycled ? CreateMode::kOverwrite : CreateMode::kMustNotExist));
  // A recycled file keeps its size: its blocks are allocated and written already.
  bool allocated = false;
  if (!recycled) {
    SEERDB_ASSIGN_OR_RETURN(allocated, Allocate(*file, spec.bytes));
  }
  if (prepared->mode == LogMode::kDirect && !recycled) {
    prepared->written_bytes = spec.bytes;
    SEERDB_ASSIGN_OR_RETURN(const bool direct, WriteOnce(fs, spec));
    if (!direct) {
      prepared->mode = LogMode::kBuffered;
      SEERDB_RETURN_IF_ERROR(WriteZeros(*file, spec.bytes));
    }
  }
  if (!SEERDB_MUTANT("log-file-not-durable")) {
    SEERDB_RETURN_IF_ERROR(file->SyncAll().WithDetail(StatusDetail::kSyncFailed));
  }
  // In memory only: the space reads as zeros already. Where that fails a mapping would raise a signal.
  prepared->large_pages = prepared->mode == LogMode::kMapped && spec.large_pages != nullptr && allocated;
  if (prepared->large_pages && !FillLargePages(*file, spec.bytes, spec.large_pages).ok())
    prepared->mode = LogMode::kBuffered;
  return file->Close();
}

}  // namespace

Status FillLargePages(WritableFile& file, uint64_t bytes, LargePageGauge* gauge) {
  const std::string zeros(kPartBytes, '\0');
  Slice parts[kPartsOfLargePage];
  std::fill(std::begin(parts), std::end(parts), Slice(zeros));
  for (; bytes >= kHugePageBytes; bytes -= kHugePageBytes) {
    LargePageGauge::Fill fill(gauge);
    if (fill.large()) {
      SEERDB_RETURN_IF_ERROR(file.AppendParts(parts));
    } else {
      for (const Slice& part : parts) SEERDB_RETURN_IF_ERROR(file.Append(part));
    }
    fill.Done();
  }
  return WriteZeros(file, bytes);
}

Result<PreparedLogFile> PrepareLogFile(FileSystem& fs, const LogFileSpec& spec) {
  bool recycled = false;
  if (!spec.recycle_path.empty()) {
    SEERDB_ASSIGN_OR_RETURN(recycled, Recycle(fs, spec));
  }
  PreparedLogFile prepared{nullptr, spec.path, spec.mode, spec.bytes, 0};
  if (spec.bytes == 0) prepared.mode = LogMode::kBuffered;
  Status status = CreateFile(fs, spec, recycled, &prepared);
  if (status.ok()) status = SyncNames(fs, spec.directory);
  if (status.ok()) {
    auto file = fs.NewLogFile(spec.path, prepared.mode);
    if (file.status().IsNotSupported() && prepared.mode == LogMode::kMapped) {
      prepared.mode = LogMode::kBuffered;
      file = fs.NewLogFile(spec.path, prepared.mode);
    }
    status = file.status();
    if (status.ok()) prepared.file = *std::move(file);
  }
  if (!status.ok()) {
    if (status.detail() != StatusDetail::kAlreadyExists) {
      fs.DeleteFile(spec.path).IgnoreError("an unlisted file; the sweep at open removes it");
    }
    return status;
  }
  return prepared;
}

}  // namespace seerdb
