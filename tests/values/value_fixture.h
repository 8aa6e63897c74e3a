// ValueFixture: what the tests of large values share: a small database in memory with short segments, what
// lies in its segments, and ways to damage them.
//
// Thread safety: external synchronization.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "format/file_name.h"
#include "tests/data_model/data_model_fixture.h"

namespace seerdb::testing {

class ValueFixture : public DataModelFixture {
 protected:
  static constexpr uint64_t kSeparation = 100;

  ValueFixture() {
    options_.separation_bytes = kSeparation;
    options_.value_segment_bytes = uint64_t{64} << 10;
    CompactOnlyWhenAsked();
    Reopen();
  }
  // Told apart by `seed`.
  static std::string Value(int seed, size_t bytes = 1000) {
    std::string value;
    for (size_t i = 0; value.size() < bytes; ++i)
      value += std::to_string(seed * 7919 + static_cast<int>(i)) + ".";
    value.resize(bytes);
    return value;
  }
  static std::string Key(int i) { return "key" + std::to_string(1000 + i); }

  std::vector<std::string> Names(FileKind kind) {
    std::vector<std::string> names;
    const auto all = fs_->ListDirectory("/db");
    EXPECT_OK(all.status());
    for (const std::string& name : *all) {
      uint64_t number = 0;
      if (ParseFileName(name, &number) == kind) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  std::vector<std::string> Segments() { return Names(FileKind::kValues); }
  uint64_t SegmentBytes() {
    uint64_t bytes = 0;
    for (const std::string& name : Segments()) {
      const auto info = fs_->GetFileInfo("/db/" + name);
      EXPECT_OK(info.status());
      bytes += info->bytes;
    }
    return bytes;
  }
  std::string Bytes(const std::string& name) {
    const auto bytes = ReadFileToString(*fs_, "/db/" + name);
    EXPECT_OK(bytes.status());
    return bytes.ok() ? *bytes : std::string();
  }
  void Store(const std::string& name, Slice bytes) {
    auto file = fs_->NewWritableFile("/db/" + name, CreateMode::kTruncate);
    ASSERT_OK(file.status());
    ASSERT_OK((*file)->Append(bytes));
    ASSERT_OK((*file)->SyncAll());
    ASSERT_OK((*file)->Close());
    ASSERT_OK(fs_->SyncDirectory("/db"));
  }
  // Flips a bit in the middle of `text`, which one segment holds once. Returns the segment's name.
  std::string Damage(const std::string& text) {
    for (const std::string& name : Segments()) {
      std::string bytes = Bytes(name);
      const size_t at = bytes.find(text);
      if (at == std::string::npos) continue;
      bytes[at + text.size() / 2] ^= 4;
      Store(name, bytes);
      return name;
    }
    ADD_FAILURE() << "no segment holds " << Printable(text);
    return "";
  }
  bool SomeSegmentHolds(const std::string& text) {
    const std::vector<std::string> names = Segments();
    return std::any_of(names.begin(), names.end(),
                       [&](const std::string& name) { return Bytes(name).find(text) != std::string::npos; });
  }

  void ExpectAll(const Contents& want) {
    EXPECT_EQ(Difference(want, ReadAll(*db_)), "");
    for (const auto& [key, value] : want) {
      EXPECT_TRUE(GetText(*db_, key) == "=" + value) << key;
    }
  }
  static void ExpectDamaged(const Status& status) {
    EXPECT_TRUE(status.IsCorruption()) << status.ToString();
    EXPECT_EQ(status.detail(), StatusDetail::kValueCorruption) << status.ToString();
  }
};

}  // namespace seerdb::testing
