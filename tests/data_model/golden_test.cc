// Directories of tests/golden/v1 are read for ever, each a database: data_model with keyspaces, merge
// operands and entries that expire, range_delete with range deletes; in log, table and manifest.
// SEERDB_REWRITE=1 makes each test write its own anew.
#include "base/units.h"
#include "env/manual_clock.h"
#include "tests/data_model/golden_files.h"

namespace seerdb::testing {
namespace {

Options GoldenOptions(std::shared_ptr<MemoryFileSystem> fs, std::shared_ptr<ManualClock> clock) {
  Options options = TinyOptions();
  options.file_system = std::move(fs);
  options.clock = std::move(clock);
  options.seed = 5;
  options.log_mode = LogMode::kBuffered;
  options.merge_operator = StringAppend(",");
  return options;
}

Status WriteSome(DB* db, const Keyspace& counters, const Keyspace& sessions, const std::string& place) {
  WriteBatch batch;
  batch.Put(place, "put");
  batch.Merge(place, "merged");
  batch.Merge("merged only", place);
  batch.Merge(counters, "n", U64Operand(20));
  batch.Put(sessions, "default " + place, "for an hour");
  batch.PutWithTtl(sessions, "short " + place, "for a minute", kMicrosPerMinute);
  batch.PutWithTtl(sessions, "long " + place, "for ever", kNoTtl);
  return db->Write(batch);
}

// With a table, and the same again in the log.
void WriteDataModel() {
  const auto fs = std::make_shared<MemoryFileSystem>();
  const auto db = OpenOrFail(GoldenOptions(fs, std::make_shared<ManualClock>()), "/db");
  KeyspaceOptions options;
  options.merge_operator = U64Add();
  options.compression = CompressionType::kLz4;
  const Result<Keyspace> counters = db->OpenKeyspace("counters", options);
  ASSERT_OK(db->DropKeyspace(*db->OpenKeyspace("dropped")));
  options = {};
  options.default_ttl_us = 60 * kMicrosPerMinute;
  const Result<Keyspace> sessions = db->OpenKeyspace("sessions", options);
  ASSERT_OK(WriteSome(db.get(), *counters, *sessions, "table"));
  ASSERT_OK(db->Flush());
  ASSERT_OK(WriteSome(db.get(), *counters, *sessions, "log"));
  WriteGolden("data_model", fs.get());
}

// A keyspace of the same keys beside the default one. In tables all of them; in the manifest a range
// tombstone for each keyspace, that of the second one without an end, and a table it was applied to; in the
// log more.
void WriteRangeDeletes() {
  const auto fs = std::make_shared<MemoryFileSystem>();
  const auto db = OpenOrFail(GoldenOptions(fs, std::make_shared<ManualClock>()), "/db");
  const Result<Keyspace> second = db->OpenKeyspace("second");
  for (const char* key : {"a", "b", "c", "d", "e", "f", "g", "h"}) {
    ASSERT_OK(db->Put(key, "table"));
    ASSERT_OK(second->Put(key, "table"));
    if (key[0] == 'd') ASSERT_OK(db->Flush());
  }
  ASSERT_OK(db->Flush());
  ASSERT_OK(db->DeleteRange("b", "f"));
  ASSERT_OK(second->DeleteRange("g", std::nullopt));
  ASSERT_OK(db->Put("c", "put again"));
  ASSERT_OK(db->Flush());
  ASSERT_OK(db->CompactRange("a", "d"));
  ASSERT_OK(db->DeleteRange("f", "g"));
  WriteBatch batch;
  batch.Put("gone", "put in front");
  batch.Put(*second, "a", "put in front");
  batch.DeleteRange("g", "h");
  batch.DeleteRange(*second, "", "c");
  batch.Put("ga", "put behind");
  batch.Put(*second, "b", "put behind");
  ASSERT_OK(db->Write(batch));
  ASSERT_OK(second->DeleteRange("e", std::nullopt));
  WriteGolden("range_delete", fs.get());
}

Contents All(const Keyspace& keyspace) {
  Contents contents;
  for (const ScanEntry& entry : keyspace.Scan()) {
    EXPECT_OK(entry.status());
    contents.emplace(entry.key(), entry.value());
  }
  return contents;
}

TEST(DataModelGolden, OfVersion1IsRead) {
  if (RewritesGolden()) WriteDataModel();
  const auto fs = Store(ReadGolden("data_model"));
  const auto clock = std::make_shared<ManualClock>();
  const auto db = OpenOrFail(GoldenOptions(fs, clock), "/db");
  ASSERT_TRUE(db);
  EXPECT_EQ(db->Stats().recovery.records_replayed, 1u) << "what was to be in the log";
  EXPECT_EQ(ReadAll(*db),
            (Contents{{"log", "put,merged"}, {"merged only", "table,log"}, {"table", "put,merged"}}));
  const Result<Keyspace> counters = db->FindKeyspace("counters");
  const Result<Keyspace> sessions = db->FindKeyspace("sessions");
  ASSERT_TRUE(counters.ok() && sessions.ok());
  EXPECT_FALSE(db->FindKeyspace("dropped").ok());
  EXPECT_EQ(counters->options().compression, CompressionType::kLz4);
  EXPECT_EQ(sessions->options().default_ttl_us, 60 * kMicrosPerMinute);
  EXPECT_EQ(All(*counters), (Contents{{"n", U64Operand(40)}}));
  Contents want{{"default log", "for an hour"}, {"default table", "for an hour"},
                {"long log", "for ever"},       {"long table", "for ever"},
                {"short log", "for a minute"},  {"short table", "for a minute"}};
  EXPECT_EQ(All(*sessions), want);
  clock->Advance(kMicrosPerMinute);
  want.erase("short log");
  want.erase("short table");
  EXPECT_EQ(All(*sessions), want);
  clock->Advance(59 * kMicrosPerMinute);
  EXPECT_EQ(All(*sessions), (Contents{{"long log", "for ever"}, {"long table", "for ever"}}));
}

TEST(RangeDeleteGolden, OfVersion1IsRead) {
  if (RewritesGolden()) WriteRangeDeletes();
  const Files files = ReadGolden("range_delete");
  auto db = OpenOrFail(GoldenOptions(Store(files), std::make_shared<ManualClock>()), "/db");
  ASSERT_TRUE(db);
  EXPECT_EQ(db->Stats().recovery.records_replayed, 3u) << "what was to be in the log";
  EXPECT_EQ(ReadAll(*db),
            (Contents{{"a", "table"}, {"c", "put again"}, {"ga", "put behind"}, {"h", "table"}}));
  const Result<Keyspace> second = db->FindKeyspace("second");
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(All(*second), (Contents{{"b", "put behind"}, {"c", "table"}, {"d", "table"}}));
}

// Its log apart: what the tables hold, the manifest alone hides.
TEST(RangeDeleteGolden, TheManifestOfVersion1HidesWhatItsTablesHold) {
  Files files = ReadGolden("range_delete");
  for (auto& [name, bytes] : files) {
    if (name.ends_with(".log")) bytes.assign(bytes.size(), '\0');
  }
  auto db = OpenOrFail(GoldenOptions(Store(files), std::make_shared<ManualClock>()), "/db");
  ASSERT_TRUE(db);
  EXPECT_EQ(db->Stats().range_tombstones, 2u);
  uint64_t entries = 0;
  for (const LevelStats& level : db->Stats().levels) entries += level.entries;
  const Contents left{{"a", "table"}, {"c", "put again"}, {"f", "table"}, {"g", "table"}, {"h", "table"}};
  const Contents left_of_second{{"a", "table"}, {"b", "table"}, {"c", "table"},
                                {"d", "table"}, {"e", "table"}, {"f", "table"}};
  EXPECT_GT(entries, left.size() + left_of_second.size()) << "what is hidden was to be in tables";
  for (const bool compacted : {false, true}) {
    if (compacted) ASSERT_OK(db->CompactRange());
    const Result<Keyspace> second = db->FindKeyspace("second");
    EXPECT_EQ(ReadAll(*db), left);
    EXPECT_EQ(All(*second), left_of_second);
  }
  EXPECT_EQ(db->Stats().range_tombstones, 0u);
}

}  // namespace
}  // namespace seerdb::testing
