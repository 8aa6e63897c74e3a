// LogFileReader: reads one log file through a window of bounded size.
//
// Thread safety: external synchronization.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "seerdb/file_system.h"
#include "seerdb/result.h"
#include "seerdb/types.h"
#include "wal/log_format.h"

namespace seerdb {

class LogFileReader {
 public:
  static constexpr size_t kWindowBytes = size_t{1} << 20;
  // Smallest payload: the base sequence.
  static constexpr uint32_t kMinPayloadBytes = 8;

  // kCorruption if the file does not exist.
  static Result<std::unique_ptr<LogFileReader>> Open(FileSystem& fs, const std::string& path);

  const std::string& path() const { return path_; }
  uint64_t bytes() const { return bytes_; }

  // The n bytes at `offset`; valid until the next call. Requires: offset + n <= bytes().
  Result<Slice> Read(uint64_t offset, size_t n);

  // The header, if the file has an intact one of any identity.
  Result<std::optional<LogHeader>> ReadHeader();

  // The payload of frame `record` if it lies intact at `offset`; valid until the next call.
  Result<std::optional<Slice>> ReadFrame(const LogIdentity& identity, uint64_t record, uint64_t offset);

  // The same where a log without a hole has frame `record`: at `*offset`, or, as a direct log begins each
  // group with a block, at the next block. Sets `*offset` to where it is.
  Result<std::optional<Slice>> ReadNextFrame(const LogIdentity& identity, uint64_t record, uint64_t* offset);

  // True if a frame at `offset` whose head is `head` has the checksum of `record`. Keeps the window.
  // Requires: the frame ends within the file.
  Result<bool> FrameIsIntact(const LogIdentity& identity, uint64_t record, uint64_t offset,
                             const LogFrameHead& head);

  // The head at `offset`, or nullopt if the file ends before it does. Keeps the window.
  Result<std::optional<LogFrameHead>> PeekHead(uint64_t offset);

  // The base sequence of a frame at `offset`. Keeps the window. Requires: LengthFits(offset,
  // kMinPayloadBytes).
  Result<SequenceNumber> PeekBase(uint64_t offset);

  // The first n bytes of the operations of a frame at `offset`, from the window or in `scratch`. Keeps the
  // window. Requires: the file has them.
  Result<Slice> PeekOperations(uint64_t offset, size_t n, char* scratch) const {
    return Peek(offset + kLogFrameHeadBytes + kMinPayloadBytes, n, scratch);
  }

  // True if a frame at `offset` may have this length.
  bool LengthFits(uint64_t offset, uint32_t length) const {
    return length >= kMinPayloadBytes && offset + kLogFrameHeadBytes <= bytes_ &&
           length <= bytes_ - offset - kLogFrameHeadBytes;
  }

 private:
  LogFileReader(std::unique_ptr<RandomAccessFile> file, std::string path, uint64_t bytes)
      : file_(std::move(file)), path_(std::move(path)), bytes_(bytes) {}
  bool InWindow(uint64_t offset, size_t n) const {
    return offset >= window_offset_ && offset + n <= window_offset_ + window_.size();
  }
  const char* InWindowData(uint64_t offset) const { return window_.data() + (offset - window_offset_); }
  Result<Slice> ReadInto(uint64_t offset, size_t n, char* scratch) const;
  // From the window if it is there. Keeps the window.
  Result<Slice> Peek(uint64_t offset, size_t n, char* scratch) const {
    return InWindow(offset, n) ? Result<Slice>(Slice(InWindowData(offset), n)) : ReadInto(offset, n, scratch);
  }

  const std::unique_ptr<RandomAccessFile> file_;
  const std::string path_;
  const uint64_t bytes_;
  std::unique_ptr<char[]> buffer_;
  size_t buffer_bytes_ = 0;
  uint64_t window_offset_ = 0;
  Slice window_;
  std::unique_ptr<char[]> scratch_;
};

}  // namespace seerdb
