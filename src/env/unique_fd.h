// UniqueFd: an open file descriptor that is closed on destruction.
//
// Thread safety: external synchronization.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace seerdb {

class UniqueFd {
 public:
  explicit UniqueFd(int fd = -1) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~UniqueFd() {
    if (fd_ >= 0) ::close(fd_);
  }

  bool valid() const { return fd_ >= 0; }
  int get() const { return fd_; }
  // Closes now; returns the errno that close reported, or 0. An interrupted close has closed on Linux.
  int Close() {
    if (fd_ < 0) return EBADF;
    const int result = ::close(std::exchange(fd_, -1));
    return result == 0 || errno == EINTR ? 0 : errno;
  }

 private:
  int fd_;
};

// Repeats a system call that returns -1 with EINTR.
template <typename Call>
auto RetryInterrupted(Call call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result == -1 && errno == EINTR);
  return result;
}

}  // namespace seerdb
