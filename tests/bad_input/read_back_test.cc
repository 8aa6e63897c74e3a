// A table that is not what was written, as after a fault of memory or of a device that lies: it is noticed
// before the table takes the place of the log or of older tables, and nothing is lost.
#include <string>

#include "env/fault_file_system.h"
#include "env/memory_file_system.h"
#include "seerdb/db.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

constexpr int kKeys = 300;

struct Setting {
  TableAccess access;
  CompressionType compression;
};

class ReadBack : public ::testing::TestWithParam<Setting> {
 protected:
  ReadBack() {
    options_.file_system = fs_;
    options_.table_access = GetParam().access;
    options_.compression = GetParam().compression;
    options_.wal_sync_policy = SyncPolicy::kSyncData;
    options_.memtable_capacity = 1 << 20;
    db_ = OpenOrFail(options_, kDbDirectory);
  }
  void Fill(const std::string& value) {
    for (int i = 0; i < kKeys; ++i) {
      const std::string key = "key" + std::to_string(1000 + i);
      ASSERT_OK(db_->Put(key, value + std::to_string(i)));
      contents_[key] = value + std::to_string(i);
    }
  }
  // Changes a byte, at `part` hundredths of the file, of the next table that gets its name.
  void DamageNextTable(uint64_t part) {
    damaged_ = false;
    fs_->AddRule(FaultRule::Observe(FileOp::kRename, ".sst", [this, part](FileOp, const std::string&) {
      if (damaged_) return;
      const auto names = memory_->ListDirectory(kDbDirectory);
      ASSERT_OK(names.status());
      for (const std::string& name : *names) {
        if (name.find(".sst.") == std::string::npos) continue;
        const std::string path = std::string(kDbDirectory) + "/" + name;
        auto read = ReadFileToString(*memory_, path);
        ASSERT_OK(read.status());
        std::string bytes = *std::move(read);
        bytes[(bytes.size() - 1) * part / 100] ^= 0x20;
        auto file = memory_->NewWritableFile(path, CreateMode::kTruncate);
        ASSERT_OK(file.status());
        ASSERT_OK((*file)->Append(bytes));
        ASSERT_OK((*file)->Sync());
        damaged_ = true;
      }
    }));
  }
  void ExpectRefused(const Status& status) {
    EXPECT_TRUE(damaged_);
    // It stops writes, as a failed write of the table does.
    EXPECT_FALSE(status.ok());
    EXPECT_FALSE(status.IsCorruption()) << status.ToString();
    EXPECT_NE(status.message().find("read back"), Slice::npos) << status.ToString();
    EXPECT_NE(status.message().find(".sst"), Slice::npos) << status.ToString();
    EXPECT_EQ(Difference(contents_, ReadAll(*db_)), "");
    fs_->ClearRules();
    // As after a power cut: what is listed is whole.
    const auto after = memory_->CrashClone({});
    Options options = options_;
    options.file_system = after;
    const auto db = OpenOrFail(options, kDbDirectory);
    ASSERT_TRUE(db);
    EXPECT_OK(db->Verify().status());
    EXPECT_EQ(Difference(contents_, ReadAll(*db)), "");
    ASSERT_OK(db->Close());
    db_->Close().IgnoreError("writes were stopped");
    db_ = OpenOrFail(options_, kDbDirectory);
    ASSERT_TRUE(db_);
    EXPECT_EQ(Difference(contents_, ReadAll(*db_)), "");
  }

  const std::shared_ptr<MemoryFileSystem> memory_ = std::make_shared<MemoryFileSystem>();
  const std::shared_ptr<FaultFileSystem> fs_ = std::make_shared<FaultFileSystem>(memory_);
  Options options_ = TinyOptions();
  std::unique_ptr<DB> db_;
  Contents contents_;
  bool damaged_ = false;
};

TEST_P(ReadBack, AFlushThatWroteSomethingElseKeepsTheLog) {
  for (const uint64_t part : {0, 10, 50, 80, 99, 100}) {
    SCOPED_TRACE(part);
    ASSERT_TRUE(db_);
    Fill("flush" + std::to_string(part));
    DamageNextTable(part);
    ExpectRefused(db_->Flush());
    ASSERT_OK(db_->Flush());
    EXPECT_EQ(Difference(contents_, ReadAll(*db_)), "");
  }
}

TEST_P(ReadBack, ACompactionThatWroteSomethingElseKeepsItsInputs) {
  for (const uint64_t part : {0, 10, 50, 80, 99, 100}) {
    SCOPED_TRACE(part);
    ASSERT_TRUE(db_);
    Fill("older" + std::to_string(part));
    ASSERT_OK(db_->Flush());
    Fill("newer" + std::to_string(part));
    ASSERT_OK(db_->Flush());
    DamageNextTable(part);
    ExpectRefused(db_->CompactRange());
    ASSERT_OK(db_->CompactRange());
    EXPECT_EQ(Difference(contents_, ReadAll(*db_)), "");
  }
}

INSTANTIATE_TEST_SUITE_P(Settings, ReadBack,
                         ::testing::Values(Setting{TableAccess::kAuto, CompressionType::kNone},
                                           Setting{TableAccess::kAuto, CompressionType::kLz4},
                                           Setting{TableAccess::kPread, CompressionType::kNone},
                                           Setting{TableAccess::kPread, CompressionType::kLz4}));

}  // namespace
}  // namespace seerdb::testing
