#include "manifest/version.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace seerdb {
namespace {

TableMetaPtr Table(uint64_t number, const std::string& smallest, const std::string& largest) {
  TableMeta meta;
  meta.number = number;
  meta.bytes = number * 100;
  meta.smallest_key = smallest;
  meta.largest_key = largest;
  return std::make_shared<const TableMeta>(meta);
}

std::string Numbers(const std::vector<TableMetaPtr>& tables) {
  std::string out;
  for (const TableMetaPtr& table : tables) out += std::to_string(table->number) + " ";
  return out;
}

Version Example() {
  std::vector<Level> levels(4);
  levels[0].runs = {{9, {Table(9, "c", "x")}}, {8, {Table(8, "a", "b")}}};
  levels[2].runs = {{1, {Table(1, "b", "d"), Table(2, "f", "f"), Table(3, "h\xff", "k")}}};
  return Version(levels);
}

TEST(Version, CountsAndBytes) {
  const Version version = Example();
  EXPECT_EQ(version.num_levels(), 4u);
  EXPECT_EQ(version.table_count(), 5u);
  EXPECT_EQ(version.bytes(), 2300u);
  EXPECT_EQ(version.level(0).table_count(), 2u);
  EXPECT_EQ(version.level(0).bytes(), 1700u);
  EXPECT_EQ(version.level(2).runs[0].bytes(), 600u);
  EXPECT_TRUE(version.level(1).empty());
  EXPECT_EQ(version.deepest_level(), 2);
  EXPECT_EQ(Version(3).deepest_level(), -1);
  EXPECT_EQ(Version(3).table_count(), 0u);
}

TEST(Version, Overlapping) {
  const Version version = Example();
  const seerdb::Run& run = version.level(2).runs[0];
  struct Case {
    std::string smallest;
    std::string largest;
    std::string want;
  };
  for (const Case& c : std::vector<Case>{{"a", "z", "1 2 3 "},
                                         {"", "a", ""},
                                         {"a", "b", "1 "},
                                         {"d", "d", "1 "},
                                         {std::string("d\0", 2), "e", ""},
                                         {"d", "f", "1 2 "},
                                         {"f", "f", "2 "},
                                         {"g", "h", ""},
                                         {"g", "h\xff", "3 "},
                                         {"k", "z", "3 "},
                                         {"k0", "z", ""},
                                         {"\xff", "\xff\xff", ""}}) {
    EXPECT_EQ(Numbers(Version::Overlapping(run, c.smallest, c.largest)), c.want)
        << c.smallest << ".." << c.largest;
  }
}

TEST(Version, Picture) {
  EXPECT_EQ(Example().ToString(),
            "L0: 2 runs, 2 tables, 1700 bytes\n"
            "  run 9: 9[c .. x](900)\n"
            "  run 8: 8[a .. b](800)\n"
            "L2: 1 runs, 3 tables, 600 bytes\n"
            "  run 1: 1[b .. d](100) 2[f .. f](200) 3[h\\xff .. k](300)\n");
  EXPECT_EQ(Version(3).ToString(), "");
}

}  // namespace
}  // namespace seerdb
