#include "compaction/flush_job.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "env/memory_file_system.h"
#include "format/file_name.h"
#include "memtable/memtable.h"
#include "sstable/table_reader.h"

namespace seerdb {
namespace {

std::string KeyOf(int i) { return "key" + std::to_string(1'000'000 + i); }

std::shared_ptr<const TableMeta> TableOf(uint64_t number, int first, int last) {
  auto meta = std::make_shared<TableMeta>();
  meta->number = number;
  meta->smallest_key = KeyOf(first);
  meta->largest_key = KeyOf(last);
  return meta;
}

// How a table of keys 1000 to 1999 is searched that is flushed beside `tables`, in level 0 and, each a run of
// its own, in level 2.
LookupKind KindBeside(const std::vector<TableMetaPtr>& tables, bool known = true) {
  const std::string directory = "/db";
  MemoryFileSystem fs;
  EXPECT_TRUE(fs.CreateDirectory(directory).ok());
  std::vector<Level> levels(4);
  for (size_t i = 0; i < tables.size(); ++i) levels[i == 0 ? 0 : 2].runs.push_back({i + 1, {tables[i]}});
  const Version version(std::move(levels));
  MemTable memtable;
  SequenceNumber sequence = 0;
  for (int i = 1999; i >= 1000; --i) memtable.Add(++sequence, ValueType::kValue, KeyOf(i), "value");
  TableOutputOptions output;
  output.directory = directory;
  output.table.learned_index_min_keys = 100;
  output.new_file_number = []() -> Result<uint64_t> { return 9; };
  const auto flushed =
      WriteMemTable(fs, memtable, known ? &version : nullptr, {memtable.last_sequence()}, std::move(output));
  EXPECT_TRUE(flushed.ok()) << flushed.status().ToString();
  if (!flushed.ok() || flushed->size() != 1) return LookupKind::kNotAsked;
  EXPECT_EQ(flushed->front().entries, 1000u);
  TableOpenOptions open;
  open.table_number = 9;
  const auto reader = TableReader::Open(fs, TableFilePath(directory, 9), open);
  EXPECT_TRUE(reader.ok()) << reader.status().ToString();
  return reader.ok() ? (*reader)->properties().lookup : LookupKind::kNotAsked;
}

// As a load in the order of keys makes them: no compaction will ever rewrite them.
TEST(FlushJob, TheOnlyTableOfARangeIsLearned) {
  EXPECT_EQ(KindBeside({TableOf(1, 0, 999)}), LookupKind::kTagIndex);
  EXPECT_EQ(KindBeside({TableOf(1, 0, 999), TableOf(2, 2000, 3000)}), LookupKind::kTagIndex);
}

TEST(FlushJob, ATableOverOlderOnesHasAFilter) {
  const LookupKind filter = KindBeside({}, /*known=*/false);
  EXPECT_NE(filter, LookupKind::kTagIndex);
  EXPECT_EQ(KindBeside({}), filter);  // nothing says in what order keys come
  EXPECT_EQ(KindBeside({TableOf(1, 0, 1000)}), filter);
  EXPECT_EQ(KindBeside({TableOf(1, 0, 999), TableOf(2, 1999, 3000)}), filter);
  EXPECT_EQ(KindBeside({TableOf(1, 0, 999), TableOf(2, 1500, 1501)}), filter);
  EXPECT_EQ(KindBeside({TableOf(1, 0, 5000)}), filter);
}

}  // namespace
}  // namespace seerdb
