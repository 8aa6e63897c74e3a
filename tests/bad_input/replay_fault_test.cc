// Opens that replay a log in several pieces and fail behind some of them, with threads that write the pieces
// and without: nothing of the failed open stays, and the next one has everything.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "env/fault_file_system.h"
#include "env/memory_file_system.h"
#include "seerdb/db.h"
#include "seerdb/executor.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

class ReplayFault : public ::testing::TestWithParam<bool> {
 protected:
  // What a crash leaves of a database whose log has several memtables of the size it is opened with next.
  ReplayFault() {
    const auto memory = std::make_shared<MemoryFileSystem>();
    Options options = TinyOptions();
    options.file_system = memory;
    options.memtable_capacity = 1 << 20;
    const auto db = OpenOrFail(options, kDbDirectory);
    for (int i = 0; i < 400; ++i) {
      const std::string key = "key" + std::to_string(1000 + i * 7 % 400);
      EXPECT_OK(db->Put(key, std::string(40, 'v')));
      contents_[key] = std::string(40, 'v');
    }
    disk_ = memory->CrashClone({0, CrashOptions::kProcessCrash, true});
    fs_ = std::make_shared<FaultFileSystem>(disk_);
    options_ = options;
    options_.file_system = fs_;
    options_.memtable_capacity = 4096;
    options_.executor = GetParam() ? NewThreadPoolExecutor() : NewCooperativeExecutor();
  }

  size_t Tables() const {
    const auto names = disk_->ListDirectory(kDbDirectory);
    EXPECT_TRUE(names.ok());
    return static_cast<size_t>(std::count_if(names->begin(), names->end(),
                                             [](const std::string& name) { return name.ends_with(".sst"); }));
  }
  void ExpectFailsAndLeavesNothing() {
    EXPECT_FALSE(DB::Open(options_, kDbDirectory).ok());
    EXPECT_EQ(Tables(), 0u);
  }
  void ExpectOpensWhole() {
    fs_->ClearRules();
    const auto db = OpenOrFail(options_, kDbDirectory);
    ASSERT_TRUE(db);
    EXPECT_GT(db->Stats().recovery.records_replayed, 0u);
    EXPECT_EQ(Difference(contents_, ReadAll(*db)), "");
  }

  std::shared_ptr<MemoryFileSystem> disk_;
  std::shared_ptr<FaultFileSystem> fs_;
  Options options_;
  Contents contents_;
};

TEST_P(ReplayFault, EachWriteToATableMayFail) {
  for (const FileOp op : {FileOp::kAppend, FileOp::kSync}) {
    for (uint64_t countdown = 1; countdown <= 6; ++countdown) {
      fs_->AddRule(FaultRule::Fail(op, ".sst", FaultRule::DeviceError(), countdown));
      ExpectFailsAndLeavesNothing();
      fs_->ClearRules();
    }
  }
  ExpectOpensWhole();
}

TEST_P(ReplayFault, WhatCannotBeReadBackFailsTheOpen) {
  for (uint64_t countdown = 1; countdown <= 10; countdown += 3) {
    fs_->AddRule(FaultRule::Fail(FileOp::kRead, ".sst", FaultRule::DeviceError(), countdown));
    ExpectFailsAndLeavesNothing();
    fs_->ClearRules();
  }
  ExpectOpensWhole();
}

TEST_P(ReplayFault, DamageBehindSomePiecesFailsTheOpen) {
  fs_->AddRule(FaultRule::Fail(FileOp::kRead, ".log", FaultRule::DeviceError(), 3));
  ExpectFailsAndLeavesNothing();
  ExpectOpensWhole();
}

INSTANTIATE_TEST_SUITE_P(Executors, ReplayFault, ::testing::Bool(), [](const auto& given) {
  return given.param ? std::string("Threads") : std::string("NoThreads");
});

}  // namespace
}  // namespace seerdb::testing
