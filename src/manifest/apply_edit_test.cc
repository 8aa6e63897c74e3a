#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "manifest/version_set.h"

namespace seerdb {
namespace {

VersionEdit::AddedTable Table(uint32_t level, uint64_t run, uint64_t number, const std::string& smallest,
                              const std::string& largest) {
  VersionEdit::AddedTable table{level, run, {}};
  table.meta.number = number;
  table.meta.bytes = 1;
  table.meta.smallest_key = smallest;
  table.meta.largest_key = largest;
  table.meta.smallest_sequence = 1;
  table.meta.largest_sequence = number;
  return table;
}

// L0: runs 8 and 7; L1: run 3 = c-f, h-k.
ManifestState Example() {
  ManifestState state;
  VersionEdit edit;
  edit.database_id = DatabaseId{1, 2};
  edit.num_levels = 3;
  edit.next_file_number = 20;
  edit.last_sequence = 100;
  edit.log_number = 10;
  edit.log_first_record = 50;
  edit.added_logs = {{10, 1}, {12, 2}};
  edit.added_tables = {Table(1, 3, 4, "h", "k"), Table(0, 7, 7, "a", "z"), Table(1, 3, 3, "c", "f"),
                       Table(0, 8, 8, "a", "z")};
  const Status status = ApplyEdit(edit, &state);
  EXPECT_TRUE(status.ok()) << status.ToString();
  return state;
}

std::string Tree(const ManifestState& state) { return state.version->ToString(); }

TEST(ApplyEdit, OrdersRunsAndTables) {
  EXPECT_EQ(Tree(Example()),
            "L0: 2 runs, 2 tables, 2 bytes\n  run 8: 8[a .. z](1)\n  run 7: 7[a .. z](1)\n"
            "L1: 1 runs, 2 tables, 2 bytes\n  run 3: 3[c .. f](1) 4[h .. k](1)\n");
  EXPECT_EQ(Example().num_levels, 3u);
}

TEST(ApplyEdit, CompactionReplacesTables) {
  ManifestState state = Example();
  const VersionPtr before = state.version;
  VersionEdit edit;
  edit.deleted_tables = {{0, 8}, {0, 7}, {1, 3}};
  edit.added_tables = {Table(1, 3, 15, "d", "g"), Table(1, 3, 14, "a", "c"), Table(1, 2, 16, "a", "z")};
  ASSERT_TRUE(ApplyEdit(edit, &state).ok());
  EXPECT_EQ(Tree(state),
            "L1: 2 runs, 4 tables, 4 bytes\n  run 3: 14[a .. c](1) 15[d .. g](1) 4[h .. k](1)\n"
            "  run 2: 16[a .. z](1)\n");
  EXPECT_EQ(before->table_count(), 4u) << "an installed version never changes";
}

TEST(ApplyEdit, ATableMoves) {
  ManifestState state = Example();
  VersionEdit edit;
  edit.deleted_tables = {{0, 7}};
  edit.added_tables = {Table(2, 1, 7, "a", "z")};
  ASSERT_TRUE(ApplyEdit(edit, &state).ok());
  EXPECT_EQ(state.version->level(0).runs.size(), 1u);
  EXPECT_EQ(state.version->level(2).runs[0].tables[0]->number, 7u);
}

TEST(ApplyEdit, LogsAreAddedAndReleased) {
  ManifestState state = Example();
  VersionEdit edit;
  edit.log_number = 12;
  edit.log_first_record = 60;
  edit.added_logs = {{13, 3}};
  ASSERT_TRUE(ApplyEdit(edit, &state).ok());
  EXPECT_EQ(state.logs, (std::vector<VersionEdit::AddedLog>{{12, 2}, {13, 3}}));
  EXPECT_EQ(state.log_number, 12u);
  EXPECT_EQ(state.log_first_record, 60u);
  edit = {};
  edit.log_number = 14;
  edit.log_first_record = 61;
  ASSERT_TRUE(ApplyEdit(edit, &state).ok());
  EXPECT_TRUE(state.logs.empty());
}

TEST(ApplyEdit, KeyspacesComeChangeAndGoAndTheirIdsAreNeverUsedAgain) {
  ManifestState state = Example();
  VersionEdit made;
  made.next_keyspace_id = 3;
  made.keyspaces = {{1, "a", 0, "", 0, 0}, {2, "b", 0, "", 0, 0}};
  ASSERT_TRUE(ApplyEdit(made, &state).ok());
  ASSERT_EQ(state.keyspaces.size(), 2u);
  VersionEdit changed;
  changed.keyspaces = {{0, "default", 1, "", 0, 0}, {2, "b", 0, "", 60, 0}};
  ASSERT_TRUE(ApplyEdit(changed, &state).ok());
  ASSERT_EQ(state.keyspaces.size(), 3u);
  EXPECT_EQ(state.keyspaces[0]->compression, 1);
  EXPECT_EQ(state.keyspaces[2]->default_ttl_us, 60u);
  VersionEdit dropped;
  dropped.dropped_keyspaces = {1};
  ASSERT_TRUE(ApplyEdit(dropped, &state).ok());
  ASSERT_EQ(state.keyspaces.size(), 2u);
  EXPECT_EQ(state.next_keyspace_id, 3u);
  struct Case {
    const char* what;
    VersionEdit edit;
  };
  std::vector<Case> bad(7);
  bad[0] = {"dropped twice", dropped};
  bad[1].what = "the default one dropped";
  bad[1].edit.dropped_keyspaces = {0};
  bad[2] = {"an id again", VersionEdit()};
  bad[2].edit.keyspaces = {{1, "again", 0, "", 0, 0}};
  bad[3] = {"an id that is not taken", VersionEdit()};
  bad[3].edit.keyspaces = {{3, "early", 0, "", 0, 0}};
  bad[4] = {"another name", VersionEdit()};
  bad[4].edit.keyspaces = {{2, "c", 0, "", 0, 0}};
  bad[5] = {"a counter that goes back", VersionEdit()};
  bad[5].edit.next_keyspace_id = 2;
  bad[6] = {"never there", VersionEdit()};
  bad[6].edit.dropped_keyspaces = {9};
  for (const Case& c : bad) {
    ManifestState copy = state;
    EXPECT_TRUE(ApplyEdit(c.edit, &copy).IsCorruption()) << c.what;
  }
}

TEST(ApplyEdit, LastSequenceCoversEveryTable) {
  ManifestState state = Example();
  VersionEdit edit;
  edit.added_tables = {Table(0, 9, 9, "a", "z")};
  edit.added_tables[0].meta.largest_sequence = 500;
  ASSERT_TRUE(ApplyEdit(edit, &state).ok());
  EXPECT_EQ(state.last_sequence, 500u);
}

TEST(ApplyEdit, LevelsGrowAndEmptyOnesGo) {
  ManifestState state = Example();
  VersionEdit edit;
  edit.num_levels = 5;
  ASSERT_TRUE(ApplyEdit(edit, &state).ok());
  EXPECT_EQ(state.version->num_levels(), 5u);
  edit.num_levels = 2;
  ASSERT_TRUE(ApplyEdit(edit, &state).ok());
  EXPECT_EQ(state.version->num_levels(), 2u);
  EXPECT_EQ(state.num_levels, 2u);
  EXPECT_EQ(state.version->table_count(), 4u);
}

TEST(ApplyEdit, Rejections) {
  struct Case {
    const char* name;
    std::function<void(VersionEdit*)> make;
    const char* message;
  };
  const Case cases[] = {
      {"no such table",
       [](VersionEdit* e) {
         e->deleted_tables = {{1, 99}};
       },
       "table 99 in L1 deleted"},
      {"table of another level",
       [](VersionEdit* e) {
         e->deleted_tables = {{1, 7}};
       },
       "table 7 in L1 deleted"},
      {"deleted twice",
       [](VersionEdit* e) {
         e->deleted_tables = {{0, 7}, {0, 7}};
       },
       "table 7 in L0 deleted"},
      {"added to L0 twice", [](VersionEdit* e) { e->added_tables = {Table(0, 9, 8, "a", "b")}; },
       "table 8 in L0 added"},
      {"there in another level", [](VersionEdit* e) { e->added_tables = {Table(2, 9, 8, "a", "b")}; },
       "table 8 in L2 added"},
      {"twice in the edit",
       [](VersionEdit* e) {
         e->added_tables = {Table(2, 1, 15, "a", "b"), Table(2, 1, 15, "c", "d")};
       },
       "table 15 in L2 added"},
      {"level out of range", [](VersionEdit* e) { e->added_tables = {Table(3, 1, 15, "a", "b")}; },
       "table 15 in L3, expected a level below 3"},
      {"level far out of range",
       [](VersionEdit* e) { e->added_tables = {Table(UINT32_MAX, 1, 15, "a", "b")}; },
       "expected a level below 3"},
      {"deletion out of range",
       [](VersionEdit* e) {
         e->deleted_tables = {{3, 4}};
       },
       "expected a level below 3"},
      {"overlap with the left one", [](VersionEdit* e) { e->added_tables = {Table(1, 3, 15, "f", "g")}; },
       "table 15 in L1 overlapping table 3"},
      {"overlap with the right one", [](VersionEdit* e) { e->added_tables = {Table(1, 3, 15, "g", "h")}; },
       "table 15 in L1 overlapping table 4"},
      {"inside another", [](VersionEdit* e) { e->added_tables = {Table(1, 3, 15, "d", "e")}; },
       "table 15 in L1 overlapping table 3"},
      {"around another", [](VersionEdit* e) { e->added_tables = {Table(1, 3, 15, "a", "z")}; },
       "table 15 in L1 overlapping table 3"},
      {"the same smallest key", [](VersionEdit* e) { e->added_tables = {Table(1, 3, 15, "h", "h")}; },
       "table 15 in L1 overlapping table 4"},
      {"a second table in a run of L0", [](VersionEdit* e) { e->added_tables = {Table(0, 8, 15, "0", "1")}; },
       "expected a run of its own"},
      {"inverted keys", [](VersionEdit* e) { e->added_tables = {Table(2, 3, 15, "b", "a")}; },
       "inverted range"},
      {"inverted sequences",
       [](VersionEdit* e) {
         e->added_tables = {Table(2, 3, 15, "a", "b")};
         e->added_tables[0].meta.smallest_sequence = 16;
       },
       "inverted range"},
      {"sequence too large",
       [](VersionEdit* e) {
         e->added_tables = {Table(2, 3, 15, "a", "b")};
         e->added_tables[0].meta.largest_sequence = kMaxSequence + 1;
       },
       "above 2^56 - 1"},
      {"last_sequence too large", [](VersionEdit* e) { e->last_sequence = kMaxSequence + 1; },
       "at most 2^56 - 1"},
      {"next_file_number back", [](VersionEdit* e) { e->next_file_number = 19; },
       "found next_file_number 19, expected at least 20"},
      {"last_sequence back", [](VersionEdit* e) { e->last_sequence = 99; },
       "found last_sequence 99, expected at least 100"},
      {"log_number back",
       [](VersionEdit* e) {
         e->log_number = 9;
         e->log_first_record = 50;
       },
       "found log_number 9, expected at least 10"},
      {"log_first_record back",
       [](VersionEdit* e) {
         e->log_number = 10;
         e->log_first_record = 49;
       },
       "found log_first_record 49, expected at least 50"},
      {"log_number alone", [](VersionEdit* e) { e->log_number = 11; }, "expected both or none"},
      {"log_first_record alone", [](VersionEdit* e) { e->log_first_record = 51; }, "expected both or none"},
      {"log added twice",
       [](VersionEdit* e) {
         e->added_logs = {{12, 2}};
       },
       "expected one above log 12"},
      {"log out of order",
       [](VersionEdit* e) {
         e->added_logs = {{14, 2}, {13, 2}};
       },
       "expected one above log 14"},
      {"log already released",
       [](VersionEdit* e) {
         e->log_number = 15;
         e->log_first_record = 50;
         e->added_logs = {{14, 2}};
       },
       "log 14 added, expected at least log_number 15"},
      {"another database",
       [](VersionEdit* e) {
         e->database_id = DatabaseId{1, 3};
       },
       "second database id"},
      {"no levels", [](VersionEdit* e) { e->num_levels = 0; }, "found num_levels 0"},
      {"too many levels", [](VersionEdit* e) { e->num_levels = UINT32_MAX; }, "found num_levels 4294967295"},
      {"levels that hold tables", [](VersionEdit* e) { e->num_levels = 1; }, "L1 holds tables"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    ManifestState state = Example();
    VersionEdit edit;
    c.make(&edit);
    const Status status = ApplyEdit(edit, &state);
    EXPECT_TRUE(status.IsCorruption());
    EXPECT_EQ(status.detail(), StatusDetail::kManifestCorruption);
    EXPECT_NE(status.message().find(c.message), Slice::npos) << status.ToString();
    // Nothing changed.
    EXPECT_EQ(Tree(state), Tree(Example()));
    EXPECT_EQ(state.next_file_number, 20u);
    EXPECT_EQ(state.logs.size(), 2u);
  }
}

// Counting on from a number near 2^64 overflows.
TEST(ApplyEdit, CountersAreBounded) {
  constexpr uint64_t kLimit = uint64_t{1} << 62;
  for (const uint64_t number : {kLimit, kLimit + 1, UINT64_MAX - 63, UINT64_MAX}) {
    SCOPED_TRACE(number);
    VersionEdit files;
    files.next_file_number = number;
    VersionEdit logs;
    logs.log_number = number;
    logs.log_first_record = 50;
    VersionEdit records;
    records.log_number = 10;
    records.log_first_record = number;
    for (const VersionEdit* edit : {&files, &logs, &records}) {
      ManifestState state = Example();
      const Status status = ApplyEdit(*edit, &state);
      EXPECT_EQ(status.IsCorruption(), number > kLimit) << status.ToString();
    }
  }
}

TEST(ApplyEdit, ATableBeforeAnyLevelIsRejected) {
  ManifestState state;
  VersionEdit edit;
  edit.added_tables = {Table(0, 1, 1, "a", "b")};
  EXPECT_TRUE(ApplyEdit(edit, &state).IsCorruption());
}

}  // namespace
}  // namespace seerdb
