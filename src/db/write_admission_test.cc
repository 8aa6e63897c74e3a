#include "db/write_admission.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "base/rate_limiter.h"
#include "base/units.h"
#include "db/drain_meter.h"

namespace seerdb {
namespace {

// With the defaults: L0 delays from 12 runs on and stops at 36, memtables from 2 to 3, debt from 1 GiB and a
// quarter of the tree to four times as much.
WriteLoad Calm() {
  WriteLoad load;
  load.flush_bytes_per_second = 200 * kMiB;
  load.drain_bytes_per_second = 100 * kMiB;
  return load;
}

TEST(WriteAdmissionTest, Admits) {
  struct Case {
    const char* name;
    uint64_t l0_runs;
    uint64_t immutables;
    double fill;
    uint64_t debt_bytes;
    double space;
    StallCause reason;
    double mib_per_second;  // 0 = all
    bool waits = false;
  };
  const Case cases[] = {
      {"empty", 0, 0, 0, 0, 0, StallCause::kNone, 0},
      {"just below the start", 10, 1, 0.99, 0, 0, StallCause::kNone, 0},
      {"memtables count as runs to be", 11, 1, 0.25, 0, 0, StallCause::kL0, 9500},
      {"a quarter of the way", 18, 0, 0, 0, 0, StallCause::kL0, 300},
      {"halfway: as much as drains", 24, 0, 0, 0, 0, StallCause::kL0, 100},
      {"three quarters", 30, 0, 0, 0, 0, StallCause::kL0, 100.0 / 3},
      {"the last run", 35, 0, 0.9, 0, 0, StallCause::kL0, 0.42},
      {"never nothing below the stop", 35, 0, 1, 0, 0, StallCause::kL0, 0.25},
      {"stop", 36, 0, 0, 0, 0, StallCause::kL0, 0, true},
      {"one memtable waits", 0, 1, 0.99, 0, 0, StallCause::kNone, 0},
      {"the last memtable fills", 0, 2, 0.5, 0, 0, StallCause::kMemtables, 200},
      {"debt a tree may have", 0, 0, 0, kGiB, 0, StallCause::kNone, 0},
      {"debt, halfway", 0, 0, 0, 5 * kGiB / 2, 0, StallCause::kPendingBytes, 100},
      {"space", 0, 0, 0, 0, 0.5, StallCause::kSpaceTarget, 100},
      {"hardly any space", 0, 0, 0, 0, 0.999, StallCause::kSpaceTarget, 0.25},
      {"no space", 0, 0, 0, 0, 1, StallCause::kSpaceTarget, 0, true},
      {"the worst one counts", 18, 2, 0.5, 0, 0.75, StallCause::kSpaceTarget, 100.0 / 3},
  };
  const WriteLimits limits = LimitsOf(Options());
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    WriteLoad load = Calm();
    load.l0_runs = c.l0_runs;
    load.immutables = c.immutables;
    load.active_fill = c.fill;
    load.debt_bytes = c.debt_bytes;
    load.space_pressure = c.space;
    const StallState state = Admit(limits, load);
    EXPECT_STREQ(StallCauseName(state.reason), StallCauseName(c.reason));
    EXPECT_EQ(state.waits, c.waits);
    const double got = static_cast<double>(state.bytes_per_second) / kMiB;
    EXPECT_NEAR(got, c.mib_per_second, 0.01 * c.mib_per_second);
    EXPECT_EQ(state.ToString().empty(), c.reason == StallCause::kNone);
  }
}

// What a byte costs in seconds: 0 without pressure.
double PriceOf(const WriteLimits& limits, const WriteLoad& load) {
  const uint64_t rate = Admit(limits, load).bytes_per_second;
  return rate == 0 ? 0 : 1 / static_cast<double>(rate);
}

// No cliff: a hundredth of a memtable more never makes writes much dearer than they were, or dearer than what
// the background takes them for.
TEST(WriteAdmissionTest, ThePriceRisesSteadilyAndWithoutAStep) {
  const WriteLimits limits = LimitsOf(Options());
  const struct {
    const char* name;
    double WriteLoad::*part;
    uint64_t WriteLoad::*count;
    double from;
    double to;
  } sweeps[] = {
      {"runs", &WriteLoad::active_fill, &WriteLoad::l0_runs, 0, 35.99},
      {"memtables", &WriteLoad::active_fill, &WriteLoad::immutables, 0, 2.99},
      {"space", &WriteLoad::space_pressure, nullptr, 0, 0.999},
  };
  for (const auto& sweep : sweeps) {
    const double step = (sweep.to - sweep.from) / 4000;
    double before = 0;
    bool priced = false;
    for (double x = sweep.from; x < sweep.to; x += step) {
      SCOPED_TRACE(std::string(sweep.name) + " " + std::to_string(x));
      WriteLoad load = Calm();
      load.*sweep.part = sweep.count == nullptr ? x : x - std::floor(x);
      if (sweep.count != nullptr) load.*sweep.count = static_cast<uint64_t>(x);
      const double price = PriceOf(limits, load);
      ASSERT_GE(price, before * 0.999999);
      const double drained = 1 / static_cast<double>(load.drain_bytes_per_second);
      const double allowed = std::max(0.02 * drained, before);  // near the stop it may at most double
      ASSERT_LE(price - before, allowed);
      before = price;
      priced |= price > 0;
    }
    EXPECT_TRUE(priced) << sweep.name;
  }
}

TEST(WriteAdmissionTest, TriggersThatLeaveNoRoomForDelaysStillStop) {
  Options options;
  options.l0_compaction_trigger = options.l0_slowdown_writes_trigger = options.l0_stop_writes_trigger = 4;
  const WriteLimits limits = LimitsOf(options);
  WriteLoad load = Calm();
  load.l0_runs = 3;
  EXPECT_EQ(Admit(limits, load).reason, StallCause::kNone);
  load.l0_runs = 4;
  EXPECT_TRUE(Admit(limits, load).waits);
}

TEST(WriteAdmissionTest, UrgencyReachesOneWhereDelaysBegin) {
  const WriteLimits limits = LimitsOf(Options());
  WriteLoad load = Calm();
  EXPECT_EQ(L0Urgency(limits, load), 0);
  load.l0_runs = 6;
  EXPECT_DOUBLE_EQ(L0Urgency(limits, load), 0) << "what a merge takes, and two memtables";
  load.l0_runs = 9;
  EXPECT_DOUBLE_EQ(L0Urgency(limits, load), 0.5);
  load.active_fill = 3;
  EXPECT_DOUBLE_EQ(L0Urgency(limits, load), 1);
  EXPECT_EQ(DebtUrgency(limits, load), 0);
  load.debt_bytes = 3 * kGiB;
  EXPECT_DOUBLE_EQ(DebtUrgency(limits, load), 3);
  EXPECT_DOUBLE_EQ(L0Urgency(limits, load), 1);
}

// A writer that wants `offered` bytes a second against a background that drains `drain`, 64 MiB a memtable,
// merging `batch` runs of L0 at a time; the engine believes that it drains `believed`.
struct Model {
  double offered;
  double drain;
  double believed;
  double batch;

  struct Outcome {
    double most_runs = 0;
    double admitted = 0;  // bytes a second, over the second half
    double longest_pause_us = 0;
    double least_share = 1;  // of the drain, in any two batches' time of the second half
  };
  Outcome Run() const {
    constexpr double kMemtable = 64.0 * kMiB;
    constexpr uint64_t kStepUs = 1'000;
    const double batch_us = batch * kMemtable / drain * 1e6;
    const auto steps = static_cast<uint64_t>(600 * kMemtable / drain * 1e6 / kStepUs);
    const WriteLimits limits = LimitsOf(Options());
    Outcome outcome;
    RateLimiter limiter(10'000);
    double ingested = 0, retired_runs = 0, half = 0, work_us = 0, window_start = 0;
    uint64_t window_from = steps / 2, paused_until_us = 0;
    for (uint64_t i = 0; i < steps; ++i) {
      const uint64_t now_us = i * kStepUs;
      const double runs = ingested / kMemtable - retired_runs;
      outcome.most_runs = std::max(outcome.most_runs, runs);
      WriteLoad load;
      load.l0_runs = static_cast<uint64_t>(runs);
      load.active_fill = runs - std::floor(runs);
      load.drain_bytes_per_second = load.flush_bytes_per_second = static_cast<uint64_t>(believed);
      const StallState state = Admit(limits, load);
      if (state.bytes_per_second == 0)
        limiter.Forgive(now_us);
      else
        limiter.Advance(now_us, state.bytes_per_second);
      const uint64_t wait_us = state.bytes_per_second == 0 ? 0 : limiter.WaitUs(state.bytes_per_second);
      if (!state.waits && wait_us < 100) {
        const double bytes = offered * kStepUs / 1e6;
        ingested += bytes;
        limiter.Spend(static_cast<uint64_t>(bytes));
        paused_until_us = now_us;
      } else {
        outcome.longest_pause_us =
            std::max(outcome.longest_pause_us, static_cast<double>(now_us - paused_until_us));
      }
      // The background merges whole batches, and only full ones.
      work_us = runs >= batch ? work_us + kStepUs : 0;
      if (work_us >= batch_us) {
        retired_runs += batch;
        work_us = 0;
      }
      if (i == steps / 2) half = window_start = ingested;
      if (i > steps / 2 && i - window_from >= static_cast<uint64_t>(2 * batch_us / kStepUs)) {
        const double share = (ingested - window_start) / (2 * batch * kMemtable);
        outcome.least_share = std::min(outcome.least_share, share);
        window_from = i;
        window_start = ingested;
      }
    }
    outcome.admitted = (ingested - half) / (static_cast<double>(steps - steps / 2) * kStepUs / 1e6);
    return outcome;
  }
};

TEST(WriteAdmissionTest, AWriterThatIsTooFastSettlesAtWhatDrains) {
  constexpr double kDrain = 100.0 * kMiB;
  for (const double offered : {1.2, 3.0, 20.0}) {
    for (const double believed : {0.25, 1.0, 4.0}) {
      for (const double batch : {1.0, 4.0, 8.0}) {
        SCOPED_TRACE("offered " + std::to_string(offered) + " believed " + std::to_string(believed) +
                     " batch " + std::to_string(batch));
        const auto outcome = Model{offered * kDrain, kDrain, believed * kDrain, batch}.Run();
        EXPECT_LT(outcome.most_runs, 36) << "writers never had to wait";
        EXPECT_NEAR(outcome.admitted / kDrain, 1, 0.05);
        EXPECT_GT(outcome.least_share, 0.85) << "no swings between all and nothing";
        EXPECT_LT(outcome.longest_pause_us, 1'000'000);
      }
    }
  }
}

TEST(WriteAdmissionTest, AWriterThatIsSlowEnoughIsNotDelayed) {
  const auto outcome = Model{80.0 * kMiB, 100.0 * kMiB, 100.0 * kMiB, 4}.Run();
  EXPECT_NEAR(outcome.admitted, 80.0 * kMiB, 0.01 * kMiB);
  EXPECT_LT(outcome.most_runs, 12);
  EXPECT_EQ(outcome.longest_pause_us, 0);
}

TEST(DrainMeterTest, CountsWorkingTimeAndForgetsSlowly) {
  DrainMeter meter;
  const uint64_t guess = meter.l0_bytes_per_second();
  EXPECT_GT(guess, 0u);
  EXPECT_EQ(meter.flush_bytes_per_second(), guess);
  meter.NoteL0(100, 1);  // too little to say anything
  EXPECT_EQ(meter.l0_bytes_per_second(), guess);
  meter.NoteL0(100'000'000, 1'000'000);
  EXPECT_NEAR(static_cast<double>(meter.l0_bytes_per_second()), 1e8, 1);
  EXPECT_EQ(meter.flush_bytes_per_second(), guess);
  meter.NoteL0(50'000'000, 1'000'000);
  EXPECT_NEAR(static_cast<double>(meter.l0_bytes_per_second()), 0.75e8, 0.02e8);
  for (int i = 0; i < 200; ++i) meter.NoteL0(10'000'000, 1'000'000);
  EXPECT_NEAR(static_cast<double>(meter.l0_bytes_per_second()), 1e7, 0.01e7);
  // A table half as large as the memtable it came from: what leaves L0 counts double.
  for (int i = 0; i < 40; ++i) meter.NoteFlush(64'000'000, 32'000'000, 500'000);
  EXPECT_NEAR(static_cast<double>(meter.flush_bytes_per_second()), 1.28e8, 1);
  for (int i = 0; i < 200; ++i) meter.NoteL0(10'000'000, 1'000'000);
  EXPECT_NEAR(static_cast<double>(meter.l0_bytes_per_second()), 2e7, 0.02e7);
}

}  // namespace
}  // namespace seerdb
