// tests/golden/v1/data_model is read for ever: a database with keyspaces, merge operands and entries that
// expire, in its log, its table and its manifest. SEERDB_REWRITE=1 writes it anew.
#include <cstdlib>
#include <filesystem>

#include "env/manual_clock.h"
#include "env/memory_file_system.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

constexpr uint64_t kMinute = 60'000'000;

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
  batch.PutWithTtl(sessions, "short " + place, "for a minute", kMinute);
  batch.PutWithTtl(sessions, "long " + place, "for ever", kNoTtl);
  return db->Write(batch);
}

// With a table, and the same again in the log.
void WriteGolden(const std::string& directory) {
  const auto fs = std::make_shared<MemoryFileSystem>();
  const auto db = OpenOrFail(GoldenOptions(fs, std::make_shared<ManualClock>()), "/db");
  KeyspaceOptions options;
  options.merge_operator = U64Add();
  options.compression = CompressionType::kLz4;
  const Result<Keyspace> counters = db->OpenKeyspace("counters", options);
  ASSERT_OK(db->DropKeyspace(*db->OpenKeyspace("dropped")));
  options = {};
  options.default_ttl_us = 60 * kMinute;
  const Result<Keyspace> sessions = db->OpenKeyspace("sessions", options);
  ASSERT_OK(WriteSome(db.get(), *counters, *sessions, "table"));
  ASSERT_OK(db->Flush());
  ASSERT_OK(WriteSome(db.get(), *counters, *sessions, "log"));
  const std::shared_ptr<MemoryFileSystem> left = fs->CrashClone({1, CrashOptions::kProcessCrash, true});
  const std::vector<std::string> names = *left->ListDirectory("/db");
  for (const std::string& name : names) {
    if (name == "LOCK") continue;
    const auto bytes = ReadFileToString(*left, "/db/" + name);
    const auto file = PosixFileSystem()->NewWritableFile(directory + "/" + name, CreateMode::kTruncate);
    ASSERT_TRUE(bytes.ok() && file.ok());
    ASSERT_OK((*file)->Append(*bytes));
    ASSERT_OK((*file)->Close());
  }
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
  const std::string directory = std::string(SEERDB_SOURCE_DIR) + "/tests/golden/v1/data_model";
  if (std::getenv("SEERDB_REWRITE") != nullptr) {
    std::filesystem::remove_all(directory);
    std::filesystem::create_directories(directory);
    WriteGolden(directory);
  }
  const auto fs = std::make_shared<MemoryFileSystem>();
  ASSERT_OK(fs->CreateDirectory("/db"));
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const auto bytes = ReadFileToString(*PosixFileSystem(), entry.path().string());
    const auto file = fs->NewWritableFile("/db/" + entry.path().filename().string(), CreateMode::kTruncate);
    ASSERT_TRUE(bytes.ok() && file.ok());
    ASSERT_OK((*file)->Append(*bytes));
    ASSERT_OK((*file)->SyncAll());
  }
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
  EXPECT_EQ(sessions->options().default_ttl_us, 60 * kMinute);
  EXPECT_EQ(All(*counters), (Contents{{"n", U64Operand(40)}}));
  Contents want{{"default log", "for an hour"}, {"default table", "for an hour"},
                {"long log", "for ever"},       {"long table", "for ever"},
                {"short log", "for a minute"},  {"short table", "for a minute"}};
  EXPECT_EQ(All(*sessions), want);
  clock->Advance(kMinute);
  want.erase("short log");
  want.erase("short table");
  EXPECT_EQ(All(*sessions), want);
  clock->Advance(59 * kMinute);
  EXPECT_EQ(All(*sessions), (Contents{{"long log", "for ever"}, {"long table", "for ever"}}));
}

}  // namespace
}  // namespace seerdb::testing
