// Range tombstones in the state that a manifest describes: listed, and forgotten when nothing is left to
// hide.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "manifest/version_set.h"

namespace seerdb {
namespace {

VersionEdit::AddedTable Table(uint64_t number, const std::string& smallest, const std::string& largest,
                              SequenceNumber from, SequenceNumber to) {
  VersionEdit::AddedTable table{1, number, {}};
  table.meta.number = number;
  table.meta.bytes = 1;
  table.meta.smallest_key = smallest;
  table.meta.largest_key = largest;
  table.meta.smallest_sequence = from;
  table.meta.largest_sequence = to;
  return table;
}

std::string Key(const std::string& user_key) { return std::string(1, '\0') + user_key; }

VersionEdit::AddedTable DefaultTable(uint64_t number, const std::string& smallest, const std::string& largest,
                                     SequenceNumber from, SequenceNumber to) {
  return Table(number, Key(smallest), Key(largest), from, to);
}

std::string Ranges(const ManifestState& state) {
  std::string out;
  if (state.version->ranges() == nullptr) return out;
  for (const RangeTombstonePtr& range : *state.version->ranges()) {
    out += range->begin.substr(1) + "-" + (range->end.size() > 1 ? range->end.substr(1) : "*") + "@" +
           std::to_string(range->sequence) + " ";
  }
  return out;
}

ManifestState WithTables() {
  ManifestState state;
  VersionEdit edit;
  edit.database_id = DatabaseId{1, 2};
  edit.num_levels = 3;
  edit.next_file_number = 50;
  edit.last_sequence = 100;
  edit.log_number = 10;
  edit.log_first_record = 50;
  edit.added_tables = {DefaultTable(1, "a", "f", 10, 20), DefaultTable(2, "d", "k", 30, 40)};
  EXPECT_TRUE(ApplyEdit(edit, &state).ok());
  return state;
}

TEST(ApplyEdit, ARangeTombstoneStaysWhileItMayHideSomething) {
  ManifestState state = WithTables();
  VersionEdit edit;
  edit.added_ranges = {{Key("b"), Key("e"), 50, 0}, {Key("x"), Key("z"), 60, 0}, {Key("e"), Key("g"), 25, 0}};
  ASSERT_TRUE(ApplyEdit(edit, &state).ok());
  EXPECT_EQ(Ranges(state), "e-g@25 b-e@50 ") << "in order; nothing lies in x-z";
  EXPECT_EQ(state.last_sequence, 100u);
  const RangeListPtr before = state.version->ranges();
  edit = {};
  edit.added_tables = {DefaultTable(3, "a", "z", 70, 80)};
  ASSERT_TRUE(ApplyEdit(edit, &state).ok());
  EXPECT_EQ(state.version->ranges(), before) << "the same list while nothing has changed";
  // Table 1 is written anew; table 2 is newer than e-g@25 and still lies under b-e@50.
  edit = {};
  edit.deleted_tables = {{1, 1}};
  edit.added_tables = {DefaultTable(4, "a", "f", 10, 20)};
  edit.added_tables[0].meta.ranges_applied = 50;
  ASSERT_TRUE(ApplyEdit(edit, &state).ok());
  EXPECT_EQ(Ranges(state), "b-e@50 ");
  edit = {};
  edit.deleted_tables = {{1, 2}};
  ASSERT_TRUE(ApplyEdit(edit, &state).ok());
  EXPECT_EQ(Ranges(state), "");
  EXPECT_EQ(state.version->ranges(), nullptr);
}

TEST(ApplyEdit, ATableToWhichARangeWasAppliedInPartKeepsIt) {
  ManifestState state = WithTables();
  VersionEdit edit;
  edit.added_ranges = {{Key("a"), std::string(1, '\x01'), 50, 0}};
  edit.deleted_tables = {{1, 1}, {1, 2}};
  edit.added_tables = {DefaultTable(4, "a", "f", 10, 20)};
  edit.added_tables[0].meta.ranges_applied = 49;
  ASSERT_TRUE(ApplyEdit(edit, &state).ok());
  EXPECT_EQ(Ranges(state), "a-*@50 ");
}

TEST(ApplyEdit, TheRangesOfADroppedKeyspaceGoWithItsTables) {
  ManifestState state = WithTables();
  VersionEdit edit;
  edit.next_keyspace_id = 2;
  edit.keyspaces = {{1, "one", KeyspaceRecord::kCompressionByOptions, "", 0, 0}};
  const auto in_one = [](const std::string& user_key) { return std::string(1, '\x01') + user_key; };
  edit.added_tables = {Table(9, in_one("a"), in_one("z"), 1, 5)};
  edit.added_ranges = {{in_one("b"), in_one("c"), 50, 0}};
  ASSERT_TRUE(ApplyEdit(edit, &state).ok());
  ASSERT_NE(state.version->ranges(), nullptr);
  edit = {};
  edit.dropped_keyspaces = {1};
  edit.deleted_tables = {{1, 1}};
  ASSERT_TRUE(ApplyEdit(edit, &state).ok());
  ASSERT_NE(state.version->ranges(), nullptr) << "a reader may still be in it";
  edit = {};
  edit.deleted_tables = {{1, 9}};
  ASSERT_TRUE(ApplyEdit(edit, &state).ok());
  EXPECT_EQ(state.version->ranges(), nullptr);
}

TEST(ApplyEdit, AMalformedRangeTombstoneIsCorruption) {
  const RangeTombstone cases[] = {
      {Key("b"), Key("b"), 5, 0},  // no key
      {Key("b"), Key("a"), 5, 0},  // inverted
      {Key("b"),
       std::string("\x01"
                   "a",
                   2),
       5, 0},                      // over two keyspaces
      {"", Key("a"), 5, 0},        // in none
      {Key("a"), Key("b"), 0, 0},  // no sequence
      {Key("a"), Key("b"), kMaxSequence + 1, 0},
  };
  for (const RangeTombstone& tombstone : cases) {
    ManifestState state = WithTables();
    VersionEdit edit;
    edit.added_ranges = {tombstone};
    const Status status = ApplyEdit(edit, &state);
    EXPECT_TRUE(status.IsCorruption() && status.detail() == StatusDetail::kManifestCorruption)
        << status.ToString();
  }
}

TEST(ApplyEdit, RangesOverRunsOfAnyLengthAreJudgedTableByTable) {
  for (size_t tables = 1; tables <= 9; ++tables) {
    for (size_t stale = 0; stale < tables; ++stale) {
      ManifestState state = WithTables();
      VersionEdit edit;
      edit.deleted_tables = {{1, 1}, {1, 2}};
      for (size_t i = 0; i < tables; ++i) {
        const std::string key(1, static_cast<char>('a' + 2 * i));
        edit.added_tables.push_back(DefaultTable(10 + i, key, key + "z", 10, 20));
        edit.added_tables.back().run = 5;
        edit.added_tables.back().meta.ranges_applied = i == stale ? 30 : 40;
      }
      for (size_t i = 0; i < tables; ++i) {
        const std::string key(1, static_cast<char>('a' + 2 * i));
        edit.added_ranges.push_back({Key(key), Key(key + "a"), 40, 0});
      }
      edit.added_ranges.push_back({Key("a"), Key("z"), 35, 0});
      edit.added_ranges.push_back({Key("a"), Key("z"), 30, 0});
      ASSERT_TRUE(ApplyEdit(edit, &state).ok());
      const std::string key(1, static_cast<char>('a' + 2 * stale));
      EXPECT_EQ(Ranges(state), "a-z@35 " + key + "-" + key + "a@40 ") << stale << " of " << tables;
    }
  }
}

}  // namespace
}  // namespace seerdb
