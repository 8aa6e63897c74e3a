// Rule 14: a damaged or missing table is marked. Reads fail only if their answer could lie in it; nothing is
// moved past it, and nothing that overlaps it is dropped: when its bytes come back, so does every answer.
#include <algorithm>
#include <set>
#include <vector>

#include "base/random.h"
#include "env/memory_file_system.h"
#include "format/file_name.h"
#include "manifest/version_set.h"
#include "seerdb/db.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

using Disk = std::shared_ptr<MemoryFileSystem>;

std::string Key(uint64_t i) { return "key" + std::to_string(1000 + i); }

class QuarantineTest : public ::testing::Test {
 protected:
  enum class Damage { kMissing, kFooter, kBlock };

  Options WithDisk(const Disk& disk) {
    Options options = TinyOptions();
    options.file_system = disk;
    options.logger = [this](Slice line) { lines_ += std::string(line) + "\n"; };
    return options;
  }

  // `rounds` batches of writes over keys [first, first + count), each followed by a flush.
  void Write(DB& db, Random* random, int rounds, uint64_t first, uint64_t count) {
    for (int round = 0; round < rounds; ++round) {
      for (int i = 0; i < 20; ++i) {
        const std::string key = Key(first + random->Uniform(count));
        if (random->OneIn(3)) {
          ASSERT_OK(db.Delete(key));
          contents_.erase(key);
        } else {
          contents_[key] = std::to_string(++writes_) + std::string(40, 'v');
          ASSERT_OK(db.Put(key, contents_[key]));
        }
      }
      ASSERT_OK(db.Flush());
    }
  }

  static int64_t LevelsInUse(DB& db) {
    const auto levels = db.Stats().levels;
    return std::count_if(levels.begin(), levels.end(), [](const auto& level) { return level.runs > 0; });
  }

  // A closed database with tables on several levels.
  Disk Make(Random* random) {
    const Disk disk = std::make_shared<MemoryFileSystem>();
    contents_.clear();
    const auto db = OpenOrFail(WithDisk(disk), kDbDirectory);
    if (!db) return disk;
    Write(*db, random, 60, 0, 300);
    EXPECT_OK(db->CompactRange());
    Write(*db, random, 14, 0, 300);
    // Which of these writes end with a compaction that leaves one level depends on the keys.
    for (int more = 0; more < 8 && LevelsInUse(*db) < 2; ++more) Write(*db, random, 1, 0, 300);
    EXPECT_GE(LevelsInUse(*db), 2);
    EXPECT_OK(db->Close());
    return disk;
  }

  static std::vector<std::pair<uint32_t, TableMetaPtr>> Tables(const Disk& disk) {
    std::vector<std::pair<uint32_t, TableMetaPtr>> tables;
    const auto state = ReadManifest(*disk, kDbDirectory, nullptr);
    EXPECT_TRUE(state.ok());
    for (uint32_t level = 0; level < state->version->num_levels(); ++level) {
      for (const seerdb::Run& run : state->version->level(level).runs) {
        for (const TableMetaPtr& table : run.tables) tables.emplace_back(level, table);
      }
    }
    return tables;
  }

  static void Store(const Disk& disk, const std::string& path, const std::string& bytes) {
    auto file = disk->NewWritableFile(path, CreateMode::kTruncate);
    ASSERT_TRUE(file.ok());
    ASSERT_OK((*file)->Append(bytes));
    ASSERT_OK((*file)->SyncAll());
  }

  static void Apply(Damage damage, const Disk& disk, const std::string& path, const std::string& whole) {
    std::string bytes = whole;
    switch (damage) {
      case Damage::kMissing:
        ASSERT_OK(disk->DeleteFile(path));
        return;
      case Damage::kFooter:
        bytes[bytes.size() - 20] ^= 1;
        break;
      case Damage::kBlock:
        bytes[10] ^= 1;
        break;
    }
    Store(disk, path, bytes);
  }

  // Right, or refused and inside the table's range.
  size_t CheckReads(DB& db, const TableMeta& damaged) {
    size_t refused = 0;
    for (uint64_t i = 0; i < 320; ++i) {
      const std::string key = Key(i);
      const std::string engine_key = std::string(1, '\0') + key;
      const auto got = db.Get(key);
      if (!got.ok()) {
        ++refused;
        EXPECT_TRUE(got.status().IsCorruption()) << got.status().ToString();
        EXPECT_TRUE(engine_key >= damaged.smallest_key && engine_key <= damaged.largest_key) << key;
        continue;
      }
      const auto want = contents_.find(key);
      EXPECT_EQ(GetText(db, key), want == contents_.end() ? "none" : "=" + want->second) << key;
    }
    return refused;
  }

  Contents contents_;
  uint64_t writes_ = 0;
  std::string lines_;
};

TEST_F(QuarantineTest, EachTableInEachWay) {
  Random random(TestSeed());
  const Disk made = Make(&random);
  const Contents before = contents_;
  const auto tables = Tables(made);
  std::set<uint32_t> levels;
  for (const auto& [level, table] : tables) levels.insert(level);
  ASSERT_GE(levels.size(), 2u);
  size_t refused = 0;
  for (const auto& [level, table] : tables) {
    for (const Damage damage : {Damage::kMissing, Damage::kFooter, Damage::kBlock}) {
      SCOPED_TRACE("L" + std::to_string(level) + " table " + std::to_string(table->number) + " damage " +
                   std::to_string(static_cast<int>(damage)));
      contents_ = before;
      lines_.clear();
      const Disk disk = made->CrashClone({0, CrashOptions::kProcessCrash, true});
      const std::string path = TableFilePath(kDbDirectory, table->number);
      const std::string whole = *ReadFileToString(*disk, path);
      Apply(damage, disk, path, whole);
      auto db = OpenOrFail(WithDisk(disk), kDbDirectory);
      ASSERT_TRUE(db);
      if (damage != Damage::kBlock) {
        EXPECT_NE(lines_.find("event=damaged_table "), std::string::npos) << lines_;
      }
      refused += CheckReads(*db, *table);
      EXPECT_FALSE(db->Verify().ok());
      // Writes, deletions and compactions all over and around it. Writers may be told to wait, never more.
      for (int round = 0; round < 25 && !HasFailure(); ++round) {
        Write(*db, &random, 1, 0, 300);
        db->CompactRange().IgnoreError("a damaged table may be in the way");
      }
      CheckReads(*db, *table);
      db.reset();
      const auto left = Tables(disk);
      const auto at = std::find_if(left.begin(), left.end(), [number = table->number](const auto& other) {
        return other.second->number == number;
      });
      if (at == left.end()) {
        // A damaged block that nothing needed to read may have been overwritten whole; an unreadable table
        // not.
        ADD_FAILURE() << "the table is gone";
      } else {
        EXPECT_EQ(at->first, level) << "the table moved";
      }
      // Its bytes come back, and with them every answer.
      Store(disk, path, whole);
      db = OpenOrFail(WithDisk(disk), kDbDirectory);
      ASSERT_TRUE(db);
      EXPECT_EQ(Difference(contents_, ReadAll(*db)), "");
      EXPECT_OK(db->CompactRange());
      EXPECT_EQ(Difference(contents_, ReadAll(*db)), "");
      EXPECT_OK(db->Verify().status());
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(refused, 0u);
  std::printf("[ DAMAGES  ] quarantine: %zu tables in 3 ways, %zu reads refused\n", tables.size(), refused);
}

// What lies elsewhere is compacted as ever, whether the table is in L0 or below.
TEST_F(QuarantineTest, TheRestGoesOn) {
  Random random(TestSeed());
  for (const bool in_l0 : {false, true}) {
    for (const Damage damage : {Damage::kMissing, Damage::kBlock}) {
      SCOPED_TRACE(in_l0 ? "in L0" : "below L0");
      const Disk disk = Make(&random);
      auto db = OpenOrFail(WithDisk(disk), kDbDirectory);
      ASSERT_TRUE(db);
      ASSERT_OK(db->CompactRange());
      if (in_l0) Write(*db, &random, 1, 0, 50);
      db.reset();
      // The newest table, or the one that holds the smallest keys.
      TableMetaPtr table;
      for (const auto& [level, other] : Tables(disk)) {
        if (table == nullptr || (!in_l0 && other->smallest_key < table->smallest_key)) table = other;
      }
      ASSERT_TRUE(table);
      ASSERT_LT(table->largest_key, std::string(1, '\0') + Key(200));
      const std::string path = TableFilePath(kDbDirectory, table->number);
      Apply(damage, disk, path, *ReadFileToString(*disk, path));
      db = OpenOrFail(WithDisk(disk), kDbDirectory);
      ASSERT_TRUE(db);
      Write(*db, &random, 100, 200, 120);
      EXPECT_LT(db->Stats().levels[0].runs, 30u);
      EXPECT_GT(db->Stats().total_compactions, 0u);
      EXPECT_GT(CheckReads(*db, *table), 0u);
    }
  }
}

// Tables that no manifest lists are swept at open, unless one that it lists is missing: they may hold what
// has replaced it, and the edit that says so may be lost.
TEST_F(QuarantineTest, UnlistedTablesStayWhileAListedOneIsMissing) {
  Random random(TestSeed());
  const Disk disk = Make(&random);
  const std::string path = TableFilePath(kDbDirectory, Tables(disk)[0].second->number);
  const std::string whole = *ReadFileToString(*disk, path);
  const std::string unlisted = TableFilePath(kDbDirectory, 900'000);
  for (const bool missing : {true, false}) {
    SCOPED_TRACE(missing);
    Store(disk, unlisted, "bytes");
    if (missing) ASSERT_OK(disk->DeleteFile(path));
    ASSERT_TRUE(OpenOrFail(WithDisk(disk), kDbDirectory));
    EXPECT_EQ(disk->GetFileInfo(unlisted).ok(), missing);
    Store(disk, path, whole);
  }
}

// A range delete covers a part of a table that cannot be read: what it covers is settled, the rest is not.
TEST_F(QuarantineTest, UnderARangeDeleteReadsFailOnlyBesideIt) {
  for (const Damage damage : {Damage::kMissing, Damage::kFooter}) {
    const Disk disk = std::make_shared<MemoryFileSystem>();
    {
      const auto db = OpenOrFail(WithDisk(disk), kDbDirectory);
      ASSERT_TRUE(db);
      for (uint64_t i = 0; i < 20; ++i) ASSERT_OK(db->Put(Key(i), "v"));
      ASSERT_OK(db->Flush());
      ASSERT_OK(db->Close());
    }
    const std::vector<std::string> names = *disk->ListDirectory(kDbDirectory);
    for (const std::string& name : names) {
      if (!name.ends_with(".sst")) continue;
      const std::string path = std::string(kDbDirectory) + "/" + name;
      Apply(damage, disk, path, *ReadFileToString(*disk, path));
    }
    const auto db = OpenOrFail(WithDisk(disk), kDbDirectory);
    ASSERT_TRUE(db);
    ASSERT_OK(db->DeleteRange(Key(5), Key(15)));
    ASSERT_OK(db->Put(Key(10), "new"));
    for (const bool flushed : {false, true}) {
      if (flushed) ASSERT_OK(db->Flush());
      EXPECT_EQ(GetText(*db, Key(5)), "none");
      EXPECT_EQ(GetText(*db, Key(10)), "=new");
      EXPECT_EQ(GetText(*db, Key(14)), "none");
      EXPECT_TRUE(db->Get(Key(4)).status().IsCorruption());
      EXPECT_TRUE(db->Get(Key(15)).status().IsCorruption());
      const auto it = db->NewIterator();
      it->Seek(Key(5));
      ASSERT_TRUE(it->Valid()) << it->status().ToString();
      EXPECT_EQ(it->key(), Key(10));
      it->Next();
      EXPECT_TRUE(!it->Valid() && it->status().IsCorruption());
      it->SeekForPrev(Key(14));
      ASSERT_TRUE(it->Valid()) << it->status().ToString();
      EXPECT_EQ(it->key(), Key(10));
      it->Prev();
      EXPECT_TRUE(!it->Valid() && it->status().IsCorruption());
      it->SeekToLast();
      EXPECT_TRUE(!it->Valid() && it->status().IsCorruption());
      it->SeekToFirst();
      EXPECT_TRUE(!it->Valid() && it->status().IsCorruption());
    }
    ASSERT_OK(db->DeleteRange("", std::nullopt));
    EXPECT_EQ(ReadAll(*db).size(), 0u) << "nothing in the table matters any more";
  }
}

}  // namespace
}  // namespace seerdb::testing
