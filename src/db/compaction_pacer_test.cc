#include "db/compaction_pacer.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/units.h"
#include "env/manual_clock.h"

namespace seerdb {
namespace {

TEST(CompactionPacerTest, Rates) {
  struct Case {
    const char* name;
    PaceInputs inputs;
    uint64_t mib_per_second;  // 0 = as fast as it can
  };
  const auto at = [](double l0_urgency, double urgency_below, uint64_t ingest, bool makes_way = false) {
    PaceInputs inputs;
    inputs.l0_urgency = l0_urgency;
    inputs.urgency_below = urgency_below;
    inputs.makes_way = makes_way;
    inputs.ingest_bytes_per_second = ingest;
    inputs.reads_of_a_byte = 10 / 3.0;
    return inputs;
  };
  const auto with = [](PaceInputs inputs, uint64_t cap, bool hurried, bool idle) {
    inputs.cap_bytes_per_second = cap;
    inputs.hurried = hurried;
    inputs.idle = idle;
    return inputs;
  };
  const Case cases[] = {
      {"calm", at(0, 0, 0), 32},
      {"calm, much comes in", at(0, 0, 50 * kMiB), 200},
      {"halfway to a delay", at(0.5, 0, 50 * kMiB), 400},
      {"the same for debt", at(0, 0.5, 50 * kMiB), 400},
      {"close to a delay", at(0.99, 0.5, 50 * kMiB), 20000},
      {"writers are delayed", at(1, 0, 50 * kMiB), 0},
      {"the same for debt", at(0, 1, 50 * kMiB), 0},
      {"beside a merge of L0", at(0, 0, 50 * kMiB, true), 200},
      {"which is urgent", at(0.5, 0, 50 * kMiB, true), 100},
      {"which is very urgent", at(3, 0, 50 * kMiB, true), 20},
      {"as much is owed below", at(0.5, 0.5, 50 * kMiB, true), 200},
      {"too much is owed below", at(0.5, 1, 50 * kMiB, true), 0},
      {"somebody waits", with(at(0, 0, 50 * kMiB), 0, true, false), 0},
      {"somebody waits beside a merge of L0", with(at(1, 0, 50 * kMiB, true), 0, true, false), 0},
      {"nobody writes", with(at(0, 0, 0), 0, false, true), 0},
      {"a cap above the need", with(at(0, 0, 0), 100 * kMiB, false, false), 32},
      {"a cap below the need", with(at(0, 0, 0), 10 * kMiB, false, false), 10},
      {"a cap holds whoever waits", with(at(2, 0, 0), 10 * kMiB, true, false), 10},
  };
  for (const Case& c : cases) {
    EXPECT_NEAR(static_cast<double>(CompactionRate(c.inputs)) / kMiB, static_cast<double>(c.mib_per_second),
                0.001 * static_cast<double>(c.mib_per_second))
        << c.name;
  }
}

TEST(CompactionPacerTest, GrowthIsAveragedAndItsEndSeen) {
  GrowthRate rate;
  uint64_t now_us = 10 * kMicrosPerSecond, total = 500;
  rate.Look(total, now_us);
  EXPECT_EQ(rate.per_second(), 0u);
  for (int i = 0; i < 200; ++i) rate.Look(total += 1000, now_us += kMicrosPerSecond / 10);
  EXPECT_NEAR(static_cast<double>(rate.per_second()), 10'000, 10);
  EXPECT_FALSE(rate.still_for(kMicrosPerSecond, now_us));
  for (int i = 0; i < 15; ++i) rate.Look(total, now_us += kMicrosPerSecond / 10);
  EXPECT_TRUE(rate.still_for(kMicrosPerSecond, now_us));
  EXPECT_LT(rate.per_second(), 6'000u);
  rate.Look(total - 300, now_us += kMicrosPerSecond);  // a sum of two counters, looked at between them
  rate.Look(total, now_us += kMicrosPerSecond);
  EXPECT_LT(rate.per_second(), 6'000u);
}

// A clock that calls a function after each sleep.
class WatchedClock final : public Clock {
 public:
  uint64_t NowMicros() override { return clock_.NowMicros(); }
  uint64_t WallMicros() override { return clock_.WallMicros(); }
  void SleepMicros(uint64_t micros) override {
    clock_.SleepMicros(micros);
    if (slept != nullptr) slept();
  }
  uint64_t slept_us() const { return clock_.slept_us(); }
  std::function<void()> slept;

 private:
  ManualClock clock_{kMicrosPerSecond};
};

struct PacerFixture {
  explicit PacerFixture(uint64_t cap = 0, bool has_threads = true)
      : pacer({&clock, &cancelled, cap, has_threads, [this] { return hurried; }, [this] { return urgency; },
               [this] { return urgency_below; }, [this] { return ingested_bytes += 1; }}) {}
  // Of one job.
  uint64_t Pay(uint64_t bytes, bool of_l0 = true) {
    CompactionPacer::Job job(&pacer, of_l0, 3);
    job.Pay(bytes);
    return job.slept_us();
  }
  WatchedClock clock;
  std::atomic<bool> cancelled{false};
  bool hurried = false;
  double urgency = 0;
  double urgency_below = 0;
  uint64_t ingested_bytes = 0;
  CompactionPacer pacer;
};

TEST(CompactionPacerTest, HoldsTheRate) {
  PacerFixture f;
  const uint64_t start_us = f.clock.NowMicros();
  for (int i = 0; i < 1280; ++i) f.Pay(kMiB / 4);
  const double took_us = static_cast<double>(f.clock.NowMicros() - start_us);
  EXPECT_NEAR(took_us, 10.0 * kMicrosPerSecond, 0.1 * kMicrosPerSecond) << "320 MiB at 32 a second";
}

TEST(CompactionPacerTest, SleepsInPiecesAndStopsWithTheReason) {
  const struct {
    const char* name;
    std::function<void(PacerFixture*)> change;
  } cases[] = {
      {"cancelled", [](PacerFixture* f) { f->cancelled = true; }},
      {"somebody waits", [](PacerFixture* f) { f->hurried = true; }},
      {"writers are delayed", [](PacerFixture* f) { f->urgency = 1; }},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    PacerFixture f;
    int sleeps = 0;
    f.clock.slept = [&] {
      if (++sleeps == 3) c.change(&f);
    };
    const uint64_t slept_us = f.Pay(320 * kMiB);  // ten seconds' worth
    EXPECT_EQ(sleeps, 3);
    EXPECT_LE(slept_us, 15'000u);
    EXPECT_EQ(slept_us, f.clock.slept_us());
    EXPECT_EQ(f.Pay(kMiB), 0u);
  }
}

TEST(CompactionPacerTest, WhatL0DoesNotNeedMakesWayForIt) {
  PacerFixture f;
  f.urgency = 1;
  EXPECT_EQ(f.Pay(320 * kMiB, false), 0u) << "L0 may be waiting for just this one";
  {
    const CompactionPacer::Job of_l0(&f.pacer, true, 1);
    EXPECT_NEAR(static_cast<double>(f.Pay(32 * kMiB, false)), 10.0 * kMicrosPerSecond,
                0.1 * kMicrosPerSecond);
    EXPECT_EQ(f.Pay(320 * kMiB), 0u);
    f.urgency_below = 1;
    EXPECT_EQ(f.Pay(320 * kMiB, false), 0u);
    f.urgency_below = 0;
  }
  EXPECT_EQ(f.Pay(320 * kMiB, false), 0u);
}

TEST(CompactionPacerTest, WithoutThreadsOnlyTheCapHolds) {
  PacerFixture free(0, false);
  EXPECT_EQ(free.Pay(320 * kMiB), 0u);
  PacerFixture capped(10 * kMiB, false);  // whatever the kinds of jobs
  EXPECT_NEAR(static_cast<double>(capped.Pay(100 * kMiB)), 10.0 * kMicrosPerSecond, 0.1 * kMicrosPerSecond);
}

}  // namespace
}  // namespace seerdb
