#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "env/fault_file_system.h"
#include "env/memory_file_system.h"
#include "format/file_name.h"
#include "manifest/manifest_test_util.h"
#include "manifest/version_set.h"

namespace seerdb {
namespace {

class VersionSetResumeTest : public ::testing::Test {
 protected:
  VersionSetResumeTest() : memory_(std::make_shared<MemoryFileSystem>()), fs_(memory_) {
    EXPECT_TRUE(memory_->CreateDirectory("/db").ok());
  }

  std::unique_ptr<VersionSet> Create() {
    auto set = VersionSet::Create(fs_, "/db", NewDatabaseState(), std::make_shared<Statistics>(true));
    EXPECT_TRUE(set.ok()) << set.status().ToString();
    return *std::move(set);
  }
  ManifestState Read() {
    const auto state = ReadManifest(fs_, "/db", nullptr);
    EXPECT_TRUE(state.ok()) << state.status().ToString();
    return *state;
  }

  const std::shared_ptr<MemoryFileSystem> memory_;
  FaultFileSystem fs_;
};

// Each way in which an edit may fail for want of space: it is not in force after Resume, whatever reached the
// file, and its files are gone then and not before.
TEST_F(VersionSetResumeTest, ResumeStartsOverWithoutTheFailedEdit) {
  for (const uint64_t bytes : {uint64_t{0}, uint64_t{10}, UINT64_MAX}) {
    SCOPED_TRACE("bytes written: " + std::to_string(bytes));
    memory_->DeleteFile("/db/CURRENT").IgnoreError("the first round has none");
    const auto set = Create();
    ASSERT_TRUE(set->Apply(AddTable(*set->NewFileNumber(), "a", "b")).ok());
    const ManifestState before = set->state();
    const uint64_t number = *set->NewFileNumber();
    const std::string file = TableFilePath("/db", number);
    ASSERT_TRUE(memory_->NewWritableFile(file, CreateMode::kTruncate).ok());
    fs_.AddRule(FaultRule::ShortWrite("MANIFEST", bytes, FaultRule::NoSpaceError()));
    EXPECT_TRUE(set->Apply(AddTable(number, "c", "d")).IsNoSpace());
    EXPECT_TRUE(set->Apply(AddTable(*set->NewFileNumber(), "e", "f")).IsNoSpace());
    EXPECT_EQ(Describe(set->state()), Describe(before));
    EXPECT_TRUE(memory_->GetFileInfo(file).ok());
    for (const FileOp op : {FileOp::kOpenWrite, FileOp::kAppend, FileOp::kRename}) {
      fs_.AddRule(FaultRule::Fail(op, "", FaultRule::NoSpaceError()));
      EXPECT_TRUE(set->Resume().IsNoSpace()) << FileOpName(op);
      EXPECT_TRUE(set->Apply(AddTable(number, "c", "d")).IsNoSpace());
      EXPECT_TRUE(memory_->GetFileInfo(file).ok());
    }
    ASSERT_TRUE(set->Resume().ok());
    EXPECT_FALSE(memory_->GetFileInfo(file).ok());
    EXPECT_EQ(Describe(Read()), Describe(set->state()));
    EXPECT_EQ(set->current()->table_count(), 1u);
    const uint64_t next = *set->NewFileNumber();
    EXPECT_GT(next, number);
    ASSERT_TRUE(set->Apply(AddTable(next, "c", "d")).ok());
    EXPECT_EQ(Describe(Read()), Describe(set->state()));
  }
}

// All reserved numbers are handed out when the manifest fails: it has none to give the next one.
TEST_F(VersionSetResumeTest, ResumeFindsANumberWhenNoneIsReserved) {
  const auto set = Create();
  fs_.AddRule(FaultRule::Fail(FileOp::kAppend, "MANIFEST", FaultRule::NoSpaceError()));
  uint64_t last = 0;
  for (Result<uint64_t> number = set->NewFileNumber(); number.ok(); number = set->NewFileNumber()) {
    last = *number;
  }
  ASSERT_TRUE(set->Resume().ok());
  EXPECT_GT(set->manifest_number(), last);
  EXPECT_GT(*set->NewFileNumber(), set->manifest_number());
}

// A manifest that CURRENT may name stays while nobody knows, and goes once another one is named.
TEST_F(VersionSetResumeTest, OfSwitchesInDoubtNoManifestIsLeft) {
  const auto manifests = [&] {
    const auto names = memory_->ListDirectory("/db");
    return std::count_if(names->begin(), names->end(),
                         [](const std::string& name) { return name.starts_with("MANIFEST"); });
  };
  const auto set = Create();
  fs_.AddRule(FaultRule::Fail(FileOp::kAppend, "MANIFEST", FaultRule::NoSpaceError()));
  EXPECT_TRUE(set->Apply(AddTable(*set->NewFileNumber())).IsNoSpace());
  for (int i = 0; i < 3; ++i) {
    fs_.AddRule(FaultRule::Fail(FileOp::kRename, "CURRENT", FaultRule::NoSpaceError()));
    EXPECT_TRUE(set->Resume().IsNoSpace());
  }
  EXPECT_EQ(manifests(), 4);
  ASSERT_TRUE(set->Resume().ok());
  EXPECT_EQ(manifests(), 1);
  EXPECT_EQ(Describe(Read()), Describe(set->state()));
}

TEST_F(VersionSetResumeTest, OnlyWantOfSpaceIsResumed) {
  for (const bool sync : {false, true}) {
    memory_->DeleteFile("/db/CURRENT").IgnoreError("the first round has none");
    const auto set = Create();
    fs_.AddRule(FaultRule::Fail(sync ? FileOp::kSync : FileOp::kAppend, "MANIFEST",
                                sync ? FaultRule::NoSpaceError() : FaultRule::DeviceError()));
    const Status first = set->Apply(AddTable(*set->NewFileNumber()));
    ASSERT_FALSE(first.ok());
    EXPECT_EQ(set->Resume().ToString(), first.ToString());
    EXPECT_EQ(set->Apply(AddTable(*set->NewFileNumber())).ToString(), first.ToString());
  }
  memory_->DeleteFile("/db/CURRENT").IgnoreError("another follows");
  const auto set = Create();
  fs_.AddRule(FaultRule::Fail(FileOp::kAppend, "MANIFEST", FaultRule::NoSpaceError()));
  EXPECT_TRUE(set->Apply(AddTable(*set->NewFileNumber())).IsNoSpace());
  fs_.AddRule(FaultRule::Fail(FileOp::kSyncAll, "CURRENT", FaultRule::NoSpaceError()));
  EXPECT_EQ(set->Resume().detail(), StatusDetail::kSyncFailed);
  EXPECT_EQ(set->Resume().detail(), StatusDetail::kSyncFailed)
      << "a failed sync met while resuming is there to stay";
}

}  // namespace
}  // namespace seerdb
