// The fuzz targets over their seeds (fuzz/seeds), and over random changes of these, as ordinary tests.
// SEERDB_REWRITE=1 writes the seeds anew.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/random.h"
#include "env/memory_file_system.h"
#include "format/batch_codec.h"
#include "fuzz/targets.h"
#include "learned/model_codec.h"
#include "learned/pla_builder.h"
#include "manifest/version_edit.h"
#include "manifest/version_set.h"
#include "sstable/table_builder.h"
#include "tests/support/test_support.h"
#include "wal/log_format.h"

namespace seerdb::testing {
namespace {

std::string SeedDirectory(const std::string& target) {
  return std::string(SEERDB_SOURCE_DIR) + "/fuzz/seeds/" + target;
}

void WriteSeed(const std::string& target, const std::string& name, const std::string& bytes) {
  std::filesystem::create_directories(SeedDirectory(target));
  std::ofstream(SeedDirectory(target) + "/" + name, std::ios::binary) << bytes;
}

std::string BatchSeed(int operations) {
  WriteBatch batch;
  for (int i = 0; i < operations; ++i) {
    batch.Put("key" + std::to_string(i), std::string(static_cast<size_t>(i), 'v'));
    if (i % 3 == 2) batch.Delete("key");
  }
  return std::string(batch.rep());
}

void WriteBatchSeeds() {
  WriteSeed("batch", "empty", "");
  WriteSeed("batch", "one", BatchSeed(1));
  WriteSeed("batch", "many", BatchSeed(12));
}

void WriteLogSeeds() {
  constexpr LogIdentity kIdentity{{0x0123456789abcdef, 0xfedcba9876543210}, 7, 99};
  std::string log(kLogHeaderBytes, '\0');
  EncodeLogHeader({kIdentity, 1, kLogFormatVersion}, log.data());
  uint64_t record = 1;
  for (const int operations : {1, 4, 0, 9}) {
    const std::string sequence = std::string(1, static_cast<char>(record)) + std::string(7, '\0');
    AppendLogFrame(&log, kIdentity, record, record - 1, sequence, BatchSeed(operations));
    ++record;
  }
  for (char choice = 0; choice < 4; ++choice) {
    WriteSeed("log", "choice" + std::to_string(choice), std::string(1, choice) + log);
  }
}

VersionEdit FullEdit() {
  VersionEdit edit;
  edit.next_file_number = 40;
  edit.last_sequence = 1000;
  edit.log_number = 12;
  edit.log_first_record = 77;
  edit.epoch = 5;
  edit.added_logs.push_back({12, 5});
  for (uint64_t number = 20; number < 23; ++number) {
    VersionEdit::AddedTable table;
    table.level = static_cast<uint32_t>(number - 20);
    table.run = number;
    table.meta.number = number;
    table.meta.bytes = 4096;
    table.meta.smallest_key = std::string("\0a", 2);
    table.meta.largest_key = std::string("\0z", 2);
    table.meta.smallest_sequence = 1;
    table.meta.largest_sequence = 900;
    table.meta.entries = 50;
    edit.added_tables.push_back(table);
  }
  return edit;
}

void WriteManifestSeeds() {
  WriteSeed("manifest", "edit", std::string(1, '\0') + FullEdit().Encode());
  VersionEdit removal;
  removal.deleted_tables.push_back({0, 20});
  WriteSeed("manifest", "removal", std::string(1, '\0') + removal.Encode());
  // A whole manifest, as a small database leaves it.
  Options options = TinyOptions();
  const auto fs = std::make_shared<MemoryFileSystem>();
  options.file_system = fs;
  const auto db = OpenOrFail(options, "/db");
  for (int i = 0; i < 200; ++i) ASSERT_OK(db->Put("key" + std::to_string(i), std::string(60, 'v')));
  ASSERT_OK(db->Close());
  const auto names = fs->ListDirectory("/db");
  for (const std::string& name : *names) {
    if (!name.starts_with("MANIFEST")) continue;
    WriteSeed("manifest", "file", std::string(1, '\1') + *ReadFileToString(*fs, "/db/" + name));
  }
}

void WriteTableSeeds() {
  for (const CompressionType compression :
       {CompressionType::kNone, CompressionType::kLz4, CompressionType::kZstd}) {
    MemoryFileSystem fs;
    auto file = fs.NewWritableFile("/t", CreateMode::kTruncate);
    ASSERT_TRUE(file.ok());
    TableBuilderOptions options;
    options.compression = compression;
    options.block_bytes = 128;
    options.table_number = 7;
    TableBuilder builder(options, file->get());
    for (int i = 0; i < 40; ++i) {
      std::string key("\0key", 4);
      key += std::to_string(100 + i);
      const bool tombstone = i % 7 == 3;
      ASSERT_OK(builder.Add(
          key,
          PackTrailer(static_cast<uint64_t>(i) + 1, tombstone ? ValueType::kDeletion : ValueType::kValue),
          tombstone ? Slice() : Slice("a value, a value, a value")));
    }
    ASSERT_TRUE(builder.Finish().ok());
    const std::string bytes = *ReadFileToString(fs, "/t");
    for (const char choice : {0, 1, 3, 9}) {
      WriteSeed("table",
                "compression" + std::to_string(static_cast<int>(compression)) + "-" + std::to_string(choice),
                std::string(1, choice) + bytes);
    }
  }
}

void WriteModelSeeds() {
  for (const int ranks : {0, 1, 100}) {
    PlaBuilder builder(2);
    for (int i = 0; i < ranks; ++i) builder.Add(static_cast<uint64_t>(i) * i * 977);
    std::string bytes;
    AppendPlaModel(builder.Finish(), &bytes);
    WriteSeed("model", "ranks" + std::to_string(ranks), bytes);
  }
}

std::string Mutated(std::string bytes, Random* random) {
  for (uint64_t n = 1 + random->Uniform(4); n > 0; --n) {
    const size_t at = bytes.empty() ? 0 : random->Uniform(bytes.size());
    switch (random->Uniform(5)) {
      case 0:
        bytes.resize(at);
        break;
      case 1:
        bytes.insert(at, random->Uniform(20), static_cast<char>(random->Next()));
        break;
      case 2:
        bytes.erase(at, random->Uniform(20));
        break;
      default:
        if (!bytes.empty()) bytes[at] = static_cast<char>(random->OneIn(3) ? 0xff : random->Next());
    }
  }
  return bytes;
}

class FuzzSeedsTest : public ::testing::TestWithParam<fuzz::Target> {};

TEST_P(FuzzSeedsTest, SeedsAndTheirNeighbours) {
  if (EnvNumber("SEERDB_REWRITE", 0) != 0) {
    WriteBatchSeeds();
    WriteLogSeeds();
    WriteManifestSeeds();
    WriteTableSeeds();
    WriteModelSeeds();
  }
  const fuzz::Target& target = GetParam();
  Random random(TestSeed());
  std::vector<std::string> seeds;
  for (const auto& entry : std::filesystem::directory_iterator(SeedDirectory(target.name))) {
    std::ifstream in(entry.path(), std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  ASSERT_GE(seeds.size(), 3u);
  std::sort(seeds.begin(), seeds.end());
  for (const std::string& seed : seeds) target.run(seed);
  const int rounds = LongRun() ? 20'000 : kSanitized ? 100 : 500;
  for (int round = 0; round < rounds; ++round) {
    for (const std::string& seed : seeds) target.run(Mutated(seed, &random));
  }
}

INSTANTIATE_TEST_SUITE_P(Fuzz, FuzzSeedsTest, ::testing::ValuesIn(fuzz::kTargets),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace seerdb::testing
