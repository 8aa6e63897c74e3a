// A database is loaded with twenty times its memory budget, in a process of its own whose anonymous memory
// the operating system measures and limits.
#include <malloc.h>
#include <pthread.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>

#include "base/random.h"
#include "base/units.h"
#include "seerdb/memory_budget.h"
#include "tests/limits/process_memory.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

// Of what the allocator has handed out: what is held for a moment, or too small to be counted.
constexpr uint64_t kUncountedBytes = 3 * kMiB;
// Of what the process holds: stacks of threads too, and free memory between pieces in use. The latter depends
// on how the threads happened to run: half of a small budget as a rule, more than all of it once in some
// dozens.
constexpr uint64_t kOutsideBytes = 20 * kMiB;
// Address space beyond that: stacks whole, the allocator's regions, what an aligned mapping takes in passing.
constexpr uint64_t kOutsideAddressBytes = 32 * kMiB;

struct LoadCase {
  const char* name;
  TableAccess access;
  CompressionType compression;
  LogMode log_mode;
  bool background;
  uint64_t budget_mib;  // in short runs
};

std::string LoadKey(uint64_t number) {
  char key[17];
  std::snprintf(key, sizeof key, "%016llx", static_cast<unsigned long long>(number * 0x9e3779b97f4a7c15));
  return key;
}

unsigned long long KiB(uint64_t bytes) { return bytes >> 10; }

uint64_t Above(uint64_t bytes, uint64_t before_bytes) { return bytes - std::min(bytes, before_bytes); }

// Follows the peak of what the system counts, above what the process held when it began. What the parent
// freed and kept is given back first: it would count for the process before and be reused, or given back,
// later.
class Peak {
 public:
  Peak() : before_bytes_(HeldBytes()), allocated_before_(AllocatedBytes()), group_before_(Group()) {}
  void Look() {
    allocated_ = std::max(allocated_, Above(AllocatedBytes(), allocated_before_));
    process_ = std::max(process_, Above(ProcessStatusBytes("RssAnon"), before_bytes_));
    group_peak_ = std::max(group_peak_, Above(Group(), group_before_));
  }
  void ExpectWithin(uint64_t budget_bytes) const {
    std::printf("[ MEMORY   ] peaks: allocated %llu, process %llu, cgroup %s%llu KiB\n", KiB(allocated_),
                KiB(process_), group_.valid() ? "" : "NOT AVAILABLE HERE, SKIPPED ", KiB(group_peak_));
    if (kSanitized) return;
    EXPECT_LE(allocated_, budget_bytes + kUncountedBytes);
    EXPECT_LE(process_, budget_bytes + kOutsideBytes);
    EXPECT_LE(group_peak_, budget_bytes + kOutsideBytes);
  }

 private:
  static uint64_t HeldBytes() {
    malloc_trim(0);
    return ProcessStatusBytes("RssAnon");
  }
  // What the allocator has handed out, in all its regions; 0 under a sanitizer, which has its own.
  static uint64_t AllocatedBytes() {
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
  }
  uint64_t Group() const { return group_.valid() ? group_.anonymous_bytes() : 0; }
  MemoryCgroup group_;
  const uint64_t before_bytes_;
  const uint64_t allocated_before_;
  const uint64_t group_before_;
  uint64_t allocated_ = 0;
  uint64_t process_ = 0;
  uint64_t group_peak_ = 0;
};

void LimitAddressSpace(uint64_t bytes) {
  if (kSanitized) return;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 512 << 10);
  pthread_setattr_default_np(&attributes);
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_DATA, &limit), 0);
  limit.rlim_cur = ProcessStatusBytes("VmData") + bytes;
  ASSERT_EQ(setrlimit(RLIMIT_DATA, &limit), 0);
}

void Load(const LoadCase& tested, uint64_t budget_bytes) {
  TempDirectory place;
  LimitAddressSpace(budget_bytes + kOutsideAddressBytes);
  Peak peak;
  Options options;
  options.max_memory_bytes = budget_bytes;
  options.table_access = tested.access;
  options.compression = tested.compression;
  options.log_mode = tested.log_mode;
  options.wal_sync_policy = SyncPolicy::kNone;
  options.background_flush = options.background_compaction = tested.background;
  auto db = OpenOrFail(options, place.path() + "/db");
  ASSERT_TRUE(db);
  Random random(1);
  const std::string noise = [&random] {
    std::string bytes(4096, '\0');
    for (char& c : bytes) c = static_cast<char>(random.Next());
    return bytes;
  }();
  const uint64_t entries = (kSanitized ? 8 : 20) * budget_bytes / 116;
  uint64_t counted_peak = 0;
  for (uint64_t i = 0; i < entries; ++i) {
    const Status status = db->Put(LoadKey(i), Slice(noise).substr(i % 3900, 100));
    ASSERT_OK(status);
    if (i % 16 == 0) {  // reads fill the cache meanwhile
      const uint64_t asked = random.Uniform(i + 1);
      const auto got = db->Get(LoadKey(asked));
      ASSERT_TRUE(got.ok() && got->has_value()) << asked;
      ASSERT_EQ((*got)->slice(), Slice(noise).substr(asked % 3900, 100));
    }
    if (i % 4096 != 0) continue;
    peak.Look();
    const MemoryUsage usage = db->memory_usage();
    counted_peak = std::max(counted_peak, usage.total_bytes);
    ASSERT_LE(usage.total_bytes, budget_bytes) << usage.ToString();
  }
  peak.Look();
  const DBStats stats = db->Stats();
  std::printf(
      "[ MEMORY   ] %s: budget %llu KiB, loaded %llu KiB; counted %llu KiB; %llu stalls, %llu early flushes, "
      "%llu tables\n",
      tested.name, KiB(budget_bytes), KiB(entries * 116), KiB(counted_peak),
      static_cast<unsigned long long>(stats.memory_stalls),
      static_cast<unsigned long long>(stats.memory_flushes),
      static_cast<unsigned long long>(stats.total_sstables));
  peak.ExpectWithin(budget_bytes);
  EXPECT_OK(db->Close());
  // Recovery and a walk over everything stay within it too.
  db = OpenOrFail(options, place.path() + "/db");
  ASSERT_TRUE(db);
  uint64_t found = 0;
  for (const ScanEntry& entry : db->Scan()) {
    ASSERT_TRUE(entry.ok()) << entry.status().ToString();
    if (++found % 4096 == 0) peak.Look();
  }
  EXPECT_EQ(found, entries);
  peak.Look();
  peak.ExpectWithin(budget_bytes);
  EXPECT_OK(db->Close());
}

class MemoryLoadTest : public ::testing::TestWithParam<LoadCase> {};

TEST_P(MemoryLoadTest, TwentyTimesTheBudget) {
  const uint64_t budget_bytes = (LongRun() ? 64 : kSanitized ? 8 : GetParam().budget_mib) * kMiB;
  EXPECT_EQ(RunInChild([&] { Load(GetParam(), budget_bytes); }), 0);
}

INSTANTIATE_TEST_SUITE_P(Limits, MemoryLoadTest,
                         ::testing::Values(LoadCase{"Mapped", TableAccess::kMapped, CompressionType::kNone,
                                                    LogMode::kMapped, true, 16},
                                           LoadCase{"PreadLz4", TableAccess::kPread, CompressionType::kLz4,
                                                    LogMode::kBuffered, true, 8},
                                           LoadCase{"ForegroundZstd", TableAccess::kMapped,
                                                    CompressionType::kZstd, LogMode::kAuto, false, 8}),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace seerdb::testing
