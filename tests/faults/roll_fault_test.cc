// A roll of the manifest that fails behind the edit that called for it: who wrote last is told nothing, the
// next one is.
#include "env/fault_file_system.h"
#include "env/memory_file_system.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

struct RollFault {
  std::shared_ptr<FaultFileSystem> fs =
      std::make_shared<FaultFileSystem>(std::make_shared<MemoryFileSystem>());
  Options options = TinyOptions();
  bool armed = false;

  RollFault() {
    options.file_system = fs;
    options.background_flush = options.background_compaction = false;
  }
  // The first sync of the directory after a manifest is made fails, which makes its new name doubtful.
  void ArmAtRoll() {
    fs->AddRule(FaultRule::Observe(FileOp::kOpenWrite, "MANIFEST", [this](FileOp, const std::string&) {
      armed = true;
      fs->AddRule(FaultRule::Fail(FileOp::kSyncDir, "", FaultRule::DeviceError()));
    }));
  }
};

TEST(RollFault, AFailedSyncOfTheDirectoryStopsTheNextWrite) {
  RollFault f;
  auto db = OpenOrFail(f.options, kDbDirectory);
  ASSERT_TRUE(db);
  f.ArmAtRoll();
  Contents contents;
  // Tables with long keys make a long manifest.
  const std::string filling(20'000, 'k');
  for (int i = 0; i < 200 && !f.armed; ++i) {
    const std::string key = std::to_string(1000 + i) + filling;
    ASSERT_OK(db->Put(key, "v"));
    contents[key] = "v";
    const Status flushed = db->Flush();  // lists a log first, then a table
    EXPECT_TRUE(f.armed || flushed.ok()) << flushed.ToString();
  }
  ASSERT_TRUE(f.armed);
  ASSERT_EQ(f.fs->faults_fired(), 2u) << "the manifest was seen, and the sync failed";
  f.fs->ClearRules();
  const Status next = db->Put("next", "v");
  EXPECT_EQ(next.detail(), StatusDetail::kSyncFailed) << next.ToString();
  EXPECT_EQ(Difference(contents, ReadAll(*db)), "") << "it is still read";
  EXPECT_FALSE(db->Close().ok());
  db = OpenOrFail(f.options, kDbDirectory);
  ASSERT_TRUE(db);
  EXPECT_EQ(Difference(contents, ReadAll(*db)), "");
  EXPECT_OK(db->Close());
}

TEST(RollFault, SoItDoesWhereAKeyspaceMadeTheManifestLong) {
  RollFault f;
  auto db = OpenOrFail(f.options, kDbDirectory);
  ASSERT_TRUE(db);
  f.ArmAtRoll();
  const std::string filling(kMaxKeyspaceNameBytes - 4, 'n');
  for (int i = 0; i < 9000 && !f.armed; ++i) {
    ASSERT_OK(db->OpenKeyspace(std::to_string(1000 + i) + filling).status());
  }
  ASSERT_TRUE(f.armed);
  const Status next = db->Put("next", "v");
  EXPECT_EQ(next.detail(), StatusDetail::kSyncFailed) << next.ToString();
  EXPECT_FALSE(db->Close().ok());
}

}  // namespace
}  // namespace seerdb::testing
