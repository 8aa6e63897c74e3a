#include "key_sets.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "made_keys.h"
#include "real_keys.h"

namespace seerdb::bench {
namespace {

namespace fs = std::filesystem;

constexpr size_t kCount = 3'000;

// A folder with something of each source.
class KeySetsTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(root_);
    Write("tree/a/libfoo.so.1", "");
    Write("tree/a/README", "");
    Write("tree/b/bar.txt", "");
    Write("status",
          "Package: foo\nStatus: install ok installed\nVersion: 1.2-3\n\nPackage: bar\nVersion: 2:0.1\n\n");
    Write("lists/x_Packages", "Package: foo\nVersion: 1.2-3\n\nPackage: quux\nVersion: 7\n");
    Write("texts/foo/NOTES", "The quick fox; an ox, the QUICK fox.");
    Write("texts/foo/NOTES.gz", "compressed");
    const std::string id(38, 'a');
    Write("repository/.git/objects/12/" + id, "");
    Write("repository/.git/objects/info/packs", "");
    fs::create_directories(root_ / "repository/below/it");
    sources_.trees = {(root_ / "tree").string(), (root_ / "absent").string()};
    sources_.package_status = (root_ / "status").string();
    sources_.package_lists = (root_ / "lists").string();
    sources_.dictionaries = (root_ / "absent").string();
    sources_.texts = (root_ / "texts").string();
    sources_.repository = (root_ / "repository/below/it").string();
  }
  void TearDown() override { fs::remove_all(root_); }

  void Write(const std::string& name, const std::string& text) {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name) << text;
  }

  const fs::path root_ = fs::path(testing::TempDir()) / "key_sets_test";
  KeySources sources_;
};

void ExpectAscends(const std::vector<std::string>& keys) {
  for (size_t i = 1; i < keys.size(); ++i) ASSERT_LT(keys[i - 1], keys[i]);
}

TEST_F(KeySetsTest, EachHasAsManyDistinctAscendingKeysAsWanted) {
  for (const std::string& name : KeySetNames()) {
    for (const KeySources& sources : {sources_, KeySources::Nowhere()}) {
      for (const size_t count : {size_t{1}, size_t{2}, kCount}) {
        SCOPED_TRACE(name + " " + std::to_string(count));
        const KeySet set = MakeKeySet(name, count, 1, sources);
        EXPECT_EQ(set.name, name);
        ASSERT_EQ(set.keys.size(), count);
        ExpectAscends(set.keys);
        EXPECT_LE(set.real_keys, count);
        EXPECT_EQ(set.real_keys > 0, set.source.starts_with("real: ")) << set.source;
        EXPECT_EQ(set.real_keys < count, set.source.find("generated: ") != std::string::npos) << set.source;
      }
    }
  }
  EXPECT_FALSE(IsKeySet("no such set"));
}

TEST_F(KeySetsTest, FollowFromTheSeed) {
  for (const std::string& name : KeySetNames()) {
    SCOPED_TRACE(name);
    const KeySet one = MakeKeySet(name, kCount, 1, KeySources::Nowhere());
    EXPECT_EQ(one.keys, MakeKeySet(name, kCount, 1, KeySources::Nowhere()).keys);
    const bool counted = name == "decimal16" || name == "paths";
    EXPECT_EQ(counted, one.keys == MakeKeySet(name, kCount, 2, KeySources::Nowhere()).keys);
  }
}

TEST_F(KeySetsTest, RealKeysAreAllThereAndSaidToBe) {
  struct Case {
    const char* name;
    std::vector<std::string> real;
  };
  const std::string tree = (root_ / "tree").string();
  const std::vector<Case> cases = {
      {"paths", {tree + "/a/README", tree + "/a/libfoo.so.1", tree + "/b/bar.txt"}},
      {"packages", {"bar 2:0.1", "foo 1.2-3", "quux 7"}},
      {"words", {"fox", "quick", "the"}},
      {"git-ids", {"12" + std::string(38, 'a')}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const KeySet exact = MakeKeySet(c.name, c.real.size(), 1, sources_);
    EXPECT_EQ(exact.keys, c.real);
    EXPECT_EQ(exact.real_keys, c.real.size());
    EXPECT_EQ(exact.source.find("generated"), std::string::npos);
    const size_t more = c.real.size() + 4;
    const KeySet extended = MakeKeySet(c.name, more, 1, sources_);
    EXPECT_EQ(extended.real_keys, c.real.size());
    for (const std::string& key : c.real) {
      EXPECT_TRUE(std::binary_search(extended.keys.begin(), extended.keys.end(), key)) << key;
    }
  }
  const KeySet paths = MakeKeySet("paths", 6, 1, sources_);
  EXPECT_TRUE(std::binary_search(paths.keys.begin(), paths.keys.end(), tree + "/a/libfoo-1.so.1"));
}

TEST_F(KeySetsTest, FewerThanAreRealAreDrawnFromAllOfThem) {
  const KeySet set = MakeKeySet("paths", 2, 1, sources_);
  const std::string tree = (root_ / "tree").string();
  EXPECT_EQ(set.keys, (std::vector<std::string>{tree + "/a/README", tree + "/a/libfoo.so.1"}));
  EXPECT_EQ(set.real_keys, 2u);
}

TEST_F(KeySetsTest, TimesAreThoseOfTheFilesAndTheSameAsText) {
  const std::vector<uint64_t> times = ModificationTimes(sources_.trees);
  ASSERT_EQ(times.size(), 3u);
  const KeySet bytes = MakeKeySet("mtimes", 3, 1, sources_);
  EXPECT_EQ(bytes.keys, BigEndianKeys(times));
  const KeySet text = MakeKeySet("mtimes-text", 3, 1, sources_);
  ExpectAscends(text.keys);
  EXPECT_EQ(text.keys[0].size(), 30u);
  EXPECT_EQ(text.keys[0].back(), 'Z');
  EXPECT_EQ(std::stoull(text.keys[0].substr(20, 9)), times[0] % 1'000'000'000);
}

TEST_F(KeySetsTest, IdsOfPacksAreRead) {
  std::string index("\377tOc\0\0\0\2", 8);
  for (int i = 0; i < 256; ++i) index += std::string("\0\0\0", 3) + (i < 0xab ? '\0' : '\1');
  const std::string header = index;
  for (int i = 0; i < 20; ++i) index.push_back('\xab');
  Write("repository/.git/objects/pack/pack-1.idx", index);
  std::string id;
  for (int i = 0; i < 20; ++i) id += "ab";
  EXPECT_EQ(GitObjectIds(sources_.repository), (std::vector<std::string>{"12" + std::string(38, 'a'), id}));
  // Cut, and of another version.
  for (const std::string& bad : {header, index.substr(0, 100), "\377tOc" + std::string(2000, '\0')}) {
    Write("repository/.git/objects/pack/pack-1.idx", bad);
    EXPECT_EQ(GitObjectIds(sources_.repository).size(), 1u);
  }
}

TEST(MadeKeysTest, UuidsHaveTheirVersionAndVariant) {
  Rng rng(3);
  for (const auto& [uuids, version] :
       {std::pair{RandomUuids(kCount, &rng), '4'}, std::pair{TimedUuids(kCount, &rng), '7'}}) {
    for (const std::string& uuid : uuids) {
      ASSERT_EQ(uuid.size(), 36u);
      ASSERT_EQ(uuid.find_first_not_of("0123456789abcdef-"), std::string::npos);
      for (const size_t at : {8, 13, 18, 23}) ASSERT_EQ(uuid[at], '-');
      ASSERT_EQ(uuid[14], version);
      ASSERT_NE(std::string("89ab").find(uuid[19]), std::string::npos);
    }
  }
}

TEST(MadeKeysTest, ShapesAreWhatTheyAreSaidToBe) {
  Rng rng(5);
  const std::vector<uint64_t> outliers = OutlierNumbers(10'000, &rng);
  EXPECT_LT(outliers[10'000 - 22], uint64_t{1} << 36);
  EXPECT_GE(outliers[10'000 - 21], uint64_t{1} << 63);
  // Half of the cells lie in a small part of the plane.
  const std::vector<uint64_t> cells = CellNumbers(10'000, &rng);
  std::set<uint64_t> quarters;
  for (const uint64_t cell : cells) quarters.insert(cell >> 50);
  EXPECT_LT(quarters.size(), 4'000u);
  EXPECT_GT(quarters.size(), 100u);
  // The median of a lognormal of sigma 2 is far below its mean.
  const std::vector<uint64_t> lognormal = LognormalNumbers(10'000, &rng);
  EXPECT_NEAR(static_cast<double>(lognormal[5'000]), 1e9, 1e8);
  const std::vector<uint64_t> popular = PopularityNumbers(10'000, &rng);
  EXPECT_GT(popular.back() / popular[5'000], 1'000u);
}

}  // namespace
}  // namespace seerdb::bench
