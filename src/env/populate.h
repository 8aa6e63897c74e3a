// PopulatePages: brings the pages of a mapping into memory by calls, which return what a touch would raise.
//
// Thread safety: concurrently.
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

#include "env/unique_fd.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

namespace seerdb {

// `advice`: MADV_POPULATE_READ or MADV_POPULATE_WRITE. How many bytes were done; errno says why not all of
// them, EINVAL that the kernel is older than 5.14. Requires: `start` is at a page.
inline size_t PopulatePages(char* start, size_t bytes, int advice) {
  // A call holds the lock of the process's memory map all the while, for which other threads' mmap waits.
  constexpr size_t kBytesAtOnce = size_t{1} << 20;
  size_t done = 0;
  while (done < bytes) {
    const size_t n = std::min(kBytesAtOnce, bytes - done);
    if (RetryInterrupted([&] { return ::madvise(start + done, n, advice); }) != 0) break;
    done += n;
  }
  return done;
}

}  // namespace seerdb
