#include "wal/log_file_reader.h"

#include <algorithm>
#include <utility>

#include "base/coding.h"
#include "base/crc32c.h"
#include "base/mutant.h"
#include "base/status_macros.h"

namespace seerdb {
namespace {
constexpr size_t kScratchBytes = 256 * 1024;
}

Result<std::unique_ptr<LogFileReader>> LogFileReader::Open(FileSystem& fs, const std::string& path) {
  auto opened = fs.NewRandomAccessFile(path);
  if (!opened.ok()) {
    if (opened.status().detail() != StatusDetail::kNotFound) return std::move(opened).status();
    return Status::Corruption("replay " + path + ": found no file, expected a log the manifest lists",
                              StatusDetail::kWalCorruption);
  }
  SEERDB_ASSIGN_OR_RETURN(const uint64_t bytes, (*opened)->Size());
  return std::unique_ptr<LogFileReader>(new LogFileReader(*std::move(opened), path, bytes));
}

Result<Slice> LogFileReader::ReadInto(uint64_t offset, size_t n, char* scratch) const {
  SEERDB_ASSIGN_OR_RETURN(const Slice got, file_->Read(offset, n, scratch));
  if (got.size() != n) {
    return Status::IoError("read " + path_ + " @" + std::to_string(offset) + ": found " +
                           std::to_string(got.size()) + " bytes, expected " + std::to_string(n));
  }
  return got;
}

Result<Slice> LogFileReader::Read(uint64_t offset, size_t n) {
  if (!InWindow(offset, n)) {
    const size_t wanted = static_cast<size_t>(std::min<uint64_t>(std::max(n, kWindowBytes), bytes_ - offset));
    window_ = Slice();
    if (buffer_bytes_ < wanted) {
      buffer_.reset();
      buffer_bytes_ = 0;
      buffer_ = std::make_unique_for_overwrite<char[]>(wanted);
      buffer_bytes_ = wanted;
    }
    SEERDB_ASSIGN_OR_RETURN(window_, ReadInto(offset, wanted, buffer_.get()));
    window_offset_ = offset;
  }
  return Slice(InWindowData(offset), n);
}

Result<std::optional<LogHeader>> LogFileReader::ReadHeader() {
  if (bytes_ < kLogHeaderBytes) return std::optional<LogHeader>();
  SEERDB_ASSIGN_OR_RETURN(const Slice bytes, Read(0, kLogHeaderBytes));
  LogHeader header;
  if (!DecodeLogHeader(bytes, &header)) return std::optional<LogHeader>();
  return std::optional<LogHeader>(header);
}

Result<std::optional<Slice>> LogFileReader::ReadFrame(const LogIdentity& identity, uint64_t record,
                                                      uint64_t offset) {
  if (!LengthFits(offset, kMinPayloadBytes)) return std::optional<Slice>();
  SEERDB_ASSIGN_OR_RETURN(const Slice head_bytes, Read(offset, kLogFrameHeadBytes));
  const LogFrameHead head = DecodeLogFrameHead(head_bytes.data());
  if (!LengthFits(offset, head.length) || head.record != static_cast<uint32_t>(record)) {
    return std::optional<Slice>();
  }
  const size_t frame_bytes = kLogFrameHeadBytes + size_t{head.length};
  if (frame_bytes > kWindowBytes) {
    // The length may be garbage: believe it before memory is taken for it.
    SEERDB_ASSIGN_OR_RETURN(const bool intact, FrameIsIntact(identity, record, offset, head));
    if (!intact) return std::optional<Slice>();
  }
  SEERDB_ASSIGN_OR_RETURN(const Slice frame, Read(offset, frame_bytes));
  const Slice payload = frame.substr(kLogFrameHeadBytes);
  if (LogFrameCrc(identity, record, frame.data(), payload) != head.crc) return std::optional<Slice>();
  return std::optional<Slice>(payload);
}

Result<std::optional<Slice>> LogFileReader::ReadNextFrame(const LogIdentity& identity, uint64_t record,
                                                          uint64_t* offset) {
  SEERDB_ASSIGN_OR_RETURN(const std::optional<Slice> payload, ReadFrame(identity, record, *offset));
  if (payload.has_value() || *offset % kLogBlockBytes == 0 || SEERDB_MUTANT("replay-ends-at-gap"))
    return payload;
  const uint64_t block = NextLogBlock(*offset);
  SEERDB_ASSIGN_OR_RETURN(const std::optional<Slice> moved, ReadFrame(identity, record, block));
  if (moved.has_value()) *offset = block;
  return moved;
}

Result<bool> LogFileReader::FrameIsIntact(const LogIdentity& identity, uint64_t record, uint64_t offset,
                                          const LogFrameHead& head) {
  const size_t frame_bytes = kLogFrameHeadBytes + size_t{head.length};
  if (InWindow(offset, frame_bytes)) {
    const char* p = InWindowData(offset);
    return LogFrameCrc(identity, record, p, Slice(p + kLogFrameHeadBytes, head.length)) == head.crc;
  }
  if (scratch_ == nullptr) scratch_ = std::make_unique_for_overwrite<char[]>(kScratchBytes);
  SEERDB_ASSIGN_OR_RETURN(const Slice head_bytes, ReadInto(offset, kLogFrameHeadBytes, scratch_.get()));
  uint32_t crc = LogFrameCrc(identity, record, head_bytes.data(), Slice());
  uint64_t position = offset + kLogFrameHeadBytes;
  for (size_t left = head.length; left > 0;) {
    const size_t n = std::min(left, kScratchBytes);
    SEERDB_ASSIGN_OR_RETURN(const Slice part, ReadInto(position, n, scratch_.get()));
    crc = crc32c::Extend(crc, part);
    position += n;
    left -= n;
  }
  return crc == head.crc;
}

Result<std::optional<LogFrameHead>> LogFileReader::PeekHead(uint64_t offset) {
  if (offset + kLogFrameHeadBytes > bytes_) return std::optional<LogFrameHead>();
  char bytes[kLogFrameHeadBytes];
  SEERDB_ASSIGN_OR_RETURN(const Slice head, Peek(offset, sizeof bytes, bytes));
  return std::optional<LogFrameHead>(DecodeLogFrameHead(head.data()));
}

Result<SequenceNumber> LogFileReader::PeekBase(uint64_t offset) {
  char bytes[sizeof(uint64_t)];
  SEERDB_ASSIGN_OR_RETURN(const Slice base, Peek(offset + kLogFrameHeadBytes, sizeof bytes, bytes));
  return LoadU64(base.data());
}

}  // namespace seerdb
