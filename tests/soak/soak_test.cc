// A mixed load for hours: memory and open files must stay where they settle.
//
// SEERDB_SOAK_SECONDS and SEERDB_SOAK_MB (of live data) set its size; without them it runs for a few seconds.
#include <sys/stat.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "base/random.h"
#include "base/units.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

constexpr size_t kValueBytes = 1000;
constexpr int kSamples = 200;
// Standard streams, lock, manifest, live and spare logs, those of the test.
constexpr uint64_t kOtherDescriptors = 24;

struct Sample {
  uint64_t memory_bytes = 0;  // anonymous: what is mapped of files comes and goes with the page cache
  uint64_t descriptors = 0;
};

uint64_t AnonymousBytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssAnon:")) return std::stoull(line.substr(8)) * 1024;
  }
  return 0;
}

uint64_t OpenDescriptors() {
  const std::filesystem::directory_iterator files("/proc/self/fd");
  return static_cast<uint64_t>(std::distance(begin(files), end(files)));
}

uint64_t DiskBytes(const std::string& directory) {
  uint64_t sum = 0;
  std::error_code ignored;
  for (const auto& file : std::filesystem::directory_iterator(directory, ignored)) {
    struct stat info;
    if (::stat(file.path().c_str(), &info) == 0) sum += static_cast<uint64_t>(info.st_blocks) * 512;
  }
  return sum;
}

class Load {
 public:
  Load(DB* db, uint64_t keys, uint64_t seed)
      : db_(*db), keys_(keys), random_(seed), noise_(2 * kValueBytes, '\0') {
    for (char& byte : noise_) byte = static_cast<char>(random_.Next());
  }

  void Fill() {
    for (uint64_t n = 0; n < keys_; ++n) PutOne(n);
  }
  void ReleaseSnapshots() { snapshots_.clear(); }

  void Step() {
    const uint64_t n = random_.Uniform(keys_);
    switch (random_.Uniform(20)) {
      case 0:
        EXPECT_OK(db_.Delete(Key(n)));
        break;
      case 1:
        Walk(n);
        break;
      case 2:
        if (snapshots_.size() < 8 && random_.Uniform(1000) == 0) snapshots_.push_back(db_.GetSnapshot());
        if (!snapshots_.empty() && random_.Uniform(1000) == 0) snapshots_.erase(snapshots_.begin());
        break;
      case 3:
      case 4:
      case 5:
      case 6:
      case 7:
      case 8:
        EXPECT_TRUE(db_.Get(Key(n)).ok());
        break;
      default:
        PutOne(n);
    }
  }

 private:
  void PutOne(uint64_t n) {
    EXPECT_OK(db_.Put(Key(n), Slice(noise_).substr(random_.Uniform(kValueBytes), kValueBytes)));
  }

  static std::string Key(uint64_t n) {
    char key[24];
    std::snprintf(key, sizeof key, "%016" PRIx64, n * 0x9e3779b97f4a7c15);
    return key;
  }

  void Walk(uint64_t n) {
    const auto it = db_.NewIterator();
    it->Seek(Key(n));
    for (int i = 0; i < 20 && it->Valid(); ++i) it->Next();
    EXPECT_OK(it->status());
  }

  DB& db_;
  const uint64_t keys_;
  Random random_;
  std::string noise_;
  std::vector<Snapshot> snapshots_;
};

template <typename Field>
uint64_t Mean(const std::vector<Sample>& samples, size_t from, size_t to, Field field) {
  uint64_t sum = 0;
  for (size_t i = from; i < to; ++i) sum += samples[i].*field;
  return sum / (to - from);
}

TEST(Soak, MemoryAndDescriptorsStayFlat) {
  const uint64_t seconds = EnvNumber("SEERDB_SOAK_SECONDS", 8);
  const uint64_t data_bytes = EnvNumber("SEERDB_SOAK_MB", 50) * kMiB;
  const TempDirectory directory;
  Options options;
  options.memtable_capacity = std::clamp<uint64_t>(data_bytes / 50, kMiB, 64 * kMiB);
  options.base_level_size = 4 * options.memtable_capacity;
  options.target_file_size = options.memtable_capacity;
  options.block_cache_capacity = 16 * kMiB;
  options.table_access = TableAccess::kPread;
  options.wal_sync_policy = SyncPolicy::kNone;
  const auto db = OpenOrFail(options, directory.path() + "/db");
  ASSERT_TRUE(db);
  Load load(db.get(), data_bytes / kValueBytes, TestSeed());
  load.Fill();
  const auto clock = SystemClock();
  const uint64_t start_us = clock->NowMicros();
  std::vector<Sample> samples;
  uint64_t steps = 0;
  while (samples.size() < kSamples) {
    const uint64_t due_us = start_us + (samples.size() + 1) * seconds * 1'000'000 / kSamples;
    while (clock->NowMicros() < due_us) {
      for (int i = 0; i < 50; ++i) load.Step();
      steps += 50;
    }
    samples.push_back({AnonymousBytes(), OpenDescriptors()});
    if (samples.size() % (kSamples / 20) == 0) {
      std::printf("[ SOAK     ] %3.0f %%: %" PRIu64 " operations, %" PRIu64 " MB of memory, %" PRIu64
                  " descriptors, %" PRIu64 " MB on disk\n",
                  100.0 * static_cast<double>(samples.size()) / kSamples, steps,
                  samples.back().memory_bytes / kMiB, samples.back().descriptors,
                  DiskBytes(directory.path() + "/db") / kMiB);
      std::fflush(stdout);
    }
    ASSERT_FALSE(HasFailure());
  }
  // The second quarter, when the data has settled, against the last.
  const size_t quarter = kSamples / 4;
  const uint64_t early = Mean(samples, quarter, 2 * quarter, &Sample::memory_bytes);
  const uint64_t late = Mean(samples, 3 * quarter, kSamples, &Sample::memory_bytes);
  EXPECT_LE(late, early + early / 10 + 16 * kMiB);
  load.ReleaseSnapshots();
  EXPECT_OK(db->CompactRange());
  uint64_t tables = 0;
  for (const LevelStats& level : db->Stats().levels) tables += level.files;
  EXPECT_LE(OpenDescriptors(), tables + kOtherDescriptors) << tables << " tables";
  EXPECT_TRUE(db->Verify().ok());
}

}  // namespace
}  // namespace seerdb::testing
