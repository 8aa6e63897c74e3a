#include "db/replayed_tables.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/units.h"
#include "compaction/flush_job.h"
#include "env/memory_file_system.h"
#include "format/batch_codec.h"
#include "format/entry_payload.h"
#include "format/file_name.h"
#include "format/keyspace_prefix.h"
#include "memtable/memtable.h"
#include "seerdb/executor.h"
#include "sstable/table_reader.h"

namespace seerdb {
namespace {

constexpr uint64_t kEpoch = 77;
constexpr uint64_t kFirstFile = 5;
constexpr uint64_t kSeed = 20240519;

struct Batch {
  SequenceNumber base = 0;
  std::string operations;
};

std::string SharedKey(Random* random) { return "shared/" + std::to_string(random->Uniform(3'000)); }

// Batches of all kinds of operations, with gaps between their sequences.
std::vector<Batch> SomeBatches(uint64_t count, bool ranges) {
  Random random(kSeed);
  std::vector<Batch> batches;
  SequenceNumber next = 10;
  for (uint64_t i = 0; i < count; ++i) {
    Batch batch{next + random.Uniform(3), {}};
    const uint64_t operations = 1 + random.Uniform(5);
    for (uint64_t j = 0; j < operations; ++j) {
      const std::string key = SharedKey(&random);
      std::string payload;
      const uint64_t choice = random.Uniform(ranges ? 21 : 20);
      if (choice == 20) {
        AppendRangeDeletion(&batch.operations, kDefaultKeyspace, key, key + "5");
        continue;
      }
      const ValueType type = choice < 12   ? ValueType::kValue
                             : choice < 15 ? ValueType::kDeletion
                             : choice < 18 ? ValueType::kMerge
                                           : ValueType::kExpiringValue;
      AppendPayload(&payload, Expires(type) ? 1'000'000 + i : kNeverExpires,
                    std::string(random.Uniform(60), static_cast<char>('a' + i % 26)));
      AppendBatchOperation(&batch.operations, type, kDefaultKeyspace, key, payload);
    }
    next = batch.base + operations;
    batches.push_back(std::move(batch));
  }
  return batches;
}

class ReplayedTablesTest : public ::testing::Test {
 protected:
  ReplayedTablesTest() {
    EXPECT_TRUE(fs_.CreateDirectory(replayed_).ok());
    EXPECT_TRUE(fs_.CreateDirectory(flushed_).ok());
  }

  std::unique_ptr<ReplayedTables> NewTables(uint64_t capacity, Executor* executor = nullptr) {
    options_.memtable_capacity = capacity;
    next_file_ = kFirstFile;
    return std::make_unique<ReplayedTables>(fs_, replayed_, options_, &next_file_,
                                            ReplayContext{kEpoch, nullptr, &values_, 0, executor});
  }

  std::string FileOf(const std::string& directory, uint64_t number) {
    const auto bytes = ReadFileToString(fs_, TableFilePath(directory, number));
    EXPECT_TRUE(bytes.ok()) << bytes.status().ToString();
    return bytes.ok() ? *bytes : std::string();
  }

  MemoryFileSystem fs_;
  const std::string replayed_ = "/replayed";
  const std::string flushed_ = "/flushed";
  Options options_;
  uint64_t next_file_ = kFirstFile;
  ReplayedValues values_{fs_, replayed_, DatabaseId{1, 2}, ReplayedValues::Unreadable::kIsAnError};
};

// What replay writes is, byte for byte, what the flush of a memtable with the same writes does.
TEST_F(ReplayedTablesTest, AreThoseThatAFlushWouldWrite) {
  const auto tables = NewTables(uint64_t{64} << 20);
  MemTable memtable(nullptr, nullptr, kEpoch);
  for (const Batch& batch : SomeBatches(4'000, /*ranges=*/true)) {
    ASSERT_TRUE(tables->Apply(batch.base, batch.operations).ok());
    BatchReader reader(batch.operations);
    BatchOperation operation;
    for (SequenceNumber sequence = batch.base; reader.Next(&operation); ++sequence) {
      if (operation.type == ValueType::kRangeDeletion) {
        memtable.AddRange(sequence, operation.key, operation.value);
      } else {
        memtable.Add(sequence, operation.type, operation.key, operation.value);
      }
    }
  }
  EXPECT_EQ(tables->last_sequence(), memtable.last_sequence());
  ASSERT_TRUE(tables->Finish().ok());
  ASSERT_EQ(tables->tables().size(), 1u);

  TableOutputOptions output;
  output.directory = flushed_;
  output.table = TableOptionsOf(options_);
  output.epoch = kEpoch;
  output.new_file_number = []() -> Result<uint64_t> { return kFirstFile; };
  const std::vector<SequenceNumber> snapshots = {memtable.last_sequence()};
  const auto flushed = WriteMemTable(fs_, memtable, nullptr, snapshots, std::move(output));
  ASSERT_TRUE(flushed.ok()) << flushed.status().ToString();
  ASSERT_EQ(flushed->size(), 1u);
  EXPECT_EQ(FileOf(replayed_, kFirstFile), FileOf(flushed_, kFirstFile));
  EXPECT_TRUE(tables->tables() == *flushed);
  EXPECT_GT(flushed->front().ranges_applied, 0u);
  EXPECT_TRUE(tables->ranges() == RangesOf(memtable.range_tombstones(), snapshots, 0));
}

// Of each table the entries and what sorting them takes have room in a memtable, and nothing is lost between
// two of them. Of each key a table has what its newest version rests on.
TEST_F(ReplayedTablesTest, EndWhereAMemTableWouldBeFull) {
  constexpr uint64_t kCapacity = 64 << 10;
  const auto tables = NewTables(kCapacity);
  MemTable newest;
  for (const Batch& batch : SomeBatches(4'000, /*ranges=*/false)) {
    ASSERT_TRUE(tables->Apply(batch.base, batch.operations).ok());
    BatchReader reader(batch.operations);
    BatchOperation operation;
    for (SequenceNumber sequence = batch.base; reader.Next(&operation); ++sequence) {
      newest.Add(sequence, operation.type, operation.key, operation.value);
    }
  }
  ASSERT_TRUE(tables->Finish().ok());
  ASSERT_GT(tables->tables().size(), 10u);
  SequenceNumber last = 0;
  std::map<std::string, SequenceNumber> newest_read;
  for (const TableMeta& meta : tables->tables()) {
    EXPECT_GT(meta.smallest_sequence, last);
    last = meta.largest_sequence;
    EXPECT_LE(meta.entries * (sizeof(Record) + 2 * sizeof(SortItem)), kCapacity);
    TableOpenOptions open;
    open.table_number = meta.number;
    const auto table = TableReader::Open(fs_, TableFilePath(replayed_, meta.number), open);
    ASSERT_TRUE(table.ok()) << table.status().ToString();
    const auto entries = (*table)->NewIterator({});
    uint64_t count = 0;
    for (entries->SeekToFirst(); entries->Valid(); entries->Next(), ++count) {
      Lookup lookup;
      newest.Get({entries->key(), entries->sequence(), 0}, &lookup);
      ASSERT_NE(lookup.state, Lookup::State::kAbsent);
      ASSERT_EQ(lookup.sequence, entries->sequence());
      ASSERT_EQ(lookup.type, entries->type());
      ASSERT_EQ(lookup.value, entries->value());
      SequenceNumber& sequence = newest_read[std::string(entries->key())];
      sequence = std::max(sequence, entries->sequence());
    }
    ASSERT_TRUE(entries->status().ok());
    EXPECT_EQ(count, meta.entries);
  }
  EXPECT_EQ(last, newest.last_sequence());
  for (const auto& [key, sequence] : newest_read) {
    Lookup lookup;
    newest.Get({key, kMaxSequence, 0}, &lookup);
    EXPECT_EQ(lookup.sequence, sequence) << key;
  }
  const auto entries = newest.NewIterator();
  for (entries->SeekToFirst(); entries->Valid(); entries->Next()) {
    EXPECT_TRUE(newest_read.contains(std::string(entries->key()))) << entries->key();
  }
}

// Whoever writes them, one after another: the same files, with the same numbers.
TEST_F(ReplayedTablesTest, AreTheSameWhereAnotherThreadWritesThem) {
  const std::vector<Batch> batches = SomeBatches(4'000, /*ranges=*/true);
  const auto executor = NewThreadPoolExecutor();
  std::vector<std::vector<TableMeta>> tables;
  std::vector<std::vector<RangeTombstone>> ranges;
  std::vector<std::string> files;
  for (Executor* const one : {static_cast<Executor*>(nullptr), executor.get()}) {
    const auto replayed = NewTables(64 << 10, one);
    for (const Batch& batch : batches) ASSERT_TRUE(replayed->Apply(batch.base, batch.operations).ok());
    ASSERT_TRUE(replayed->Finish().ok());
    std::string bytes;
    for (const TableMeta& table : replayed->tables()) bytes += FileOf(replayed_, table.number);
    files.push_back(std::move(bytes));
    tables.push_back(std::move(replayed->tables()));
    ranges.push_back(std::move(replayed->ranges()));
  }
  ASSERT_GT(tables[0].size(), 10u);
  EXPECT_TRUE(tables[0] == tables[1]);
  ASSERT_GT(ranges[0].size(), 10u);
  EXPECT_TRUE(ranges[0] == ranges[1]);
  EXPECT_EQ(files[0], files[1]);
}

// A piece whose table could not be written is nowhere: what follows it must not be taken for all there is.
TEST_F(ReplayedTablesTest, ATableThatCannotBeWrittenFailsAllThatFollows) {
  const auto executor = NewThreadPoolExecutor();
  for (Executor* const one : {static_cast<Executor*>(nullptr), executor.get()}) {
    const auto tables = NewTables(64 << 10, one);
    ASSERT_TRUE(fs_.CreateDirectory(TableFilePath(replayed_, kFirstFile + 1)).ok());  // takes the second name
    Status status;
    for (const Batch& batch : SomeBatches(4'000, /*ranges=*/false)) {
      const Status applied = tables->Apply(batch.base, batch.operations);
      if (status.ok()) {
        status = applied;
      } else {
        ASSERT_EQ(applied.ToString(), status.ToString());
      }
    }
    EXPECT_FALSE(status.ok());
    EXPECT_EQ(tables->Finish().ToString(), status.ToString());
    EXPECT_EQ(tables->tables().size(), 1u);
    ASSERT_TRUE(fs_.DeleteFile(TableFilePath(replayed_, kFirstFile)).ok());
  }
}

// L0 counts each table as a run; with little log they are those that flushes would have made.
TEST(ReplayedPiecesTest, AreFewAndNoLargerThanAMemTable) {
  EXPECT_EQ(ReplayedTables::PieceBytes(kMiB, 0), kMiB);
  EXPECT_EQ(ReplayedTables::PieceBytes(kMiB, 1000 * kMiB), kMiB);
  EXPECT_EQ(ReplayedTables::PieceBytes(64 * kMiB, 100 * kMiB), 64 * kMiB);
  EXPECT_EQ(ReplayedTables::PieceBytes(64 * kMiB, 1000 * kMiB), 64 * kMiB);
  EXPECT_EQ(ReplayedTables::PieceBytes(1024 * kMiB, 100 * kMiB), 64 * kMiB);
  EXPECT_EQ(ReplayedTables::PieceBytes(1024 * kMiB, 1000 * kMiB), 200 * kMiB);
  EXPECT_EQ(ReplayedTables::PieceBytes(1024 * kMiB, UINT64_MAX), 1024 * kMiB);
}

TEST_F(ReplayedTablesTest, RefuseABatchThatIsNotNewer) {
  const auto tables = NewTables(1 << 20);
  const std::vector<Batch> batches = SomeBatches(2, /*ranges=*/false);
  ASSERT_TRUE(tables->Apply(batches[1].base, batches[1].operations).ok());
  const SequenceNumber last = tables->last_sequence();
  EXPECT_TRUE(tables->Apply(batches[0].base, batches[0].operations).IsCorruption());
  EXPECT_TRUE(tables->Apply(last, batches[0].operations).IsCorruption());
  EXPECT_TRUE(tables->Apply(last + 1, "\x09").IsCorruption());
  EXPECT_EQ(tables->last_sequence(), last);
}

}  // namespace
}  // namespace seerdb
