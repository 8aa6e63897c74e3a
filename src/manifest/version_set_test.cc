#include "manifest/version_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "env/fault_file_system.h"
#include "env/memory_file_system.h"
#include "format/file_name.h"
#include "manifest/manifest_file.h"
#include "manifest/manifest_test_util.h"

namespace seerdb {
namespace {

class VersionSetTest : public ::testing::Test {
 protected:
  VersionSetTest() : memory_(std::make_shared<MemoryFileSystem>()), fs_(memory_) {
    EXPECT_TRUE(memory_->CreateDirectory("/db").ok());
  }

  std::unique_ptr<VersionSet> Create() {
    auto set = VersionSet::Create(fs_, "/db", NewDatabaseState(), statistics_);
    EXPECT_TRUE(set.ok()) << set.status().ToString();
    return *std::move(set);
  }
  std::unique_ptr<VersionSet> Reopen() {
    auto set = VersionSet::Continue(fs_, "/db", Read(), statistics_);
    EXPECT_TRUE(set.ok()) << set.status().ToString();
    return *std::move(set);
  }
  ManifestState Read() {
    const auto state = ReadManifest(fs_, "/db", nullptr);
    EXPECT_TRUE(state.ok()) << state.status().ToString();
    return *state;
  }
  std::string Names() {
    auto names = *memory_->ListDirectory("/db");
    std::sort(names.begin(), names.end());
    std::string out;
    for (const std::string& name : names) out += name + " ";
    return out;
  }

  std::shared_ptr<MemoryFileSystem> memory_;
  FaultFileSystem fs_;
  std::shared_ptr<Statistics> statistics_ = std::make_shared<Statistics>(true);
};

// A key that makes an edit 128 KiB long.
std::string LongKey(char last) { return std::string(kMaxKeyBytes - 1, 'k') + last; }

TEST_F(VersionSetTest, CreateWritesCurrentAndManifest) {
  const auto set = Create();
  EXPECT_EQ(Names(), "CURRENT MANIFEST-000001 ");
  EXPECT_EQ(*ReadFileToString(fs_, "/db/CURRENT"), "MANIFEST-000001\ncrc32c d0f5bb00\n");
  EXPECT_EQ(set->manifest_number(), 1u);
  ManifestSource source;
  const auto state = ReadManifest(fs_, "/db", &source);
  ASSERT_TRUE(state.ok()) << state.status().ToString();
  EXPECT_EQ(source.path, "/db/MANIFEST-000001");
  EXPECT_EQ(source.torn_bytes, 0u);
  EXPECT_EQ(state->database_id, (DatabaseId{0x1111, 0x2222}));
  EXPECT_EQ(Describe(*state), Describe(set->state()));
  EXPECT_EQ(Describe(*state), "sequence 0 log 0 from 1 epoch 7 levels 4\n");
}

TEST_F(VersionSetTest, NoCurrentIsNotFound) {
  const Status status = ReadManifest(fs_, "/db", nullptr).status();
  EXPECT_TRUE(status.IsIoError());
  EXPECT_EQ(status.detail(), StatusDetail::kNotFound);
}

TEST_F(VersionSetTest, CreateRefusesADatabase) {
  Create();
  const auto again = VersionSet::Create(fs_, "/db", NewDatabaseState(), nullptr);
  EXPECT_EQ(again.status().detail(), StatusDetail::kAlreadyExists);
  EXPECT_EQ(Names(), "CURRENT MANIFEST-000001 ");
}

TEST_F(VersionSetTest, AppliedEditsAreReadBack) {
  const auto set = Create();
  const VersionPtr before = set->current();
  const uint64_t number = *set->NewFileNumber();
  VersionEdit edit = AddTable(number);
  edit.log_number = 3;
  edit.log_first_record = 17;
  edit.added_logs = {{3, 99}};
  edit.epoch = 8;
  ASSERT_TRUE(set->Apply(edit).ok());
  EXPECT_EQ(before->table_count(), 0u);
  EXPECT_EQ(set->current()->table_count(), 1u);
  EXPECT_EQ(Describe(Read()), Describe(set->state()));
  EXPECT_EQ(Describe(Read()),
            "sequence 20 log 3 from 17 epoch 8 levels 4 log 3/99\n"
            "L0: 1 runs, 1 tables, 1002 bytes\n  run 2: 2[a .. z](1002)\n");
  const auto reopened = Reopen();
  EXPECT_EQ(Describe(reopened->state()), Describe(set->state()));
  EXPECT_EQ(Describe(Read()), Describe(set->state()));
}

TEST_F(VersionSetTest, ContinueResizesLevels) {
  Create();
  ManifestState state = Read();
  state.num_levels = 6;
  const auto grown = VersionSet::Continue(fs_, "/db", state, nullptr);
  ASSERT_TRUE(grown.ok());
  EXPECT_EQ((*grown)->current()->num_levels(), 6u);
  VersionEdit edit = AddTable(*(*grown)->NewFileNumber());
  edit.added_tables[0].level = 5;
  ASSERT_TRUE((*grown)->Apply(edit).ok());
  state = Read();
  state.num_levels = 5;
  EXPECT_TRUE(VersionSet::Continue(fs_, "/db", state, nullptr).status().IsInvalidArgument());
  EXPECT_EQ(Read().num_levels, 6u);
}

TEST_F(VersionSetTest, AnInvalidEditReachesNeitherStateNorFile) {
  const auto set = Create();
  const uint64_t bytes = set->manifest_bytes();
  VersionEdit edit;
  edit.deleted_tables = {{0, 5}};
  EXPECT_TRUE(set->Apply(edit).IsCorruption());
  EXPECT_EQ(set->manifest_bytes(), bytes);
  EXPECT_TRUE(set->Apply(AddTable(2)).ok());
  EXPECT_EQ(Describe(Read()), Describe(set->state()));
}

TEST_F(VersionSetTest, AFailedAppendOrSyncIsSticky) {
  for (const FileOp op : {FileOp::kAppend, FileOp::kSync}) {
    SCOPED_TRACE(FileOpName(op));
    memory_->DeleteFile("/db/CURRENT").IgnoreError("the first round has none");
    const auto set = Create();
    ASSERT_TRUE(set->Apply(AddTable(2)).ok());
    const std::string before = Describe(set->state());
    fs_.AddRule(FaultRule::Fail(op, "MANIFEST", FaultRule::DeviceError()));
    const Status first = set->Apply(AddTable(3));
    EXPECT_TRUE(first.IsIoError());
    const uint64_t mutations = fs_.mutations();
    EXPECT_EQ(set->Apply(AddTable(4)).ToString(), first.ToString());
    EXPECT_EQ(fs_.mutations(), mutations);
    EXPECT_EQ(Describe(set->state()), before);
    // Numbers reserved already are still good; a new block cannot be had.
    Status status;
    for (int i = 0; i < 200 && status.ok(); ++i) status = set->NewFileNumber().status();
    EXPECT_EQ(status.ToString(), first.ToString());
  }
}

TEST_F(VersionSetTest, NumbersAreNeverRepeated) {
  std::set<uint64_t> seen;
  const auto take = [&](VersionSet& set, int count) {
    for (int i = 0; i < count; ++i) {
      const auto number = set.NewFileNumber();
      ASSERT_TRUE(number.ok());
      ASSERT_TRUE(seen.insert(*number).second) << *number;
      // A power cut: what was not synced is gone, also the directory's newest names.
      const auto after = memory_->CrashClone({0, CrashOptions::kDropUnsynced});
      const auto state = ReadManifest(*after, "/db", nullptr);
      ASSERT_TRUE(state.ok()) << state.status().ToString();
      ASSERT_GT(state->next_file_number, *number);
    }
  };
  auto set = Create();
  seen.insert(set->manifest_number());
  take(*set, 200);
  ASSERT_TRUE(set->Apply(AddTable(2)).ok());
  for (int round = 0; round < 20; ++round) {
    set = Reopen();
    ASSERT_TRUE(seen.insert(set->manifest_number()).second);
    take(*set, round * 7);
    if (round % 3 == 0) {
      VersionEdit edit;
      edit.epoch = round;
      ASSERT_TRUE(set->Apply(edit).ok());
    }
    take(*set, 5);
  }
}

TEST_F(VersionSetTest, MostNumbersCostNoWrite) {
  const auto set = Create();
  const uint64_t syncs = fs_.calls(FileOp::kSync);
  for (int i = 0; i < 640; ++i) ASSERT_TRUE(set->NewFileNumber().ok());
  EXPECT_LE(fs_.calls(FileOp::kSync) - syncs, 11u);
}

TEST_F(VersionSetTest, AnOrphanManifestIsSteppedOver) {
  auto file = memory_->NewWritableFile("/db/MANIFEST-000001", CreateMode::kTruncate);
  ASSERT_TRUE((*file)->Append("torn").ok());
  const auto set = Create();
  EXPECT_EQ(set->manifest_number(), 2u);
  EXPECT_EQ(*ReadFileToString(fs_, "/db/MANIFEST-000001"), "torn");
  EXPECT_GT(*set->NewFileNumber(), 2u);
}

TEST_F(VersionSetTest, ThreadsTakeNumbersAndApply) {
  const auto set = Create();
  constexpr int kThreads = 4;
  constexpr int kNumbers = 500;
  std::vector<std::vector<uint64_t>> taken(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kNumbers; ++i) {
        const uint64_t number = *set->NewFileNumber();
        taken[t].push_back(number);
        if (i % 50 == 0) {
          VersionEdit edit = AddTable(number);
          edit.last_sequence.reset();
          EXPECT_TRUE(set->Apply(edit).ok());
          EXPECT_GT(set->current()->table_count(), 0u);
          EXPECT_GT(set->state().next_file_number, number);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<uint64_t> all;
  for (const auto& numbers : taken) all.insert(numbers.begin(), numbers.end());
  EXPECT_EQ(all.size(), size_t{kThreads} * kNumbers);
  EXPECT_EQ(Read().version->table_count(), uint64_t{kThreads} * kNumbers / 50);
  EXPECT_GT(Read().next_file_number, *all.rbegin());
}

TEST_F(VersionSetTest, ALongManifestIsReplaced) {
  const auto set = Create();
  uint64_t last = 0;
  for (int i = 0; i < 40; ++i) {
    const uint64_t number = *set->NewFileNumber();
    VersionEdit edit = AddTable(number, LongKey('a'), LongKey('b'));
    if (last != 0) edit.deleted_tables = {{0, last}};
    last = number;
    ASSERT_TRUE(set->Apply(edit).ok());
    EXPECT_LT(set->manifest_bytes(), uint64_t{2} << 20);
    ASSERT_EQ(Describe(Read()), Describe(set->state()));
  }
  EXPECT_GT(set->manifest_number(), 1u);
  EXPECT_EQ(Names(), "CURRENT MANIFEST-0000" + std::to_string(set->manifest_number()) + " ");
  EXPECT_GT(statistics_->Get(Counter::manifest_bytes_written), uint64_t{40} * 128 * 1024);
  EXPECT_EQ(Describe(Reopen()->state()), Describe(set->state()));
}

// Edits until the next one starts a new manifest.
void FillManifest(VersionSet* set) {
  while (set->manifest_bytes() + 140'000 < (uint64_t{1} << 20)) {
    const uint64_t number = *set->NewFileNumber();
    ASSERT_TRUE(set->Apply(AddTable(number, LongKey('a'), LongKey('b'))).ok());
  }
}

TEST_F(VersionSetTest, FailureBeforeTheSwitchKeepsTheOldManifest) {
  struct Case {
    FileOp op;
    const char* path;
    uint64_t countdown;
  };
  uint64_t faults = 0;
  for (const Case& c : std::vector<Case>{{FileOp::kOpenWrite, "MANIFEST", 1},
                                         {FileOp::kAppend, "MANIFEST", 2},
                                         {FileOp::kSync, "MANIFEST", 2},
                                         {FileOp::kOpenWrite, "CURRENT.tmp", 1},
                                         {FileOp::kAppend, "CURRENT.tmp", 1},
                                         {FileOp::kSyncAll, "CURRENT.tmp", 1},
                                         {FileOp::kClose, "CURRENT.tmp", 1}}) {
    SCOPED_TRACE(std::string(FileOpName(c.op)) + " " + c.path);
    memory_->DeleteFile("/db/CURRENT").IgnoreError("the first round has none");
    const auto set = Create();
    const uint64_t manifest = set->manifest_number();
    FillManifest(set.get());
    fs_.AddRule(FaultRule::Fail(c.op, c.path, FaultRule::NoSpaceError(), c.countdown));
    ASSERT_TRUE(set->Apply(AddTable(*set->NewFileNumber(), LongKey('a'), LongKey('b'))).ok());
    EXPECT_EQ(fs_.faults_fired(), ++faults);
    EXPECT_EQ(set->manifest_number(), manifest);
    ASSERT_TRUE(set->Apply(AddTable(*set->NewFileNumber())).ok());
    EXPECT_EQ(Describe(Read()), Describe(set->state()));
    fs_.ClearRules();
  }
}

// A directory that could not be synced may have lost the name of a table that another job is about to list.
TEST_F(VersionSetTest, FailedSyncOfTheDirectoryIsSticky) {
  const auto set = Create();
  FillManifest(set.get());
  fs_.AddRule(FaultRule::Fail(FileOp::kSyncDir, "", FaultRule::NoSpaceError()));
  ASSERT_TRUE(set->Apply(AddTable(*set->NewFileNumber(), LongKey('a'), LongKey('b'))).ok());
  EXPECT_EQ(set->Apply(AddTable(*set->NewFileNumber())).detail(), StatusDetail::kSyncFailed);
  EXPECT_EQ(set->Resume().detail(), StatusDetail::kSyncFailed);
  EXPECT_EQ(Describe(Read()), Describe(set->state()));
}

// No sync was tried: no name is in doubt.
TEST_F(VersionSetTest, WantOfADescriptorForTheDirectoryPasses) {
  for (const uint64_t nth : {1, 2}) {
    SCOPED_TRACE(nth);
    memory_->DeleteFile("/db/CURRENT").IgnoreError("the first round has none");
    const auto set = Create();
    FillManifest(set.get());
    fs_.AddRule(FaultRule::Fail(FileOp::kSyncDir, "", FaultRule::NoDescriptorError(), nth));
    ASSERT_TRUE(set->Apply(AddTable(*set->NewFileNumber(), LongKey('a'), LongKey('b'))).ok());
    fs_.ClearRules();
    const Status next = set->Apply(AddTable(*set->NewFileNumber()));
    // The second one is behind the renaming of CURRENT.
    EXPECT_EQ(next.ok(), nth == 1) << next.ToString();
    EXPECT_TRUE(next.ok() || next.MayPass()) << next.ToString();
    EXPECT_EQ(set->failure().ok(), nth == 1);
    EXPECT_TRUE(set->Resume().ok());
    EXPECT_TRUE(set->Apply(AddTable(*set->NewFileNumber())).ok());
    EXPECT_EQ(Describe(Read()), Describe(set->state()));
  }
}

TEST_F(VersionSetTest, FailureOfTheSwitchIsSticky) {
  for (const bool rename : {true, false}) {
    for (const bool perform : {true, false}) {
      SCOPED_TRACE(std::string(rename ? "rename" : "sync directory") + (perform ? " done" : " not done"));
      memory_->DeleteFile("/db/CURRENT").IgnoreError("the first round has none");
      const auto set = Create();
      FillManifest(set.get());
      FaultRule rule = rename ? FaultRule::Fail(FileOp::kRename, "CURRENT", FaultRule::DeviceError())
                              : FaultRule::Fail(FileOp::kSyncDir, "", FaultRule::DeviceError(), 2);
      rule.perform = perform;
      fs_.AddRule(rule);
      // The edit itself is durable in the old manifest, and in the new one.
      ASSERT_TRUE(set->Apply(AddTable(*set->NewFileNumber(), LongKey('a'), LongKey('b'))).ok());
      EXPECT_EQ(Describe(Read()), Describe(set->state()));
      EXPECT_TRUE(set->Apply(AddTable(*set->NewFileNumber())).IsIoError());
      for (uint64_t seed = 0; seed < 8; ++seed) {
        const auto after = memory_->CrashClone({seed, CrashOptions::kPowerCut});
        const auto state = ReadManifest(*after, "/db", nullptr);
        ASSERT_TRUE(state.ok()) << state.status().ToString();
        EXPECT_EQ(Describe(*state), Describe(set->state()));
      }
    }
  }
}

// A counter near 2^64 would be counted on from until it overflows.
TEST_F(VersionSetTest, NumbersNearTheEndAreRefused) {
  {
    auto writer = *ManifestWriter::Create(fs_, "/db/MANIFEST-000005", 5);
    VersionEdit edit;
    edit.database_id = DatabaseId{1, 2};
    edit.num_levels = 4;
    edit.next_file_number = UINT64_MAX - 10;
    edit.last_sequence = 0;
    edit.log_number = 0;
    edit.log_first_record = 1;
    edit.epoch = 7;
    ASSERT_TRUE(writer->Append(edit.Encode()).ok());
  }
  bool renamed = false;
  ASSERT_TRUE(WriteCurrent(fs_, "/db", 5, &renamed).ok());
  const Status read = ReadManifest(fs_, "/db", nullptr).status();
  EXPECT_TRUE(read.IsCorruption()) << read.ToString();
  EXPECT_NE(read.message().find("next_file_number"), Slice::npos) << read.ToString();

  // What could not be read again is not written either.
  ManifestState state = NewDatabaseState();
  state.next_file_number = kMaxFileNumber - 10;
  EXPECT_TRUE(VersionSet::Continue(fs_, "/db", state, statistics_).status().IsCorruption());
}

}  // namespace
}  // namespace seerdb
