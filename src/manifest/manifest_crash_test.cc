// Crashes the life of a manifest before each call that changes something. What a reader finds is a state
// that was current: the last one acknowledged, or the one being written.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "env/fault_file_system.h"
#include "env/memory_file_system.h"
#include "manifest/manifest_test_util.h"

namespace seerdb {
namespace {

class Life {
 public:
  Life() : memory_(std::make_shared<MemoryFileSystem>()), fs_(memory_) {
    EXPECT_TRUE(memory_->CreateDirectory("/db").ok());
    fs_.SetHook([this](FileOp op, const std::string& path, uint64_t index) { Crash(op, path, index); });
  }

  // Creates, edits, passes the size limit, reopens twice.
  void Run() {
    Begin(NewDatabaseState());
    auto set = VersionSet::Create(fs_, "/db", NewDatabaseState(), nullptr);
    ASSERT_TRUE(set.ok()) << set.status().ToString();
    Acknowledge();
    const uint64_t first_manifest = (*set)->manifest_number();
    for (int i = 0; i < 12; ++i) Edit(set->get(), i < 3 ? 10 : kMaxKeyBytes);
    EXPECT_NE((*set)->manifest_number(), first_manifest);
    for (int reopened = 0; reopened < 2; ++reopened) {
      ManifestState state = *ReadManifest(fs_, "/db", nullptr);
      state.epoch += 100;
      Begin(state);
      set = VersionSet::Continue(fs_, "/db", state, nullptr);
      ASSERT_TRUE(set.ok()) << set.status().ToString();
      Acknowledge();
      Edit(set->get(), 10);
    }
  }

  uint64_t crashes() const { return crashes_; }

 private:
  void Edit(VersionSet* set, size_t key_bytes) {
    const auto number = set->NewFileNumber();
    ASSERT_TRUE(number.ok());
    largest_number_ = std::max(largest_number_, *number);
    VersionEdit edit = AddTable(*number, std::string(key_bytes, 'a'), std::string(key_bytes, 'b'));
    if (*number % 3 == 0) {
      edit.added_logs = {{*number, 5}};
      edit.log_number = *number;
      edit.log_first_record = *number;
    }
    ManifestState next = set->state();
    ASSERT_TRUE(ApplyEdit(edit, &next).ok());
    Begin(next);
    ASSERT_TRUE(set->Apply(edit).ok());
    Acknowledge();
  }

  void Begin(const ManifestState& state) {
    ManifestState with_version = state;
    if (with_version.version == nullptr)
      with_version.version = std::make_shared<const Version>(state.num_levels);
    pending_ = Describe(with_version);
  }
  void Acknowledge() { acknowledged_ = pending_; }

  void Crash(FileOp op, const std::string& path, uint64_t index) {
    for (const auto kind :
         {CrashOptions::kProcessCrash, CrashOptions::kDropUnsynced, CrashOptions::kPowerCut}) {
      for (uint64_t seed = 0; seed < (kind == CrashOptions::kPowerCut ? 6u : 1u); ++seed) {
        for (const bool in_order : {true, false}) {
          SCOPED_TRACE("before call " + std::to_string(index) + ", " + FileOpName(op) + " " + path +
                       ", kind " + std::to_string(kind) + " seed " + std::to_string(seed));
          Check(*memory_->CrashClone({seed + 10 * index, kind, in_order}));
        }
      }
    }
  }

  void Check(MemoryFileSystem& after) {
    ++crashes_;
    const auto state = ReadManifest(after, "/db", nullptr);
    if (!state.ok()) {
      // Only a database whose creation was never acknowledged may be missing.
      EXPECT_EQ(state.status().detail(), StatusDetail::kNotFound) << state.status().ToString();
      EXPECT_EQ(acknowledged_, "");
      return;
    }
    const std::string found = Describe(*state);
    EXPECT_TRUE(found == acknowledged_ || found == pending_) << found.substr(0, 100) << "\n"
                                                             << acknowledged_.substr(0, 100) << "\n"
                                                             << pending_.substr(0, 100);
    EXPECT_GT(state->next_file_number, largest_number_);
    // It can be continued, whatever else lies around.
    ManifestState next = *state;
    const auto set = VersionSet::Continue(after, "/db", next, nullptr);
    ASSERT_TRUE(set.ok()) << set.status().ToString();
    EXPECT_EQ(Describe(*ReadManifest(after, "/db", nullptr)), found);
  }

  std::shared_ptr<MemoryFileSystem> memory_;
  FaultFileSystem fs_;
  std::string acknowledged_;
  std::string pending_;
  uint64_t largest_number_ = 0;
  uint64_t crashes_ = 0;
};

TEST(ManifestCrash, BeforeEveryCall) {
  Life life;
  life.Run();
  EXPECT_GT(life.crashes(), 500u);
}

}  // namespace
}  // namespace seerdb
