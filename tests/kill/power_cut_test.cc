// A real process on real files, killed, and its directory made into what a power cut would have left: what
// was acknowledged as durable is there, and what else is there is a prefix of what each writer wrote. The
// layer that tells durable from written is preloaded into the process (unsynced_preload.cc).
#include "tests/kill/power_cut.h"

#include <sys/stat.h>

#include <algorithm>
#include <cinttypes>
#include <filesystem>
#include <fstream>

#include "env/memory_file_system.h"
#include "tests/kill/kill_aims.h"
#include "tests/kill/kill_life.h"
#include "tests/kill/kill_table.h"
#include "tests/kill/power_journal.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

struct PowerTotals {
  uint64_t images = 0;
  uint64_t file_syncs = 0;
  uint64_t directory_syncs = 0;
  uint64_t pending_names = 0;
  uint64_t unsynced_files = 0;
  uint64_t lost_units = 0;  // acknowledged, but not as durable
};

class PowerRun {
 public:
  PowerRun(Random* random, KillTable* table, PowerTotals* totals)
      : random_(random), table_(table), totals_(totals) {}

  // Several lives of one directory. Returns "" or what is wrong.
  std::string Run(size_t setup, uint64_t lives) {
    std::filesystem::create_directory(path_);
    for (uint64_t life = 0; life < lives; ++life) {
      const std::string wrong = Live(setup);
      if (!wrong.empty()) return "life " + std::to_string(life) + ": " + wrong;
    }
    return "";
  }

 private:
  std::string Live(size_t setup) {
    auto cut = PowerCut::Begin(path_);
    if (!cut.ok()) return cut.status().ToString();
    const std::string journal = directory_.path() + "/journal";
    std::filesystem::remove(journal);
    const KillOutcome outcome = RunAndKill(path_, setup, RandomAim(random_),
                                           {{"LD_PRELOAD", SEERDB_UNSYNCED_LIBRARY},
                                            {kPowerDirectoryVariable, path_},
                                            {kPowerJournalVariable, journal}},
                                           &known_);
    table_->Add(setup, outcome);
    if (!outcome.error.empty()) return outcome.error + "; " + KeepDirectory(path_);
    const Status replayed = cut->End(journal);
    if (!replayed.ok()) return replayed.ToString();
    totals_->file_syncs += cut->file_syncs();
    totals_->directory_syncs += cut->directory_syncs();
    totals_->pending_names += cut->pending_names();
    totals_->unsynced_files += cut->unsynced_files();
    return CheckImages(*cut, setup);
  }

  std::string CheckImages(const PowerCut& cut, size_t setup) {
    struct Kind {
      const char* name;
      PowerCut::Kind kind;
    };
    static constexpr Kind kKinds[] = {{"nothing unsynced stays", PowerCut::Kind::kSyncedOnly},
                                      {"names in order", PowerCut::Kind::kInOrder},
                                      {"names in any order", PowerCut::Kind::kAnyOrder}};
    const size_t goes_on = random_->Uniform(std::size(kKinds));
    std::vector<uint64_t> next;
    FileContents next_image;
    for (size_t i = 0; i < std::size(kKinds); ++i) {
      const FileContents image = cut.Image(kKinds[i].kind, random_->Next());
      std::vector<uint64_t> last;
      const std::string wrong = CheckImage(image, setup, &last);
      if (!wrong.empty()) {
        const std::string path = directory_.path() + "/image";
        WriteDirectoryFiles(path, image).IgnoreError("the failure is reported without it");
        return std::string(kKinds[i].name) + ": " + wrong + "; " + KeepDirectory(path);
      }
      table_->AddOpened(setup);
      ++totals_->images;
      if (i != goes_on) continue;
      next = last;
      next_image = image;
    }
    // The next process recovers it by itself.
    known_.bounds.least = known_.bounds.most = known_.durable = next;
    const Status written = WriteDirectoryFiles(path_, next_image);
    return written.ok() ? "" : written.ToString();
  }

  // In memory, for its speed; the next process opens one of the images on real files.
  static Status Load(const FileContents& image, FileSystem* fs) {
    Status status = fs->CreateDirectory("/db");
    for (const auto& [name, content] : image) {
      if (!status.ok()) return status;
      auto file = fs->NewWritableFile("/db/" + name, CreateMode::kMustNotExist);
      if (!file.ok()) return file.status();
      status = (*file)->Append(content);
    }
    return status;
  }

  std::string CheckImage(const FileContents& image, size_t setup, std::vector<uint64_t>* last) {
    Options options = KillOptions(KillSetups()[setup]);
    const auto disk = std::make_shared<MemoryFileSystem>();
    const Status written = Load(image, disk.get());
    if (!written.ok()) return written.ToString();
    options.file_system = disk;
    auto opened = DB::Open(options, "/db");
    if (!opened.ok()) return "open: " + opened.status().ToString();
    const std::string wrong = CheckUnits(**opened, {known_.durable, known_.bounds.most}, last);
    if (!wrong.empty()) return wrong;
    for (size_t w = 0; w < kKillWriters; ++w) {
      if ((*last)[w] < known_.bounds.least[w]) totals_->lost_units += known_.bounds.least[w] - (*last)[w];
    }
    return "";
  }

  Random* const random_;
  KillTable* const table_;
  PowerTotals* const totals_;
  TempDirectory directory_;
  const std::string path_ = directory_.path() + "/db";
  KillKnowledge known_;
};

TEST(PowerCut, SyncedWritesSurviveIt) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer's library must be loaded first";
  Random random(TestSeed());
  const uint64_t kills = Kills(128);
  KillTable table;
  PowerTotals totals;
  for (uint64_t number = 0; table.kills() < kills; ++number) {
    const size_t setup = number % KillSetups().size();
    PowerRun run(&random, &table, &totals);
    ASSERT_EQ(run.Run(setup, std::min(kLivesOfADirectory / 2, kills - table.kills())), "")
        << "setup " << KillSetups()[setup].name;
  }
  table.Print("power cuts under a real process; opened: directories made of them");
  std::printf("  %" PRIu64 " images; %" PRIu64 " file syncs, %" PRIu64
              " directory syncs; at the cuts %" PRIu64 " changes of names and %" PRIu64
              " files not durable; %" PRIu64 " acknowledged units lost that no policy promised\n",
              totals.images, totals.file_syncs, totals.directory_syncs, totals.pending_names,
              totals.unsynced_files, totals.lost_units);
  EXPECT_GT(totals.file_syncs, 0u);
  EXPECT_GT(totals.directory_syncs, 0u);
  if (kills < 40) return;
  // The layer does lose something.
  EXPECT_GT(totals.pending_names, 0u);
  EXPECT_GT(totals.unsynced_files, 0u);
  EXPECT_GT(totals.lost_units, 0u);
}

// The rebuilding itself, on a journal made by hand.
class PowerJournal : public ::testing::Test {
 protected:
  void Add(PowerRecord kind, const std::string& name, uint64_t inode, const std::string& content) {
    const PowerRecordHead head = {kind, static_cast<uint32_t>(name.size()), inode, content.size()};
    journal_.append(reinterpret_cast<const char*>(&head), sizeof head);
    journal_ += name + content;
  }
  void Make(const std::string& name, const std::string& content) {
    const std::string path = directory_.path() + "/db/" + name;
    std::ofstream(path, std::ios::binary) << content;
    struct stat info;
    ASSERT_EQ(stat(path.c_str(), &info), 0);
    inode_ = info.st_ino;
  }
  void SetUp() override {
    std::filesystem::create_directory(directory_.path() + "/db");
    Make("old", "before");
    auto begun = PowerCut::Begin(directory_.path() + "/db");
    ASSERT_TRUE(begun.ok());
    cut_ = *std::move(begun);
  }
  Status End() {
    const std::string path = directory_.path() + "/journal";
    std::ofstream(path, std::ios::binary) << journal_;
    return cut_.End(path);
  }

  TempDirectory directory_;
  PowerCut cut_;
  std::string journal_;
  uint64_t inode_ = 0;
};

TEST_F(PowerJournal, WhatWasNotSyncedGoes) {
  Make("new", "written");
  Add(PowerRecord::kCreated, "new", inode_, "");
  Add(PowerRecord::kFile, "", inode_, "wri");
  ASSERT_OK(End());
  EXPECT_EQ(cut_.Image(PowerCut::Kind::kSyncedOnly, 1), (FileContents{{"old", "before"}}));
  bool with_new = false, without_new = false, in_part = false;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    const FileContents image = cut_.Image(PowerCut::Kind::kInOrder, seed);
    const auto made = image.find("new");
    (made != image.end() ? with_new : without_new) = true;
    if (made == image.end()) continue;
    EXPECT_EQ(made->second.substr(0, 3), "wri");
    in_part = in_part || made->second.size() == 5;
  }
  EXPECT_TRUE(with_new && without_new && in_part);
}

TEST_F(PowerJournal, WhatWasSyncedStays) {
  Make("new", "written");
  Add(PowerRecord::kCreated, "new", inode_, "");
  Add(PowerRecord::kFile, "", inode_, "written");
  Add(PowerRecord::kLastContent, "old", 0, "before");
  Add(PowerRecord::kRenamed, std::string("new\0old", 7), 0, "");
  std::filesystem::rename(directory_.path() + "/db/new", directory_.path() + "/db/old");
  Add(PowerRecord::kDirectory, "", 0, "");
  ASSERT_OK(End());
  for (const auto kind : {PowerCut::Kind::kSyncedOnly, PowerCut::Kind::kInOrder, PowerCut::Kind::kAnyOrder}) {
    for (uint64_t seed = 0; seed < 20; ++seed) {
      EXPECT_EQ(cut_.Image(kind, seed), (FileContents{{"old", "written"}}));
    }
  }
}

TEST_F(PowerJournal, ADeletionThatWasNotSyncedMayComeBack) {
  std::filesystem::remove(directory_.path() + "/db/old");
  Add(PowerRecord::kLastContent, "old", 0, "before");
  Add(PowerRecord::kUnlinked, "old", 0, "");
  journal_ += "a record that was cut";
  ASSERT_OK(End());
  EXPECT_EQ(cut_.Image(PowerCut::Kind::kSyncedOnly, 1), (FileContents{{"old", "before"}}));
  bool gone = false;
  for (uint64_t seed = 0; seed < 50; ++seed)
    gone = gone || cut_.Image(PowerCut::Kind::kInOrder, seed).empty();
  EXPECT_TRUE(gone);
}

}  // namespace
}  // namespace seerdb::testing
