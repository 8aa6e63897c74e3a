#include "db/access_choice.h"

#include <gtest/gtest.h>

#include <memory>

#include "compaction/table_output.h"
#include "db/table_file.h"
#include "env/memory_file_system.h"
#include "format/file_name.h"
#include "sstable/test_table.h"

namespace seerdb {
namespace {

TEST(AccessChoice, FilesThatMemoryCannotHoldAreReadByCalls) {
  struct Case {
    const char* name;
    TableAccess wanted;
    uint64_t file_bytes;
    uint64_t memory_bytes;
    TableAccess want;
  };
  const Case cases[] = {
      {"none", TableAccess::kAuto, 0, 900, TableAccess::kMapped},
      {"two thirds", TableAccess::kAuto, 600, 900, TableAccess::kMapped},
      {"more", TableAccess::kAuto, 601, 900, TableAccess::kPread},
      {"much more", TableAccess::kAuto, UINT64_MAX, UINT64_MAX, TableAccess::kPread},
      {"memory not known", TableAccess::kAuto, UINT64_MAX, 0, TableAccess::kMapped},
      {"mapped whatever it takes", TableAccess::kMapped, 2000, 900, TableAccess::kMapped},
      {"calls in any case", TableAccess::kPread, 1, 900, TableAccess::kPread},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(ChooseAccess(c.wanted, c.file_bytes, c.memory_bytes), c.want) << c.name;
  }
}

TEST(AccessChoice, ATableIsReadAsWasChosenWhenItWasOpened) {
  TableBuilderOptions built;
  built.table_number = 7;
  TestTable table;
  ASSERT_TRUE(table.Build({{{"key", PackTrailer(1, ValueType::kValue)}, "value"}}, built).ok());
  const auto fs = std::make_shared<MemoryFileSystem>();
  ASSERT_TRUE(fs->CreateDirectory("/db").ok());
  const auto file = fs->NewWritableFile(TableFilePath("/db", 7), CreateMode::kTruncate);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->Append(table.Bytes()).ok());
  const auto meta = std::make_shared<const TableMeta>(MetaOf(table.properties(), 0));
  TableFiles files(fs, "/db", TableOpenOptions(), nullptr, FileRemover::Pace::kAtOnce);
  const auto mapped_bytes = [&] {
    const std::shared_ptr<TableFile> opened = files.Get(meta);
    const Result<const TableReader*> reader = opened->reader();
    EXPECT_TRUE(reader.ok()) << reader.status().ToString();
    return reader.ok() ? (*reader)->mapped_bytes() : 1;
  };
  EXPECT_EQ(mapped_bytes(), meta->bytes);
  files.SetAccess(TableAccess::kPread);
  EXPECT_EQ(mapped_bytes(), 0u);
  const std::shared_ptr<TableFile> held = files.Get(meta);
  files.SetAccess(TableAccess::kMapped);
  EXPECT_EQ(mapped_bytes(), 0u) << "who reads it goes on as before";
}

}  // namespace
}  // namespace seerdb
