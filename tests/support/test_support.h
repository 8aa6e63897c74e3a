// What the tests of the whole engine share: seeds, scale, short forms of reads and of opening.
//
// Thread safety: functions may be called concurrently.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "seerdb/db.h"

#define ASSERT_OK(expression)                                  \
  do {                                                         \
    const ::seerdb::Status status_of_it = (expression);        \
    ASSERT_TRUE(status_of_it.ok()) << status_of_it.ToString(); \
  } while (false)
#define EXPECT_OK(expression)                                  \
  do {                                                         \
    const ::seerdb::Status status_of_it = (expression);        \
    EXPECT_TRUE(status_of_it.ok()) << status_of_it.ToString(); \
  } while (false)

namespace seerdb::testing {

// Where a database lies in a file system of its own.
inline constexpr char kDbDirectory[] = "/db";

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
#else
inline constexpr bool kSanitized = false;
#endif

// The number in environment variable `name`, or `otherwise` if it is unset.
uint64_t EnvNumber(const char* name, uint64_t otherwise);
// True if SEERDB_LONG is set to something other than 0.
bool LongRun();
// SEERDB_SEED, or a fresh seed; prints it, so that a failing run can be repeated.
uint64_t TestSeed();

using Contents = std::map<std::string, std::string>;

// Bytes as printable text, cut after `limit`.
std::string Printable(Slice bytes, size_t limit = 40);

// "=<value>", "none" or "error: <status>".
std::string GetText(DB& db, Slice key, const Snapshot* snapshot = nullptr);
// Every entry, walked forward, and checked to be the same walked backward. A failed read is a test failure.
Contents ReadAll(DB& db, const Snapshot* snapshot = nullptr);
// The first difference between two contents in words; empty if there is none.
std::string Difference(const Contents& want, const Contents& got);

// Opens or fails the test; null then.
std::unique_ptr<DB> OpenOrFail(const Options& options, const std::string& path);

// Small everything, one thread: the writer flushes and compacts. Needs a file system set by the caller.
Options TinyOptions();

// A directory on the real file system, emptied and removed with the object.
class TempDirectory {
 public:
  TempDirectory();
  ~TempDirectory();
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace seerdb::testing
