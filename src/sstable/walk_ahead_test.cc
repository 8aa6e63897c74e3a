// What is asked of a mapping before its bytes are read: by iterators in growing stretches, by lookups when a
// block may not be in memory.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sstable/block_source.h"
#include "sstable/table_format.h"
#include "sstable/table_iterator.h"
#include "sstable/test_table.h"

namespace seerdb {
namespace {

using Asked = std::vector<std::pair<uint64_t, uint64_t>>;  // offset, bytes

class RecordingRegion final : public MappedRegion {
 public:
  explicit RecordingRegion(std::string bytes) : bytes_(std::move(bytes)) {}
  Slice bytes() const override { return bytes_; }
  bool WillNeed(uint64_t offset, uint64_t bytes) const override {
    asked.emplace_back(offset, bytes);
    return missing;
  }
  bool missing = false;
  mutable Asked asked;

 private:
  const std::string bytes_;
};

class RecordingFile final : public RandomAccessFile {
 public:
  explicit RecordingFile(std::string bytes) : bytes_(std::move(bytes)) {}
  Result<Slice> Read(uint64_t offset, size_t n, char* scratch) const override {
    const Slice read = Slice(bytes_).substr(offset, n);
    std::copy(read.begin(), read.end(), scratch);
    return Slice(scratch, read.size());
  }
  Result<uint64_t> Size() const override { return bytes_.size(); }
  Result<std::shared_ptr<const MappedRegion>> Map() const override { return Status::NotSupported("map"); }
  void ReadAhead(uint64_t offset, size_t n) const override { asked.emplace_back(offset, n); }
  mutable Asked asked;

 private:
  const std::string bytes_;
};

class WalkAheadTest : public ::testing::Test {
 protected:
  static constexpr int kEntries = 60'000;

  void SetUp() override {
    TestEntries entries;
    for (int i = 0; i < kEntries; ++i) {
      entries[{"key" + std::to_string(100'000 + i), PackTrailer(1, ValueType::kValue)}] =
          std::string(100, 'v');
    }
    ASSERT_TRUE(table_.Build(entries, {}).ok());
    region_ = std::make_shared<RecordingRegion>(table_.Bytes());
    const Slice bytes = region_->bytes();
    const auto footer = DecodeTableFooter(bytes.substr(bytes.size() - kTableFooterBytes), bytes.size());
    ASSERT_TRUE(footer.ok());
    auto index = IndexOf(bytes);
    ASSERT_TRUE(index.ok());
    index_ = *std::move(index);
    source_.emplace(TableIdentity{TestTable::kPath, footer->table_number, 0}, &index_,
                    BlockSource::Bytes{region_, nullptr}, TableOpenOptions());
    // Every block is read once, so that none is asked for because it was not.
    const auto iterator = NewTableIterator({}, *source_, table_.fs());
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) continue;
    ASSERT_TRUE(iterator->status().ok());
    first_walk_ = std::exchange(region_->asked, {});
  }
  // Asserts that together they are what lies from block `begin` to the end, each stretch behind the last.
  void ExpectWhole(const Asked& asked, uint32_t begin) const {
    uint64_t end = index_.Place(begin).offset;
    for (const auto& [offset, bytes] : asked) {
      EXPECT_EQ(offset, end);
      end = offset + bytes;
    }
    EXPECT_EQ(end, index_.data_end());
  }
  static void ExpectGrowth(const Asked& asked, uint64_t first_bytes) {
    ASSERT_GT(asked.size(), 4u);
    for (size_t i = 0; i + 1 < asked.size(); ++i) {
      const uint64_t wanted = std::min<uint64_t>(first_bytes << i, 2 << 20);
      EXPECT_LE(asked[i].second, wanted + wanted / 8) << i;
      EXPECT_GE(asked[i].second, wanted - wanted / 8) << i;
    }
  }

  // What a walk from the last entry to the first asks for.
  Asked WalkBackward() {
    const auto iterator = NewTableIterator({}, *source_, table_.fs());
    int entries = 0;
    for (iterator->SeekToLast(); iterator->Valid(); iterator->Prev()) ++entries;
    EXPECT_EQ(entries, kEntries);
    return std::exchange(region_->asked, {});
  }

  // The same table, read by calls through `cache`.
  BlockSource ReadByCalls(std::shared_ptr<BlockCache> cache) {
    auto file = std::make_unique<RecordingFile>(table_.Bytes());
    file_ = file.get();
    TableOpenOptions options;
    options.cache = std::move(cache);
    return BlockSource({TestTable::kPath, 0, 0}, &index_, {nullptr, std::move(file)}, options);
  }

  TestTable table_;
  const RecordingFile* file_ = nullptr;
  std::shared_ptr<RecordingRegion> region_;
  BlockIndex index_;
  std::optional<BlockSource> source_;
  Asked first_walk_;
};

TEST_F(WalkAheadTest, AWalkForwardAsksForStretchesThatGrow) {
  // Block 0, which had not been read, comes by itself.
  ASSERT_FALSE(first_walk_.empty());
  EXPECT_EQ(first_walk_[0].first, 0u);
  const Asked rest(first_walk_.begin() + 1, first_walk_.end());
  ExpectWhole(rest, 1);
  ExpectGrowth(rest, 64 << 10);
}

TEST_F(WalkAheadTest, AWalkBackwardDoesSoToo) {
  // Lookups have missed something of late.
  region_->missing = true;
  source_->Expect(0, 0);
  region_->asked.clear();
  region_->missing = false;
  // The last two blocks say that it goes backward.
  uint64_t begin = index_.Place(index_.blocks() - 2).offset;
  Asked walk = WalkBackward();
  std::erase_if(walk, [&](const auto& asked) { return asked.first >= begin; });
  ExpectGrowth(walk, 64 << 10);
  for (const auto& [offset, bytes] : walk) {
    EXPECT_EQ(offset + bytes, begin);
    begin = offset;
  }
  EXPECT_EQ(begin, 0u);
}

// All was read before, and lookups have missed nothing: only a long walk asks.
TEST_F(WalkAheadTest, WhereAllSeemsLoadedTheFirstStretchIsNotAskedFor) {
  const Asked walk = WalkBackward();
  ExpectGrowth(walk, 128 << 10);
  const uint64_t end = index_.Place(index_.blocks() - 2).offset;
  EXPECT_LE(walk.front().first + walk.front().second, end - (56 << 10));
  EXPECT_EQ(walk.back().first, 0u);
}

TEST_F(WalkAheadTest, AShortScanAndATurnAskForNothing) {
  const auto iterator = NewTableIterator({}, *source_, table_.fs());
  iterator->Seek("key130001", kFirstTrailer);
  for (int i = 0; i < 20; ++i) iterator->Next();
  for (int i = 0; i < 20; ++i) iterator->Prev();
  EXPECT_TRUE(iterator->Valid());
  EXPECT_TRUE(region_->asked.empty());
}

TEST_F(WalkAheadTest, ALookupAsksForABlockThatWasNotRead) {
  const BlockSource unread({TestTable::kPath, 0, 0}, &index_, {region_, nullptr}, TableOpenOptions());
  unread.Expect(7, 1);
  const BlockPlace place = index_.Place(7);
  EXPECT_EQ(region_->asked, (Asked{{place.offset, place.bytes + kBlockTrailerBytes}}));
}

TEST_F(WalkAheadTest, LookupsAskOftenOnlyWhileBlocksAreMissing) {
  constexpr uint64_t kHashes = 1280;
  const auto ask = [&] {
    region_->asked.clear();
    for (uint64_t hash = 1; hash <= kHashes; ++hash) source_->Expect(7, hash);
    return region_->asked.size();
  };
  EXPECT_LE(ask(), kHashes / 100) << "all is in memory";
  region_->missing = true;
  EXPECT_GE(ask(), kHashes * 8 / 10);
  EXPECT_EQ(ask(), kHashes);
  region_->missing = false;
  EXPECT_LT(ask(), kHashes / 2);
  EXPECT_LE(ask(), kHashes / 100);
}

TEST_F(WalkAheadTest, WhereBlocksAreReadByCallsAWalkAsksForThemToo) {
  const BlockSource source = ReadByCalls(nullptr);
  const auto iterator = NewTableIterator({}, source, table_.fs());
  int entries = 0;
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) ++entries;
  EXPECT_EQ(entries, kEntries);
  ExpectWhole(file_->asked, 1);
  ExpectGrowth(file_->asked, 64 << 10);
}

TEST_F(WalkAheadTest, AWalkAsksForNothingThatTheCacheHas) {
  const BlockSource source = ReadByCalls(std::make_shared<BlockCache>(64 << 20));
  for (const bool again : {false, true}) {
    const auto iterator = NewTableIterator({}, source, table_.fs());
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) continue;
    EXPECT_EQ(std::exchange(file_->asked, {}).empty(), again);
  }
}

TEST_F(WalkAheadTest, OneOfSeveralLookupsAsksForABlockThatNoCacheHas) {
  const auto cache = std::make_shared<BlockCache>(1 << 20);
  const BlockSource source = ReadByCalls(cache);
  const BlockPlace place = index_.Place(7);
  const Asked block = {{place.offset, place.bytes + kBlockTrailerBytes}};
  source.Expect(7, 0);
  EXPECT_TRUE(file_->asked.empty()) << "a lookup by itself would gain nothing";
  source.ExpectBesideOthers(7);
  EXPECT_EQ(std::exchange(file_->asked, {}), block);
  BlockRef ref;
  ASSERT_TRUE(source.Fetch(7, {}, &ref).ok());
  source.ExpectBesideOthers(7);
  EXPECT_TRUE(file_->asked.empty()) << "the cache has it";
  source_->ExpectBesideOthers(7);
  EXPECT_TRUE(region_->asked.empty()) << "it is mapped";
}

}  // namespace
}  // namespace seerdb
