// Salvage of a small table with every byte changed and cut at every length: all intact blocks come back, and
// what does not lies in a range that is reported.
#include "sstable/table_salvage.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "env/fault_file_system.h"
#include "sstable/block_finder.h"
#include "sstable/table_format.h"
#include "sstable/test_table.h"

namespace seerdb {
namespace {

constexpr uint64_t kSalvagedNumber = 9;

TestEntries Entries() {
  TestEntries entries;
  for (int i = 0; i < 40; ++i) {
    const std::string key = "key" + std::to_string(100 + i);
    entries[{key, PackTrailer(static_cast<SequenceNumber>(50 + i), ValueType::kValue)}] =
        std::string(30, static_cast<char>('a' + i % 3)) + key;
    if (i % 7 == 0) {
      entries[{key, PackTrailer(static_cast<SequenceNumber>(200 + i), ValueType::kDeletion)}] = "";
    }
  }
  return entries;
}

class TableSalvageTest : public testing::TestWithParam<CompressionType> {
 protected:
  void SetUp() override {
    TableBuilderOptions options;
    options.block_bytes = 250;
    options.learned_index_min_keys = 5;  // so that some blocks have tags, and others have not
    options.compression = GetParam();
    options.table_number = kSalvagedNumber;
    ASSERT_TRUE(table_.Build(entries_, options).ok());
    whole_ = table_.Bytes();
    ASSERT_GE(table_.properties().data_blocks, 6u);
    bounds_ = {table_.properties().smallest_key, table_.properties().largest_key,
               table_.properties().entries};
  }

  struct Outcome {
    TableSalvage salvage;
    TestEntries entries;
  };

  // Everything that comes out is true, and everything else lies in a lost range.
  Outcome Check(const std::string& bytes, const SalvageBounds& bounds) {
    Outcome outcome;
    EXPECT_TRUE(table_.Write(bytes).ok());
    const auto salvage = SalvageTable(table_.fs(), TestTable::kPath, kSalvagedNumber, bounds,
                                      [&](Slice key, uint64_t trailer, Slice value) -> Status {
                                        const auto known = entries_.find({std::string(key), trailer});
                                        EXPECT_TRUE(known != entries_.end() && known->second == value) << key;
                                        outcome.entries[{std::string(key), trailer}] = value;
                                        return {};
                                      });
    EXPECT_TRUE(salvage.ok()) << salvage.status().ToString();
    if (!salvage.ok()) return outcome;
    outcome.salvage = *salvage;
    EXPECT_EQ(salvage->entries, outcome.entries.size());
    for (const auto& [key, value] : entries_) {
      if (outcome.entries.contains(key)) continue;
      bool reported = false;
      for (const LostBlocks& lost : salvage->lost) {
        reported |= (!lost.key_before.has_value() || *lost.key_before <= key.first) &&
                    (!lost.key_behind.has_value() || *lost.key_behind >= key.first);
      }
      EXPECT_TRUE(reported) << key.first << " is lost without a word";
    }
    return outcome;
  }

  const TestEntries entries_ = Entries();
  TestTable table_;
  std::string whole_;
  SalvageBounds bounds_;
};

TEST_P(TableSalvageTest, AWholeTableLosesNothing) {
  const Outcome outcome = Check(whole_, {});
  EXPECT_EQ(outcome.entries, entries_);
  EXPECT_TRUE(outcome.salvage.lost.empty());
  EXPECT_EQ(outcome.salvage.blocks, table_.properties().data_blocks);
  EXPECT_EQ(outcome.salvage.largest_sequence, table_.properties().largest_sequence);
}

TEST_P(TableSalvageTest, EveryFlippedByteCostsAtMostItsBlock) {
  const uint64_t blocks = table_.properties().data_blocks;
  for (size_t i = 0; i < whole_.size(); ++i) {
    SCOPED_TRACE(i);
    std::string bytes = whole_;
    bytes[i] = static_cast<char>(bytes[i] ^ (i % 2 == 0 ? 0xff : 0x01));
    const bool in_data = i < table_.properties().data_bytes;
    for (const SalvageBounds& bounds : {bounds_, SalvageBounds{}}) {
      const Outcome outcome = Check(bytes, bounds);
      EXPECT_EQ(outcome.salvage.blocks, in_data ? blocks - 1 : blocks);
      EXPECT_GE(outcome.salvage.lost.size(), in_data ? 1u : 0u);
    }
    if (!in_data) {
      EXPECT_TRUE(Check(bytes, bounds_).salvage.lost.empty());
    }
    if (HasFailure()) return;
  }
}

// Without its end a table has no index: blocks are searched for, behind a damaged one too.
TEST_P(TableSalvageTest, CutAtEveryLength) {
  uint64_t before = 0;
  for (size_t n = 0; n < whole_.size(); ++n) {
    SCOPED_TRACE(n);
    const Outcome outcome = Check(whole_.substr(0, n), n % 2 == 0 ? bounds_ : SalvageBounds{});
    EXPECT_GE(outcome.salvage.blocks, before);
    before = outcome.salvage.blocks;
    if (HasFailure()) return;
  }
  EXPECT_EQ(before, table_.properties().data_blocks);
}

TEST_P(TableSalvageTest, BlocksBehindDamageAreFoundWithoutIndex) {
  const std::string cut = whole_.substr(0, table_.properties().data_bytes);
  for (size_t i = 0; i < cut.size(); i += 3) {
    SCOPED_TRACE(i);
    std::string bytes = cut;
    bytes[i] ^= 0x10;
    EXPECT_EQ(Check(bytes, bounds_).salvage.blocks, table_.properties().data_blocks - 1);
    if (HasFailure()) return;
  }
}

// A block of another table or another place never counts, whatever its checksum says at home.
TEST_P(TableSalvageTest, ForeignBlocksAreDamage) {
  EXPECT_TRUE(Check(std::string(7, '\0') + whole_, {}).entries.empty());
  ASSERT_TRUE(table_.Write(whole_).ok());
  const auto other = SalvageTable(table_.fs(), TestTable::kPath, kSalvagedNumber + 1, {},
                                  [](Slice, uint64_t, Slice) -> Status { return {}; });
  ASSERT_TRUE(other.ok());
  EXPECT_EQ(other->entries, 0u);
}

TEST_P(TableSalvageTest, KeysOutsideTheBoundsAreDamage) {
  SalvageBounds bounds;
  bounds.largest_key = "key110";
  const Outcome outcome = Check(whole_, bounds);
  EXPECT_LT(outcome.salvage.blocks, table_.properties().data_blocks);
  for (const auto& [key, value] : outcome.entries) EXPECT_LE(key.first, "key110");
}

TEST_P(TableSalvageTest, AnIndexThatTheDeviceDoesNotGiveCostsNoBlock) {
  ASSERT_TRUE(table_.Write(whole_).ok());
  FaultFileSystem faults(std::shared_ptr<FileSystem>(std::shared_ptr<FileSystem>(), &table_.fs()));
  faults.AddRule(FaultRule::Fail(FileOp::kRead, "", FaultRule::DeviceError()));
  TestEntries found;
  const auto salvage = SalvageTable(faults, TestTable::kPath, kSalvagedNumber, bounds_,
                                    [&](Slice key, uint64_t trailer, Slice value) -> Status {
                                      found[{std::string(key), trailer}] = value;
                                      return {};
                                    });
  ASSERT_TRUE(salvage.ok()) << salvage.status().ToString();
  EXPECT_EQ(faults.faults_fired(), 1u);
  EXPECT_EQ(found, entries_);
  EXPECT_TRUE(salvage->lost.empty());
}

class FileWithABadSector final : public RandomAccessFile {
 public:
  static constexpr uint64_t kBadBegin = 9000;
  static constexpr uint64_t kBadEnd = 9512;
  explicit FileWithABadSector(std::string bytes) : bytes_(std::move(bytes)) {}
  Result<Slice> Read(uint64_t offset, size_t n, char* scratch) const override {
    if (offset < kBadEnd && offset + n > kBadBegin) return FaultRule::DeviceError();
    const Slice read = Slice(bytes_).substr(offset, n);
    std::copy(read.begin(), read.end(), scratch);
    return Slice(scratch, read.size());
  }
  Result<uint64_t> Size() const override { return bytes_.size(); }
  Result<std::shared_ptr<const MappedRegion>> Map() const override { return Status::NotSupported("map"); }

 private:
  const std::string bytes_;
};

TEST(BlockFinderTest, ABadSectorCostsThePageThatItLiesIn) {
  TestEntries entries;
  for (int i = 0; i < 2000; ++i) {
    entries[{"key" + std::to_string(10'000 + i), PackTrailer(1, ValueType::kValue)}] = std::string(30, 'v');
  }
  TableBuilderOptions options;
  options.block_bytes = 250;
  options.table_number = kSalvagedNumber;
  TestTable table;
  ASSERT_TRUE(table.Build(entries, options).ok());
  const FileWithABadSector file(table.Bytes());
  BlockFinder finder(file, table.Bytes().size(), kSalvagedNumber);
  uint64_t blocks = 0;
  bool behind = false;
  for (uint64_t offset = 0;; ++blocks) {
    const auto found = finder.Find(offset);
    ASSERT_TRUE(found.ok()) << found.status().ToString();
    if (!found->has_value()) break;
    offset = (*found)->offset + (*found)->bytes;
    behind |= (*found)->offset > FileWithABadSector::kBadEnd;
  }
  EXPECT_TRUE(behind);
  EXPECT_LT(blocks, table.properties().data_blocks);
  EXPECT_GE(blocks + 25, table.properties().data_blocks);
}

TEST_P(TableSalvageTest, ErrorsOfTheVisitorEndIt) {
  const auto salvage = SalvageTable(table_.fs(), TestTable::kPath, kSalvagedNumber, {},
                                    [](Slice, uint64_t, Slice) { return Status::Busy("full"); });
  EXPECT_TRUE(salvage.status().IsBusy());
  EXPECT_EQ(SalvageTable(table_.fs(), "/absent", kSalvagedNumber, {}, nullptr).status().detail(),
            StatusDetail::kNotFound);
}

INSTANTIATE_TEST_SUITE_P(Compressions, TableSalvageTest,
                         testing::Values(CompressionType::kNone, CompressionType::kLz4,
                                         CompressionType::kZstd));

}  // namespace
}  // namespace seerdb
