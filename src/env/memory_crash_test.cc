// What MemoryFileSystem::CrashClone keeps and loses. Over many seeds both outcomes of every open question
// must occur: a crash test is worth no more than the crashes that it sees.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "env/memory_file_system.h"

namespace seerdb {
namespace {

using ::testing::ElementsAre;

constexpr uint64_t kSeeds = 400;
constexpr uint64_t kSectorBytes = MemoryContent::kSectorBytes;

CrashOptions PowerCut(uint64_t seed) {
  CrashOptions options;
  options.seed = seed;
  options.kind = CrashOptions::kPowerCut;
  return options;
}
CrashOptions UnorderedPowerCut(uint64_t seed) {
  CrashOptions options = PowerCut(seed);
  options.directory_ops_in_order = false;
  return options;
}
CrashOptions Of(CrashOptions::Kind kind) {
  CrashOptions options;
  options.kind = kind;
  return options;
}

class MemoryCrashTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(fs_->CreateDirectory("/d").ok()); }

  std::unique_ptr<WritableFile> Open(const std::string& path, CreateMode mode = CreateMode::kTruncate) {
    auto file = fs_->NewWritableFile(path, mode);
    EXPECT_TRUE(file.ok()) << file.status().ToString();
    return *std::move(file);
  }
  // A file whose name and bytes are durable.
  void PutDurable(const std::string& path, const std::string& text) {
    auto file = Open(path);
    ASSERT_TRUE(file->Append(text).ok());
    ASSERT_TRUE(file->Sync().ok());
    ASSERT_TRUE(fs_->SyncDirectory("/d").ok());
  }
  static std::string Get(MemoryFileSystem& fs, const std::string& path) {
    auto text = ReadFileToString(fs, path);
    return text.ok() ? *text
                     : "<" +
                           std::string(text.status().detail() == StatusDetail::kNotFound
                                           ? "none"
                                           : text.status().message()) +
                           ">";
  }
  static std::vector<std::string> NamesIn(MemoryFileSystem& fs) {
    return fs.ListDirectory("/d").value_or(std::vector<std::string>());
  }
  // How often each content of `path` is left over the seeds.
  std::map<std::string, int> Outcomes(const std::string& path, CrashOptions (*options)(uint64_t) = PowerCut) {
    std::map<std::string, int> counts;
    for (uint64_t seed = 0; seed < kSeeds; ++seed) ++counts[Get(*fs_->CrashClone(options(seed)), path)];
    return counts;
  }

  const std::shared_ptr<MemoryFileSystem> fs_ = std::make_shared<MemoryFileSystem>();
};

template <typename Key>
std::vector<Key> KeysOf(const std::map<Key, int>& counts) {
  std::vector<Key> keys;
  for (const auto& [key, count] : counts) keys.push_back(key);
  return keys;
}

TEST_F(MemoryCrashTest, SyncedBytesAndNamesStay) {
  PutDurable("/d/f", std::string(5000, 's'));
  EXPECT_THAT(KeysOf(Outcomes("/d/f")), ElementsAre(std::string(5000, 's')));
  EXPECT_THAT(KeysOf(Outcomes("/d/f", UnorderedPowerCut)), ElementsAre(std::string(5000, 's')));
  EXPECT_EQ(Get(*fs_->CrashClone(Of(CrashOptions::kDropUnsynced)), "/d/f"), std::string(5000, 's'));
}

TEST_F(MemoryCrashTest, AProcessCrashKeepsAllAndMakesNothingDurable) {
  PutDurable("/d/f", "synced");
  ASSERT_TRUE(Open("/d/f", CreateMode::kOverwrite)->Append("SYNCED and appended").ok());
  const auto file = Open("/d/g");
  ASSERT_TRUE(file->Append("new").ok());
  file->StartWriteback(0, 3);  // a hint is no sync
  const auto after = fs_->CrashClone(Of(CrashOptions::kProcessCrash));
  EXPECT_EQ(Get(*after, "/d/f"), "SYNCED and appended");
  EXPECT_EQ(Get(*after, "/d/g"), "new");
  const auto later = after->CrashClone(Of(CrashOptions::kDropUnsynced));
  EXPECT_EQ(Get(*later, "/d/f"), "synced");
  EXPECT_EQ(Get(*later, "/d/g"), "<none>");
  // A sync in the new life covers what the killed one appended.
  ASSERT_TRUE((*after->NewWritableFile("/d/f", CreateMode::kOverwrite))->Sync().ok());
  EXPECT_EQ(Get(*after->CrashClone(Of(CrashOptions::kDropUnsynced)), "/d/f"), "SYNCED and appended");
}

TEST_F(MemoryCrashTest, UnsyncedBytesMayStayOrGo) {
  PutDurable("/d/f", std::string(kSectorBytes, 's'));
  auto file = Open("/d/f", CreateMode::kOverwrite);
  ASSERT_TRUE(file->Append(std::string(kSectorBytes, 's')).ok());
  ASSERT_TRUE(file->Sync().ok());
  constexpr uint64_t kNewSectors = 4;
  ASSERT_TRUE(file->Append(std::string(kNewSectors * kSectorBytes, 'u')).ok());
  const uint64_t synced_bytes = kSectorBytes;
  const uint64_t written_bytes = synced_bytes + kNewSectors * kSectorBytes;

  int shorter = 0, full_size = 0, only_synced = 0, all = 0, hole_before_data = 0, cut_in_sector = 0;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    const std::string left = Get(*fs_->CrashClone(PowerCut(seed)), "/d/f");
    ASSERT_GE(left.size(), synced_bytes) << "seed " << seed;
    ASSERT_LE(left.size(), written_bytes) << "seed " << seed;
    ASSERT_EQ(left.substr(0, synced_bytes), std::string(synced_bytes, 's')) << "seed " << seed;
    const std::string tail = left.substr(synced_bytes);
    for (size_t begin = 0; begin < tail.size(); begin += kSectorBytes) {
      const std::string sector = tail.substr(begin, kSectorBytes);
      ASSERT_TRUE(sector == std::string(sector.size(), 'u') || sector == std::string(sector.size(), '\0'))
          << "seed " << seed << ": a sector is kept or lost as a whole";
    }
    only_synced += left.size() == synced_bytes;
    full_size += left.size() == written_bytes;
    shorter += left.size() > synced_bytes && left.size() < written_bytes;
    cut_in_sector += left.size() % kSectorBytes != 0;
    all += tail == std::string(written_bytes - synced_bytes, 'u');
    const size_t hole = tail.find('\0');
    hole_before_data += hole != std::string::npos && tail.find('u', hole) != std::string::npos;
  }
  for (const int count : {shorter, full_size, only_synced, all, hole_before_data, cut_in_sector}) {
    EXPECT_GT(count, static_cast<int>(kSeeds / 40));
  }
  RecordProperty("hole_before_data", hole_before_data);
  EXPECT_EQ(Get(*fs_->CrashClone(Of(CrashOptions::kDropUnsynced)), "/d/f").size(), synced_bytes);
}

TEST_F(MemoryCrashTest, OverwrittenSectorsAreOldOrNew) {
  PutDurable("/d/f", std::string(3 * kSectorBytes, 'o'));
  ASSERT_TRUE(Open("/d/f", CreateMode::kOverwrite)->Append(std::string(2 * kSectorBytes, 'n')).ok());
  std::map<std::string, int> first_bytes;
  for (const auto& [left, count] : Outcomes("/d/f")) {
    ASSERT_EQ(left.size(), 3 * kSectorBytes);
    first_bytes[{left[0], left[kSectorBytes], left[2 * kSectorBytes]}] += count;
    for (size_t i = 0; i < left.size(); ++i) ASSERT_EQ(left[i], left[i - i % kSectorBytes]);
  }
  EXPECT_THAT(KeysOf(first_bytes), ElementsAre("nno", "noo", "ono", "ooo"));
  EXPECT_EQ(Get(*fs_->CrashClone(Of(CrashOptions::kDropUnsynced)), "/d/f"),
            std::string(3 * kSectorBytes, 'o'));
}

TEST_F(MemoryCrashTest, AnOverwriteWithinASectorLeavesItsOtherBytes) {
  PutDurable("/d/f", "0123456789");
  ASSERT_TRUE(Open("/d/f", CreateMode::kOverwrite)->Append("ab").ok());
  EXPECT_THAT(KeysOf(Outcomes("/d/f")), ElementsAre("0123456789", "ab23456789"));
}

TEST_F(MemoryCrashTest, AnUnsyncedTruncationMayBeUndone) {
  PutDurable("/d/f", std::string(2 * kSectorBytes, 'o'));
  auto file = Open("/d/f", CreateMode::kTruncate);
  const auto counts = Outcomes("/d/f");
  EXPECT_GT(counts.count(""), 0u);
  EXPECT_GT(counts.count(std::string(2 * kSectorBytes, 'o')), 0u);
  EXPECT_EQ(Get(*fs_->CrashClone(Of(CrashOptions::kDropUnsynced)), "/d/f"),
            std::string(2 * kSectorBytes, 'o'));
  ASSERT_TRUE(file->Append("new").ok());
  ASSERT_TRUE(file->Sync().ok());
  EXPECT_THAT(KeysOf(Outcomes("/d/f")), ElementsAre("new"));
}

TEST_F(MemoryCrashTest, AnAllocatedTailIsZerosAndItsSizeNotDurable) {
  PutDurable("/d/f", "abc");
  auto file = Open("/d/f", CreateMode::kOverwrite);
  ASSERT_TRUE(file->Allocate(4096, true).ok());
  const auto counts = Outcomes("/d/f");
  EXPECT_GT(counts.count("abc"), 0u);
  EXPECT_GT(counts.count("abc" + std::string(4093, '\0')), 0u);
  ASSERT_TRUE(file->Sync().ok());
  EXPECT_THAT(KeysOf(Outcomes("/d/f")), ElementsAre("abc" + std::string(4093, '\0')));
}

TEST_F(MemoryCrashTest, ASyncOfTheFileDoesNotMakeItsNameDurable) {
  auto file = Open("/d/f");
  ASSERT_TRUE(file->Append("x").ok());
  ASSERT_TRUE(file->SyncAll().ok());
  const auto counts = Outcomes("/d/f");
  EXPECT_THAT(KeysOf(counts), ElementsAre("<none>", "x"));
  for (const auto& [left, count] : counts) EXPECT_GT(count, static_cast<int>(kSeeds / 4)) << left;
  EXPECT_EQ(Get(*fs_->CrashClone(Of(CrashOptions::kDropUnsynced)), "/d/f"), "<none>");
  ASSERT_TRUE(fs_->SyncDirectory("/d").ok());
  EXPECT_THAT(KeysOf(Outcomes("/d/f")), ElementsAre("x"));
}

TEST_F(MemoryCrashTest, ASyncOfTheDirectoryDoesNotMakeTheBytesDurable) {
  ASSERT_TRUE(Open("/d/f")->Append("x").ok());
  ASSERT_TRUE(fs_->SyncDirectory("/d").ok());
  EXPECT_THAT(KeysOf(Outcomes("/d/f")), ElementsAre("", std::string("\0", 1), "x"));
}

TEST_F(MemoryCrashTest, AnUnsyncedRenameIsDoneOrNotButNeverHalf) {
  PutDurable("/d/old", "new content");
  PutDurable("/d/current", "old content");
  ASSERT_TRUE(fs_->RenameFile("/d/old", "/d/current").ok());
  for (const auto options : {PowerCut, UnorderedPowerCut}) {
    int done = 0;
    for (uint64_t seed = 0; seed < kSeeds; ++seed) {
      const auto left = fs_->CrashClone(options(seed));
      if (Get(*left, "/d/current") == "new content") {
        ++done;
        EXPECT_EQ(Get(*left, "/d/old"), "<none>");
      } else {
        EXPECT_EQ(Get(*left, "/d/current"), "old content");
        EXPECT_EQ(Get(*left, "/d/old"), "new content");
      }
    }
    EXPECT_GT(done, static_cast<int>(kSeeds / 4));
    EXPECT_LT(done, static_cast<int>(kSeeds * 3 / 4));
  }
  ASSERT_TRUE(fs_->SyncDirectory("/d").ok());
  EXPECT_THAT(KeysOf(Outcomes("/d/current")), ElementsAre("new content"));
  EXPECT_THAT(KeysOf(Outcomes("/d/old")), ElementsAre("<none>"));
}

TEST_F(MemoryCrashTest, AnUnsyncedDeletionMayBeUndone) {
  PutDurable("/d/f", "x");
  ASSERT_TRUE(fs_->DeleteFile("/d/f").ok());
  EXPECT_THAT(KeysOf(Outcomes("/d/f")), ElementsAre("<none>", "x"));
  ASSERT_TRUE(fs_->SyncDirectory("/d").ok());
  EXPECT_THAT(KeysOf(Outcomes("/d/f")), ElementsAre("<none>"));
}

// Which of three files, created one after the other, are left: a prefix, or any subset.
TEST_F(MemoryCrashTest, DirectoryOperationsStayInOrderUnlessAskedOtherwise) {
  for (const char* name : {"/d/1", "/d/2", "/d/3"}) Open(name);
  const auto left = [&](CrashOptions (*options)(uint64_t)) {
    std::set<std::string> sets;
    for (uint64_t seed = 0; seed < kSeeds; ++seed) {
      std::string names;
      for (const std::string& name : NamesIn(*fs_->CrashClone(options(seed)))) names += name;
      sets.insert(names);
    }
    return sets;
  };
  EXPECT_THAT(left(PowerCut), ElementsAre("", "1", "12", "123"));
  EXPECT_THAT(left(UnorderedPowerCut), ElementsAre("", "1", "12", "123", "13", "2", "23", "3"));
}

TEST_F(MemoryCrashTest, DirectoriesCutIndependently) {
  ASSERT_TRUE(fs_->CreateDirectory("/e").ok());
  Open("/d/f");
  Open("/e/f");
  std::set<std::string> outcomes;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    const auto left = fs_->CrashClone(PowerCut(seed));
    outcomes.insert(Get(*left, "/d/f") + Get(*left, "/e/f"));
  }
  EXPECT_THAT(outcomes, ElementsAre("", "<none>", "<none><none>"));
}

TEST_F(MemoryCrashTest, ARenameIntoAnotherDirectoryNeverLosesTheFile) {
  PutDurable("/d/f", "x");
  ASSERT_TRUE(fs_->CreateDirectory("/e").ok());
  ASSERT_TRUE(fs_->RenameFile("/d/f", "/e/g").ok());
  for (const auto options : {PowerCut, UnorderedPowerCut}) {
    std::set<std::string> outcomes;
    for (uint64_t seed = 0; seed < kSeeds; ++seed) {
      const auto left = fs_->CrashClone(options(seed));
      outcomes.insert(Get(*left, "/d/f") + " " + Get(*left, "/e/g"));
    }
    EXPECT_THAT(outcomes, ElementsAre("<none> x", "x <none>", "x x"));
  }
  ASSERT_TRUE(fs_->SyncDirectory("/d").ok());
  EXPECT_EQ(Get(*fs_->CrashClone(Of(CrashOptions::kDropUnsynced)), "/e/g"), "x");
}

TEST_F(MemoryCrashTest, ADeletedDirectoryMayComeBackWithWhatWasDurableInIt) {
  ASSERT_TRUE(fs_->CreateDirectory("/d/sub").ok());
  ASSERT_TRUE(Open("/d/sub/f")->Sync().ok());
  ASSERT_TRUE(fs_->SyncDirectory("/d/sub").ok());
  ASSERT_TRUE(fs_->DeleteFile("/d/sub/f").ok());
  ASSERT_TRUE(fs_->DeleteDirectory("/d/sub").ok());
  const auto left = fs_->CrashClone(Of(CrashOptions::kDropUnsynced));
  EXPECT_EQ(Get(*left, "/d/sub/f"), "");
}

TEST_F(MemoryCrashTest, LinksAreOneFileBeforeAndAfter) {
  PutDurable("/d/f", "x");
  ASSERT_TRUE(fs_->LinkFile("/d/f", "/d/g").ok());
  EXPECT_EQ(fs_->GetFileInfo("/d/f")->links, 2u);
  ASSERT_TRUE(fs_->SyncDirectory("/d").ok());
  const auto left = fs_->CrashClone(PowerCut(1));
  EXPECT_EQ(left->GetFileInfo("/d/g")->links, 2u);
  ASSERT_TRUE((*left->NewWritableFile("/d/g", CreateMode::kOverwrite))->Append("y").ok());
  EXPECT_EQ(Get(*left, "/d/f"), "y");
  EXPECT_EQ(Get(*fs_, "/d/f"), "x");
  ASSERT_TRUE(fs_->DeleteFile("/d/g").ok());
  EXPECT_EQ(fs_->GetFileInfo("/d/f")->links, 1u);
  // The deletion of g may be lost: then f has two names again.
  std::set<uint64_t> links;
  for (uint64_t seed = 0; seed < kSeeds; ++seed)
    links.insert(fs_->CrashClone(PowerCut(seed))->GetFileInfo("/d/f")->links);
  EXPECT_THAT(links, ElementsAre(1u, 2u));
}

TEST_F(MemoryCrashTest, ACloneHasNoLocksAndSharesNothing) {
  auto lock = fs_->LockFile("/d/LOCK", "before the crash");
  ASSERT_TRUE(lock.ok());
  ASSERT_TRUE(fs_->SyncDirectory("/d").ok());
  PutDurable("/d/f", "x");
  auto reader = fs_->NewRandomAccessFile("/d/f");
  auto region = (*reader)->Map();
  constexpr CrashOptions::Kind kKinds[] = {CrashOptions::kProcessCrash, CrashOptions::kPowerCut,
                                           CrashOptions::kDropUnsynced};
  for (const auto kind : kKinds) {
    const auto left = fs_->CrashClone(Of(kind));
    EXPECT_TRUE(left->LockFile("/d/LOCK", "after").ok());
    ASSERT_TRUE((*left->NewWritableFile("/d/f", CreateMode::kOverwrite))->Append("changed").ok());
    ASSERT_TRUE(left->DeleteFile("/d/f").ok());
    EXPECT_EQ(Get(*fs_, "/d/f"), "x");
  }
  EXPECT_FALSE(fs_->LockFile("/d/LOCK", "second").ok());
  ASSERT_TRUE(Open("/d/f", CreateMode::kOverwrite)->Append("later").ok());
  EXPECT_EQ((*region)->bytes(), "x");
}

TEST_F(MemoryCrashTest, TheSameSeedGivesTheSameCrash) {
  PutDurable("/d/f", std::string(3000, 'o'));
  auto file = Open("/d/f", CreateMode::kOverwrite);
  ASSERT_TRUE(file->Append(std::string(6000, 'n')).ok());
  for (int i = 0; i < 20; ++i) Open("/d/new" + std::to_string(i));
  std::set<std::string> different;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    std::string images[2];
    for (std::string& image : images) {
      const auto left = fs_->CrashClone(PowerCut(seed));
      image = Get(*left, "/d/f");
      for (const std::string& name : NamesIn(*left)) image += "/" + name;
    }
    EXPECT_EQ(images[0], images[1]) << "seed " << seed;
    different.insert(images[0]);
  }
  EXPECT_GT(different.size(), 30u);
}

TEST_F(MemoryCrashTest, CountsOperationsAndAnswersSpace) {
  const uint64_t before = fs_->operations();
  auto file = Open("/d/f");
  ASSERT_TRUE(file->Append("x").ok());
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_TRUE(fs_->SyncDirectory("/d").ok());
  Get(*fs_, "/d/f");
  EXPECT_EQ(fs_->operations(), before + 4);
  fs_->SetSpaceInfo({10, 20});
  EXPECT_EQ(fs_->GetSpaceInfo("/d")->available_bytes, 10u);
  EXPECT_EQ(fs_->CrashClone(PowerCut(0))->GetSpaceInfo("/d")->total_bytes, 20u);
}

TEST_F(MemoryCrashTest, FilesOutliveTheFileSystem) {
  auto fs = std::make_shared<MemoryFileSystem>();
  auto file = fs->NewWritableFile("/f", CreateMode::kTruncate);
  auto lock = fs->LockFile("/LOCK", "x");
  fs = nullptr;
  EXPECT_TRUE((*file)->Append("x").ok());
}

}  // namespace
}  // namespace seerdb
