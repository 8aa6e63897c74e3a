#include "manifest/manifest_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/coding.h"
#include "env/memory_file_system.h"
#include "manifest/manifest_test_util.h"

namespace seerdb {
namespace {

void Store(FileSystem& fs, const std::string& path, const std::string& bytes) {
  const auto file = fs.NewWritableFile(path, CreateMode::kTruncate);
  ASSERT_TRUE(file.ok() && (*file)->Append(bytes).ok());
}

class ManifestFileTest : public ::testing::Test {
 protected:
  ManifestFileTest() {
    EXPECT_TRUE(fs_.CreateDirectory("/db").ok());
    auto set = *VersionSet::Create(fs_, "/db", NewDatabaseState(), nullptr);
    states_.push_back(Describe(set->state()));
    ends_.push_back(set->manifest_bytes());
    for (uint64_t number = 2; number <= 5; ++number) {
      VersionEdit edit = AddTable(number);
      if (number == 4) edit.deleted_tables = {{0, 2}};
      EXPECT_TRUE(set->Apply(edit).ok());
      states_.push_back(Describe(set->state()));
      ends_.push_back(set->manifest_bytes());
    }
    manifest_ = *ReadFileToString(fs_, kManifest);
    current_ = *ReadFileToString(fs_, "/db/CURRENT");
    EXPECT_EQ(manifest_.size(), ends_.back());
  }

  // "state N" or "corruption".
  std::string Read() {
    const auto state = ReadManifest(fs_, "/db", nullptr);
    if (state.ok()) {
      for (size_t i = 0; i < states_.size(); ++i) {
        if (Describe(*state) == states_[i]) return "state " + std::to_string(i);
      }
      return "a state that never was: " + Describe(*state);
    }
    EXPECT_EQ(state.status().detail(), StatusDetail::kManifestCorruption) << state.status().ToString();
    EXPECT_NE(state.status().message().find(" @"), Slice::npos) << state.status().ToString();
    return state.status().IsCorruption() ? "corruption" : state.status().ToString();
  }

  // What a file of the same length with these bytes is read as.
  std::string Expected(const std::string& bytes) const {
    const auto intact = [&](size_t begin, size_t end) {
      return bytes.substr(begin, end - begin) == manifest_.substr(begin, end - begin);
    };
    if (!intact(0, ends_[0])) return "corruption";
    size_t i = 1;
    while (i < ends_.size() && intact(ends_[i - 1], ends_[i])) ++i;
    for (size_t later = i + 1; later < ends_.size(); ++later) {
      if (intact(ends_[later - 1], ends_[later])) return "corruption";
    }
    return "state " + std::to_string(i - 1);
  }

  static constexpr const char* kManifest = "/db/MANIFEST-000001";
  MemoryFileSystem fs_;
  std::vector<std::string> states_;
  std::vector<size_t> ends_;
  std::string manifest_;
  std::string current_;
};

TEST_F(ManifestFileTest, EveryByteFlipped) {
  for (size_t i = 0; i < manifest_.size(); ++i) {
    for (const int mask : {0x01, 0x80, 0xff}) {
      std::string bytes = manifest_;
      bytes[i] = static_cast<char>(bytes[i] ^ mask);
      Store(fs_, kManifest, bytes);
      ASSERT_EQ(Read(), Expected(bytes)) << "byte " << i << " mask " << mask;
    }
  }
}

TEST_F(ManifestFileTest, CutAtEveryLength) {
  for (size_t n = 0; n <= manifest_.size(); ++n) {
    Store(fs_, kManifest, manifest_.substr(0, n));
    std::string wanted = "corruption";
    for (size_t i = 0; i < ends_.size(); ++i) {
      if (n >= ends_[i]) wanted = "state " + std::to_string(i);
    }
    ASSERT_EQ(Read(), wanted) << n;
  }
}

TEST_F(ManifestFileTest, RangesZeroedAndBytesBehindTheEnd) {
  for (size_t i = 0; i < manifest_.size(); i += 5) {
    std::string bytes = manifest_;
    for (size_t k = i; k < std::min(i + 30, bytes.size()); ++k) bytes[k] = 0;
    Store(fs_, kManifest, bytes);
    ASSERT_EQ(Read(), Expected(bytes)) << i;
  }
  for (const std::string& tail : {std::string(100, '\0'), std::string("torn"), std::string(200, '\xff')}) {
    Store(fs_, kManifest, manifest_ + tail);
    EXPECT_EQ(Read(), "state 4");
  }
}

// Each offset a head of a plausible record that reaches to the end: checking all would take hours.
TEST_F(ManifestFileTest, BytesThatAllLookLikeRecordsAreRefusedInTime) {
  std::string bytes = manifest_;
  constexpr size_t kHostileBytes = 32 << 20;
  const size_t end = bytes.size() + kHostileBytes;
  while (bytes.size() + kManifestRecordHeadBytes < end) {
    AppendU32(&bytes, 0);
    AppendU32(&bytes, static_cast<uint32_t>(end - bytes.size() - 2 * kManifestRecordHeadBytes));
    AppendU64(&bytes, 100);
  }
  Store(fs_, kManifest, bytes);
  EXPECT_EQ(Read(), "corruption");
}

TEST_F(ManifestFileTest, RecordsAreBoundToTheirManifestAndPlace) {
  // The whole file under another name.
  Store(fs_, "/db/MANIFEST-000009", manifest_);
  bool renamed = false;
  ASSERT_TRUE(WriteCurrent(fs_, "/db", 9, &renamed).ok());
  EXPECT_TRUE(renamed);
  EXPECT_EQ(Read(), "corruption");
  // Records of another manifest behind a good header.
  {
    auto writer = *ManifestWriter::Create(fs_, "/db/MANIFEST-000010", 10);
    VersionEdit edit;
    edit.epoch = 1;
    ASSERT_TRUE(writer->Append(edit.Encode()).ok());
  }
  const std::string header = ReadFileToString(fs_, "/db/MANIFEST-000010")->substr(0, kManifestHeaderBytes);
  Store(fs_, "/db/MANIFEST-000010", header + manifest_.substr(kManifestHeaderBytes));
  ASSERT_TRUE(WriteCurrent(fs_, "/db", 10, &renamed).ok());
  EXPECT_EQ(Read(), "corruption");
  // A record left out, and one twice.
  ASSERT_TRUE(WriteCurrent(fs_, "/db", 1, &renamed).ok());
  Store(fs_, kManifest, manifest_.substr(0, ends_[1]) + manifest_.substr(ends_[2]));
  EXPECT_EQ(Read(), "corruption");
  Store(fs_, kManifest, manifest_ + manifest_.substr(ends_[3]));
  EXPECT_EQ(Read(), "state 4");
}

TEST_F(ManifestFileTest, TheFirstRecordMustBeASnapshot) {
  {
    auto writer = *ManifestWriter::Create(fs_, "/db/MANIFEST-000009", 9);
    VersionEdit edit = AddTable(2);
    edit.num_levels = 4;
    ASSERT_TRUE(writer->Append(edit.Encode()).ok());
  }
  bool renamed = false;
  ASSERT_TRUE(WriteCurrent(fs_, "/db", 9, &renamed).ok());
  const Status status = ReadManifest(fs_, "/db", nullptr).status();
  EXPECT_EQ(status.ToString(),
            "Corruption: read manifest /db/MANIFEST-000009 @64: found an edit, expected a snapshot of the "
            "whole state");
}

TEST_F(ManifestFileTest, CurrentDamaged) {
  for (size_t i = 0; i < current_.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bytes = current_;
      bytes[i] = static_cast<char>(bytes[i] ^ (1 << bit));
      Store(fs_, "/db/CURRENT", bytes);
      const Status status = ReadManifest(fs_, "/db", nullptr).status();
      ASSERT_TRUE(status.IsCorruption()) << i << " " << status.ToString();
      EXPECT_EQ(status.detail(), StatusDetail::kManifestCorruption);
      EXPECT_NE(status.message().find("/db/CURRENT"), Slice::npos) << status.ToString();
    }
    Store(fs_, "/db/CURRENT", current_.substr(0, i));
    EXPECT_TRUE(ReadManifest(fs_, "/db", nullptr).status().IsCorruption()) << i;
  }
  for (const std::string& bytes : {current_ + "\n", current_ + current_, std::string(100'000, 'M')}) {
    Store(fs_, "/db/CURRENT", bytes);
    EXPECT_TRUE(ReadManifest(fs_, "/db", nullptr).status().IsCorruption());
  }
}

TEST_F(ManifestFileTest, CurrentNamesAMissingManifest) {
  ASSERT_TRUE(fs_.DeleteFile(kManifest).ok());
  EXPECT_EQ(
      ReadManifest(fs_, "/db", nullptr).status().ToString(),
      "Corruption: read /db/CURRENT @0: found the name MANIFEST-000001, expected that of a manifest that "
      "exists");
}

TEST_F(ManifestFileTest, Visit) {
  std::vector<uint64_t> offsets;
  std::string text;
  const auto visit = [&](uint64_t offset, const VersionEdit& edit) {
    offsets.push_back(offset);
    text += edit.ToString();
  };
  ASSERT_TRUE(VisitManifest(fs_, kManifest, visit).ok());
  EXPECT_EQ(offsets, (std::vector<uint64_t>{64, ends_[0], ends_[1], ends_[2], ends_[3]}));
  EXPECT_NE(text.find("delete table 2 L0\n"), std::string::npos);
  Store(fs_, kManifest, manifest_.substr(0, ends_[2] + 3));
  offsets.clear();
  ASSERT_TRUE(VisitManifest(fs_, kManifest, visit).ok());
  EXPECT_EQ(offsets.size(), 3u);
}

// tests/golden/v1 is read for ever, and what is written today is the same bytes.
TEST(ManifestGolden, BytesAreThoseOfVersion1) {
  MemoryFileSystem memory;
  ASSERT_TRUE(memory.CreateDirectory("/db").ok());
  ManifestState state = NewDatabaseState();
  state.next_file_number = 7;
  const auto set = VersionSet::Create(memory, "/db", state, nullptr);
  ASSERT_TRUE(set.ok());
  VersionEdit edit = AddTable(8, std::string("\0a", 2), std::string("\0z", 2));
  edit.added_logs = {{9, 0x5eed5eed5eed5eed}};
  ASSERT_TRUE((*set)->Apply(edit).ok());
  edit = {};
  edit.deleted_tables = {{0, 8}};
  edit.log_number = 10;
  edit.log_first_record = 77;
  ASSERT_TRUE((*set)->Apply(edit).ok());
  ASSERT_EQ((*set)->manifest_number(), 7u);

  const auto fs = PosixFileSystem();
  const std::string directory = std::string(SEERDB_SOURCE_DIR) + "/tests/golden/v1/";
  std::map<std::string, std::string> golden;
  for (const std::string name : {"MANIFEST", "CURRENT"}) {
    const std::string written =
        *ReadFileToString(memory, name == "CURRENT" ? "/db/CURRENT" : "/db/MANIFEST-000007");
    if (std::getenv("SEERDB_REWRITE") != nullptr) Store(*fs, directory + name, written);
    const auto bytes = ReadFileToString(*fs, directory + name);
    ASSERT_TRUE(bytes.ok()) << bytes.status().ToString();
    EXPECT_TRUE(*bytes == written) << "the bytes of " << name << " have changed";
    golden[name] = *bytes;
  }
  ASSERT_TRUE(memory.CreateDirectory("/golden").ok());
  Store(memory, "/golden/CURRENT", golden["CURRENT"]);
  Store(memory, "/golden/MANIFEST-000007", golden["MANIFEST"]);
  const auto read = ReadManifest(memory, "/golden", nullptr);
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_EQ(Describe(*read), "sequence 80 log 10 from 77 epoch 7 levels 4\n");
  EXPECT_EQ(read->next_file_number, 71u);
}

}  // namespace
}  // namespace seerdb
