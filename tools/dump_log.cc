#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <memory>
#include <optional>

#include "base/coding.h"
#include "base/status_macros.h"
#include "byte_text.h"
#include "dump.h"
#include "format/batch_codec.h"
#include "output.h"
#include "wal/log_file_reader.h"
#include "wal/log_format.h"
#include "wal/log_replay.h"

namespace seerdb::cli {
namespace {

std::string HexNumber(uint64_t number) {
  char text[20];
  std::snprintf(text, sizeof text, "%016" PRIx64, number);
  return text;
}

void PrintHeader(const LogHeader& header) {
  PrintField("format_version", header.format_version);
  PrintField("database_id",
             HexNumber(header.identity.database.high) + HexNumber(header.identity.database.low));
  PrintField("log_number", header.identity.log_number);
  PrintField("epoch", HexNumber(header.identity.epoch));
  PrintField("first_record", header.first_record);
}

Status PrintOperations(Slice operations, SequenceNumber sequence) {
  BatchReader reader(operations);
  BatchOperation operation;
  for (; reader.Next(&operation); ++sequence) {
    std::string line = "  " + std::to_string(sequence) + "\t" +
                       ValueTypeName(static_cast<unsigned char>(operation.type)) + "\t" +
                       EngineKeyText(operation.key);
    if (operation.type == ValueType::kRangeDeletion) {
      const std::optional<std::string> end = RangeEndText(operation.key, operation.value);
      if (end.has_value()) line += "\t" + *end;
    } else if (operation.type != ValueType::kDeletion) {
      line += "\t" + EntryText(static_cast<unsigned char>(operation.type), operation.value);
    }
    Print(line + "\n");
  }
  return Status::Ok();
}

// One intact frame. Its checksum holds, so a malformed batch is damage from before it was written.
Status DumpFrame(const std::string& path, uint64_t offset, uint64_t record, const LogFrameHead& head,
                 Slice payload, const DumpOptions& options) {
  const SequenceNumber base = LoadU64(payload.data());
  const Slice operations = payload.substr(sizeof(uint64_t));
  uint32_t count = 0;
  const Status checked = CheckBatchOperations(operations, &count);
  Print("frame @" + std::to_string(offset) + ": record " + std::to_string(record) + ", " +
        std::to_string(payload.size()) + " bytes, durable up to " +
        (head.lag == UINT32_MAX ? "?" : std::to_string(record - 1 - head.lag)) + ", sequence " +
        std::to_string(base) + ", " + std::to_string(count) + " operations\n");
  if (options.entries) SEERDB_RETURN_IF_ERROR(PrintOperations(operations, base));
  if (!checked.ok()) return checked.WithContext("dump log " + path + " @" + std::to_string(offset));
  return Status::Ok();
}

// Prints the frames that replay would find; returns where they end. Groups of a direct log begin with a
// block.
Result<uint64_t> DumpFrames(LogFileReader* file, const LogHeader& header, const DumpOptions& options) {
  uint64_t offset = kLogHeaderBytes;
  for (uint64_t record = header.first_record;; ++record) {
    uint64_t at = offset;
    SEERDB_ASSIGN_OR_RETURN(const std::optional<Slice> payload,
                            file->ReadNextFrame(header.identity, record, &at));
    if (!payload.has_value()) return offset;
    SEERDB_ASSIGN_OR_RETURN(const std::optional<LogFrameHead> head, file->PeekHead(at));
    SEERDB_RETURN_IF_ERROR(DumpFrame(file->path(), at, record, *head, *payload, options));
    offset = at + kLogFrameHeadBytes + payload->size();
  }
}

Result<bool> HeaderIsZero(LogFileReader* file) {
  const auto bytes = static_cast<size_t>(std::min<uint64_t>(kLogHeaderBytes, file->bytes()));
  SEERDB_ASSIGN_OR_RETURN(const Slice head, file->Read(0, bytes));
  return std::all_of(head.begin(), head.end(), [](char c) { return c == 0; });
}

}  // namespace

Status DumpLog(FileSystem& fs, const std::string& path, const DumpOptions& options) {
  SEERDB_ASSIGN_OR_RETURN(const auto file, LogFileReader::Open(fs, path));
  PrintField("kind", "log");
  PrintField("file_bytes", file->bytes());
  SEERDB_ASSIGN_OR_RETURN(const std::optional<LogHeader> header, file->ReadHeader());
  if (!header.has_value()) {
    SEERDB_ASSIGN_OR_RETURN(const bool empty, HeaderIsZero(file.get()));
    if (!empty) {
      return Status::Corruption("dump log " + path + " @0: found no intact header, expected one",
                                StatusDetail::kWalCorruption);
    }
    Print("prepared, nothing written\n");
    return Status::Ok();
  }
  PrintHeader(*header);
  SEERDB_ASSIGN_OR_RETURN(const uint64_t end, DumpFrames(file.get(), *header, options));
  PrintField("end", end);
  // The engine's own judgement of what follows: nothing, a torn tail, or proof that a record is lost.
  SEERDB_ASSIGN_OR_RETURN(
      const ReplaySummary summary,
      ReplayLogs(fs, {{path, header->identity}}, {header->first_record, std::nullopt, MayBeOperations},
                 [](SequenceNumber, Slice) { return Status::Ok(); }));
  PrintField("records", summary.records);
  if (summary.torn) Print("torn: what follows the end was written by half\n");
  return Status::Ok();
}

}  // namespace seerdb::cli
