#include "db/value_file.h"

#include <gtest/gtest.h>

#include "env/fault_file_system.h"
#include "env/memory_file_system.h"
#include "vlog/value_writer.h"

namespace seerdb {
namespace {

const DatabaseId kOwner{1, 2};

class ValueFileTest : public ::testing::Test {
 protected:
  ValueFileTest() {
    EXPECT_TRUE(memory_->CreateDirectory("/db").ok());
    remover_ = std::make_shared<FileRemover>(memory_, nullptr, FileRemover::Pace::kAtOnce);
    ValueOpenOptions options;
    options.database = kOwner;
    files_ = std::make_unique<ValueFiles>(fs_, fs_, "/db", options, remover_);
  }
  static std::string Path(uint64_t segment) { return "/db/0000" + std::to_string(segment) + ".vlog"; }
  // A segment with one value.
  ValuePointer Write(uint64_t segment) {
    ValuePointer pointer;
    auto writer = ValueWriter::Create(*memory_, Path(segment), {kOwner, segment, 5});
    EXPECT_TRUE(writer.ok() && (*writer)->Add("k", "", "value", &pointer).ok() && (*writer)->Flush().ok());
    return pointer;
  }
  bool Exists(uint64_t segment) { return memory_->GetFileInfo(Path(segment)).ok(); }
  static Version Listing(const ValueBytesList& values) {
    return Version(std::vector<Level>(2), nullptr,
                   values.empty() ? nullptr : std::make_shared<const ValueBytesList>(values));
  }
  static std::string Read(const ValueFile* file, const ValuePointer& pointer) {
    FetchedValue value;
    const Status status = file == nullptr ? Status::Corruption("none") : file->Fetch(pointer, &value);
    return status.ok() ? std::string(value.bytes) : status.ToString();
  }

  const std::shared_ptr<MemoryFileSystem> memory_ = std::make_shared<MemoryFileSystem>();
  const std::shared_ptr<FaultFileSystem> fs_ = std::make_shared<FaultFileSystem>(memory_);
  std::shared_ptr<FileRemover> remover_;
  std::unique_ptr<ValueFiles> files_;
};

TEST_F(ValueFileTest, ASetFindsWhatItHasAndNothingElse) {
  std::vector<ValuePointer> pointers;
  for (const uint64_t segment : {17, 19, 30}) pointers.push_back(Write(segment));
  const ValueFileSet set = files_->Of(Listing({{17, 1}, {19, 1}, {30, 1}}));
  for (const uint64_t segment : {0, 16, 18, 20, 29, 31}) EXPECT_EQ(set.Find(segment), nullptr) << segment;
  for (const ValuePointer& pointer : pointers) EXPECT_EQ(Read(set.Find(pointer.segment), pointer), "value");
  EXPECT_EQ(files_->count(), 3u);
  EXPECT_EQ(files_->SealedBytes().size(), 3u);
  EXPECT_EQ(ValueFileSet().Find(17), nullptr);
}

TEST_F(ValueFileTest, ASegmentIsIdleWhenItIsSealedAndNoWriterHasIt) {
  Write(17);
  const ValueFilePtr file = files_->Create(17);
  file->AddWriter();
  EXPECT_TRUE(files_->Idle().empty());
  file->NoteSealed();
  EXPECT_TRUE(files_->Idle().empty()) << "a writer may not have told a memtable yet";
  file->RemoveWriter();
  EXPECT_EQ(files_->Idle(), std::set<uint64_t>{17});
}

TEST_F(ValueFileTest, WhatIsDroppedGoesWithItsLastHolder) {
  const ValuePointer pointer = Write(17);
  Write(18);
  ValueFileSet set = files_->Of(Listing({{17, 1}, {18, 1}}));
  files_->Drop({17, 18}, Listing({{18, 1}}));
  EXPECT_EQ(files_->count(), 1u);
  EXPECT_TRUE(Exists(17)) << "a view holds it";
  EXPECT_EQ(Read(set.Find(17), pointer), "value");
  FetchedValue pinned;
  ASSERT_TRUE(set.Find(17)->Fetch(pointer, &pinned).ok());
  set = ValueFileSet();
  EXPECT_FALSE(Exists(17));
  EXPECT_TRUE(Exists(18)) << "it is listed";
  EXPECT_EQ(pinned.bytes, "value");
  files_->Drop({18}, Listing({}));
  EXPECT_FALSE(Exists(18));
}

TEST_F(ValueFileTest, MemtablesFindAndKeepTheirSegments) {
  Write(18);
  auto values = std::make_unique<MemTableValues>();
  EXPECT_EQ(values->Find(17), nullptr);
  const ValuePointer pointer = Write(17);
  {
    const ValueFilePtr file = files_->Create(17);
    for (int i = 0; i < 3; ++i) values->Add(file);
  }
  values->Add(files_->Create(18));
  std::set<uint64_t> idle{16, 17, 18, 19};
  values->RemoveFrom(&idle);
  EXPECT_EQ(idle, (std::set<uint64_t>{16, 19}));
  files_->Drop({17}, Listing({}));
  EXPECT_EQ(Read(values->Find(17), pointer), "value");
  values.reset();
  EXPECT_FALSE(Exists(17));
  EXPECT_TRUE(Exists(18));
}

TEST_F(ValueFileTest, AMissingFileIsDamageAndAnErrorOfTheDeviceMayPass) {
  const ValuePointer pointer = Write(17);
  ValueFileSet set = files_->Of(Listing({{17, 1}, {18, 1}}));
  FetchedValue value;
  EXPECT_EQ(set.Find(18)->Fetch(pointer, &value).detail(), StatusDetail::kValueCorruption);
  fs_->AddRule(FaultRule::Fail(FileOp::kOpenRead, Path(17), FaultRule::DeviceError()));
  EXPECT_TRUE(set.Find(17)->Fetch(pointer, &value).IsIoError());
  EXPECT_EQ(Read(set.Find(17), pointer), "value") << "the next read tries again";
  EXPECT_EQ(files_->SealedBytes().size(), 1u) << "a missing one has no bytes to give back";
}

// A segment is read while it grows, and again after it was sealed.
TEST_F(ValueFileTest, AGrowingSegmentIsReadUpToItsLastFlush) {
  auto writer = ValueWriter::Create(*memory_, Path(17), {kOwner, 17, 5});
  ASSERT_TRUE(writer.ok());
  const ValueFilePtr file = files_->Create(17);
  std::vector<ValuePointer> pointers(3);
  for (ValuePointer& pointer : pointers) {
    ASSERT_TRUE((*writer)->Add("k", "", "value", &pointer).ok() && (*writer)->Flush().ok());
    EXPECT_EQ(Read(file.get(), pointer), "value");
  }
  file->NoteSealed();
  for (const ValuePointer& pointer : pointers) EXPECT_EQ(Read(file.get(), pointer), "value");
}

}  // namespace
}  // namespace seerdb
