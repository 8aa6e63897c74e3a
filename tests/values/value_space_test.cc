// Large values and the space target: garbage in value segments counts, is reported, and is given back in
// time.
#include <algorithm>

#include "env/memory_file_system.h"
#include "tests/data_model/data_model_fixture.h"

namespace seerdb::testing {
namespace {

class ValueSpaceTest : public DataModelFixture {
 protected:
  static constexpr int kKeys = kSanitized ? 1500 : 4000;
  static constexpr size_t kValueBytes = 2048;

  ValueSpaceTest() {
    options_ = Options();
    options_.file_system = fs_;
    options_.executor = NewCooperativeExecutor();
    options_.memtable_capacity = 64 << 10;
    options_.wal_segment_bytes = 64 << 10;
    options_.base_level_size = 64 << 10;
    options_.target_file_size = 64 << 10;
    options_.separation_bytes = 512;
    options_.value_segment_bytes = 256 << 10;
    options_.wal_sync_policy = SyncPolicy::kNone;
  }
  void Overwrite(int count, uint64_t seed) {
    std::string value(kValueBytes, 'v');
    for (int i = 0; i < count; ++i) {
      seed = seed * 6364136223846793005 + 1442695040888963407;
      value[seed % kValueBytes] = static_cast<char>(seed >> 40);
      const std::string key = "key" + std::to_string(100'000 + (seed >> 33) % kKeys);
      EXPECT_OK(db_->Put(key, value));
      most_ = std::max(most_, i % 64 == 0 ? OfLive() : 0);
    }
  }
  double OfLive() {
    const double live = static_cast<double>(kKeys) * (kValueBytes + 9);
    return static_cast<double>(db_->Stats().directory_bytes) / live;
  }
  void Load() {
    const std::string value(kValueBytes, 'v');
    for (int i = 0; i < kKeys; ++i) EXPECT_OK(db_->Put("key" + std::to_string(100'000 + i), value));
    EXPECT_OK(db_->Flush());
    EXPECT_OK(db_->WaitForCompaction());
  }

  double most_ = 0;
};

TEST_F(ValueSpaceTest, AWorkloadOfOverwritesKeepsBelowTheTarget) {
  options_.space_amplification_target = 1.5;
  Reopen();
  Load();
  Overwrite(6 * kKeys, 1);
  std::printf("[ SPACE    ] most while overwriting: %.3f of what is live\n", most_);
  EXPECT_LE(most_, 1.5);
  EXPECT_OK(db_->WaitForCompaction());
  const DBStats stats = db_->Stats();
  EXPECT_GT(stats.value_gc_bytes_written, 0u);
  EXPECT_EQ(ReadAll(*db_).size(), static_cast<size_t>(kKeys));
}

TEST_F(ValueSpaceTest, WithoutATargetHalfOfTheSegmentsMayBeGarbage) {
  Reopen();
  Load();
  Overwrite(6 * kKeys, 1);
  EXPECT_OK(db_->WaitForCompaction());
  const DBStats stats = db_->Stats();
  std::printf(
      "[ SPACE    ] most while overwriting: %.3f, settled %.3f, values %llu, live %llu, segments %llu\n",
      most_, OfLive(), static_cast<unsigned long long>(stats.value_disk_bytes),
      static_cast<unsigned long long>(stats.value_live_bytes),
      static_cast<unsigned long long>(stats.value_segments));
  // And the segment that is being written.
  EXPECT_LE(stats.value_disk_bytes, 2 * stats.value_live_bytes + 2 * options_.value_segment_bytes);
  EXPECT_EQ(ReadAll(*db_).size(), static_cast<size_t>(kKeys));
}

// Each opening begins a segment, however little is put into it.
TEST_F(ValueSpaceTest, TheSmallSegmentsOfManyOpeningsArePutTogether) {
  Contents contents;
  for (int i = 0; i < 40; ++i) {
    Reopen();
    // Their tables overlap.
    for (const char* const side : {"left", "right"}) {
      const std::string key = side + std::to_string(100 + i);
      ASSERT_OK(db_->Put(key, contents[key] = std::string(kValueBytes, static_cast<char>('a' + i % 26))));
    }
    ASSERT_OK(db_->Flush());
  }
  ASSERT_OK(db_->CompactRange());
  ASSERT_OK(db_->WaitForCompaction());
  EXPECT_LE(db_->Stats().value_segments, 8u);
  EXPECT_EQ(Difference(contents, ReadAll(*db_)), "");
  const uint64_t moved = db_->Stats().value_gc_bytes_written;
  ASSERT_OK(db_->WaitForCompaction());
  EXPECT_EQ(db_->Stats().value_gc_bytes_written, moved) << "it comes to an end";
  Crash();
  EXPECT_EQ(Difference(contents, ReadAll(*db_)), "");
}

}  // namespace
}  // namespace seerdb::testing
