// The dump of a value segment, and of what points into one.
#include <algorithm>
#include <cinttypes>
#include <cstdio>

#include "base/coding.h"
#include "base/status_macros.h"
#include "byte_text.h"
#include "dump.h"
#include "format/entry_payload.h"
#include "output.h"
#include "vlog/value_format.h"
#include "vlog/value_reader.h"

namespace seerdb::cli {
namespace {

std::string HexNumber(uint64_t number) {
  char text[20];
  std::snprintf(text, sizeof text, "%016" PRIx64, number);
  return text;
}

// Walks the records of one segment.
class SegmentDump {
 public:
  SegmentDump(RandomAccessFile& file, const ValueReader& values, uint64_t segment, const std::string& path,
              uint64_t file_bytes)
      : file_(file), values_(values), segment_(segment), path_(path), file_bytes_(file_bytes) {}

  Status Run(const DumpOptions& options) {
    uint64_t offset = kValueSegmentHeaderBytes;
    uint64_t records = 0;
    uint64_t value_bytes = 0;
    while (offset < file_bytes_) {
      SEERDB_ASSIGN_OR_RETURN(const bool whole, ReadHead(offset));
      if (!whole) break;
      const uint64_t record_bytes = ValueRecordBytes(head_.key_bytes, head_.value_bytes);
      if (record_bytes > file_bytes_ - offset) break;
      SEERDB_RETURN_IF_ERROR(PrintRecord(offset, options));
      ++records;
      value_bytes += head_.value_bytes;
      offset += record_bytes;
    }
    PrintField("records", records);
    PrintField("value_bytes", value_bytes);
    PrintField("end", offset);
    if (offset < file_bytes_) {
      SEERDB_RETURN_IF_ERROR(JudgeRest(offset));
      Print("torn: what follows the end was written by half\n");
    }
    return damage_;
  }

 private:
  // False if none lies at `offset`.
  Result<bool> ReadHead(uint64_t offset) {
    char bytes[kValueRecordHeadBytes];
    SEERDB_ASSIGN_OR_RETURN(const Slice found, file_.Read(offset, sizeof bytes, bytes));
    if (!DecodeValueRecordHead(found, &head_)) return false;
    if (head_.key_bytes > file_bytes_ - offset - kValueRecordHeadBytes) return false;
    std::string scratch(head_.key_bytes, '\0');
    SEERDB_ASSIGN_OR_RETURN(const Slice key,
                            file_.Read(offset + kValueRecordHeadBytes, scratch.size(), scratch.data()));
    key_.assign(key);
    return key_.size() == head_.key_bytes && CheckValueRecordHead(segment_, offset, found, key_);
  }

  Status PrintRecord(uint64_t offset, const DumpOptions& options) {
    const ValuePointer pointer{segment_, offset + kValueRecordHeadBytes + head_.key_bytes, head_.value_bytes,
                               head_.value_crc};
    FetchedValue value;
    const Status status = options.entries ? values_.Read(pointer, &value) : values_.Check(pointer);
    if (!status.ok() && !status.IsCorruption()) return status;
    std::string line = "record @" + std::to_string(offset) + ": value @" + std::to_string(pointer.offset) +
                       ", " + std::to_string(pointer.bytes) + " bytes, " +
                       (status.ok() ? "intact" : "damaged") + ", key " + EngineKeyText(key_) + "\n";
    if (options.entries && status.ok()) line += "  " + Escaped(value.bytes) + "\n";
    Print(line);
    if (damage_.ok()) damage_ = status;
    return {};
  }

  // Nothing that follows shows that the record at `offset` had been whole: a crash leaves such an end.
  // Damaged heads in front of other records do not end in zeros or within the last of them.
  Status JudgeRest(uint64_t offset) {
    if (file_bytes_ - offset < kValueRecordHeadBytes) return {};
    char bytes[kValueRecordHeadBytes];
    SEERDB_ASSIGN_OR_RETURN(const Slice found, file_.Read(offset, sizeof bytes, bytes));
    const bool zero = std::all_of(found.begin(), found.end(), [](char c) { return c == 0; });
    ValueRecordHead head;
    const bool cut = DecodeValueRecordHead(found, &head) &&
                     ValueRecordBytes(head.key_bytes, head.value_bytes) > file_bytes_ - offset;
    if (zero || cut) return {};
    return Status::Corruption("dump " + path_ + " @" + std::to_string(offset) +
                                  ": found no intact head of a record, expected one or the end",
                              StatusDetail::kValueCorruption);
  }

  RandomAccessFile& file_;
  const ValueReader& values_;
  const uint64_t segment_;
  const std::string& path_;
  const uint64_t file_bytes_;
  ValueRecordHead head_;
  std::string key_;
  Status damage_;  // of the first value that is not intact
};

}  // namespace

Status DumpValues(FileSystem& fs, const std::string& path, const DumpOptions& options) {
  SEERDB_ASSIGN_OR_RETURN(const auto file, fs.NewRandomAccessFile(path));
  SEERDB_ASSIGN_OR_RETURN(const uint64_t file_bytes, file->Size());
  PrintField("kind", "values");
  PrintField("file_bytes", file_bytes);
  char scratch[kValueSegmentHeaderBytes];
  SEERDB_ASSIGN_OR_RETURN(const Slice bytes, file->Read(0, sizeof scratch, scratch));
  if (bytes.empty()) {
    Print("nothing written\n");
    return {};
  }
  ValueSegmentHeader header;
  if (!DecodeValueSegmentHeader(bytes, &header)) {
    return Status::Corruption("dump " + path + " @0: found no intact header, expected one",
                              StatusDetail::kValueCorruption);
  }
  PrintField("format_version", kValueFormatVersion);
  PrintField("database_id", HexNumber(header.database.high) + HexNumber(header.database.low));
  PrintField("segment", header.segment);
  PrintField("epoch", HexNumber(header.epoch));
  ValueOpenOptions open;
  open.access = TableAccess::kPread;
  open.database = header.database;
  open.segment = header.segment;
  SEERDB_ASSIGN_OR_RETURN(const std::shared_ptr<ValueReader> values, ValueReader::Open(fs, path, open));
  return SegmentDump(*file, *values, header.segment, path, file_bytes).Run(options);
}

std::string EntryText(unsigned char type, Slice value) {
  const auto kind = static_cast<ValueType>(type);
  if (!IsPointer(kind)) return Escaped(value);
  EntryPayload payload;
  ValuePointer pointer;
  if (!ParsePayload(kind, value, &payload) || !ParseValuePointer(payload.value, &pointer)) {
    return "malformed: " + Escaped(value);
  }
  std::string text = "segment " + std::to_string(pointer.segment) + " @" + std::to_string(pointer.offset) +
                     ", " + std::to_string(pointer.bytes) + " bytes";
  if (Expires(kind)) text += ", expires_us " + std::to_string(payload.expires_us);
  return text;
}

}  // namespace seerdb::cli
