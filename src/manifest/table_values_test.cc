// What tables say of value segments: in edits, and summed up in versions.
#include <gtest/gtest.h>

#include "base/coding.h"
#include "manifest/version_set.h"

namespace seerdb {
namespace {

VersionEdit::AddedTable Table(uint64_t number, const std::string& key, ValueBytesList values,
                              uint32_t level = 1) {
  VersionEdit::AddedTable table{level, 1, {}};
  table.meta.number = number;
  table.meta.bytes = 1;
  table.meta.smallest_key = table.meta.largest_key = key;
  table.meta.smallest_sequence = table.meta.largest_sequence = 1;
  table.meta.values = std::move(values);
  return table;
}

VersionEdit First(std::vector<VersionEdit::AddedTable> tables) {
  VersionEdit edit;
  edit.database_id = DatabaseId{1, 2};
  edit.num_levels = 3;
  edit.next_file_number = 100;
  edit.last_sequence = 100;
  edit.added_tables = std::move(tables);
  return edit;
}

std::string Field(const std::string& list, uint64_t table = 4) {
  std::string bytes;
  AppendVarint(&bytes, table);
  AppendLengthPrefixed(&bytes, list);
  std::string field(1, 15);
  AppendLengthPrefixed(&field, bytes);
  return field;
}

std::string List(const ValueBytesList& list) {
  std::string bytes;
  AppendValueBytesList(&bytes, list);
  return bytes;
}

TEST(TableValues, FollowTheirTableInAnEdit) {
  const VersionEdit edit =
      First({Table(4, "a", {{17, 100}, {30, 5}}), Table(5, "b", {}), Table(6, "c", {{17, 1}})});
  const auto decoded = VersionEdit::Decode(edit.Encode());
  ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
  EXPECT_EQ(*decoded, edit);
  EXPECT_NE(edit.ToString().find(" values 17:100 values 30:5"), std::string::npos) << edit.ToString();
}

TEST(TableValues, HostileFieldsAreRefused) {
  const std::string table = First({Table(4, "a", {})}).Encode();
  EXPECT_TRUE(VersionEdit::Decode(table + Field(List({{17, 1}}))).ok());
  const std::string fields[] = {
      Field(List({{17, 1}}), 5),                        // of another table
      Field(""),                                        // no segment
      Field(List({{17, 1}})) + Field(List({{18, 1}})),  // twice
      Field(std::string("\x00\x01", 2)),                // segment 0
      Field(std::string("\x11\x00", 2)),                // no bytes
      Field(std::string("\x11\x01\x00\x01", 4)),        // a segment twice
      Field("\x11"),                                    // cut off
      Field(std::string(12, '\xff')),                   // no numbers
      std::string("\x0f\x00", 2),                       // nothing at all
  };
  for (const std::string& field : fields) {
    const Status status = VersionEdit::Decode(table + field).status();
    EXPECT_TRUE(status.IsCorruption()) << status.ToString();
  }
  EXPECT_TRUE(VersionEdit::Decode(Field(List({{17, 1}})) + table).status().IsCorruption())
      << "in front of it";
}

TEST(TableValues, AVersionSumsThemUp) {
  ManifestState state;
  ASSERT_TRUE(ApplyEdit(First({Table(4, "a", {{17, 100}, {30, 5}}), Table(6, "c", {{17, 1}})}), &state).ok());
  ASSERT_NE(state.version->values(), nullptr);
  EXPECT_EQ(*state.version->values(), (ValueBytesList{{17, 101}, {30, 5}}));
  EXPECT_EQ(state.version->value_bytes(), 106u);
  // A compaction that moves what segment 17 has, in one edit.
  VersionEdit edit;
  edit.deleted_tables = {{1, 4}, {1, 6}};
  edit.added_tables = {Table(7, "a", {{30, 5}, {31, 80}})};
  const VersionPtr before = state.version;
  ASSERT_TRUE(ApplyEdit(edit, &state).ok());
  EXPECT_EQ(*state.version->values(), (ValueBytesList{{30, 5}, {31, 80}}));
  EXPECT_EQ(before->values()->size(), 2u) << "an installed version never changes";
  // An edit that has nothing to do with values.
  const ValueBytesListPtr same = state.version->values();
  edit = {};
  edit.added_tables = {Table(8, "k", {})};
  ASSERT_TRUE(ApplyEdit(edit, &state).ok());
  EXPECT_EQ(state.version->values(), same);
  // A table that moves keeps its values; the last one that goes leaves none.
  edit = {};
  edit.deleted_tables = {{1, 7}};
  edit.added_tables = {Table(7, "a", {{30, 5}, {31, 80}}, 2)};
  ASSERT_TRUE(ApplyEdit(edit, &state).ok());
  EXPECT_EQ(*state.version->values(), *same);
  edit = {};
  edit.deleted_tables = {{2, 7}};
  ASSERT_TRUE(ApplyEdit(edit, &state).ok());
  EXPECT_EQ(state.version->values(), nullptr);
  EXPECT_EQ(state.version->value_bytes(), 0u);
}

TEST(TableValues, TheSumsOfAVersionAreThoseOfItsEdits) {
  ManifestState state;
  ASSERT_TRUE(ApplyEdit(First({Table(4, "a", {{17, 100}}), Table(6, "c", {{17, 1}, {19, 3}})}), &state).ok());
  const Version again(state.version->levels());
  ASSERT_NE(again.values(), nullptr);
  EXPECT_EQ(*again.values(), *state.version->values());
}

}  // namespace
}  // namespace seerdb
