#include "manifest/version_edit.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/coding.h"
#include "base/random.h"

namespace seerdb {
namespace {

VersionEdit Full() {
  VersionEdit edit;
  edit.database_id = DatabaseId{1, UINT64_MAX};
  edit.num_levels = 7;
  edit.next_file_number = 300;
  edit.last_sequence = kMaxSequence;
  edit.log_number = 12;
  edit.log_first_record = UINT64_MAX;
  edit.epoch = 0x8000000000000001;
  edit.added_logs = {{12, 5}, {13, UINT64_MAX}};
  TableMeta meta;
  meta.number = 15;
  meta.bytes = uint64_t{1} << 40;
  meta.smallest_key = std::string("\0a\0", 3);
  meta.largest_key = std::string(1000, '\xff');
  meta.smallest_sequence = 3;
  meta.largest_sequence = 1000;
  meta.entries = 998;
  meta.tombstones = 7;
  meta.tier = TableTier::kBoth;
  meta.epoch = 99;
  edit.added_tables = {{0, 15, meta}, {6, 1, TableMeta()}};
  edit.deleted_tables = {{0, 9}, {1, UINT64_MAX}};
  edit.next_keyspace_id = 70'000;
  edit.keyspaces = {{1, "users", 2, "seerdb.u64_add", 3'600'000'000, 4096},
                    {69'999, std::string("\0\xff", 2), KeyspaceRecord::kCompressionByOptions, "", 0, 0}};
  edit.dropped_keyspaces = {2, 300};
  edit.added_ranges = {{std::string("\0a", 2), std::string("\x01", 1), 7, 0},
                       {std::string("\0b", 2), std::string("\0b\0", 3), kMaxSequence, 1'700'000'000}};
  edit.added_tables.back().meta.ranges_applied = 99;
  return edit;
}

std::string Field(uint8_t tag, const std::string& bytes) {
  std::string out(1, static_cast<char>(tag));
  AppendLengthPrefixed(&out, bytes);
  return out;
}

TEST(VersionEdit, RoundTrip) {
  for (const VersionEdit& edit : {VersionEdit(), Full()}) {
    const auto decoded = VersionEdit::Decode(edit.Encode());
    ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
    EXPECT_EQ(*decoded, edit);
  }
}

TEST(VersionEdit, EachFieldAlone) {
  const VersionEdit full = Full();
  std::vector<VersionEdit> edits(9);
  edits[0].database_id = full.database_id;
  edits[1].num_levels = full.num_levels;
  edits[2].next_file_number = full.next_file_number;
  edits[3].last_sequence = full.last_sequence;
  edits[4].epoch = full.epoch;
  edits[5].added_logs = full.added_logs;
  edits[6].added_tables = full.added_tables;
  edits[7].deleted_tables = full.deleted_tables;
  edits[8].added_ranges = full.added_ranges;
  for (const VersionEdit& edit : edits) {
    const auto decoded = VersionEdit::Decode(edit.Encode());
    ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
    EXPECT_EQ(*decoded, edit);
    EXPECT_NE(*decoded, VersionEdit());
  }
}

TEST(VersionEdit, UnknownFields) {
  const std::string known = Full().Encode();
  for (const int tag : {0, 16, 127}) {
    EXPECT_TRUE(
        VersionEdit::Decode(known + Field(static_cast<uint8_t>(tag), "xyz")).status().IsNotSupported())
        << tag;
  }
  for (const int tag : {131, 200, 255}) {
    const auto decoded = VersionEdit::Decode(Field(static_cast<uint8_t>(tag), "xyz") + known);
    ASSERT_TRUE(decoded.ok()) << tag << " " << decoded.status().ToString();
    EXPECT_EQ(*decoded, Full());
  }
}

// Beside an added table, so that an earlier reader can skip it.
TEST(VersionEdit, TheAgeOfTombstonesAndTheEndOfValuesFollowTheirTable) {
  VersionEdit edit = Full();
  edit.added_tables[1].meta.expires_us = 1'700'000'000'000'000;
  edit.added_tables[0].meta.tombstones_since_s = 1'700'000'000;
  const auto decoded = VersionEdit::Decode(edit.Encode());
  ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
  EXPECT_EQ(*decoded, edit);
  // Of a table that was not just added.
  EXPECT_TRUE(
      VersionEdit::Decode(Field(128, std::string("\x63\x05")) + Full().Encode()).status().IsCorruption());
  EXPECT_TRUE(VersionEdit::Decode(Full().Encode() + Field(128, std::string("\x63"))).status().IsCorruption());
}

TEST(VersionEdit, MalformedFields) {
  const std::string fields[] = {
      Field(1, std::string(15, 'i')),        // a short database id
      Field(1, std::string(17, 'i')),        // a long one
      Field(2, ""),                          // no number
      Field(2, "\xff\xff\xff\xff\xff\x01"),  // num_levels beyond 32 bits
      Field(3, std::string("\x01\x00", 2)),  // bytes behind the number
      Field(3, "\x05") + Field(3, "\x06"),   // one field twice
      Field(5, "\x05"),                      // log_number without log_first_record
      Field(6, "\x05"),                      // and the other way round
      Field(7, "1234567"),                   // a short epoch
      Field(8,
            "\x01"
            "1234567"),                // a log without its epoch
      Field(9, "\x01"),                // a table without anything
      Field(10, "\x01"),               // a deletion without a number
      "\x03",                          // a tag alone
      std::string("\x03\x05\x01", 3),  // a length beyond the end
      std::string("\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11),
  };
  for (const std::string& bytes : fields) {
    const Status status = VersionEdit::Decode(bytes).status();
    EXPECT_TRUE(status.IsCorruption()) << status.ToString();
    EXPECT_EQ(status.detail(), StatusDetail::kManifestCorruption);
  }
}

TEST(VersionEdit, UnknownTierIsRefused) {
  VersionEdit edit;
  edit.added_tables = {{0, 1, TableMeta()}};
  edit.added_tables[0].meta.tier = static_cast<TableTier>(3);
  EXPECT_TRUE(VersionEdit::Decode(edit.Encode()).status().IsCorruption());
}

TEST(VersionEdit, CutAndDamagedBytesAreSafe) {
  const std::string good = Full().Encode();
  for (size_t n = 0; n < good.size(); ++n) {
    const auto decoded = VersionEdit::Decode(Slice(good).substr(0, n));
    if (decoded.ok()) {
      EXPECT_NE(*decoded, Full());
    }
  }
  const uint64_t seed = SystemSeed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = good;
    for (uint64_t i = 0; i <= random.Uniform(4); ++i) {
      bytes[random.Uniform(bytes.size())] = static_cast<char>(random.Next());
    }
    const auto decoded = VersionEdit::Decode(bytes);
    if (!decoded.ok()) continue;
    // What is accepted means something that can be written again.
    EXPECT_EQ(*VersionEdit::Decode(decoded->Encode()), *decoded);
  }
}

TEST(VersionEdit, Text) {
  VersionEdit edit = Full();
  edit.added_tables[0].meta.largest_key = "\xff";
  edit.added_tables.pop_back();
  EXPECT_EQ(edit.ToString(),
            "database_id 0000000000000001ffffffffffffffff\n"
            "num_levels 7\n"
            "next_file_number 300\n"
            "last_sequence 72057594037927935\n"
            "log_number 12\n"
            "log_first_record 18446744073709551615\n"
            "epoch 8000000000000001\n"
            "add log 12 epoch 0000000000000005\n"
            "add log 13 epoch ffffffffffffffff\n"
            "add table 15 L0 run 15 bytes 1099511627776 keys 006100 .. ff sequences 3 .. 1000 entries 998 "
            "tombstones 7 tier 1 epoch 0000000000000063\n"
            "delete table 9 L0\n"
            "delete table 18446744073709551615 L1\n"
            "add range tombstone 0061 .. 01 sequence 7 since 0\n"
            "add range tombstone 0062 .. 006200 sequence 72057594037927935 since 1700000000\n"
            "next_keyspace_id 70000\n"
            "drop keyspace 2\n"
            "drop keyspace 300\n"
            "keyspace 1 name 7573657273 compression 2 merge_operator 7365657264622e7536345f616464 "
            "default_ttl_us 3600000000 separation_bytes 4096\n"
            "keyspace 69999 name 00ff\n");
}

}  // namespace
}  // namespace seerdb
