// Directory value_log of tests/golden/v1 is read for ever: large values under pointers of each kind, in a
// table, a log and the manifest. SEERDB_REWRITE=1 makes the test write it anew. Every byte of it is damaged:
// the database is refused, or the reads that need the byte fail, or the answers are right.
#include "base/units.h"
#include "env/manual_clock.h"
#include "tests/data_model/golden_files.h"

namespace seerdb::testing {
namespace {

Options GoldenOptions(std::shared_ptr<FileSystem> fs) {
  Options options = TinyOptions();
  options.file_system = std::move(fs);
  options.clock = std::make_shared<ManualClock>();
  options.seed = 5;
  options.log_mode = LogMode::kBuffered;
  options.merge_operator = StringAppend(",");
  options.separation_bytes = 100;
  options.value_segment_bytes = uint64_t{64} << 10;
  return options;
}

std::string Large(const std::string& name) {
  std::string value = "large " + name + ":";
  while (value.size() < 120) value += static_cast<char>('a' + value.size() % 26);
  return value;
}

// In a table, and again in the log; the last record says that the one before it is durable.
void WriteValueLog() {
  const auto fs = std::make_shared<MemoryFileSystem>();
  auto db = OpenOrFail(GoldenOptions(fs), "/db");
  KeyspaceOptions options;
  options.separation_bytes = 64;
  const Result<Keyspace> apart = db->OpenKeyspace("apart", options);
  options.separation_bytes = 0;
  const Result<Keyspace> together = db->OpenKeyspace("together", options);
  for (const char* place : {"table", "log"}) {
    WriteBatch batch;
    batch.Put(place, Large(place));
    batch.Put(std::string("small ") + place, "small");
    batch.PutWithTtl(std::string("ttl ") + place, Large("ttl"), kMicrosPerMinute);
    batch.Merge("table", place);
    batch.Put(*apart, place, Large(place).substr(0, 70));
    batch.Put(*together, place, Large(place));
    ASSERT_OK(db->Write(batch));
    ASSERT_OK(db->Put(std::string("alone ") + place, Large("alone")));
    if (place[0] == 't') ASSERT_OK(db->Flush());
  }
  WriteGolden("value_log", fs.get());
}

struct Answers {
  Contents values;      // "keyspace/key", of those that can be read
  size_t damaged = 0;   // reads that failed for the value alone
  bool failed = false;  // for anything else
};

// nullopt if the database does not open.
std::optional<Answers> Read(const Files& files) {
  const auto opened = DB::Open(GoldenOptions(Store(files)), "/db");
  if (!opened.ok()) return std::nullopt;
  Answers answers;
  ReadOptions keys_only;
  keys_only.keys_only = true;
  for (const KeyspaceInfo& info : (*opened)->ListKeyspaces()) {
    const auto keyspace = (*opened)->FindKeyspace(info.name);
    if (!keyspace.ok()) return std::nullopt;
    answers.values[info.name] = "keyspace";
    for (const ScanEntry& entry : keyspace->Scan(keys_only)) {
      if (!entry.ok()) {
        answers.failed = true;
        continue;
      }
      const auto value = keyspace->Get(entry.key());
      if (value.ok() && value->has_value()) {
        answers.values[info.name + "/" + std::string(entry.key())] = (*value)->slice();
      } else if (value.status().detail() == StatusDetail::kValueCorruption) {
        ++answers.damaged;
      } else {
        answers.failed = true;
      }
    }
  }
  return answers;
}

Contents Golden() {
  Contents want{{"default", "keyspace"}, {"apart", "keyspace"}, {"together", "keyspace"}};
  for (const std::string place : {"table", "log"}) {
    want["default/small " + place] = "small";
    want["default/ttl " + place] = Large("ttl");
    want["default/alone " + place] = Large("alone");
    want["apart/" + place] = Large(place).substr(0, 70);
    want["together/" + place] = Large(place);
  }
  want["default/log"] = Large("log");
  want["default/table"] = Large("table") + ",table,log";
  return want;
}

TEST(ValueGolden, OfVersion1IsRead) {
  if (RewritesGolden()) WriteValueLog();
  const Files files = ReadGolden("value_log");
  const std::optional<Answers> found = Read(files);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(Difference(Golden(), found->values), "");
  const auto db = OpenOrFail(GoldenOptions(Store(files)), "/db");
  ASSERT_TRUE(db);
  EXPECT_EQ(db->Stats().recovery.records_replayed, 2u) << "what was to be in the log";
  EXPECT_EQ(db->FindKeyspace("apart")->options().separation_bytes, 64u);
  EXPECT_EQ(db->FindKeyspace("together")->options().separation_bytes, 0u);
  EXPECT_OK(db->CompactRange());
  EXPECT_OK(db->Verify().status());
  EXPECT_EQ(GetText(*db, "table"), "=" + Large("table") + ",table,log");
}

// Every state that a log torn anywhere may leave, that of no record to that of all of them.
std::vector<Contents> TornStates(const Files& golden) {
  std::vector<Contents> states;
  ForEachTornLog(golden, [&](const Files& torn, const std::string& where) {
    const std::optional<Answers> found = Read(torn);
    EXPECT_TRUE(found.has_value() && !found->failed && found->damaged == 0) << where;
    if (found && std::find(states.begin(), states.end(), found->values) == states.end()) {
      states.push_back(found->values);
    }
  });
  return states;
}

// The values that were read are those of one state of the history.
bool IsPartOf(const Contents& found, const Contents& whole) {
  return std::all_of(found.begin(), found.end(), [&](const auto& entry) {
    const auto at = whole.find(entry.first);
    return at != whole.end() && at->second == entry.second;
  });
}

TEST(ValueGolden, EveryDamagedByteIsRefusedOrHarmless) {
  const Files golden = ReadGolden("value_log");
  const std::vector<Contents> states = TornStates(golden);
  ASSERT_EQ(states.size(), 3u);
  uint64_t refused = 0, refused_for_values = 0, damaged_values = 0, ended_early = 0;
  for (const auto& [name, bytes] : golden) {
    for (size_t at = 0; at < bytes.size(); at += kSanitized ? 7 : 1) {
      // Of the zeros behind the end of a log a few are enough.
      if (name.ends_with(".log") && bytes[at] == '\0' && at % 97 != 0) continue;
      Files damaged = golden;
      damaged[name][at] = static_cast<char>(damaged[name][at] ^ (1 << at % 8));
      const std::optional<Answers> found = Read(damaged);
      if (!found.has_value()) {
        ++(name.ends_with(".vlog") ? refused_for_values : refused);
        continue;
      }
      const bool right = std::any_of(states.begin(), states.end(), [&](const Contents& state) {
        // What is missing was said to be.
        const bool complete = found->failed || found->values.size() + found->damaged == state.size();
        return complete && IsPartOf(found->values, state);
      });
      ASSERT_TRUE(right) << name << " @" << at << ": " << Difference(Golden(), found->values);
      if (!name.ends_with(".vlog")) continue;
      EXPECT_FALSE(found->failed) << name << " @" << at;
      damaged_values += found->damaged > 0;
      ended_early += found->damaged == 0 && found->values.size() < Golden().size();
    }
  }
  EXPECT_GT(refused, kSanitized ? 50u : 300u);
  // Values under tables fail alone. One under the last record ends the log, one under the record before was
  // known to be durable.
  EXPECT_GT(damaged_values, kSanitized ? 30u : 300u);
  EXPECT_GT(ended_early, kSanitized ? 10u : 100u);
  EXPECT_GT(refused_for_values, kSanitized ? 30u : 250u);
}

}  // namespace
}  // namespace seerdb::testing
