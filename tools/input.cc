#include "input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/status_macros.h"
#include "seerdb/types.h"

namespace seerdb::cli {
namespace {

constexpr size_t kInitialBufferBytes = 256 * 1024;
// A key, a value, and as much again for the other columns and for quotes.
constexpr uint64_t kMaxLineBytes = 2 * (kMaxKeyBytes + kMaxValueBytes);

}  // namespace

Input::Input(int descriptor, std::string name, uint64_t total_bytes)
    : descriptor_(descriptor), name_(std::move(name)), total_bytes_(total_bytes) {
  buffer_.resize(kInitialBufferBytes);
}

Input::~Input() {
  if (descriptor_ != STDIN_FILENO) close(descriptor_);
}

Result<std::unique_ptr<Input>> Input::Open(const std::string& path) {
  const bool standard = path == "-";
  const std::string name = standard ? "standard input" : path;
  const int descriptor = standard ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return Status::FromErrno("open " + name, errno);
  struct stat info = {};
  const bool regular = fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode);
  const uint64_t total_bytes = regular ? static_cast<uint64_t>(info.st_size) : 0;
  return std::unique_ptr<Input>(new Input(descriptor, name, total_bytes));
}

Result<bool> Input::Fill() {
  if (begin_ != 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == buffer_.size()) buffer_.resize(2 * buffer_.size());
  while (true) {
    const ssize_t bytes = read(descriptor_, buffer_.data() + end_, buffer_.size() - end_);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return Status::FromErrno("read " + name_, errno);
    end_ += static_cast<size_t>(bytes);
    return bytes > 0;
  }
}

Result<bool> Input::FillTo(size_t bytes) {
  while (buffered().size() < bytes) {
    SEERDB_ASSIGN_OR_RETURN(const bool more, Fill());
    if (!more) return false;
  }
  return true;
}

Result<bool> Input::ReadLine(Slice* line) {
  size_t searched = 0;
  while (true) {
    const Slice bytes = buffered();
    const size_t end = bytes.find('\n', searched);
    if (end != Slice::npos) {
      *line = bytes.substr(0, end);
      Consume(end + 1);
      return true;
    }
    searched = bytes.size();
    if (searched > kMaxLineBytes) {
      return Status::InvalidArgument("read " + name_ + " @" + std::to_string(offset_) +
                                     ": found a line of more than " + std::to_string(kMaxLineBytes) +
                                     " bytes, expected a record");
    }
    SEERDB_ASSIGN_OR_RETURN(const bool more, Fill());
    if (more) continue;
    *line = buffered();
    Consume(line->size());
    return !line->empty();
  }
}

Result<std::string> ReadAll(const std::string& path, uint64_t max_bytes) {
  SEERDB_ASSIGN_OR_RETURN(const auto input, Input::Open(path));
  while (true) {
    if (input->buffered().size() > max_bytes) {
      return Status::InvalidArgument("read " + input->name() + ": found more than " +
                                     std::to_string(max_bytes) + " bytes, expected at most that");
    }
    SEERDB_ASSIGN_OR_RETURN(const bool more, input->Fill());
    if (!more) return std::string(input->buffered());
  }
}

}  // namespace seerdb::cli
