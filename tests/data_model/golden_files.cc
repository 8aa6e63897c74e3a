#include "tests/data_model/golden_files.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "wal/log_format.h"

namespace seerdb::testing {
namespace {

std::string GoldenDirectory(const std::string& name) {
  return std::string(SEERDB_SOURCE_DIR) + "/tests/golden/v1/" + name;
}

}  // namespace

Files ReadGolden(const std::string& name) {
  Files files;
  for (const auto& entry : std::filesystem::directory_iterator(GoldenDirectory(name))) {
    const auto bytes = ReadFileToString(*PosixFileSystem(), entry.path().string());
    EXPECT_TRUE(bytes.ok());
    if (bytes.ok()) files[entry.path().filename().string()] = *bytes;
  }
  return files;
}

void WriteGolden(const std::string& name, MemoryFileSystem* fs) {
  const std::string directory = GoldenDirectory(name);
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
  const std::shared_ptr<MemoryFileSystem> left = fs->CrashClone({1, CrashOptions::kProcessCrash, true});
  const std::vector<std::string> names = *left->ListDirectory("/db");
  for (const std::string& file_name : names) {
    if (file_name == "LOCK") continue;
    const auto bytes = ReadFileToString(*left, "/db/" + file_name);
    const auto file = PosixFileSystem()->NewWritableFile(directory + "/" + file_name, CreateMode::kTruncate);
    ASSERT_TRUE(bytes.ok() && file.ok());
    ASSERT_OK((*file)->Append(*bytes));
    ASSERT_OK((*file)->Close());
  }
}

bool RewritesGolden() { return std::getenv("SEERDB_REWRITE") != nullptr; }

void ForEachTornLog(const Files& golden,
                    const std::function<void(const Files& torn, const std::string& where)>& visit) {
  for (const auto& [name, bytes] : golden) {
    if (!name.ends_with(".log")) continue;
    for (size_t at = 0; at <= bytes.find_last_not_of('\0') + kLogFrameHeadBytes; at += kLogFrameHeadBytes) {
      Files torn = golden;
      torn[name].resize(std::min(at, bytes.size()));
      torn[name].resize(bytes.size(), '\0');
      visit(torn, name + " torn @" + std::to_string(at));
    }
  }
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

}  // namespace seerdb::testing
