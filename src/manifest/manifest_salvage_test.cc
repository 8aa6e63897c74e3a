#include "manifest/manifest_salvage.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "env/memory_file_system.h"
#include "manifest/manifest_file.h"
#include "manifest/manifest_test_util.h"

namespace seerdb {
namespace {

const char kPath[] = "/db/MANIFEST-000001";

class ManifestSalvageTest : public ::testing::Test {
 protected:
  // A snapshot, then tables 10 to 13 added, 10 deleted and 11 moved.
  ManifestSalvageTest() {
    EXPECT_TRUE(fs_.CreateDirectory("/db").ok());
    const auto set = *VersionSet::Create(fs_, "/db", NewDatabaseState(), std::make_shared<Statistics>(true));
    ends_.push_back(set->manifest_bytes());
    for (const uint64_t number : {10, 11, 12, 13}) {
      EXPECT_TRUE(set->Apply(AddTable(number)).ok());
      ends_.push_back(set->manifest_bytes());
    }
    VersionEdit edit;
    edit.deleted_tables = {{0, 10}, {0, 11}};
    VersionEdit::AddedTable moved = AddTable(11).added_tables[0];
    moved.level = 1;
    edit.added_tables.push_back(moved);
    edit.added_logs.push_back({20, 77});
    EXPECT_TRUE(set->Apply(edit).ok());
    ends_.push_back(set->manifest_bytes());
    state_ = Describe(set->state());
    whole_ = *ReadFileToString(fs_, kPath);
  }

  ManifestSalvage Salvage(const std::string& bytes) {
    auto file = fs_.NewWritableFile(kPath, CreateMode::kTruncate);
    EXPECT_TRUE((*file)->Append(bytes).ok());
    const auto salvage = SalvageManifest(fs_, kPath, 1);
    EXPECT_TRUE(salvage.ok()) << salvage.status().ToString();
    return *salvage;
  }

  MemoryFileSystem fs_;
  std::vector<uint64_t> ends_;  // of each record
  std::string state_;
  std::string whole_;
};

TEST_F(ManifestSalvageTest, AWholeManifest) {
  const ManifestSalvage salvage = Salvage(whole_);
  EXPECT_TRUE(salvage.whole);
  EXPECT_EQ(Describe(salvage.state), state_);
  EXPECT_EQ(salvage.database_id, (DatabaseId{0x1111, 0x2222}));
  EXPECT_EQ(salvage.tables.size(), 4u);
  EXPECT_EQ(salvage.deleted, (std::set<uint64_t>{10}));
  ASSERT_EQ(salvage.logs.size(), 1u);
  EXPECT_EQ(salvage.logs[0].epoch, 77u);
  EXPECT_EQ(salvage.last_sequence, 130u);
  EXPECT_EQ(salvage.next_file_number, salvage.state.next_file_number);
}

TEST_F(ManifestSalvageTest, EveryFlippedByteCostsAtMostItsRecord) {
  for (size_t i = 0; i < whole_.size(); ++i) {
    SCOPED_TRACE(i);
    std::string bytes = whole_;
    bytes[i] = static_cast<char>(bytes[i] ^ 0x21);
    const ManifestSalvage salvage = Salvage(bytes);
    size_t record = 0;
    while (i >= ends_[record]) ++record;
    const bool in_header = i < kManifestHeaderBytes;
    // The last record may have been cut by a crash as well.
    EXPECT_EQ(salvage.whole, in_header || record + 1 == ends_.size());
    const bool lost_table = !in_header && record >= 1 && record <= 4;
    EXPECT_EQ(salvage.tables.size(), lost_table && record != 2 ? 3u : 4u) << "table 11 is added twice";
    EXPECT_EQ(salvage.deleted.contains(10), in_header || record != 5);
    EXPECT_EQ(salvage.database_id.has_value(), in_header || record != 0);
    if (HasFailure()) return;
  }
}

TEST_F(ManifestSalvageTest, CutAtEveryLength) {
  for (size_t n = 0; n < whole_.size(); ++n) {
    const ManifestSalvage salvage = Salvage(whole_.substr(0, n));
    EXPECT_EQ(salvage.whole, n >= ends_[0]) << n;
  }
  EXPECT_FALSE(Salvage(std::string(5000, '\0')).whole);
}

}  // namespace
}  // namespace seerdb
