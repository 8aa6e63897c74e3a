// A small tree under overwrites and deletes: the directory stays under the space target at every second, with
// all that is there for a moment, and memory does not grow.
//
// SEERDB_SOAK_SECONDS and SEERDB_SOAK_MB (of live data) set its size; without them it runs for some seconds.
#include <sys/stat.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/random.h"
#include "base/units.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

constexpr double kTarget = 1.3;
constexpr uint32_t kValueMin = 100;
constexpr uint32_t kValueMax = 900;
constexpr size_t kKeyBytes = 16;

// The least-squares slope of memory over time may raise it by this part in the last two thirds. In so short a
// run as the default one it says nothing.
constexpr double kGrowthLimit = 0.01;
constexpr uint64_t kGrowthSeconds = 600;

struct Sample {
  double at_s = 0;
  uint64_t live_bytes = 0;
  uint64_t disk_bytes = 0;
  uint64_t memory_bytes = 0;

  double amplification() const { return static_cast<double>(disk_bytes) / static_cast<double>(live_bytes); }
};

uint64_t AnonymousBytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssAnon:")) return std::stoull(line.substr(8)) * 1024;
  }
  return 0;
}

// Blocks of all files. One that goes while it is counted counts as gone.
uint64_t DiskBytes(const std::string& directory) {
  uint64_t blocks = 0;
  std::error_code ignored;
  for (const auto& file : std::filesystem::directory_iterator(directory, ignored)) {
    struct stat info;
    if (::stat(file.path().c_str(), &info) == 0) blocks += static_cast<uint64_t>(info.st_blocks);
  }
  return blocks * 512;
}

// What is in the database, in bytes: for each key the length of its value, or none.
class Model {
 public:
  explicit Model(uint64_t keys) : values_(keys, kNone) {}
  void Put(uint64_t n, uint32_t value_bytes) {
    Delete(n);
    values_[n] = value_bytes;
    live_bytes_ += kKeyBytes + value_bytes;
  }
  void Delete(uint64_t n) {
    if (values_[n] == kNone) return;
    live_bytes_ -= kKeyBytes + values_[n];
    values_[n] = kNone;
  }
  bool Has(uint64_t n) const { return values_[n] != kNone; }
  uint32_t value_bytes(uint64_t n) const { return values_[n]; }
  uint64_t keys() const { return values_.size(); }
  uint64_t live_bytes() const { return live_bytes_; }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  std::vector<uint32_t> values_;
  uint64_t live_bytes_ = 0;
};

class Load {
 public:
  Load(DB* db, uint64_t keys, uint64_t seed)
      : db_(*db), model_(keys), random_(seed), noise_(2 * kValueMax, '\0') {
    for (char& byte : noise_) byte = static_cast<char>(random_.Next());
  }
  const Model& model() const { return model_; }

  void Fill() {
    for (uint64_t n = 0; n < model_.keys(); ++n) PutOne(n);
  }
  // About three keys in four are there at a time; whole stretches go and come back too.
  void Step() {
    const uint64_t n = random_.Uniform(model_.keys());
    const uint64_t draw = random_.Uniform(10'000);
    if (draw == 0) {
      const uint64_t end = std::min(n + 1'000, model_.keys());
      for (uint64_t i = n; i < end; ++i) DeleteOne(i);
    } else if (draw < 2'000) {
      DeleteOne(n);
    } else {
      PutOne(n);
    }
  }
  // Every key, against the model.
  void CheckAll() {
    uint64_t wrong = 0;
    for (uint64_t n = 0; n < model_.keys() && wrong < 5; ++n) {
      const auto got = db_.Get(Key(n));
      ASSERT_TRUE(got.ok()) << got.status().ToString();
      const bool right = got->has_value() == model_.Has(n) &&
                         (!got->has_value() || (*got)->slice().size() == model_.value_bytes(n));
      if (!right) ++wrong;
      EXPECT_TRUE(right) << "key " << n;
    }
  }

 private:
  static std::string Key(uint64_t n) {
    std::string key(kKeyBytes, '0');
    for (size_t i = kKeyBytes; n != 0 && i > 0; n /= 10) key[--i] = static_cast<char>('0' + n % 10);
    return key;
  }
  void PutOne(uint64_t n) {
    const auto bytes = static_cast<uint32_t>(kValueMin + random_.Uniform(kValueMax - kValueMin + 1));
    EXPECT_OK(db_.Put(Key(n), Slice(noise_).substr(random_.Uniform(kValueMax), bytes)));
    model_.Put(n, bytes);
  }
  void DeleteOne(uint64_t n) {
    EXPECT_OK(db_.Delete(Key(n)));
    model_.Delete(n);
  }

  DB& db_;
  Model model_;
  Random random_;
  std::string noise_;
};

// What the memory gains from the first sample to the last, along the least-squares line, as a part of its
// mean.
double Growth(const std::vector<Sample>& samples, size_t from) {
  const auto count = static_cast<double>(samples.size() - from);
  double mean_s = 0, mean_bytes = 0;
  for (size_t i = from; i < samples.size(); ++i) {
    mean_s += samples[i].at_s / count;
    mean_bytes += static_cast<double>(samples[i].memory_bytes) / count;
  }
  double product = 0, square = 0;
  for (size_t i = from; i < samples.size(); ++i) {
    const double dt = samples[i].at_s - mean_s;
    product += dt * (static_cast<double>(samples[i].memory_bytes) - mean_bytes);
    square += dt * dt;
  }
  if (square == 0 || mean_bytes == 0) return 0;
  return product / square * (samples.back().at_s - samples[from].at_s) / mean_bytes;
}

void PrintSample(const char* what, const Sample& s, const DBStats& stats) {
  std::printf("[ SOAK     ] %7.0f s  %8.1f  %8.1f  %6.3f  %8.1f  %6" PRIu64 "  %s\n", s.at_s,
              static_cast<double>(s.live_bytes) / kMiB, static_cast<double>(s.disk_bytes) / kMiB,
              s.amplification(), static_cast<double>(s.memory_bytes) / kMiB, stats.total_sstables, what);
  std::fflush(stdout);
}

Options SoakOptions() {
  Options options;
  options.memtable_capacity = 512 << 10;
  options.wal_segment_bytes = 512 << 10;
  options.base_level_size = 4 * kMiB;
  options.target_file_size = kMiB;
  options.block_cache_capacity = 4 * kMiB;
  options.wal_sync_policy = SyncPolicy::kNone;
  options.space_amplification_target = kTarget;
  return options;
}

// A sample a second while `load` runs. Writing lasts until `seconds` have passed.
std::vector<Sample> RunLoad(DB* db, Load* load, const std::string& directory, uint64_t seconds) {
  const auto clock = SystemClock();
  const uint64_t start_us = clock->NowMicros();
  std::vector<Sample> samples;
  samples.reserve(seconds);
  const uint64_t line_every = std::max<uint64_t>(seconds / 30, 1);
  std::printf("[ SOAK     ] %9s  %8s  %8s  %6s  %8s  %6s\n", "", "live MB", "disk MB", "ratio", "anon. MB",
              "tables");
  while (samples.size() < seconds && !::testing::Test::HasFailure()) {
    const uint64_t due_us = start_us + (samples.size() + 1) * 1'000'000;
    while (clock->NowMicros() < due_us) {
      for (int i = 0; i < 50; ++i) load->Step();
    }
    samples.push_back({static_cast<double>(clock->NowMicros() - start_us) / 1e6, load->model().live_bytes(),
                       DiskBytes(directory), AnonymousBytes()});
    if (samples.size() % line_every == 0) PrintSample("", samples.back(), db->Stats());
  }
  return samples;
}

TEST(SpaceSoak, SpaceStaysUnderTheTargetAndMemoryFlat) {
  if (std::getenv("SEERDB_SOAK_SECONDS") == nullptr) GTEST_SKIP() << "run by the suite soak-space";
  const uint64_t seconds = std::max<uint64_t>(EnvNumber("SEERDB_SOAK_SECONDS", 15), 6);
  const uint64_t data_bytes = EnvNumber("SEERDB_SOAK_MB", 100) * kMiB;
  const TempDirectory directory;
  const std::string path = directory.path() + "/db";
  const auto db = OpenOrFail(SoakOptions(), path);
  ASSERT_TRUE(db);
  Load load(db.get(), data_bytes / (kKeyBytes + (kValueMin + kValueMax) / 2), TestSeed());
  load.Fill();
  EXPECT_OK(db->WaitForCompaction());
  const std::vector<Sample> samples = RunLoad(db.get(), &load, path, seconds);
  ASSERT_FALSE(HasFailure());

  const size_t warm = samples.size() / 3;
  uint64_t over = 0;
  Sample worst = samples[warm];
  for (size_t i = warm; i < samples.size(); ++i) {
    if (samples[i].amplification() > kTarget) ++over;
    if (samples[i].amplification() > worst.amplification()) worst = samples[i];
  }
  const double growth = Growth(samples, warm);
  PrintSample("the worst after warm-up", worst, db->Stats());
  std::printf("[ SOAK     ] space: %" PRIu64 " of %zu samples after warm-up above %.2f, worst %.3f\n", over,
              samples.size() - warm, kTarget, worst.amplification());
  std::printf("[ SOAK     ] memory: %+.2f %% over the last two thirds, by least squares\n", growth * 100);
  EXPECT_EQ(over, 0u) << "the worst: " << worst.disk_bytes << " bytes on disk for " << worst.live_bytes
                      << " live ones at " << worst.at_s << " s\n"
                      << db->Stats().ToString();
  if (seconds >= kGrowthSeconds) {
    EXPECT_LT(growth, kGrowthLimit);
  }
  load.CheckAll();
  EXPECT_TRUE(db->Verify().ok());
  EXPECT_OK(db->Close());
}

// The measure itself.
TEST(SpaceSoak, GrowthIsTheSlopeOverTheMean) {
  struct Case {
    std::vector<uint64_t> memory_bytes;
    double growth;
  };
  const Case cases[] = {
      {{100, 100, 100}, 0.0}, {{90, 100, 110}, 0.2}, {{110, 100, 90}, -0.2}, {{100, 130, 100}, 0.0}};
  for (const Case& c : cases) {
    std::vector<Sample> samples = {{0, 0, 0, 1'000'000}};  // before `from`
    for (size_t i = 0; i < c.memory_bytes.size(); ++i) {
      samples.push_back({static_cast<double>(i), 0, 0, c.memory_bytes[i]});
    }
    EXPECT_NEAR(Growth(samples, 1), c.growth, 1e-9);
  }
}

}  // namespace
}  // namespace seerdb::testing
