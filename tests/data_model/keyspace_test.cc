// Keyspaces: apart from one another, atomic together, gone at once when dropped, and back after every crash.
#include "seerdb/keyspace.h"

#include <algorithm>

#include "env/memory_file_system.h"
#include "format/file_name.h"
#include "tests/data_model/data_model_fixture.h"

namespace seerdb::testing {
namespace {

class KeyspaceTest : public DataModelFixture {
 protected:
  KeyspaceTest() { Reopen(); }
  static Contents All(const Keyspace& keyspace) {
    Contents contents;
    for (const ScanEntry& entry : keyspace.Scan()) {
      EXPECT_OK(entry.status());
      contents.emplace(entry.key(), entry.value());
    }
    return contents;
  }
  uint64_t Tables() { return db_->Stats().total_sstables; }
};

TEST_F(KeyspaceTest, OfOneKeyEachHasItsOwnValue) {
  const Keyspace a = Open("a");
  const Keyspace b = Open("b");
  EXPECT_OK(db_->Put("k", "default"));
  EXPECT_OK(a.Put("k", "in a"));
  EXPECT_EQ(Text(b.Get("k")), "none");
  EXPECT_OK(b.Put("k", "in b"));
  EXPECT_OK(a.Put("", "empty key"));
  for (const bool flushed : {false, true}) {
    if (flushed) EXPECT_OK(db_->CompactRange());
    EXPECT_EQ(GetText(*db_, "k"), "=default");
    EXPECT_EQ(Text(a.Get("k")), "=in a");
    EXPECT_EQ(Text(b.Get("k")), "=in b");
    EXPECT_EQ(All(a), (Contents{{"", "empty key"}, {"k", "in a"}}));
    EXPECT_EQ(All(b), (Contents{{"k", "in b"}}));
    EXPECT_EQ(ReadAll(*db_), (Contents{{"k", "default"}}));
  }
  EXPECT_OK(a.Delete("k"));
  EXPECT_EQ(Text(a.Get("k")), "none");
  EXPECT_EQ(Text(b.Get("k")), "=in b");
}

TEST_F(KeyspaceTest, AreThereAgainUnderTheirNamesAfterReopenAndCrash) {
  const uint32_t id = Open("users").id();
  const std::string odd("with \0 and \xff", 12);
  EXPECT_OK(Open(odd).Put("k", "v"));
  EXPECT_OK(Open("users").Put("ada", "1"));
  Reopen();
  EXPECT_EQ(Open("users").id(), id);
  EXPECT_EQ(Text(Open("users").Get("ada")), "=1");
  EXPECT_OK(Open("later").Put("x", "2"));
  Crash(CrashOptions::kDropUnsynced);
  EXPECT_EQ(Text(Open("users").Get("ada")), "=1");
  EXPECT_EQ(Text(Open("later").Get("x")), "=2");
  EXPECT_EQ(Text(Open(odd).Get("k")), "=v");
  const std::vector<KeyspaceInfo> list = db_->ListKeyspaces();
  ASSERT_EQ(list.size(), 4u);
  EXPECT_EQ(list[0].name, "default");
  EXPECT_EQ(list[1].name, "users");
  EXPECT_EQ(list[3].name, "later");
}

TEST_F(KeyspaceTest, ABatchOverSeveralIsWholeOrAbsent) {
  const Keyspace a = Open("a");
  const Keyspace b = Open("b");
  WriteBatch batch;
  batch.Put("k", "0");
  batch.Put(a, "k", "1");
  batch.Put(b, "k", "2");
  batch.Delete(a, "gone");
  EXPECT_OK(db_->Write(batch));
  Crash(CrashOptions::kDropUnsynced);
  EXPECT_EQ(GetText(*db_, "k") + Text(Open("a").Get("k")) + Text(Open("b").Get("k")), "=0=1=2");
  // With one keyspace that is gone nothing of the batch is written.
  const Keyspace dropped = Open("dropped");
  EXPECT_OK(db_->DropKeyspace(dropped));
  batch.Clear();
  batch.Put("k", "new");
  batch.Put(dropped, "k", "new");
  const Status refused = db_->Write(batch);
  EXPECT_TRUE(refused.IsInvalidArgument() && refused.detail() == StatusDetail::kNotFound)
      << refused.ToString();
  EXPECT_EQ(GetText(*db_, "k"), "=0");
}

TEST_F(KeyspaceTest, DroppedIsGoneAtOnceAndForGood) {
  Keyspace old = Open("name");
  EXPECT_OK(old.Put("in a table", "1"));
  EXPECT_OK(db_->Flush());
  EXPECT_OK(old.Put("in the log", "2"));
  const std::unique_ptr<Iterator> held = old.NewIterator();
  EXPECT_OK(db_->DropKeyspace(old));
  const auto expect_gone = [&](const Status& status) {
    EXPECT_TRUE(status.IsInvalidArgument() && status.detail() == StatusDetail::kNotFound)
        << status.ToString();
  };
  expect_gone(old.Get("in a table").status());
  expect_gone(old.Put("x", "y"));
  expect_gone(old.Delete("x"));
  expect_gone(old.NewIterator()->status());
  expect_gone(db_->DropKeyspace(old));
  expect_gone(db_->FindKeyspace("name").status());
  // What was open goes on.
  held->SeekToFirst();
  ASSERT_TRUE(held->Valid());
  EXPECT_EQ(held->key(), "in a table");
  // The name is free, and what comes under it is another keyspace.
  EXPECT_EQ(All(Open("name")), Contents());
  EXPECT_NE(Open("name").id(), old.id());
  Crash(CrashOptions::kProcessCrash);
  EXPECT_EQ(All(Open("name")), Contents());
  EXPECT_OK(db_->CompactRange());
  Reopen();
  EXPECT_EQ(All(Open("name")), Contents());
}

TEST_F(KeyspaceTest, TablesOfADroppedOneAloneAreRemovedWithoutReadingThem) {
  const Keyspace big = Open("big");
  for (int i = 0; i < 400; ++i) EXPECT_OK(big.Put(std::to_string(i), std::string(500, 'v')));
  EXPECT_OK(db_->Flush());
  EXPECT_OK(db_->WaitForCompaction());
  ASSERT_GT(Tables(), 0u);
  EXPECT_OK(db_->DropKeyspace(big));
  const uint64_t read = db_->Stats().compaction_bytes_read;
  EXPECT_OK(db_->WaitForCompaction());
  EXPECT_EQ(Tables(), 0u);
  EXPECT_EQ(db_->Stats().compaction_bytes_read, read);
}

TEST_F(KeyspaceTest, CompactionLeavesOutWhatIsDropped) {
  const Keyspace kept = Open("kept");
  const Keyspace dropped = Open("dropped");
  const Keyspace last = Open("last");
  const std::vector<Keyspace> all{kept, dropped, last};
  for (int i = 0; i < 50; ++i) {
    for (const Keyspace& keyspace : all) EXPECT_OK(keyspace.Put(std::to_string(i), "v"));
  }
  EXPECT_OK(db_->CompactRange());
  EXPECT_OK(db_->DropKeyspace(dropped));
  EXPECT_OK(kept.Put("one more", "so that it is rewritten"));
  EXPECT_OK(last.Put("one more", "so that it is rewritten"));
  EXPECT_OK(db_->CompactRange());
  uint64_t entries = 0;
  for (const LevelStats& level : db_->Stats().levels) entries += level.entries;
  EXPECT_EQ(entries, 102u);
  EXPECT_EQ(All(kept).size(), 51u);
}

// Every keyspace in one table, each with the compression it asks for, whatever its neighbours have.
TEST_F(KeyspaceTest, EachHasItsOwnCompression) {
  std::vector<Keyspace> keyspaces;
  for (int i = 0; i < 40; ++i) {
    KeyspaceOptions options;
    if (i % 4 != 0) options.compression = static_cast<CompressionType>(i % 4 - 1);
    keyspaces.push_back(Open("k" + std::to_string(i), options));
    for (int n = 0; n < 20; ++n) EXPECT_OK(keyspaces[i].Put(std::to_string(n), std::string(400, 'x')));
  }
  EXPECT_OK(db_->CompactRange());
  for (int i = 0; i < 40; ++i) EXPECT_EQ(All(keyspaces[i]).size(), 20u);
  EXPECT_TRUE(db_->Verify().ok());
  const uint64_t mixed = db_->Stats().total_disk_bytes;
  // Options that are given are kept, and those that are not leave them as they are.
  for (int i = 0; i < 40; ++i) {
    KeyspaceOptions options;
    options.compression = CompressionType::kZstd;
    Open("k" + std::to_string(i), options);
  }
  Reopen();
  for (int i = 0; i < 40; ++i) {
    const Keyspace keyspace = Open("k" + std::to_string(i));
    EXPECT_EQ(keyspace.options().compression, CompressionType::kZstd);
    EXPECT_OK(keyspace.Put("new", ""));
  }
  EXPECT_OK(db_->CompactRange());
  EXPECT_LT(db_->Stats().total_disk_bytes, mixed / 2);
}

// One with the two-byte prefix sorts behind, one with the five-byte prefix behind that.
TEST_F(KeyspaceTest, ThousandsShareLogMemtableAndTables) {
  constexpr int kCount = 1000;
  std::vector<Keyspace> keyspaces;
  for (int i = 0; i < kCount; ++i) keyspaces.push_back(Open("tenant " + std::to_string(i)));
  options_.memtable_capacity = 64 << 20;
  Reopen();
  for (int i = 0; i < kCount; ++i) keyspaces[i] = Open("tenant " + std::to_string(i));
  const uint64_t flushes = db_->Stats().total_flushes;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < kCount; ++i)
      EXPECT_OK(keyspaces[i].Put("k" + std::to_string(round), std::to_string(i)));
  }
  EXPECT_EQ(db_->Stats().total_flushes, flushes);
  EXPECT_OK(db_->Flush());
  EXPECT_EQ(db_->Stats().total_flushes, flushes + 1);
  for (int i = 0; i < kCount; i += 7) {
    EXPECT_EQ(Text(keyspaces[i].Get("k1")), "=" + std::to_string(i));
    EXPECT_EQ(All(keyspaces[i]).size(), 3u);
  }
}

TEST_F(KeyspaceTest, HandlesThatCannotServeAreRefused) {
  const Keyspace empty;
  EXPECT_TRUE(empty.Put("k", "v").IsInvalidArgument());
  EXPECT_TRUE(empty.Get("k").status().IsInvalidArgument());
  EXPECT_TRUE(empty.NewIterator()->status().IsInvalidArgument());
  for (const ScanEntry& entry : empty.Scan()) EXPECT_TRUE(entry.status().IsInvalidArgument());
  WriteBatch batch;
  batch.Put(empty, "k", "v");
  EXPECT_TRUE(db_->Write(batch).IsInvalidArgument());
  Options other = options_;
  other.file_system = std::make_shared<MemoryFileSystem>();
  const auto elsewhere = OpenOrFail(other, "/elsewhere");
  const Result<Keyspace> foreign = elsewhere->OpenKeyspace("a");
  ASSERT_TRUE(foreign.ok());
  Open("a");
  ReadOptions read;
  read.keyspace = &*foreign;
  EXPECT_TRUE(db_->Get(read, "k").status().IsInvalidArgument());
  EXPECT_TRUE(db_->DropKeyspace(*foreign).IsInvalidArgument());
  batch.Clear();
  batch.Put(*foreign, "k", "v");
  EXPECT_TRUE(db_->Write(batch).IsInvalidArgument());
  EXPECT_TRUE(db_->OpenKeyspace("").status().IsInvalidArgument());
  EXPECT_TRUE(db_->OpenKeyspace(std::string(256, 'n')).status().IsInvalidArgument());
  EXPECT_TRUE(db_->DropKeyspace(Open("default")).IsInvalidArgument());
  EXPECT_OK(Open("default").Put("k", "v"));
  EXPECT_EQ(GetText(*db_, "k"), "=v");
  WriteOptions named;
  named.keyspace = &empty;
  EXPECT_TRUE(db_->Write(named, WriteBatch()).IsInvalidArgument());
}

TEST_F(KeyspaceTest, OptionsOutOfRangeAreRefused) {
  KeyspaceOptions options;
  for (const uint64_t bytes : {uint64_t{1}, kMinSeparationBytes - 1, kMaxValueBytes + 1}) {
    options.separation_bytes = bytes;
    EXPECT_TRUE(db_->OpenKeyspace("n", options).status().IsInvalidArgument()) << bytes;
  }
  for (const uint64_t bytes : {uint64_t{0}, kMinSeparationBytes, kMaxValueBytes}) {
    options.separation_bytes = bytes;
    EXPECT_OK(db_->OpenKeyspace("n", options).status());
  }
}

TEST_F(KeyspaceTest, BulkLoadsGoWhereTheyAreTold) {
  const Keyspace a = Open("a");
  BulkLoadOptions load;
  load.keyspace = &a;
  const std::vector<std::pair<std::string, std::string>> entries{{"x", "1"}, {"y", "2"}};
  ASSERT_TRUE(db_->BulkLoad(load, entries).ok());
  EXPECT_EQ(All(a), (Contents{{"x", "1"}, {"y", "2"}}));
  EXPECT_EQ(ReadAll(*db_), Contents());
}

// The manifest has lost the edit that made a keyspace: the log shows it, and nothing of it is dropped.
TEST_F(KeyspaceTest, WhoseEditIsLostKeepsTheDatabaseFromOpeningAndIsBroughtBackByRepair) {
  EXPECT_OK(db_->Put("k", "v"));
  Reopen();
  EXPECT_OK(Open("users").Put("ada", "lovelace"));
  std::shared_ptr<MemoryFileSystem> survivor = fs_->CrashClone({1, CrashOptions::kProcessCrash, true});
  db_.reset();
  options_.file_system = fs_ = std::move(survivor);
  // Cut the last record, as far as possible from what a crash does.
  std::string manifest;
  const std::vector<std::string> names = *fs_->ListDirectory("/db");
  for (const std::string& name : names) {
    if (name.starts_with("MANIFEST")) manifest = "/db/" + name;
  }
  const Result<std::string> bytes = ReadFileToString(*fs_, manifest);
  ASSERT_TRUE(bytes.ok());
  {
    const auto file = fs_->NewWritableFile(manifest, CreateMode::kTruncate);
    ASSERT_TRUE(file.ok());
    ASSERT_OK((*file)->Append(Slice(*bytes).substr(0, bytes->size() - 1)));
    ASSERT_OK((*file)->SyncAll());
  }
  const Result<std::unique_ptr<DB>> opened = DB::Open(options_, "/db");
  ASSERT_TRUE(opened.status().IsCorruption()) << opened.status().ToString();
  EXPECT_NE(opened.status().message().find("keyspace 1"), Slice::npos) << opened.status().ToString();
  ASSERT_TRUE(DB::Repair(options_, "/db").ok());
  Reopen();
  EXPECT_EQ(GetText(*db_, "k"), "=v");
  EXPECT_EQ(Text(Open("recovered-1").Get("ada")), "=lovelace");
}

TEST_F(KeyspaceTest, AHandleOfADroppedOneStillKnowsItsOptions) {
  const Keyspace first = Open("a");
  KeyspaceOptions options;
  options.default_ttl_us = 5;
  Open("a", options);
  EXPECT_EQ(first.options().default_ttl_us, 5u) << "changed through another handle";
  EXPECT_OK(db_->DropKeyspace(first));
  EXPECT_EQ(first.options().default_ttl_us, 5u);
  EXPECT_EQ(first.name(), "a");
}

// After a reopen the manifest says of a dropped keyspace only that its number is taken.
TEST_F(KeyspaceTest, DroppedIsNotBroughtBackByARepairOfADamagedManifest) {
  EXPECT_OK(Open("a").Put("x", "secret"));
  EXPECT_OK(Open("b").Put("y", "kept"));
  EXPECT_OK(db_->Flush());
  EXPECT_OK(db_->DropKeyspace(Open("a")));
  Reopen();
  db_.reset();
  const std::vector<std::string> names = *fs_->ListDirectory("/db");
  for (const std::string& name : names) {
    if (!name.starts_with("MANIFEST")) continue;
    const Result<std::string> bytes = ReadFileToString(*fs_, "/db/" + name);
    std::string damaged = *bytes;
    damaged.back() = static_cast<char>(damaged.back() ^ 1);
    const auto file = fs_->NewWritableFile("/db/" + name, CreateMode::kTruncate);
    ASSERT_OK((*file)->Append(damaged));
    ASSERT_OK((*file)->SyncAll());
  }
  ASSERT_OK(fs_->DeleteFile("/db/CURRENT"));
  ASSERT_TRUE(DB::Repair(options_, "/db").ok());
  Reopen();
  EXPECT_EQ(Text(Open("b").Get("y")), "=kept");
  for (const KeyspaceInfo& info : db_->ListKeyspaces())
    EXPECT_TRUE(info.name == "default" || info.name == "b");
}

TEST_F(KeyspaceTest, AreKeptByARepairWithoutAManifest) {
  EXPECT_OK(Open("users").Put("ada", "lovelace"));
  EXPECT_OK(Open("gone").Put("k", "v"));
  EXPECT_OK(db_->Flush());
  EXPECT_OK(db_->Put("k", "v"));
  db_.reset();
  const std::vector<std::string> names = *fs_->ListDirectory("/db");
  for (const std::string& name : names) {
    if (name.starts_with("MANIFEST") || name == "CURRENT") ASSERT_OK(fs_->DeleteFile("/db/" + name));
  }
  ASSERT_TRUE(DB::Repair(options_, "/db").ok());
  Reopen();
  EXPECT_EQ(GetText(*db_, "k"), "=v");
  EXPECT_EQ(Text(Open("recovered-1").Get("ada")), "=lovelace");
  EXPECT_EQ(Text(Open("recovered-2").Get("k")), "=v");
  EXPECT_GT(Open("new").id(), 2u);
}

}  // namespace
}  // namespace seerdb::testing
