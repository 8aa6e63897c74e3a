// Gating tests 2, 4, 8 and 10: files of crashes past, sequences across reopen, merge operands, and the last
// level.
#include <algorithm>

#include "env/memory_file_system.h"
#include "seerdb/db.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

void WriteFile(FileSystem& fs, const std::string& path, Slice bytes) {
  auto file = fs.NewWritableFile(path, CreateMode::kTruncate);
  ASSERT_TRUE(file.ok());
  ASSERT_OK((*file)->Append(bytes));
  ASSERT_OK((*file)->SyncAll());
  ASSERT_OK((*file)->Close());
}

std::vector<std::string> Names(FileSystem& fs, Slice suffix) {
  auto all = fs.ListDirectory(kDbDirectory);
  std::vector<std::string> found;
  if (!all.ok()) return found;
  for (const std::string& name : *all) {
    if (name.ends_with(suffix)) found.push_back(name);
  }
  std::sort(found.begin(), found.end());
  return found;
}

// A crash in a flush or a compaction leaves tables that the manifest does not list, whole or cut. They are
// not part of the database: it opens, loses nothing, and sweeps them.
TEST(Gating, TruncatedUnlistedTableStillOpens) {
  const auto fs = std::make_shared<MemoryFileSystem>();
  Options options = TinyOptions();
  options.file_system = fs;
  Contents expected;
  {
    const auto db = OpenOrFail(options, kDbDirectory);
    ASSERT_TRUE(db);
    for (int i = 0; i < 300; ++i) {
      const std::string key = "key" + std::to_string(i);
      ASSERT_OK(db->Put(key, std::string(60, 'v')));
      expected[key] = std::string(60, 'v');
    }
    ASSERT_OK(db->Close());
  }
  const std::vector<std::string> tables = Names(*fs, ".sst");
  ASSERT_FALSE(tables.empty());
  const auto whole = ReadFileToString(*fs, std::string(kDbDirectory) + "/" + tables[0]);
  ASSERT_TRUE(whole.ok());
  const std::string cut = whole->substr(0, whole->size() / 2);
  const std::string flipped = std::string(1, static_cast<char>(~(*whole)[0])) + whole->substr(1);
  const std::pair<std::string, std::string> leftovers[] = {
      {"000900.sst", cut},      {"000901.sst", ""},       {"000902.sst", flipped},
      {"000903.sst", *whole},   {"000904.sst.tmp", cut},  {"000905.sst.tmp", ""},
      {"CURRENT.tmp", "MANIF"}, {"MANIFEST-000906", "x"}, {"MANIFEST-000907.tmp", ""},
  };
  for (int round = 0; round < 2; ++round) {
    SCOPED_TRACE(round == 0 ? "after a clean close" : "after a crash");
    for (const auto& [name, bytes] : leftovers) WriteFile(*fs, std::string(kDbDirectory) + "/" + name, bytes);
    const auto disk = fs->CrashClone({0, CrashOptions::kProcessCrash, true});
    options.file_system = disk;
    auto db = OpenOrFail(options, kDbDirectory);
    ASSERT_TRUE(db);
    EXPECT_EQ(Difference(expected, ReadAll(*db)), "");
    ASSERT_OK(db->Put("new", "value"));
    ASSERT_OK(db->CompactRange());
    EXPECT_EQ(GetText(*db, "new"), "=value");
    if (round == 0) {
      ASSERT_OK(db->Close());
    } else {
      const auto crashed = disk->CrashClone({0, CrashOptions::kProcessCrash, true});
      db.reset();
      options.file_system = crashed;
    }
    db = OpenOrFail(options, kDbDirectory);
    ASSERT_TRUE(db);
    Contents with_new = expected;
    with_new["new"] = "value";
    EXPECT_EQ(Difference(with_new, ReadAll(*db)), "");
    for (const auto& [name, bytes] : leftovers) {
      EXPECT_FALSE(options.file_system->GetFileInfo(std::string(kDbDirectory) + "/" + name).ok())
          << name << " was not swept";
    }
  }
}

// How a life of the database ends.
enum class Ending { kClose, kCrash };

struct Reopener {
  std::shared_ptr<MemoryFileSystem> fs = std::make_shared<MemoryFileSystem>();
  Options options = TinyOptions();
  std::unique_ptr<DB> db;

  Reopener() {
    options.file_system = fs;
    db = OpenOrFail(options, kDbDirectory);
  }
  bool Reopen(Ending ending) {
    if (ending == Ending::kClose) {
      EXPECT_OK(db->Close());
      db.reset();
    } else {
      const auto survivor = fs->CrashClone({0, CrashOptions::kProcessCrash, true});
      db.reset();
      fs = survivor;
    }
    options.file_system = fs;
    db = OpenOrFail(options, kDbDirectory);
    return db != nullptr;
  }
};

// Sequences go on where they were: what is written after a reopen is newer than all that was there.
TEST(Gating, ReopenPutReplayedKeyNewestWins) {
  for (int variant = 0; variant < 32; ++variant) {
    SCOPED_TRACE("variant " + std::to_string(variant));
    const Ending ending = variant & 1 ? Ending::kClose : Ending::kCrash;
    const bool flush_before = variant & 2, flush_after = variant & 4, compact = variant & 8;
    const Ending second_ending = variant & 16 ? Ending::kClose : Ending::kCrash;
    Reopener life;
    ASSERT_TRUE(life.db);
    for (int i = 0; i < 50; ++i) ASSERT_OK(life.db->Put("other" + std::to_string(i), "x"));
    ASSERT_OK(life.db->Put("k", "first"));
    ASSERT_OK(life.db->Put("gone", "first"));
    ASSERT_OK(life.db->Put("kept", "first"));
    if (flush_before) ASSERT_OK(life.db->Flush());
    const uint64_t sequence = life.db->Stats().last_sequence;
    ASSERT_TRUE(life.Reopen(ending));
    EXPECT_GE(life.db->Stats().last_sequence, sequence);

    const Snapshot before = life.db->GetSnapshot();
    ASSERT_OK(life.db->Put("k", "second"));
    ASSERT_OK(life.db->Delete("gone"));
    EXPECT_EQ(GetText(*life.db, "k"), "=second");
    EXPECT_EQ(GetText(*life.db, "gone"), "none");
    EXPECT_EQ(GetText(*life.db, "kept"), "=first");
    EXPECT_EQ(GetText(*life.db, "k", &before), "=first");
    EXPECT_EQ(GetText(*life.db, "gone", &before), "=first");
    EXPECT_EQ(GetText(*life.db, "other7", &before), "=x");
    if (flush_after) ASSERT_OK(life.db->Flush());
    if (compact) ASSERT_OK(life.db->CompactRange());
    EXPECT_EQ(GetText(*life.db, "k"), "=second");
    EXPECT_EQ(GetText(*life.db, "gone"), "none");
    EXPECT_EQ(GetText(*life.db, "k", &before), "=first");

    ASSERT_TRUE(life.Reopen(second_ending));
    EXPECT_EQ(GetText(*life.db, "k"), "=second");
    EXPECT_EQ(GetText(*life.db, "gone"), "none");
    ASSERT_OK(life.db->Delete("k"));
    ASSERT_OK(life.db->CompactRange());
    EXPECT_EQ(GetText(*life.db, "k"), "none");
    ASSERT_TRUE(life.Reopen(second_ending));
    EXPECT_EQ(GetText(*life.db, "k"), "none");
    EXPECT_EQ(GetText(*life.db, "gone"), "none");
    EXPECT_EQ(GetText(*life.db, "kept"), "=first");
    EXPECT_EQ(ReadAll(*life.db).size(), 51u);
  }
}

// With few levels the last one is full soon. Its compaction rewrites it in place; nothing is dropped and
// nothing moves to a level that does not exist.
TEST(Gating, FillPastLastLevelWithTwoLevels) {
  for (const uint32_t num_levels : {2u, 3u}) {
    SCOPED_TRACE("levels " + std::to_string(num_levels));
    Reopener life;
    life.db.reset();
    life.options.num_levels = num_levels;
    life.options.l0_compaction_trigger = 2;
    life.options.block_bytes = 256;
    life.fs = std::make_shared<MemoryFileSystem>();
    life.options.file_system = life.fs;
    life.db = OpenOrFail(life.options, kDbDirectory);
    ASSERT_TRUE(life.db);
    // The last of two levels "may hold" 16 KiB, of three 32 KiB: fill to 40 times that, or to 20 times.
    Contents expected;
    uint64_t compactions = 0;
    constexpr int kPuts = kSanitized ? 6000 : 12000;
    for (int i = 0; i < kPuts; ++i) {
      const std::string key = "key" + std::to_string(i * 7919 % (kPuts / 2));
      const std::string value = std::to_string(i) + std::string(80, 'v');
      if (i % 17 == 3) {
        ASSERT_OK(life.db->Delete(key));
        expected.erase(key);
      } else {
        ASSERT_OK(life.db->Put(key, value));
        expected[key] = value;
      }
      if (i % 3000 == 2999) {
        EXPECT_EQ(Difference(expected, ReadAll(*life.db)), "");
        const DBStats stats = life.db->Stats();
        compactions += stats.total_compactions;
        ASSERT_EQ(stats.levels.size(), num_levels);
        EXPECT_GT(stats.levels.back().files, 0u);
        EXPECT_LT(stats.levels[0].files, life.options.l0_stop_writes_trigger);
        ASSERT_TRUE(life.Reopen(i % 2000 == 999 ? Ending::kCrash : Ending::kClose));
        EXPECT_EQ(Difference(expected, ReadAll(*life.db)), "");
      }
    }
    EXPECT_GT(compactions, 20u);
    for (int round = 0; round < 3; ++round) {
      ASSERT_OK(life.db->CompactRange());
      EXPECT_EQ(Difference(expected, ReadAll(*life.db)), "");
      EXPECT_EQ(life.db->Stats().levels.back().entries, expected.size());
    }
    const auto verified = life.db->Verify();
    ASSERT_TRUE(verified.ok()) << verified.status().ToString();
    EXPECT_GT(verified->blocks_verified, 0u);
    ASSERT_OK(life.db->Close());
  }
}

// (8) An operand keeps what it rests on: the value before it in the same memtable, in a table of L0, in the
// last level; and the operands come in the order in which they were written.
TEST(Gating, MergeOperandsAcrossFlushCompactionAndReopen) {
  Options options = TinyOptions();
  options.file_system = std::make_shared<MemoryFileSystem>();
  options.merge_operator = StringAppend(",");
  options.l0_compaction_trigger = 100;
  options.l0_slowdown_writes_trigger = options.l0_stop_writes_trigger = 200;
  auto db = OpenOrFail(options, kDbDirectory);
  ASSERT_TRUE(db);
  Contents want;
  const auto merge = [&](const std::string& key, const std::string& operand) {
    ASSERT_OK(db->Merge(key, operand));
    const bool there = want.contains(key);
    want[key] += (there ? "," : "") + operand;
  };
  for (int round = 0; round < 4; ++round) {
    const std::string r = std::to_string(round);
    if (round % 2 == 0) {
      ASSERT_OK(db->Put("put", "base" + r));
      want["put"] = "base" + r;
    }
    for (const char* key : {"put", "never put"}) {
      for (int i = 0; i < 3; ++i) merge(key, r + "." + std::to_string(i));
      ASSERT_OK(db->Flush());
      for (int i = 3; i < 6; ++i) merge(key, r + "." + std::to_string(i));
      ASSERT_OK(db->Flush());
    }
    EXPECT_EQ(Difference(want, ReadAll(*db)), "") << "in tables of L0";
    ASSERT_OK(db->CompactRange());
    EXPECT_EQ(Difference(want, ReadAll(*db)), "") << "after compaction";
    merge("put", "in the log " + r);
    db.reset();
    db = OpenOrFail(options, kDbDirectory);
    ASSERT_TRUE(db);
    EXPECT_EQ(Difference(want, ReadAll(*db)), "") << "after a reopen";
  }
}

TEST(Gating, OneLevelIsRefused) {
  Options options = TinyOptions();
  options.file_system = std::make_shared<MemoryFileSystem>();
  options.num_levels = 1;
  const auto opened = DB::Open(options, kDbDirectory);
  ASSERT_FALSE(opened.ok());
  EXPECT_TRUE(opened.status().IsInvalidArgument()) << opened.status().ToString();
}

}  // namespace
}  // namespace seerdb::testing
