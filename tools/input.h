// Input: a file or standard input ("-"), read forward through a buffer that grows when a record needs it.
//
// Memory: at most about twice the largest stretch asked for, and never more than twice what was read.
// Thread safety: external synchronization.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "seerdb/result.h"
#include "seerdb/slice.h"

namespace seerdb::cli {

class Input {
 public:
  static Result<std::unique_ptr<Input>> Open(const std::string& path);
  ~Input();
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  // Bytes read but not consumed. Valid until the next Fill or Consume.
  Slice buffered() const { return Slice(buffer_.data() + begin_, end_ - begin_); }
  // Reads more behind buffered(). False at the end of the input.
  Result<bool> Fill();
  // Reads until at least `bytes` are buffered. False if the input ends before that.
  Result<bool> FillTo(size_t bytes);
  void Consume(size_t bytes) {
    begin_ += bytes;
    offset_ += bytes;
  }

  // Consumes one line and hands it over without its '\n'; the last line may lack one. False at the end of
  // the input. kInvalidArgument if a line is longer than any record can be. The line is valid until the
  // next call.
  Result<bool> ReadLine(Slice* line);

  // Bytes consumed so far.
  uint64_t offset() const { return offset_; }
  // Size of a regular file; 0 if it is not known.
  uint64_t total_bytes() const { return total_bytes_; }
  // "standard input", or the path.
  const std::string& name() const { return name_; }

 private:
  Input(int descriptor, std::string name, uint64_t total_bytes);

  const int descriptor_;
  const std::string name_;
  const uint64_t total_bytes_;
  std::string buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
  uint64_t offset_ = 0;
};

// All of a file or of standard input; kInvalidArgument if it is longer than `max_bytes`.
Result<std::string> ReadAll(const std::string& path, uint64_t max_bytes);

}  // namespace seerdb::cli
