// The contract of seerdb/file_system.h, sentence by sentence, for the file systems that are here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "env/file_system_fixture.h"
#include "seerdb/file_system.h"

namespace seerdb {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class FileSystemConformance : public FileSystemFixture {};

TEST_P(FileSystemConformance, AppendWritesAtTheEndOfWriting) {
  const auto file = Open("f");
  EXPECT_TRUE(file->Append("abc").ok());
  EXPECT_EQ(Get("f"), "abc") << "appended bytes are seen at once, without a sync";
  EXPECT_TRUE(file->Append("").ok());
  EXPECT_TRUE(file->Append(Slice("d\0e", 3)).ok());
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_TRUE(file->SyncAll().ok());
  EXPECT_TRUE(file->Close().ok());
  EXPECT_EQ(Get("f"), std::string("abcd\0e", 6));
}

TEST_P(FileSystemConformance, StartWritebackChangesNothing) {
  const auto file = Open("f");
  const std::string text(100'000, 'x');
  ASSERT_TRUE(file->Append(text).ok());
  file->StartWriteback(0, 65536);
  ASSERT_TRUE(file->Append("behind").ok());
  // Also of what was never appended, and of more than a file can have.
  file->StartWriteback(65536, 1 << 20);
  file->StartWriteback(std::numeric_limits<uint64_t>::max(), 1);
  file->StartWriteback(1, std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(Get("f"), text + "behind");
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_TRUE(file->SyncAll().ok());
}

TEST_P(FileSystemConformance, CreateModes) {
  Put("f", "old text");
  ExpectError(fs_->NewWritableFile(Path("f"), CreateMode::kMustNotExist).status(),
              StatusDetail::kAlreadyExists, Path("f"));
  EXPECT_EQ(Get("f"), "old text");
  ExpectError(fs_->NewWritableFile(Path("none"), CreateMode::kOverwrite).status(), StatusDetail::kNotFound,
              Path("none"));
  ExpectError(fs_->GetFileInfo(Path("none")).status(), StatusDetail::kNotFound, Path("none"));

  auto file = Open("f", CreateMode::kOverwrite);
  EXPECT_EQ(Get("f"), "old text") << "the size is unchanged";
  EXPECT_TRUE(file->Append("NEW").ok());
  EXPECT_EQ(Get("f"), "NEW text");
  EXPECT_TRUE(file->Append(" and longer").ok());
  EXPECT_EQ(Get("f"), "NEW and longer");

  file = Open("f", CreateMode::kAppend);
  EXPECT_TRUE(file->Append(", and on").ok());
  EXPECT_TRUE(file->Append(" and on").ok());
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_EQ(Get("f"), "NEW and longer, and on and on");
  ExpectError(fs_->NewWritableFile(Path("none"), CreateMode::kAppend).status(), StatusDetail::kNotFound,
              Path("none"));

  file = Open("f", CreateMode::kTruncate);
  EXPECT_EQ(Get("f"), "");
  file = Open("g", CreateMode::kMustNotExist);
  EXPECT_EQ(Get("g"), "");
}

TEST_P(FileSystemConformance, TruncateDoesNotMoveTheAppendPosition) {
  const auto file = Open("f");
  ASSERT_TRUE(file->Append("abcdef").ok());
  ASSERT_TRUE(file->Truncate(2).ok());
  EXPECT_EQ(Get("f"), "ab");
  ASSERT_TRUE(file->Append("g").ok());
  EXPECT_EQ(Get("f"), std::string("ab\0\0\0\0g", 7)) << "a hole reads as zeros";
  ASSERT_TRUE(file->Truncate(9).ok());
  EXPECT_EQ(Get("f"), std::string("ab\0\0\0\0g\0\0", 9));
  EXPECT_FALSE(file->Truncate(std::numeric_limits<uint64_t>::max()).ok());
  EXPECT_EQ(Get("f").size(), 9u);
}

TEST_P(FileSystemConformance, AllocateKeepsOrExtendsTheSize) {
  const auto file = Open("f");
  ASSERT_TRUE(file->Append("abc").ok());
  const Status keep = file->Allocate(8192, false);
  EXPECT_TRUE(keep.ok() || keep.IsNotSupported()) << keep.ToString();
  EXPECT_EQ(Get("f"), "abc");
  const Status extend = file->Allocate(8192, true);
  if (extend.IsNotSupported()) GTEST_SKIP() << "this file system has no fallocate";
  ASSERT_TRUE(extend.ok()) << extend.ToString();
  EXPECT_EQ(Get("f"), "abc" + std::string(8189, '\0'));
  ASSERT_TRUE(file->Append("d").ok());
  EXPECT_EQ(Get("f"), "abcd" + std::string(8188, '\0'));
  EXPECT_TRUE(file->Allocate(4096, true).ok());
  EXPECT_EQ(Get("f").size(), 8192u) << "allocation never shrinks";
  EXPECT_TRUE(file->Allocate(0, true).ok());
  EXPECT_FALSE(file->Allocate(std::numeric_limits<uint64_t>::max(), true).ok());
}

TEST_P(FileSystemConformance, ReadReturnsLessOnlyAtTheEnd) {
  Put("f", "0123456789");
  auto opened = fs_->NewRandomAccessFile(Path("f"));
  ASSERT_TRUE(opened.ok());
  const auto file = *std::move(opened);
  struct Case {
    uint64_t offset;
    size_t n;
    const char* want;
  };
  const Case kCases[] = {{0, 10, "0123456789"}, {3, 4, "3456"},      {8, 4, "89"},
                         {10, 4, ""},           {11, 4, ""},         {0, 0, ""},
                         {1ull << 62, 4, ""},   {UINT64_MAX, 4, ""}, {UINT64_MAX - 1, 16, ""}};
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.offset);
    char scratch[16] = {};
    auto got = file->Read(c.offset, c.n, scratch);
    ASSERT_TRUE(got.ok()) << got.status().ToString();
    EXPECT_EQ(*got, c.want);
  }
  auto size = file->Size();
  ASSERT_TRUE(size.ok());
  EXPECT_EQ(*size, 10u);
  file->ReadAhead(0, 10);
  file->ReadAhead(UINT64_MAX, SIZE_MAX);
}

TEST_P(FileSystemConformance, ReadSeesWhatIsAppendedLater) {
  const auto writer = Open("f");
  auto opened = fs_->NewRandomAccessFile(Path("f"));
  ASSERT_TRUE(opened.ok());
  ASSERT_TRUE(writer->Append("later").ok());
  char scratch[8];
  auto got = (*opened)->Read(0, 8, scratch);
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(*got, "later");
}

TEST_P(FileSystemConformance, MapHoldsTheBytesAfterCloseAndDelete) {
  std::string text(100000, 'm');
  text[99999] = 'z';
  Put("f", text);
  std::shared_ptr<const MappedRegion> region;
  {
    auto opened = fs_->NewRandomAccessFile(Path("f"));
    ASSERT_TRUE(opened.ok());
    auto mapped = (*opened)->Map();
    ASSERT_TRUE(mapped.ok()) << mapped.status().ToString();
    region = *std::move(mapped);
  }
  ASSERT_TRUE(fs_->DeleteFile(Path("f")).ok());
  EXPECT_EQ(region->bytes(), text);
}

TEST_P(FileSystemConformance, HintsOfAMappingChangeNoByte) {
  const std::string text(3'000'000, 'h');
  for (const std::string& content : {std::string(), std::string("h"), text}) {
    Put("f", content);
    auto opened = fs_->NewRandomAccessFile(Path("f"));
    ASSERT_TRUE(opened.ok());
    (*opened)->ForgetClean();
    auto mapped = (*opened)->Map();
    ASSERT_TRUE(mapped.ok());
    (*mapped)->ExpectRandomReads();
    for (const uint64_t offset : {uint64_t{0}, uint64_t{1}, uint64_t{4097}, UINT64_MAX}) {
      for (const uint64_t bytes : {uint64_t{0}, uint64_t{1}, uint64_t{2'999'999}, UINT64_MAX})
        (*mapped)->WillNeed(offset, bytes);
    }
    EXPECT_TRUE((*mapped)->bytes() == content);
    EXPECT_FALSE((*mapped)->WillNeed(0, content.size())) << "it was read";
  }
}

TEST_P(FileSystemConformance, MapOfAnEmptyFileIsEmpty) {
  Put("f", "");
  auto opened = fs_->NewRandomAccessFile(Path("f"));
  ASSERT_TRUE(opened.ok());
  auto mapped = (*opened)->Map();
  ASSERT_TRUE(mapped.ok());
  EXPECT_TRUE((*mapped)->bytes().empty());
}

TEST_P(FileSystemConformance, MapHasTheSizeOfTheMoment) {
  const auto writer = Open("f");
  ASSERT_TRUE(writer->Append("first").ok());
  auto opened = fs_->NewRandomAccessFile(Path("f"));
  ASSERT_TRUE(opened.ok());
  auto before = (*opened)->Map();
  ASSERT_TRUE(writer->Append("second").ok());
  auto after = (*opened)->Map();
  ASSERT_TRUE(before.ok() && after.ok());
  EXPECT_EQ((*before)->bytes(), "first");
  EXPECT_EQ((*after)->bytes(), "firstsecond");
}

TEST_P(FileSystemConformance, AnOpenFileOutlivesItsName) {
  Put("f", "text");
  auto opened = fs_->NewRandomAccessFile(Path("f"));
  ASSERT_TRUE(opened.ok());
  ASSERT_TRUE(fs_->DeleteFile(Path("f")).ok());
  char scratch[4];
  auto got = (*opened)->Read(0, 4, scratch);
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(*got, "text");
  ExpectError(fs_->GetFileInfo(Path("f")).status(), StatusDetail::kNotFound, Path("f"));
}

TEST_P(FileSystemConformance, ListDirectoryHasNoDots) {
  auto names = fs_->ListDirectory(root_);
  ASSERT_TRUE(names.ok());
  EXPECT_TRUE(names->empty());
  Put("b", "1");
  Put(".hidden", "2");
  ASSERT_TRUE(fs_->CreateDirectory(Path("sub/deep")).ok());
  names = fs_->ListDirectory(root_);
  ASSERT_TRUE(names.ok());
  EXPECT_THAT(*names, UnorderedElementsAre("b", ".hidden", "sub"));
  ExpectError(fs_->ListDirectory(Path("none")).status(), StatusDetail::kNotFound, Path("none"));
  ExpectError(fs_->ListDirectory(Path("b")).status(), StatusDetail::kNone, Path("b"));
}

TEST_P(FileSystemConformance, CreateDirectoryMakesParentsAndAcceptsExisting) {
  EXPECT_TRUE(fs_->CreateDirectory(Path("a/b//c/")).ok());
  auto info = fs_->GetFileInfo(Path("a/b/c"));
  ASSERT_TRUE(info.ok());
  EXPECT_TRUE(info->is_directory);
  EXPECT_TRUE(fs_->CreateDirectory(Path("a/b/c")).ok());
  EXPECT_TRUE(fs_->CreateDirectory("/").ok());
  EXPECT_FALSE(fs_->CreateDirectory("").ok());
  Put("file", "x");
  ExpectError(fs_->CreateDirectory(Path("file")), StatusDetail::kAlreadyExists, Path("file"));
  const Status below = fs_->CreateDirectory(Path("file/sub"));
  EXPECT_EQ(below.code(), StatusCode::kIoError);
  EXPECT_THAT(std::string(below.message()), HasSubstr(Path("file")));
  EXPECT_EQ(Get("file"), "x");
}

TEST_P(FileSystemConformance, DeleteFileAndDirectory) {
  Put("f", "x");
  ASSERT_TRUE(fs_->CreateDirectory(Path("d/e")).ok());
  EXPECT_TRUE(fs_->DeleteFile(Path("f")).ok());
  ExpectError(fs_->DeleteFile(Path("f")), StatusDetail::kNotFound, Path("f"));
  EXPECT_FALSE(fs_->DeleteFile(Path("d")).ok());
  ExpectError(fs_->DeleteDirectory(Path("d")), StatusDetail::kNone, Path("d"));
  ExpectError(fs_->DeleteDirectory(Path("none")), StatusDetail::kNotFound, Path("none"));
  Put("f", "x");
  ExpectError(fs_->DeleteDirectory(Path("f")), StatusDetail::kNone, Path("f"));
  EXPECT_TRUE(fs_->DeleteDirectory(Path("d/e")).ok());
  EXPECT_TRUE(fs_->DeleteDirectory(Path("d")).ok());
  EXPECT_THAT(*fs_->ListDirectory(root_), UnorderedElementsAre("f"));
}

TEST_P(FileSystemConformance, RenameReplacesTheTarget) {
  Put("a", "from");
  Put("b", "replaced");
  auto replaced = fs_->NewRandomAccessFile(Path("b"));
  ASSERT_TRUE(replaced.ok());
  ASSERT_TRUE(fs_->RenameFile(Path("a"), Path("b")).ok());
  EXPECT_EQ(Get("b"), "from");
  EXPECT_THAT(*fs_->ListDirectory(root_), UnorderedElementsAre("b"));
  char scratch[8];
  auto got = (*replaced)->Read(0, 8, scratch);
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(*got, "replaced") << "an open file keeps its bytes";

  EXPECT_TRUE(fs_->RenameFile(Path("b"), Path("b")).ok());
  EXPECT_EQ(Get("b"), "from");
  ExpectError(fs_->RenameFile(Path("none"), Path("c")), StatusDetail::kNotFound, Path("none"));
  ASSERT_TRUE(fs_->CreateDirectory(Path("d")).ok());
  EXPECT_FALSE(fs_->RenameFile(Path("b"), Path("d")).ok());
  EXPECT_FALSE(fs_->RenameFile(Path("d"), Path("b")).ok());
  EXPECT_TRUE(fs_->RenameFile(Path("b"), Path("d/b")).ok());
  EXPECT_EQ(Get("d/b"), "from");
  EXPECT_TRUE(fs_->RenameFile(Path("d"), Path("e")).ok());
  EXPECT_EQ(Get("e/b"), "from");
  EXPECT_THAT(*fs_->ListDirectory(root_), UnorderedElementsAre("e"));
}

TEST_P(FileSystemConformance, ARenamedOpenFileIsWrittenOn) {
  const auto file = Open("tmp");
  ASSERT_TRUE(file->Append("one").ok());
  ASSERT_TRUE(fs_->RenameFile(Path("tmp"), Path("final")).ok());
  ASSERT_TRUE(file->Append("two").ok());
  EXPECT_EQ(Get("final"), "onetwo");
}

TEST_P(FileSystemConformance, SyncDirectory) {
  Put("f", "x");
  EXPECT_TRUE(fs_->SyncDirectory(root_).ok());
  ExpectError(fs_->SyncDirectory(Path("none")), StatusDetail::kNotFound, Path("none"));
  ExpectError(fs_->SyncDirectory(Path("f")), StatusDetail::kNone, Path("f"));
}

TEST_P(FileSystemConformance, InfoOfFileDirectoryAndSpace) {
  Put("f", "12345");
  auto info = fs_->GetFileInfo(Path("f"));
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->bytes, 5u);
  EXPECT_EQ(info->links, 1u);
  EXPECT_FALSE(info->is_directory);
  info = fs_->GetFileInfo(root_);
  ASSERT_TRUE(info.ok());
  EXPECT_TRUE(info->is_directory);
  auto space = fs_->GetSpaceInfo(root_);
  ASSERT_TRUE(space.ok());
  EXPECT_GT(space->total_bytes, 0u);
  EXPECT_LE(space->available_bytes, space->total_bytes);
  ExpectError(fs_->GetSpaceInfo(Path("none")).status(), StatusDetail::kNotFound, Path("none"));
}

TEST_P(FileSystemConformance, WrongKindsAndPlacesAreNamed) {
  Put("f", "x");
  for (const CreateMode mode : {CreateMode::kTruncate, CreateMode::kOverwrite}) {
    ExpectError(fs_->NewWritableFile(root_, mode).status(), StatusDetail::kNone, root_);
    ExpectError(fs_->NewWritableFile(Path("f/g"), mode).status(), StatusDetail::kNone, Path("f/g"));
    ExpectError(fs_->NewWritableFile(Path("none/g"), mode).status(), StatusDetail::kNotFound, Path("none/g"));
  }
  ExpectError(fs_->NewRandomAccessFile(root_).status(), StatusDetail::kNone, root_);
  ExpectError(fs_->NewRandomAccessFile(Path("f/g")).status(), StatusDetail::kNone, Path("f/g"));
  ExpectError(fs_->NewRandomAccessFile(Path("none")).status(), StatusDetail::kNotFound, Path("none"));
  ExpectError(fs_->NewRandomAccessFile("").status(), StatusDetail::kNotFound, "");
  ExpectError(fs_->LockFile(Path("none/LOCK"), "me").status(), StatusDetail::kNotFound, Path("none/LOCK"));
  ExpectError(fs_->LockFile(root_, "me").status(), StatusDetail::kNone, root_);
}

TEST_P(FileSystemConformance, SyncMayRunBesideAppendAndRead) {
  const auto file = Open("f");
  auto opened = fs_->NewRandomAccessFile(Path("f"));
  ASSERT_TRUE(opened.ok());
  constexpr int kRecords = 500;
  std::atomic<bool> done{false};
  std::thread syncer([&] {
    while (!done) ASSERT_TRUE(file->Sync().ok());
  });
  std::thread reader([&] {
    char scratch[64];
    while (!done) {
      auto mapped = (*opened)->Map();
      ASSERT_TRUE(mapped.ok());
      for (const char c : (*mapped)->bytes()) ASSERT_EQ(c, 'r');
      auto got = (*opened)->Read(0, sizeof scratch, scratch);
      ASSERT_TRUE(got.ok());
    }
  });
  for (int i = 0; i < kRecords; ++i) ASSERT_TRUE(file->Append("rrrrrrrr").ok());
  done = true;
  syncer.join();
  reader.join();
  EXPECT_EQ(Get("f"), std::string(kRecords * 8, 'r'));
}

TEST_P(FileSystemConformance, ReadFileToStringReadsAllOfIt) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{4095}, size_t{4096}, size_t{1000000}}) {
    std::string text(size, 'a');
    if (size > 0) text.back() = 'b';
    Put("f", text);
    EXPECT_EQ(Get("f"), text);
  }
  ExpectError(ReadFileToString(*fs_, Path("none")).status(), StatusDetail::kNotFound, Path("none"));
}

INSTANTIATE_TEST_SUITE_P(All, FileSystemConformance, kAllFileSystems, FileSystemName);

}  // namespace
}  // namespace seerdb
