// Every byte of a database with keyspaces, merges and times to live, and of one with range deletes, damaged:
// it is refused, or reads fail, or the answers are right; nothing crashes and nothing is invented.
#include <algorithm>

#include "env/manual_clock.h"
#include "tests/data_model/golden_files.h"

namespace seerdb::testing {
namespace {

Options ReadOptionsOf(std::shared_ptr<FileSystem> fs) {
  Options options = TinyOptions();
  options.file_system = std::move(fs);
  options.clock = std::make_shared<ManualClock>();
  options.merge_operator = StringAppend(",");
  return options;
}

// What can be read, "keyspace/key", or nullopt if anything fails.
std::optional<Contents> Read(const Files& files) {
  const auto opened = DB::Open(ReadOptionsOf(Store(files)), "/db");
  if (!opened.ok()) return std::nullopt;
  Contents contents;
  for (const KeyspaceInfo& info : (*opened)->ListKeyspaces()) {
    const auto keyspace = (*opened)->FindKeyspace(info.name);
    if (!keyspace.ok()) return std::nullopt;
    contents[info.name] = "keyspace";
    for (const ScanEntry& entry : keyspace->Scan()) {
      if (!entry.ok()) return std::nullopt;
      contents[info.name + "/" + std::string(entry.key())] = entry.value();
    }
  }
  return contents;
}

// Every state that a log torn anywhere may leave, that of no record to that of all of them.
std::vector<Contents> TornStates(const Files& golden) {
  std::vector<Contents> states;
  ForEachTornLog(golden, [&](const Files& torn, const std::string& where) {
    const std::optional<Contents> found = Read(torn);
    EXPECT_TRUE(found.has_value()) << where;
    if (found.has_value() && std::find(states.begin(), states.end(), *found) == states.end()) {
      states.push_back(*found);
    }
  });
  return states;
}

struct GoldenCase {
  std::string name;
  size_t contents;     // keyspaces and entries
  size_t torn_states;  // what is in the tables, and what each record of the log makes of it
};

class DataModelDamage : public ::testing::TestWithParam<GoldenCase> {};

TEST_P(DataModelDamage, EveryByteIsRefusedOrHarmless) {
  const Files golden = ReadGolden(GetParam().name);
  const std::optional<Contents> whole = Read(golden);
  ASSERT_TRUE(whole.has_value());
  ASSERT_EQ(whole->size(), GetParam().contents);
  const std::vector<Contents> torn_states = TornStates(golden);
  ASSERT_EQ(torn_states.size(), GetParam().torn_states);
  uint64_t refused = 0, harmless = 0;
  for (const auto& [name, bytes] : golden) {
    const bool log = name.ends_with(".log");
    for (size_t at = 0; at < bytes.size(); at += kSanitized ? 7 : 1) {
      // Of the zeros behind the end of a log a few are enough.
      if (log && bytes[at] == '\0' && at % 97 != 0) continue;
      Files damaged = golden;
      damaged[name][at] = static_cast<char>(damaged[name][at] ^ (1 << at % 8));
      const std::optional<Contents> found = Read(damaged);
      if (!found.has_value()) {
        ++refused;
        continue;
      }
      ++harmless;
      const bool right = *found == *whole || (log && std::find(torn_states.begin(), torn_states.end(),
                                                               *found) != torn_states.end());
      ASSERT_TRUE(right) << name << " @" << at << ": " << Difference(*whole, *found);
    }
  }
  EXPECT_GT(refused, kSanitized ? 100u : 500u);
  EXPECT_GT(harmless, 0u);
}

INSTANTIATE_TEST_SUITE_P(Golden, DataModelDamage,
                         ::testing::Values(GoldenCase{"data_model", 3 + 3 + 1 + 6, 2},
                                           GoldenCase{"range_delete", 2 + 4 + 3, 4}),
                         [](const auto& tested) { return tested.param.name; });

// Payloads whose checksums are right and whose contents are not, as a hostile writer would make them.
TEST(DataModelPayloads, MalformedPayloadsGiveErrors) {
  const auto fs = std::make_shared<MemoryFileSystem>();
  Options options = ReadOptionsOf(fs);
  options.merge_operator = U64Add();
  auto db = OpenOrFail(options, "/db");
  ASSERT_OK(db->Put("short", "123"));
  ASSERT_OK(db->Merge("short", U64Operand(1)));
  ASSERT_OK(db->Merge("operand", "12345"));
  ASSERT_OK(db->Put("fine", "v"));
  for (const bool compacted : {false, true}) {
    if (compacted) ASSERT_OK(db->CompactRange());
    for (const char* key : {"short", "operand"}) {
      EXPECT_EQ(db->Get(key).status().detail(), StatusDetail::kMergeFailed) << key;
    }
    EXPECT_EQ(GetText(*db, "fine"), "=v");
    const auto it = db->NewIterator();
    it->SeekToFirst();
    EXPECT_TRUE(it->Valid() && it->key() == "fine");
    it->Next();
    EXPECT_EQ(it->status().detail(), StatusDetail::kMergeFailed);
  }
}

}  // namespace
}  // namespace seerdb::testing
