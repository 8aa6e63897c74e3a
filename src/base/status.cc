#include "seerdb/status.h"

#include <cerrno>
#include <system_error>

#include "seerdb/version.h"

namespace seerdb {

const char* VersionString() { return "0.1.0"; }

const char* StatusCodeName(StatusCode code) {
  switch (code) {
    case StatusCode::kOk:
      return "OK";
    case StatusCode::kCorruption:
      return "Corruption";
    case StatusCode::kIoError:
      return "IoError";
    case StatusCode::kInvalidArgument:
      return "InvalidArgument";
    case StatusCode::kConflict:
      return "Conflict";
    case StatusCode::kBusy:
      return "Busy";
    case StatusCode::kReadOnly:
      return "ReadOnly";
    case StatusCode::kNotSupported:
      return "NotSupported";
    case StatusCode::kShutdown:
      return "Shutdown";
  }
  return "Unknown";
}

Status Status::Corruption(std::string message, StatusDetail detail) {
  return {StatusCode::kCorruption, detail, std::move(message)};
}
Status Status::IoError(std::string message, StatusDetail detail) {
  return {StatusCode::kIoError, detail, std::move(message)};
}
Status Status::InvalidArgument(std::string message) {
  return {StatusCode::kInvalidArgument, StatusDetail::kNone, std::move(message)};
}
Status Status::Conflict(std::string message) {
  return {StatusCode::kConflict, StatusDetail::kNone, std::move(message)};
}
Status Status::Busy(std::string message, StatusDetail detail) {
  return {StatusCode::kBusy, detail, std::move(message)};
}
Status Status::ReadOnly(std::string message, StatusDetail detail) {
  return {StatusCode::kReadOnly, detail, std::move(message)};
}
Status Status::NotSupported(std::string message) {
  return {StatusCode::kNotSupported, StatusDetail::kNone, std::move(message)};
}
Status Status::Shutdown(std::string message, StatusDetail detail) {
  return {StatusCode::kShutdown, detail, std::move(message)};
}

Status Status::FromErrno(Slice context, int error_number) {
  StatusCode code = StatusCode::kIoError;
  StatusDetail detail = StatusDetail::kNone;
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      detail = StatusDetail::kNoSpace;
      break;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      detail = StatusDetail::kNoResources;
      break;
    case ENOENT:
      detail = StatusDetail::kNotFound;
      break;
    case EEXIST:
      detail = StatusDetail::kAlreadyExists;
      break;
    case EACCES:
    case EPERM:
    case EROFS:
      detail = StatusDetail::kPermission;
      break;
    case EOPNOTSUPP:
      code = StatusCode::kNotSupported;
      break;
    default:
      break;
  }
  return {code, detail, std::string(context) + ": " + std::generic_category().message(error_number)};
}

std::string Status::ToString() const {
  if (ok()) return "OK";
  return std::string(StatusCodeName(code())) + ": " + rep_->message;
}

Status Status::WithContext(Slice context) const {
  if (ok()) return {};
  return {rep_->code, rep_->detail, std::string(context) + ": " + rep_->message};
}

Status Status::WithDetail(StatusDetail detail) const {
  if (ok()) return {};
  return {rep_->code, detail, rep_->message};
}

}  // namespace seerdb
