// What the tests of the value log share: values, and segments in memory.
//
// Thread safety: external synchronization.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "env/memory_file_system.h"
#include "vlog/value_reader.h"
#include "vlog/value_writer.h"

namespace seerdb {

inline constexpr uint64_t kTestSegment = 17;
inline constexpr DatabaseId kTestDatabase{0x0123456789abcdef, 0xfedcba9876543210};
inline const char kTestPath[] = "/db/000017.vlog";

// Told apart by `seed`, and each of its places from others.
inline std::string TestValue(uint64_t bytes, uint64_t seed = 1) {
  std::string value(bytes, '\0');
  uint64_t state = seed * 0x9e3779b97f4a7c15 + bytes;
  for (char& c : value) {
    state = state * 6364136223846793005 + 1442695040888963407;
    c = static_cast<char>(state >> 56);
  }
  return value;
}

inline std::shared_ptr<MemoryFileSystem> NewTestFileSystem() {
  auto fs = std::make_shared<MemoryFileSystem>();
  EXPECT_TRUE(fs->CreateDirectory("/db").ok());
  return fs;
}

inline Status OpenTestSegment(FileSystem& fs, std::shared_ptr<ValueReader>* reader,
                              uint64_t segment = kTestSegment, TableAccess access = TableAccess::kPread) {
  ValueOpenOptions options;
  options.access = access;
  options.database = kTestDatabase;
  options.segment = segment;
  Result<std::shared_ptr<ValueReader>> opened = ValueReader::Open(fs, kTestPath, options);
  if (opened.ok()) *reader = *std::move(opened);
  return opened.status();
}

// A whole segment with these values, under keys "k0", "k1", ...
inline std::vector<ValuePointer> WriteTestSegment(FileSystem& fs, const std::vector<std::string>& values) {
  std::vector<ValuePointer> pointers(values.size());
  auto writer = ValueWriter::Create(fs, kTestPath, {kTestDatabase, kTestSegment, 5});
  EXPECT_TRUE(writer.ok());
  for (size_t i = 0; i < values.size(); ++i) {
    EXPECT_TRUE((*writer)->Add("k", std::to_string(i), values[i], &pointers[i]).ok());
  }
  EXPECT_TRUE((*writer)->Flush().ok());
  EXPECT_TRUE((*writer)->Close().ok());
  return pointers;
}

inline std::string TestFileBytes(FileSystem& fs, const std::string& path = kTestPath) {
  const Result<std::string> bytes = ReadFileToString(fs, path);
  EXPECT_TRUE(bytes.ok());
  return bytes.ok() ? *bytes : std::string();
}

inline void StoreTestFile(FileSystem& fs, Slice bytes, const std::string& path = kTestPath) {
  const auto file = fs.NewWritableFile(path, CreateMode::kTruncate);
  ASSERT_TRUE(file.ok() && (*file)->Append(bytes).ok() && (*file)->Close().ok());
}

}  // namespace seerdb
