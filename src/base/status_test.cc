#include "seerdb/status.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "seerdb/result.h"

namespace seerdb {
namespace {

TEST(Status, OkIsFreeAndEmpty) {
  EXPECT_EQ(sizeof(Status), sizeof(void*));
  const Status status;
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(status.code(), StatusCode::kOk);
  EXPECT_EQ(status.message(), "");
  EXPECT_EQ(status.ToString(), "OK");
  EXPECT_TRUE(Status::Ok().ok());
  EXPECT_TRUE(status.WithContext("context").ok());
}

TEST(Status, CodesAndNames) {
  struct Case {
    Status status;
    StatusCode code;
    std::string text;
    bool (Status::*is)() const noexcept;
  };
  const Case cases[] = {
      {Status::Corruption("m"), StatusCode::kCorruption, "Corruption: m", &Status::IsCorruption},
      {Status::IoError("m"), StatusCode::kIoError, "IoError: m", &Status::IsIoError},
      {Status::InvalidArgument("m"), StatusCode::kInvalidArgument, "InvalidArgument: m",
       &Status::IsInvalidArgument},
      {Status::Conflict("m"), StatusCode::kConflict, "Conflict: m", &Status::IsConflict},
      {Status::Busy("m"), StatusCode::kBusy, "Busy: m", &Status::IsBusy},
      {Status::ReadOnly("m"), StatusCode::kReadOnly, "ReadOnly: m", &Status::IsReadOnly},
      {Status::NotSupported("m"), StatusCode::kNotSupported, "NotSupported: m", &Status::IsNotSupported},
      {Status::Shutdown("m"), StatusCode::kShutdown, "Shutdown: m", &Status::IsShutdown},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.text);
    EXPECT_FALSE(c.status.ok());
    EXPECT_EQ(c.status.code(), c.code);
    EXPECT_EQ(c.status.ToString(), c.text);
    EXPECT_EQ(c.status.message(), "m");
    EXPECT_EQ(c.status.detail(), StatusDetail::kNone);
    for (const Case& other : cases) EXPECT_EQ((c.status.*other.is)(), c.code == other.code);
  }
}

TEST(Status, CopiesAndMovesKeepEverything) {
  const Status original = Status::Corruption("message", StatusDetail::kWalCorruption);
  Status copy = original;
  EXPECT_EQ(copy.ToString(), original.ToString());
  EXPECT_EQ(copy.detail(), StatusDetail::kWalCorruption);
  const Status moved = std::move(copy);
  EXPECT_EQ(moved.ToString(), "Corruption: message");
  Status assigned = Status::Busy("old");
  assigned = moved;
  EXPECT_EQ(assigned.ToString(), "Corruption: message");
  Status& self = assigned;
  assigned = self;
  EXPECT_EQ(assigned.ToString(), "Corruption: message");
  assigned = Status();
  EXPECT_TRUE(assigned.ok());
}

TEST(Status, ContextIsPrefixed) {
  const Status status =
      Status::IoError("disk", StatusDetail::kNoSpace).WithContext("flush").WithContext("close");
  EXPECT_EQ(status.ToString(), "IoError: close: flush: disk");
  EXPECT_TRUE(status.IsNoSpace());
}

TEST(Status, FromErrno) {
  struct Case {
    int error;
    StatusCode code;
    StatusDetail detail;
  };
  for (const Case& c : std::vector<Case>{{ENOSPC, StatusCode::kIoError, StatusDetail::kNoSpace},
                                         {EDQUOT, StatusCode::kIoError, StatusDetail::kNoSpace},
                                         {EMFILE, StatusCode::kIoError, StatusDetail::kNoResources},
                                         {ENFILE, StatusCode::kIoError, StatusDetail::kNoResources},
                                         {ENOMEM, StatusCode::kIoError, StatusDetail::kNoResources},
                                         {ENOENT, StatusCode::kIoError, StatusDetail::kNotFound},
                                         {EEXIST, StatusCode::kIoError, StatusDetail::kAlreadyExists},
                                         {EACCES, StatusCode::kIoError, StatusDetail::kPermission},
                                         {EPERM, StatusCode::kIoError, StatusDetail::kPermission},
                                         {EROFS, StatusCode::kIoError, StatusDetail::kPermission},
                                         {EIO, StatusCode::kIoError, StatusDetail::kNone},
                                         {EOPNOTSUPP, StatusCode::kNotSupported, StatusDetail::kNone}}) {
    const Status status = Status::FromErrno("open /x", c.error);
    EXPECT_EQ(status.code(), c.code) << c.error;
    EXPECT_EQ(status.detail(), c.detail) << c.error;
    EXPECT_TRUE(status.message().starts_with("open /x: ")) << status.ToString();
    EXPECT_GT(status.message().size(), 9u);
  }
}

Result<int> Half(int n) {
  if (n % 2 != 0) return Status::InvalidArgument("odd");
  return n / 2;
}
Result<int> Quarter(int n) {
  SEERDB_ASSIGN_OR_RETURN(const int half, Half(n));
  SEERDB_ASSIGN_OR_RETURN(const int quarter, Half(half));
  return quarter;
}
Status CheckQuarter(int n) {
  SEERDB_RETURN_IF_ERROR(Quarter(n).status());
  return {};
}

TEST(Result, ValueOrError) {
  EXPECT_EQ(*Quarter(12), 3);
  EXPECT_TRUE(Quarter(12).status().ok());
  EXPECT_EQ(Quarter(6).status().ToString(), "InvalidArgument: odd");
  EXPECT_FALSE(Quarter(6));
  EXPECT_EQ(Quarter(6).value_or(-1), -1);
  EXPECT_EQ(Quarter(12).value_or(-1), 3);
  EXPECT_TRUE(CheckQuarter(8).ok());
  EXPECT_EQ(CheckQuarter(7).ToString(), "InvalidArgument: odd");
}

TEST(Result, HoldsWhatOnlyMoves) {
  Result<std::unique_ptr<std::string>> result(std::make_unique<std::string>("value"));
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(**result, "value");
  Result<std::unique_ptr<std::string>> moved(std::move(result));
  const std::unique_ptr<std::string> taken = *std::move(moved);
  EXPECT_EQ(*taken, "value");
}

TEST(Result, CopiesAndAssigns) {
  Result<std::string> value(std::string("a value that does not fit into the object itself"));
  Result<std::string> error(Status::Busy("locked"));
  const Result<std::string> copy(value);
  EXPECT_EQ(*copy, *value);
  value = error;
  EXPECT_EQ(value.status().ToString(), "Busy: locked");
  error = copy;
  ASSERT_TRUE(error.ok());
  EXPECT_EQ(*error, *copy);
  EXPECT_TRUE(error.status().ok());
}

TEST(Result, AnOkStatusIsNoValue) {
  const Result<int> result{Status()};
  EXPECT_FALSE(result.ok());
  EXPECT_TRUE(result.status().IsInvalidArgument());
}

}  // namespace
}  // namespace seerdb
