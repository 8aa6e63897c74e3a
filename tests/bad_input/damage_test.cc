// Files of a small database, cut at each length and with each byte changed. Every read then gives the right
// answer or an error that names a file; nothing crashes, and nothing wrong is ever returned.
//
// Two stated exceptions, because no later byte of the database speaks of what is gone: the last synced group
// of a log that was not closed cleanly may be lost when it is damaged, and a log or manifest that was cut at
// the end may look like one of an earlier crash. In both, what is left must still be a state of the history.
#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <vector>

#include "env/memory_file_system.h"
#include "seerdb/db.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

struct SmallDatabase {
  std::shared_ptr<MemoryFileSystem> disk;
  std::vector<Contents> states;  // after each write; the last is the right answer
  std::vector<std::string> files;
};

struct Damage {
  std::string file;
  std::string bytes;  // of the damaged file
  std::string what;
  bool cut = false;
};

Options DamageOptions(TableAccess access, CompressionType compression = CompressionType::kNone) {
  Options options = TinyOptions();
  options.compression = compression;
  if (compression != CompressionType::kNone) options.block_bytes = 256;
  options.memtable_capacity = 64 << 10;
  options.base_level_size = 4 << 10;
  options.table_access = access;
  options.block_cache_capacity = access == TableAccess::kPread ? 0 : 4096;
  options.wal_sync_policy = SyncPolicy::kSyncData;
  return options;
}

// Tables on two levels, and a log of two segments that was never closed.
SmallDatabase MakeDatabase(CompressionType compression = CompressionType::kNone) {
  SmallDatabase made;
  const auto fs = std::make_shared<MemoryFileSystem>();
  Options options = DamageOptions(TableAccess::kAuto, compression);
  options.file_system = fs;
  const auto db = OpenOrFail(options, kDbDirectory);
  if (!db) return made;
  Contents contents;
  made.states.push_back(contents);
  const auto put = [&](int i, size_t bytes) {
    const std::string key = "key" + std::to_string(i);
    const std::string value =
        std::to_string(made.states.size()) + std::string(bytes, static_cast<char>('a' + i % 26));
    EXPECT_OK(db->Put(key, value));
    contents[key] = value;
    made.states.push_back(contents);
  };
  const auto remove = [&](int i) {
    EXPECT_OK(db->Delete("key" + std::to_string(i)));
    contents.erase("key" + std::to_string(i));
    made.states.push_back(contents);
  };
  for (int i = 0; i < 24; ++i) put(i, 30);
  EXPECT_OK(db->CompactRange());
  for (int i = 10; i < 14; ++i) put(i, 30);
  remove(3);
  remove(4);
  EXPECT_OK(db->Flush());
  for (int i = 20; i < 34; ++i) put(i, 300);
  remove(5);
  made.disk = fs->CrashClone({0, CrashOptions::kProcessCrash, true});
  const auto names = made.disk->ListDirectory(kDbDirectory);
  if (names.ok()) made.files = *names;
  std::sort(made.files.begin(), made.files.end());
  return made;
}

bool NamesSomeFile(const Status& status, const std::string& damaged) {
  const Slice message = status.message();
  if (message.find(damaged) != Slice::npos) return true;
  // A log can be found short by a later one, a manifest through the file that it lacks.
  if (damaged.ends_with(".log")) return message.find(".log") != Slice::npos;
  if (damaged == "CURRENT") return message.find("MANIFEST") != Slice::npos;
  return damaged.starts_with("MANIFEST") && message.find(kDbDirectory) != Slice::npos;
}

class DamageCheck {
 public:
  explicit DamageCheck(const SmallDatabase& database) : database_(database) {}

  void Run(const Damage& damage, TableAccess access) {
    SCOPED_TRACE(damage.file + ": " + damage.what + (access == TableAccess::kPread ? ", pread" : ", mapped"));
    ++checked_;
    const auto disk = database_.disk->CrashClone({0, CrashOptions::kProcessCrash, true});
    auto file = disk->NewWritableFile(std::string(kDbDirectory) + "/" + damage.file, CreateMode::kTruncate);
    ASSERT_TRUE(file.ok());
    ASSERT_OK((*file)->Append(damage.bytes));
    ASSERT_OK((*file)->SyncAll());
    Options options = DamageOptions(access);
    options.file_system = disk;
    auto opened = DB::Open(options, kDbDirectory);
    if (!opened.ok()) {
      ++refused_;
      ExpectGoodError(opened.status(), damage);
      return;
    }
    CheckReads(**opened, damage);
  }

  void Print(const char* title) const {
    std::printf("[ DAMAGES  ] %s: %" PRIu64 " damages, %" PRIu64 " refused at open, %" PRIu64
                " with some read refused, %" PRIu64 " harmless\n",
                title, checked_, refused_, read_errors_, checked_ - refused_ - read_errors_);
  }

 private:
  void ExpectGoodError(const Status& status, const Damage& damage) {
    EXPECT_FALSE(status.IsInvalidArgument() || status.IsShutdown()) << status.ToString();
    EXPECT_TRUE(NamesSomeFile(status, damage.file)) << status.ToString();
  }

  // The states that may be found, newest first.
  std::vector<const Contents*> Allowed(const Damage& damage) const {
    size_t count = 1;
    if (damage.file.ends_with(".log")) count = damage.cut ? database_.states.size() : 2;
    if (damage.file.starts_with("MANIFEST") && damage.cut) count = database_.states.size();
    std::vector<const Contents*> allowed;
    for (size_t i = 0; i < count; ++i) allowed.push_back(&database_.states[database_.states.size() - 1 - i]);
    return allowed;
  }

  void CheckReads(DB& db, const Damage& damage) {
    std::vector<const Contents*> allowed = Allowed(damage);
    bool refused = false;
    // Point reads leave only the states that they agree with.
    for (int i = -1; i < 40; ++i) {
      const std::string key = "key" + std::to_string(i);
      const auto got = db.Get(key);
      if (!got.ok()) {
        refused = true;
        ExpectGoodError(got.status(), damage);
        continue;
      }
      std::erase_if(allowed, [&](const Contents* state) {
        const auto want = state->find(key);
        return (want != state->end()) != got->has_value() ||
               (got->has_value() && (**got).slice() != want->second);
      });
      ASSERT_FALSE(allowed.empty()) << "Get " << key << " gave " << GetText(db, key);
    }
    refused |= !CheckWalk(db, damage, allowed, true) || !CheckWalk(db, damage, allowed, false);
    const auto verified = db.Verify();
    if (!verified.ok()) ExpectGoodError(verified.status(), damage);
    if (damage.file.ends_with(".sst")) {
      EXPECT_FALSE(verified.ok()) << "Verify found nothing";
    }
    if (refused) {
      EXPECT_FALSE(verified.ok()) << "reads are refused, but Verify found nothing";
    }
    read_errors_ += refused;
    db.Close().IgnoreError("damaged on purpose");
  }

  // False if the walk ended on an error. Up to there it must agree with a state that is allowed.
  bool CheckWalk(DB& db, const Damage& damage, std::vector<const Contents*>& allowed, bool forward) {
    const auto it = db.NewIterator();
    std::vector<std::pair<std::string, std::string>> found;
    forward ? it->SeekToFirst() : it->SeekToLast();
    for (; it->Valid() && found.size() < 200; forward ? it->Next() : it->Prev()) {
      found.emplace_back(it->key(), it->value());
    }
    const Status status = it->status();
    if (!status.ok()) ExpectGoodError(status, damage);
    const auto disagrees = [&](const Contents* state) {
      std::vector<std::pair<std::string, std::string>> want(state->begin(), state->end());
      if (!forward) std::reverse(want.begin(), want.end());
      if (status.ok() ? found.size() != want.size() : found.size() > want.size()) return true;
      return !std::equal(found.begin(), found.end(), want.begin());
    };
    std::erase_if(allowed, disagrees);
    EXPECT_FALSE(allowed.empty()) << "a walk gave " << found.size() << " entries that are no state";
    return status.ok();
  }

  const SmallDatabase& database_;
  uint64_t checked_ = 0, refused_ = 0, read_errors_ = 0;
};

// Every byte and every length; fewer where each open is slow.
uint64_t Stride(const std::string& file) { return !kSanitized || LongRun() || file == "CURRENT" ? 1 : 16; }

// Byte `offset` with a low bit, a high bit, or all bits changed.
Damage Flip(const std::string& file, const std::string& bytes, size_t offset) {
  static constexpr unsigned char kMasks[] = {0x01, 0x80, 0xff};
  Damage damage{file, bytes, "byte " + std::to_string(offset) + " changed", false};
  damage.bytes[offset] = static_cast<char>(damage.bytes[offset] ^ kMasks[offset % 3]);
  return damage;
}

struct Tested {
  const char* name;
  const char* kind;  // part of the file's name
  CompressionType compression = CompressionType::kNone;
};

class DamageTest : public ::testing::TestWithParam<Tested> {};

TEST_P(DamageTest, EveryByteAndEveryLength) {
  const std::string kind = GetParam().kind;
  const SmallDatabase database = MakeDatabase(GetParam().compression);
  ASSERT_TRUE(database.disk);
  size_t files = 0, size_bytes = 0;
  DamageCheck flips(database), cuts(database);
  for (const std::string& file : database.files) {
    if (file.find(kind) == std::string::npos) continue;
    const auto bytes = ReadFileToString(*database.disk, std::string(kDbDirectory) + "/" + file);
    ASSERT_TRUE(bytes.ok());
    ++files;
    size_bytes += bytes->size();
    for (const TableAccess access : {TableAccess::kMapped, TableAccess::kPread}) {
      if (access == TableAccess::kPread && kind != ".sst") continue;
      for (size_t offset = 0; offset < bytes->size(); offset += Stride(file)) {
        flips.Run(Flip(file, *bytes, offset), access);
        if (HasFailure()) return;
      }
      for (size_t length = 0; length < bytes->size(); length += Stride(file)) {
        cuts.Run({file, bytes->substr(0, length), "cut to " + std::to_string(length), true}, access);
        if (HasFailure()) return;
      }
    }
  }
  EXPECT_GE(files, kind == ".sst" || kind == ".log" ? 2u : 1u);
  std::printf("[ DAMAGES  ] %s: %zu files of %zu bytes\n", GetParam().name, files, size_bytes);
  flips.Print("  each byte changed");
  cuts.Print("  cut at each length");
}

INSTANTIATE_TEST_SUITE_P(BadInput, DamageTest,
                         ::testing::Values(Tested{"Tables", ".sst"},
                                           Tested{"TablesLz4", ".sst", CompressionType::kLz4},
                                           Tested{"TablesZstd", ".sst", CompressionType::kZstd},
                                           Tested{"Logs", ".log"}, Tested{"Manifest", "MANIFEST"},
                                           Tested{"Current", "CURRENT"}),
                         [](const auto& tested) { return std::string(tested.param.name); });

// Files that are gone.
TEST(BadInput, MissingFiles) {
  const SmallDatabase database = MakeDatabase();
  ASSERT_TRUE(database.disk);
  for (const std::string& file : database.files) {
    if (file == "LOCK") continue;
    SCOPED_TRACE(file);
    const auto disk = database.disk->CrashClone({0, CrashOptions::kProcessCrash, true});
    ASSERT_OK(disk->DeleteFile(std::string(kDbDirectory) + "/" + file));
    Options options = DamageOptions(TableAccess::kAuto);
    options.file_system = disk;
    const auto opened = DB::Open(options, kDbDirectory);
    if (!opened.ok()) {
      EXPECT_TRUE(NamesSomeFile(opened.status(), file)) << opened.status().ToString();
      continue;
    }
    // Not an error at open: then reads that need the file fail, or nothing did need it.
    Contents found;
    bool refused = false;
    for (int i = 0; i < 40; ++i) {
      const std::string key = "key" + std::to_string(i);
      const auto got = (*opened)->Get(key);
      refused |= !got.ok();
      if (!got.ok()) {
        EXPECT_TRUE(NamesSomeFile(got.status(), file)) << got.status().ToString();
      } else if (got->has_value()) {
        found[key] = (**got).ToString();
      }
    }
    if (!refused) {
      EXPECT_EQ(Difference(database.states.back(), found), "");
    }
    (*opened)->Close().IgnoreError("damaged on purpose");
  }
}

}  // namespace
}  // namespace seerdb::testing
