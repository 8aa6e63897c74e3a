// Status: the outcome of an operation that returns no value. See result.h for those that do.
//
// OK is free (a null pointer, 8 bytes); an error owns a message of the form
// "operation file @offset: found ..., expected ...". Not found is an answer, not an error: see DB::Get.
//
// Thread safety: const methods may be called concurrently; otherwise external synchronization.
#pragma once

#include <memory>
#include <string>

#include "seerdb/export.h"
#include "seerdb/slice.h"

namespace seerdb {

// What a caller can act on. A code exists only where some caller would act differently.
enum class StatusCode : unsigned char {
  kOk = 0,
  kCorruption = 1,       // bytes on disk are not what was written; retrying does not help
  kIoError = 2,          // the file system refused; detail and errno say why
  kInvalidArgument = 3,  // the call or an option is wrong; nothing was changed
  kConflict = 4,         // another writer got there first; a retry may succeed
  kBusy = 5,             // held by someone else, or waiting would never end
  kReadOnly = 6,         // an earlier failure stopped all writes; message and detail are those of the cause
  kNotSupported = 7,     // this build or file system cannot do it
  kShutdown = 8,         // the database is closed or closing
};

// Typed detail beside the code, for callers that need to tell causes apart without parsing text.
enum class StatusDetail : unsigned char {
  kNone = 0,
  kNoSpace = 1,        // ENOSPC or EDQUOT
  kNotFound = 2,       // ENOENT: the file or directory does not exist; or there is no such keyspace
  kLocked = 3,         // another process or handle has the database open
  kWalCorruption = 4,  // a log record that was known durable cannot be read
  kTableCorruption = 5,
  kManifestCorruption = 6,
  kDeadWorker = 7,      // the executor let go of a background task without running it
  kAlreadyExists = 9,   // EEXIST
  kPermission = 10,     // EACCES, EPERM, EROFS
  kSyncFailed = 11,     // a sync failed, for whatever cause: what it covers may be lost, only reopening tells
  kDiskSpaceFull = 12,  // the guard of Options::min_disk_space_bytes refused the write; nothing was changed
  kMemoryFull = 13,     // the memory budget has no room for it, and nothing can make any
  kMergeFailed = 14,    // a merge operator refuses what it was given, or was not given itself
  kSkipLimit = 15,      // a scan has passed ReadOptions::max_skipped hidden entries; it can go on
  kValueCorruption = 16,     // a value that lies apart from its key is not what was written
  kTransactionAborted = 17,  // the transaction has been committed or aborted already
  kTransactionTooOld = 18,   // too much was written since it began to tell whether it conflicts
  kNoResources = 19,  // EMFILE, ENFILE or ENOMEM: process or system had no descriptor, or no memory, left
};

class [[nodiscard]] SEERDB_EXPORT Status {
 public:
  Status() noexcept = default;  // OK
  Status(const Status& other) : rep_(other.rep_ ? std::make_unique<Rep>(*other.rep_) : nullptr) {}
  Status& operator=(const Status& other) {
    if (this != &other) rep_ = other.rep_ ? std::make_unique<Rep>(*other.rep_) : nullptr;
    return *this;
  }
  Status(Status&&) noexcept = default;
  Status& operator=(Status&&) noexcept = default;
  ~Status() = default;

  static Status Ok() { return {}; }
  static Status Corruption(std::string message, StatusDetail detail = StatusDetail::kNone);
  static Status IoError(std::string message, StatusDetail detail = StatusDetail::kNone);
  static Status InvalidArgument(std::string message);
  static Status Conflict(std::string message);
  static Status Busy(std::string message, StatusDetail detail = StatusDetail::kNone);
  static Status ReadOnly(std::string message, StatusDetail detail = StatusDetail::kNone);
  static Status NotSupported(std::string message);
  static Status Shutdown(std::string message, StatusDetail detail = StatusDetail::kNone);
  // kIoError (kNotSupported for ENOTSUP) whose detail is derived from `error_number` (an errno value);
  // the message is `context` followed by the error's text.
  static Status FromErrno(Slice context, int error_number);

  bool ok() const noexcept { return rep_ == nullptr; }
  StatusCode code() const noexcept { return rep_ ? rep_->code : StatusCode::kOk; }
  StatusDetail detail() const noexcept { return rep_ ? rep_->detail : StatusDetail::kNone; }
  bool IsCorruption() const noexcept { return code() == StatusCode::kCorruption; }
  bool IsIoError() const noexcept { return code() == StatusCode::kIoError; }
  bool IsInvalidArgument() const noexcept { return code() == StatusCode::kInvalidArgument; }
  bool IsConflict() const noexcept { return code() == StatusCode::kConflict; }
  bool IsBusy() const noexcept { return code() == StatusCode::kBusy; }
  bool IsReadOnly() const noexcept { return code() == StatusCode::kReadOnly; }
  bool IsNotSupported() const noexcept { return code() == StatusCode::kNotSupported; }
  bool IsShutdown() const noexcept { return code() == StatusCode::kShutdown; }
  bool IsNoSpace() const noexcept { return detail() == StatusDetail::kNoSpace; }
  // Something was missing that may be there again: space, descriptors, memory. The same call may succeed
  // later.
  bool MayPass() const noexcept { return IsNoSpace() || detail() == StatusDetail::kNoResources; }

  // The message without the code's name; empty when OK. Valid as long as this Status is.
  Slice message() const noexcept { return rep_ ? Slice(rep_->message) : Slice(); }
  // "OK", or "Corruption: <message>".
  std::string ToString() const;

  // The same code and detail, the message prefixed by "<context>: ". OK stays OK.
  Status WithContext(Slice context) const;
  // The same code and message with another detail. OK stays OK.
  Status WithDetail(StatusDetail detail) const;

  // States that an error is dropped on purpose, and why.
  void IgnoreError(const char* /*why*/) const {}

 private:
  struct Rep {
    StatusCode code;
    StatusDetail detail;
    std::string message;
  };
  Status(StatusCode code, StatusDetail detail, std::string message)
      : rep_(std::make_unique<Rep>(Rep{code, detail, std::move(message)})) {}

  std::unique_ptr<Rep> rep_;
};

// "Corruption", "IoError", ...: stable names, also used by the command line tool.
SEERDB_EXPORT const char* StatusCodeName(StatusCode code);

}  // namespace seerdb
