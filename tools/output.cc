#include "output.h"

#include <unistd.h>

#include <cerrno>
#include <string>

namespace seerdb::cli {
namespace {

constexpr size_t kBufferBytes = 256 * 1024;

std::string& Buffer() {
  static std::string buffer;
  return buffer;
}

// errno of the first failed write to stdout; 0 if none.
int first_error = 0;

// Returns 0 or an errno.
int WriteAll(int descriptor, Slice bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

void Drain() {
  if (first_error == 0) first_error = WriteAll(STDOUT_FILENO, Buffer());
  Buffer().clear();
}

}  // namespace

void Print(Slice bytes) {
  Buffer().append(bytes);
  if (Buffer().size() >= kBufferBytes) Drain();
}

Status FlushOutput() {
  Drain();
  if (first_error != 0) return Status::FromErrno("write to standard output", first_error);
  return Status::Ok();
}

void PrintError(Slice text) { static_cast<void>(WriteAll(STDERR_FILENO, text)); }

bool StderrIsTerminal() { return isatty(STDERR_FILENO) == 1; }

}  // namespace seerdb::cli
