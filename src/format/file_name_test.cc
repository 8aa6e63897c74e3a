#include "format/file_name.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace seerdb {
namespace {

TEST(FileName, Paths) {
  EXPECT_EQ(CurrentFilePath("/db"), "/db/CURRENT");
  EXPECT_EQ(LockFilePath("/db"), "/db/LOCK");
  EXPECT_EQ(ManifestFileName(7), "MANIFEST-000007");
  EXPECT_EQ(ManifestFilePath("/db", 7), "/db/MANIFEST-000007");
  EXPECT_EQ(LogFilePath("/db", 12), "/db/000012.log");
  EXPECT_EQ(TableFilePath("/db", 1'234'567), "/db/1234567.sst");
  EXPECT_EQ(TemporaryPath("/db/000015.sst"), "/db/000015.sst.tmp");
  EXPECT_EQ(SortRunPath("/db", 17), "/db/000017.run.tmp");
}

TEST(FileName, Parse) {
  struct Case {
    std::string name;
    FileKind kind;
    uint64_t number;
  };
  for (const Case& c : std::vector<Case>{{"CURRENT", FileKind::kCurrent, 0},
                                         {"LOCK", FileKind::kLock, 0},
                                         {"MANIFEST-000007", FileKind::kManifest, 7},
                                         {"REPAIR", FileKind::kRepair, 0},
                                         {"MANIFEST-7", FileKind::kUnknown, 0},
                                         {"MANIFEST-", FileKind::kUnknown, 0},
                                         {"MANIFEST-x7", FileKind::kUnknown, 0},
                                         {"MANIFEST-000007.bak", FileKind::kUnknown, 0},
                                         {"000012.log", FileKind::kLog, 12},
                                         {"1234567.log", FileKind::kLog, 1'234'567},
                                         {"7.log", FileKind::kUnknown, 0},
                                         {"0000012.log", FileKind::kUnknown, 0},
                                         {".log", FileKind::kUnknown, 0},
                                         {"-1.log", FileKind::kUnknown, 0},
                                         {"+1.sst", FileKind::kUnknown, 0},
                                         {" 1.sst", FileKind::kUnknown, 0},
                                         {"000015.sst", FileKind::kTable, 15},
                                         {"4611686018427387904.sst", FileKind::kTable, kMaxFileNumber},
                                         {"4611686018427387905.sst", FileKind::kUnknown, 0},
                                         {"9999999999999999999.sst", FileKind::kUnknown, 0},
                                         {"99999999999999999999.sst", FileKind::kUnknown, 0},
                                         {"000015.SST", FileKind::kUnknown, 0},
                                         {"000015.sst.tmp", FileKind::kTemporary, 15},
                                         {"000016.log.tmp", FileKind::kTemporary, 16},
                                         {"000017.run.tmp", FileKind::kTemporary, 17},
                                         {"000017.run", FileKind::kUnknown, 0},
                                         {"CURRENT.tmp", FileKind::kTemporary, 0},
                                         {"MANIFEST-000009.tmp", FileKind::kTemporary, 9},
                                         {"x.tmp", FileKind::kUnknown, 0},
                                         {"x.sst.tmp", FileKind::kUnknown, 0},
                                         {"", FileKind::kUnknown, 0},
                                         {"current", FileKind::kUnknown, 0},
                                         {"notes.txt", FileKind::kUnknown, 0}}) {
    uint64_t number = 99;
    EXPECT_EQ(ParseFileName(c.name, &number), c.kind) << c.name;
    EXPECT_EQ(number, c.number) << c.name;
  }
}

TEST(FileName, EveryNumberIsParsedBack) {
  for (const uint64_t want :
       {uint64_t{0}, uint64_t{1}, uint64_t{999'999}, uint64_t{1'000'000}, uint64_t{1} << 62}) {
    uint64_t number = 0;
    EXPECT_EQ(ParseFileName(LogFilePath("", want).substr(1), &number), FileKind::kLog);
    EXPECT_EQ(number, want);
    EXPECT_EQ(ParseFileName(TableFilePath("", want).substr(1), &number), FileKind::kTable);
    EXPECT_EQ(number, want);
    EXPECT_EQ(ParseFileName(ManifestFileName(want), &number), FileKind::kManifest);
    EXPECT_EQ(number, want);
  }
}

}  // namespace
}  // namespace seerdb
