#include "compaction/bulk_load_placement.h"

#include <gtest/gtest.h>

#include <map>

#include "base/random.h"

namespace seerdb {
namespace {

TableMeta Table(uint64_t number, char smallest, char largest) {
  TableMeta meta;
  meta.number = number;
  meta.smallest_key = smallest;
  meta.largest_key = largest;
  return meta;
}

// A tree in text, one string a level; runs, newest first, are separated by '|': "a-c e-f|a-z".
Version RunsOf(const std::vector<std::string>& texts) {
  std::vector<Level> levels(texts.size());
  uint64_t number = 1;
  for (size_t i = 0; i < texts.size(); ++i) {
    if (texts[i].empty()) continue;
    levels[i].runs.emplace_back();
    for (size_t p = 0; p < texts[i].size(); p += 4) {
      levels[i].runs.back().tables.push_back(
          std::make_shared<const TableMeta>(Table(number++, texts[i][p], texts[i][p + 2])));
      if (p + 3 < texts[i].size() && texts[i][p + 3] == '|') levels[i].runs.emplace_back();
    }
    for (size_t r = 0; r < levels[i].runs.size(); ++r) levels[i].runs[r].id = levels[i].runs.size() - r;
  }
  return Version(std::move(levels));
}

TEST(BulkLoadPlacement, Places) {
  struct Case {
    const char* name;
    std::vector<std::string> tree;
    uint32_t target;
    std::vector<LoadPlace> want;  // for b-c, m-n, x-y
  };
  const Case cases[] = {
      {"empty tree", {"", "", "", ""}, 6, {{3, 1}, {3, 1}, {3, 1}}},
      {"empty tree, target", {"", "", "", ""}, 1, {{1, 1}, {1, 1}, {1, 1}}},
      {"target L0", {"", "", "", ""}, 0, {{0, 0}, {0, 0}, {0, 0}}},
      {"the last level holds older entries", {"", "", "", "a-z"}, 6, {{2, 1}, {2, 1}, {2, 1}}},
      {"only some ranges are taken", {"", "", "c-d", "m-m"}, 6, {{1, 1}, {2, 1}, {3, 1}}},
      {"L0 holds all", {"a-z", "", "", ""}, 6, {{0, 0}, {0, 0}, {0, 0}}},
      {"L0 is above all", {"m-p", "", "", "x-x"}, 6, {{3, 1}, {0, 0}, {2, 1}}},
      {"L1 holds older entries", {"", "a-z", "", ""}, 6, {{1, 2}, {1, 2}, {1, 2}}},
      {"an upper level counts although lower ones are free",
       {"", "n-o", "", "z-z"},
       6,
       {{3, 1}, {1, 2}, {3, 1}}},
      {"none goes below the last level", {"", "n-o", "", ""}, 6, {{1, 1}, {1, 2}, {1, 1}}},
      {"touching keys overlap", {"", "a-b", "n-n", "y-z"}, 6, {{1, 2}, {1, 1}, {2, 1}}},
      {"neighbours do not", {"", "a-a d-l o-w", "z-z", ""}, 6, {{2, 1}, {2, 1}, {2, 1}}},
      {"every run of a level counts", {"", "", "a-a|x-z", "a-a z-z|m-z"}, 6, {{3, 2}, {2, 2}, {1, 1}}},
      {"an older run of L1 alone", {"", "a-a|m-z", "", ""}, 6, {{1, 2}, {1, 2}, {1, 2}}},
      {"every run of L0 counts", {"a-a|m-m|z-z", "", "", ""}, 6, {{3, 1}, {0, 0}, {3, 1}}},
      {"two levels", {"m-m", "a-d"}, 6, {{1, 2}, {0, 0}, {1, 1}}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const std::vector<LoadPlace> places = PlaceNewestTables(
        RunsOf(c.tree), {Table(90, 'b', 'c'), Table(91, 'm', 'n'), Table(92, 'x', 'y')}, c.target);
    ASSERT_EQ(places.size(), c.want.size());
    for (size_t i = 0; i < places.size(); ++i) {
      EXPECT_EQ(places[i].level, c.want[i].level) << "table " << i;
      EXPECT_EQ(places[i].run, c.want[i].run) << "table " << i;
    }
  }
}

TEST(BulkLoadPlacement, IsTheDeepestPlaceAboveAllThatIsOlder) {
  Random random(5);
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::string> texts(2 + random.Uniform(5));
    for (size_t level = 0; level < texts.size(); ++level) {
      uint64_t at = random.Uniform(12);
      for (uint64_t end = at + random.Uniform(3); end < 26; end = at + random.Uniform(3)) {
        if (!texts[level].empty()) texts[level] += level == 0 ? '|' : ' ';
        texts[level] += {static_cast<char>('a' + at), '-', static_cast<char>('a' + end)};
        at = end + 1 + random.Uniform(12);
      }
    }
    const Version tree = RunsOf(texts);
    const auto meets = [&](uint32_t level, const TableMeta& table) {
      for (const ::seerdb::Run& run : tree.level(level).runs) {
        for (const TableMetaPtr& other : run.tables) {
          if (other->smallest_key <= table.largest_key && other->largest_key >= table.smallest_key)
            return true;
        }
      }
      return false;
    };
    const std::vector<TableMeta> tables = {Table(1, 'a', 'd'), Table(2, 'f', 'f'), Table(3, 'k', 'z')};
    const auto target = static_cast<uint32_t>(random.Uniform(8));
    const std::vector<LoadPlace> places = PlaceNewestTables(tree, tables, target);
    ASSERT_EQ(places.size(), tables.size());
    for (size_t i = 0; i < tables.size(); ++i) {
      SCOPED_TRACE(tree.ToString());
      const LoadPlace place = places[i];
      uint32_t deepest = std::min(target, tree.num_levels() - 1);
      if (tree.deepest_level() > 0) deepest = std::min(deepest, static_cast<uint32_t>(tree.deepest_level()));
      ASSERT_LE(place.level, deepest);
      // Nothing above it meets it, nothing in its own run, and no run of its level that is newer.
      for (uint32_t level = 0; level < place.level; ++level) ASSERT_FALSE(meets(level, tables[i]));
      ASSERT_FALSE(place.level > 1 && meets(place.level, tables[i]));
      for (const ::seerdb::Run& run : tree.level(place.level).runs) {
        if (place.level == 0) break;
        ASSERT_LE(run.id, place.run);
        if (run.id < place.run) continue;
        ASSERT_TRUE(Version::Overlapping(run, tables[i].smallest_key, tables[i].largest_key).empty());
      }
      // One level deeper something would meet it, or it may not go there.
      const bool stopped =
          place.level == deepest || meets(place.level, tables[i]) || meets(place.level + 1, tables[i]);
      ASSERT_TRUE(stopped);
    }
  }
}

}  // namespace
}  // namespace seerdb
