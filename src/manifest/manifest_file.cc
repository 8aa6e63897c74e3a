#include "manifest/manifest_file.h"

#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>

#include "base/coding.h"
#include "base/crc32c.h"
#include "base/failpoint.h"
#include "base/mutant.h"
#include "base/status_macros.h"
#include "env/sync_names.h"
#include "format/file_name.h"

namespace seerdb {
namespace {

constexpr uint64_t kMagic = 0x314e414d42445253;  // "SRDBMAN1"
constexpr size_t kHeaderCrcOffset = 60;
constexpr size_t kMaxCurrentBytes = 256;
// How many bytes the search behind the last record may checksum, besides eight times the file: what is made
// to look like heads of records could ask for the whole file at each of its bytes.
constexpr uint64_t kFreeSearchBytes = uint64_t{256} << 20;

uint32_t RecordCrc(uint64_t manifest_number, const char* head, Slice payload) {
  char number[8];
  StoreU64(number, manifest_number);
  uint32_t crc = crc32c::Extend(0, number, sizeof number);
  crc = crc32c::Extend(crc, head + 4, kManifestRecordHeadBytes - 4);
  return crc32c::Extend(crc, payload);
}

void AppendHeader(std::string* out, uint64_t number) {
  char header[kManifestHeaderBytes] = {};
  StoreU64(header, kMagic);
  StoreU32(header + 8, kManifestFormatVersion);
  StoreU64(header + 16, number);
  StoreU32(header + kHeaderCrcOffset, crc32c::Extend(0, header, kHeaderCrcOffset));
  out->append(header, sizeof header);
}

Status Corrupt(const std::string& path, uint64_t offset, const std::string& what) {
  return Status::Corruption("read manifest " + path + " @" + std::to_string(offset) + ": " + what,
                            StatusDetail::kManifestCorruption);
}

Result<uint64_t> CheckHeader(const std::string& path, Slice bytes, uint64_t wanted_number) {
  if (bytes.size() < kManifestHeaderBytes) {
    return Corrupt(path, 0, "found " + std::to_string(bytes.size()) + " bytes, expected a header of 64");
  }
  const char* p = bytes.data();
  if (LoadU64(p) != kMagic) return Corrupt(path, 0, "found no magic number, expected SRDBMAN1");
  if (LoadU32(p + kHeaderCrcOffset) != crc32c::Extend(0, p, kHeaderCrcOffset)) {
    return Corrupt(path, 0, "found a header whose checksum is wrong");
  }
  if (LoadU32(p + 8) != kManifestFormatVersion) {
    return Status::NotSupported("read manifest " + path + " @8: found format version " +
                                std::to_string(LoadU32(p + 8)) + ", expected 1");
  }
  const uint64_t number = LoadU64(p + 16);
  if (wanted_number != 0 && number != wanted_number) {
    return Corrupt(
        path, 16,
        "found manifest number " + std::to_string(number) + ", expected " + std::to_string(wanted_number));
  }
  return number;
}

struct RecordHead {
  uint32_t length = 0;
  uint64_t index = 0;
};

// What stands at `offset`, if a record of that length fits there.
std::optional<RecordHead> HeadAt(Slice bytes, size_t offset) {
  const size_t left = bytes.size() - offset;
  if (left < kManifestRecordHeadBytes) return std::nullopt;
  const RecordHead head{LoadU32(bytes.data() + offset + 4), LoadU64(bytes.data() + offset + 8)};
  if (head.length == 0 || head.length > left - kManifestRecordHeadBytes) return std::nullopt;
  return head;
}

bool IsIntact(Slice bytes, uint64_t number, size_t offset, const RecordHead& head) {
  const char* p = bytes.data() + offset;
  return RecordCrc(number, p, Slice(p + kManifestRecordHeadBytes, head.length)) == LoadU32(p);
}

// Record `index` is missing at `end`: an intact later one behind it shows that it was there.
Status CheckNothingFollows(const std::string& path, Slice bytes, uint64_t number, size_t end,
                           uint64_t index) {
  uint64_t budget = 8 * bytes.size() + kFreeSearchBytes;
  for (size_t i = end + 1; i < bytes.size(); ++i) {
    const auto head = HeadAt(bytes, i);
    // Records are dense and none is shorter than its head.
    if (!head.has_value() || head->index <= index ||
        head->index - index > bytes.size() / kManifestRecordHeadBytes) {
      continue;
    }
    if (budget < head->length) {
      return Corrupt(path, i,
                     "found more bytes that look like records than can be checked, expected the end");
    }
    budget -= head->length;
    if (!SEERDB_MUTANT("manifest-hole-is-end") && IsIntact(bytes, number, i, *head)) {
      return Corrupt(path, end,
                     "found no intact record " + std::to_string(index) + ", expected one: record " +
                         std::to_string(head->index) + " @" + std::to_string(i) + " is intact");
    }
  }
  return {};
}

std::string CurrentContents(uint64_t number) {
  const std::string line = ManifestFileName(number) + "\n";
  char crc[32];
  std::snprintf(crc, sizeof crc, "crc32c %08x\n", static_cast<unsigned>(crc32c::Value(line)));
  return line + crc;
}

}  // namespace

Result<uint64_t> ReadManifestRecords(FileSystem& fs, const std::string& path, uint64_t wanted_number,
                                     const std::function<Status(uint64_t offset, Slice payload)>& visit) {
  SEERDB_ASSIGN_OR_RETURN(const std::string contents, ReadFileToString(fs, path));
  const Slice bytes = contents;
  SEERDB_ASSIGN_OR_RETURN(const uint64_t number, CheckHeader(path, bytes, wanted_number));
  uint64_t index = 0;
  size_t offset = kManifestHeaderBytes;
  for (auto head = HeadAt(bytes, offset);
       head.has_value() && head->index == index && IsIntact(bytes, number, offset, *head);
       head = HeadAt(bytes, offset)) {
    SEERDB_RETURN_IF_ERROR(visit(offset, bytes.substr(offset + kManifestRecordHeadBytes, head->length)));
    offset += kManifestRecordHeadBytes + head->length;
    ++index;
  }
  if (index == 0) return Corrupt(path, offset, "found no intact record 0, expected one");
  SEERDB_RETURN_IF_ERROR(CheckNothingFollows(path, bytes, number, offset, index));
  return uint64_t{bytes.size() - offset};
}

Status VisitIntactManifestRecords(FileSystem& fs, const std::string& path, uint64_t number,
                                  const std::function<Status(uint64_t index, Slice payload)>& visit) {
  SEERDB_ASSIGN_OR_RETURN(const std::string contents, ReadFileToString(fs, path));
  const Slice bytes = contents;
  uint64_t budget = 8 * bytes.size() + kFreeSearchBytes;
  uint64_t next = 0;
  for (size_t offset = kManifestHeaderBytes; offset < bytes.size();) {
    const auto head = HeadAt(bytes, offset);
    // The next one may be missing: any later one will do.
    const bool plausible = head.has_value() && head->index >= next &&
                           head->index - next <= bytes.size() / kManifestRecordHeadBytes &&
                           budget >= head->length;
    if (!plausible || !IsIntact(bytes, number, offset, *head)) {
      if (plausible) budget -= head->length;
      ++offset;
      continue;
    }
    SEERDB_RETURN_IF_ERROR(visit(head->index, bytes.substr(offset + kManifestRecordHeadBytes, head->length)));
    offset += kManifestRecordHeadBytes + head->length;
    next = head->index + 1;
  }
  return {};
}

Result<uint64_t> ReadCurrent(FileSystem& fs, const std::string& directory) {
  const std::string path = CurrentFilePath(directory);
  SEERDB_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccessFile> file, fs.NewRandomAccessFile(path));
  char scratch[kMaxCurrentBytes];
  SEERDB_ASSIGN_OR_RETURN(const Slice contents, file->Read(0, sizeof scratch, scratch));
  uint64_t number = 0;
  const Slice name = contents.substr(0, contents.find('\n'));
  if (ParseFileName(name, &number) != FileKind::kManifest || contents != CurrentContents(number)) {
    return Corrupt(path, 0,
                   "found " + std::to_string(contents.size()) +
                       " bytes that name no manifest, expected its name and a checksum");
  }
  return number;
}

Status WriteCurrent(FileSystem& fs, const std::string& directory, uint64_t number, bool* renamed) {
  *renamed = false;
  const std::string path = CurrentFilePath(directory);
  const std::string temporary = TemporaryPath(path);
  SEERDB_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file,
                          fs.NewWritableFile(temporary, CreateMode::kTruncate));
  SEERDB_RETURN_IF_ERROR(file->Append(CurrentContents(number)));
  if (!SEERDB_MUTANT("current-skips-sync")) {
    SEERDB_RETURN_IF_ERROR(file->SyncAll().WithDetail(StatusDetail::kSyncFailed));
  }
  SEERDB_RETURN_IF_ERROR(file->Close());
  SEERDB_FAILPOINT("current::before_rename");
  *renamed = true;
  SEERDB_RETURN_IF_ERROR(fs.RenameFile(temporary, path));
  SEERDB_FAILPOINT("current::after_rename");
  return SyncNames(fs, directory);
}

ManifestWriter::ManifestWriter(std::unique_ptr<WritableFile> file, std::string path, uint64_t number)
    : file_(std::move(file)), path_(std::move(path)), number_(number) {}

Result<std::unique_ptr<ManifestWriter>> ManifestWriter::Create(FileSystem& fs, const std::string& path,
                                                               uint64_t number) {
  SEERDB_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file,
                          fs.NewWritableFile(path, CreateMode::kMustNotExist));
  return std::unique_ptr<ManifestWriter>(new ManifestWriter(std::move(file), path, number));
}

Status ManifestWriter::Append(Slice payload) {
  if (payload.empty() || payload.size() > UINT32_MAX) {
    return Status::InvalidArgument("append " + path_ + ": found an edit of " +
                                   std::to_string(payload.size()) + " bytes, expected 1 .. 2^32 - 1");
  }
  std::string out;
  if (bytes_ == 0) AppendHeader(&out, number_);
  char head[kManifestRecordHeadBytes];
  StoreU32(head + 4, static_cast<uint32_t>(payload.size()));
  StoreU64(head + 8, next_index_);
  StoreU32(head, RecordCrc(number_, head, payload));
  out.append(head, sizeof head);
  out.append(payload);
  SEERDB_FAILPOINT("manifest::before_edit");
  SEERDB_RETURN_IF_ERROR(file_->Append(out));
  SEERDB_FAILPOINT("manifest::before_sync");
  if (!SEERDB_MUTANT("manifest-skips-sync")) {
    SEERDB_RETURN_IF_ERROR(file_->Sync().WithDetail(StatusDetail::kSyncFailed));
  }
  SEERDB_FAILPOINT("manifest::after_edit");
  bytes_ += out.size();
  ++next_index_;
  return {};
}

}  // namespace seerdb
