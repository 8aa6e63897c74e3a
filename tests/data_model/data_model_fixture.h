// DataModelFixture: what the tests of single features share: a small database in memory that is reopened and
// crashed, and short forms of opening a keyspace and of an answer.
//
// Thread safety: external synchronization.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "env/memory_file_system.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {

class DataModelFixture : public ::testing::Test {
 protected:
  DataModelFixture() {
    options_ = TinyOptions();
    options_.file_system = fs_;
  }
  // Tables stay where they are put until the test compacts, and StringAppend("+") is the merge operator.
  void CompactOnlyWhenAsked() {
    options_.adaptive_compaction = false;
    options_.l0_compaction_trigger = 100;
    options_.l0_slowdown_writes_trigger = 200;
    options_.l0_stop_writes_trigger = 300;
    options_.merge_operator = StringAppend("+");
  }
  void Reopen() {
    db_.reset();
    db_ = OpenOrFail(options_, "/db");
    ASSERT_TRUE(db_);
  }
  void Crash(CrashOptions::Kind kind = CrashOptions::kDropUnsynced) {
    std::shared_ptr<MemoryFileSystem> survivor = fs_->CrashClone({1, kind, true});
    db_.reset();
    fs_ = std::move(survivor);
    options_.file_system = fs_;
    Reopen();
  }
  Keyspace Open(Slice name, const std::optional<KeyspaceOptions>& options = std::nullopt) {
    const Result<Keyspace> opened = db_->OpenKeyspace(name, options);
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    return opened.ok() ? *opened : Keyspace();
  }
  static std::string Text(const Result<std::optional<PinnedValue>>& got) {
    if (!got.ok()) return "error: " + got.status().ToString();
    return got->has_value() ? "=" + std::string((*got)->slice()) : "none";
  }

  std::shared_ptr<MemoryFileSystem> fs_ = std::make_shared<MemoryFileSystem>();
  Options options_;
  std::unique_ptr<DB> db_;
};

}  // namespace seerdb::testing
