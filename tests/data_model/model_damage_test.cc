// Every byte of a database with keyspaces, merges and times to live, damaged: it is refused, or reads fail,
// or the answers are right; nothing crashes and nothing is invented.
#include <filesystem>

#include "env/manual_clock.h"
#include "env/memory_file_system.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

using Files = std::map<std::string, std::string>;

Files ReadGolden() {
  Files files;
  const std::string directory = std::string(SEERDB_SOURCE_DIR) + "/tests/golden/v1/data_model";
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const auto bytes = ReadFileToString(*PosixFileSystem(), entry.path().string());
    EXPECT_TRUE(bytes.ok());
    files[entry.path().filename().string()] = *bytes;
  }
  return files;
}

std::shared_ptr<MemoryFileSystem> Store(const Files& files) {
  auto fs = std::make_shared<MemoryFileSystem>();
  EXPECT_OK(fs->CreateDirectory("/db"));
  for (const auto& [name, bytes] : files) {
    const auto file = fs->NewWritableFile("/db/" + name, CreateMode::kTruncate);
    EXPECT_OK((*file)->Append(bytes));
    EXPECT_OK((*file)->SyncAll());
  }
  return fs;
}

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

TEST(DataModelDamage, EveryByteIsRefusedOrHarmless) {
  const Files golden = ReadGolden();
  const std::optional<Contents> whole = Read(golden);
  ASSERT_TRUE(whole.has_value());
  ASSERT_EQ(whole->size(), 3u + 3 + 1 + 6);
  // The last group of a log may be lost to a torn tail: what is in the table is there then.
  Files without_log = golden;
  for (auto& [name, bytes] : without_log) {
    if (name.ends_with(".log")) bytes.assign(bytes.size(), '\0');
  }
  const std::optional<Contents> in_table = Read(without_log);
  ASSERT_TRUE(in_table.has_value());
  uint64_t refused = 0, harmless = 0;
  for (const auto& [name, bytes] : golden) {
    for (size_t at = 0; at < bytes.size(); at += kSanitized ? 7 : 1) {
      // Of the zeros behind the end of a log a few are enough.
      if (name.ends_with(".log") && bytes[at] == '\0' && at % 97 != 0) continue;
      Files damaged = golden;
      damaged[name][at] = static_cast<char>(damaged[name][at] ^ (1 << at % 8));
      const std::optional<Contents> found = Read(damaged);
      if (!found.has_value()) {
        ++refused;
        continue;
      }
      ++harmless;
      const bool right = *found == *whole || (name.ends_with(".log") && *found == *in_table);
      ASSERT_TRUE(right) << name << " @" << at << ": " << Difference(*whole, *found);
    }
  }
  EXPECT_GT(refused, kSanitized ? 100u : 500u);
  EXPECT_GT(harmless, 0u);
}

// Payloads whose checksums are right and whose contents are not, as a hostile writer would make them.
TEST(DataModelDamage, MalformedPayloadsGiveErrors) {
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
