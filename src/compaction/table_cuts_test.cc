#include "compaction/table_cuts.h"

#include <gtest/gtest.h>

namespace seerdb {
namespace {

TableMetaPtr SizedTable(uint64_t number, std::string smallest, std::string largest, uint64_t bytes) {
  auto meta = std::make_shared<TableMeta>();
  meta->number = number;
  meta->smallest_key = std::move(smallest);
  meta->largest_key = std::move(largest);
  meta->bytes = bytes;
  return meta;
}

// Cuts before each of these keys when every key has `bytes`, in a plan over everything into L1.
std::string Cuts(std::vector<Level> levels, uint64_t target, uint64_t bytes) {
  CompactionPlan plan;
  plan.inputs = {{0, 1, SizedTable(100, "a", "z", 1)}};
  plan.output_level = 1;
  TableCuts cuts(Version(std::move(levels)), plan, target);
  std::string out;
  uint64_t table_bytes = 0;
  for (char c = 'a'; c <= 'z'; ++c) {
    if (table_bytes > 0 && cuts.ShouldEndBefore(std::string(1, c), table_bytes)) {
      out += c;
      table_bytes = 0;
    }
    table_bytes += bytes;
  }
  return out;
}

TEST(TableCuts, AFullTableEnds) { EXPECT_EQ(Cuts(std::vector<Level>(3), 500, 100), "fkpuz"); }

TEST(TableCuts, EndsWhereTheOldestRunBesideHasEnds) {
  std::vector<Level> levels(3);
  levels[1].runs = {
      {2, {SizedTable(2, "b", "y", 900)}},
      {1, {SizedTable(11, "a", "f", 600), SizedTable(12, "g", "m", 600), SizedTable(13, "n", "z", 600)}}};
  // Full after five, but the next end is near.
  EXPECT_EQ(Cuts(levels, 500, 100), "gnsx");
  // Too far: full tables end all the same.
  EXPECT_EQ(Cuts(levels, 200, 100), "dgjmnprtvxz");
}

TEST(TableCuts, ElseWhereTheLevelBelowHasEnds) {
  std::vector<Level> levels(3);
  levels[2].runs = {
      {1, {SizedTable(11, "a", "f", 600), SizedTable(12, "g", "m", 600), SizedTable(13, "n", "z", 600)}}};
  EXPECT_EQ(Cuts(levels, 500, 100), "gnsx");
}

TEST(TableCuts, EndsBeforeItMeetsTooMuchBelow) {
  std::vector<Level> levels(3);
  levels[2].runs = {
      {1, {SizedTable(11, "a", "b", 6000), SizedTable(12, "c", "d", 6000), SizedTable(13, "e", "z", 6000)}}};
  EXPECT_EQ(Cuts(levels, 1000, 1), "e");
}

}  // namespace
}  // namespace seerdb
