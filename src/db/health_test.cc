#include "db/health.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/units.h"

namespace seerdb {
namespace {

constexpr CheckStatus kHealthy = CheckStatus::kHealthy;
constexpr CheckStatus kDegraded = CheckStatus::kDegraded;
constexpr CheckStatus kUnhealthy = CheckStatus::kUnhealthy;

struct HealthCase {
  const char* check;
  std::function<void(HealthInputs*)> set;
  CheckStatus expected;
};

std::vector<HealthCase> Cases() {
  std::vector<HealthCase> cases;
  const auto l0 = [&](uint64_t files, CheckStatus expected) {
    cases.push_back({"compaction_lag", [=](HealthInputs* in) { in->l0_files = files; }, expected});
  };
  for (const uint64_t files : {0, 9, 10}) l0(files, kHealthy);
  for (const uint64_t files : {11, 19, 20}) l0(files, kDegraded);
  for (const uint64_t files : {21, 1000}) l0(files, kUnhealthy);
  const auto wal = [&](uint64_t bytes, CheckStatus expected) {
    cases.push_back({"wal_size", [=](HealthInputs* in) { in->wal_bytes = bytes; }, expected});
  };
  for (const uint64_t bytes : {uint64_t{0}, 100 * kMiB, 101 * kMiB - 1}) wal(bytes, kHealthy);
  for (const uint64_t bytes : {101 * kMiB, 500 * kMiB, 501 * kMiB - 1}) wal(bytes, kDegraded);
  for (const uint64_t bytes : {501 * kMiB, 9000 * kMiB}) wal(bytes, kUnhealthy);
  const auto memtable = [&](double percent, CheckStatus expected) {
    cases.push_back({"memtable_utilization",
                     [=](HealthInputs* in) { in->memtable_utilization_pct = percent; }, expected});
  };
  for (const double percent : {0.0, 79.9, 80.0}) memtable(percent, kHealthy);
  for (const double percent : {80.01, 94.9, 95.0}) memtable(percent, kDegraded);
  for (const double percent : {95.01, 130.0}) memtable(percent, kUnhealthy);
  const auto put = [&](double us, CheckStatus expected) {
    cases.push_back({"put_latency_p99", [=](HealthInputs* in) { in->put_p99_us = us; }, expected});
  };
  for (const double us : {0.0, 100'000.0, 100'999.9}) put(us, kHealthy);
  for (const double us : {101'000.0, 1'000'000.0, 1'000'999.9}) put(us, kDegraded);
  for (const double us : {1'001'000.0, 1e9}) put(us, kUnhealthy);
  const auto get = [&](double us, CheckStatus expected) {
    cases.push_back({"get_latency_p99", [=](HealthInputs* in) { in->get_p99_us = us; }, expected});
  };
  for (const double us : {0.0, 50'000.0, 50'999.9}) get(us, kHealthy);
  for (const double us : {51'000.0, 500'000.0, 500'999.9}) get(us, kDegraded);
  for (const double us : {501'000.0, 1e9}) get(us, kUnhealthy);
  const auto error = [&](const Status& status, bool resumable, CheckStatus expected) {
    cases.push_back({"worker_errors",
                     [=](HealthInputs* in) {
                       in->background_error = status;
                       in->background_resumable = resumable;
                     },
                     expected});
  };
  error(Status(), false, kHealthy);
  error(Status::IoError("flush", StatusDetail::kNoSpace), true, kDegraded);
  error(Status::IoError("flush"), false, kUnhealthy);
  const auto stall = [&](const StallReason& reason, CheckStatus expected) {
    cases.push_back({"write_stall", [=](HealthInputs* in) { in->stall = reason; }, expected});
  };
  stall({}, kHealthy);
  for (const StallKind kind : {StallKind::kL0Runs, StallKind::kImmutables, StallKind::kMemoryBudget,
                               StallKind::kDiskGuard, StallKind::kSpaceTarget}) {
    stall({kind, false, 22, 20, 0}, kDegraded);
    stall({kind, true, 22, 20, 0}, kUnhealthy);
  }
  return cases;
}

TEST(Health, EachLimitAtJustBelowAndJustAbove) {
  for (const HealthCase& c : Cases()) {
    HealthInputs inputs;
    c.set(&inputs);
    const HealthStatus health = CheckHealth(inputs);
    ASSERT_EQ(health.checks.size(), 7u);
    for (const HealthCheck& check : health.checks) {
      EXPECT_EQ(check.status, check.name == c.check ? c.expected : kHealthy)
          << check.name << ": " << check.message;
      EXPECT_FALSE(check.message.empty()) << check.name;
    }
    EXPECT_EQ(health.healthy, c.expected == kHealthy) << c.check;
    EXPECT_EQ(health.worst(), c.expected) << c.check;
  }
}

TEST(Health, MessagesSayWhatWasFoundAndWhatHelps) {
  HealthInputs inputs;
  inputs.l0_files = 12;
  inputs.wal_bytes = 600 * kMiB + 1;
  inputs.background_error = Status::IoError("append db/000007.log: no more");
  inputs.stall = {StallKind::kL0Runs, false, 22, 20, 312 * kMiB};
  const HealthStatus health = CheckHealth(inputs);
  const auto message = [&](const char* name) { return health.Find(name)->message; };
  EXPECT_EQ(message("compaction_lag"), "tables in L0: 12, more than 10");
  EXPECT_EQ(message("wal_size"), "live log: 600 MiB, more than 500 MiB");
  EXPECT_EQ(message("memtable_utilization"), "active memtable: 0 % full, within 80 % full");
  EXPECT_EQ(message("worker_errors"), "writes have stopped: " + inputs.background_error.ToString() +
                                          "; close the database and open it again");
  EXPECT_EQ(message("write_stall"),
            "writes are delayed: 22 runs in L0; ends with the compaction of L0 to below 20 runs, 312.0 MiB "
            "pending");
  EXPECT_EQ(health.Find("no such check"), nullptr);
  const std::string text = health.ToString();
  EXPECT_TRUE(
      text.starts_with("not healthy\ncompaction_lag       degraded  tables in L0: 12, more than 10\n"))
      << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 8);
  EXPECT_TRUE(CheckHealth({}).ToString().starts_with("healthy\n"));
}

TEST(StallReason, TheStrongestOfWhatApplies) {
  struct StallCase {
    StallInputs inputs;
    StallKind kind;
    bool waits;
    uint64_t found, limit, pending;
  };
  // l0_runs, slowdown, stop, l0_bytes, immutables, max, immutable_bytes, active_full
  const StallCase cases[] = {
      {{19, 20, 36, 900, 1, 2, 70, true}, StallKind::kNone, false, 0, 0, 0},
      {{20, 20, 36, 900, 1, 2, 70, true}, StallKind::kL0Runs, false, 20, 20, 900},
      {{35, 20, 36, 900, 0, 2, 0, false}, StallKind::kL0Runs, false, 35, 20, 900},
      {{36, 20, 36, 900, 0, 2, 0, false}, StallKind::kL0Runs, true, 36, 36, 900},
      {{0, 20, 36, 0, 2, 2, 70, false}, StallKind::kNone, false, 0, 0, 0},
      {{0, 20, 36, 0, 2, 2, 70, true}, StallKind::kImmutables, true, 2, 2, 70},
      {{25, 20, 36, 900, 2, 2, 70, true}, StallKind::kImmutables, true, 2, 2, 70},
      {{40, 20, 36, 900, 2, 2, 70, true}, StallKind::kL0Runs, true, 40, 36, 900},
  };
  for (const StallCase& c : cases) {
    const StallReason reason = FindStall(c.inputs);
    EXPECT_EQ(reason.kind, c.kind) << c.inputs.l0_runs;
    EXPECT_EQ(reason.waits, c.waits) << c.inputs.l0_runs;
    EXPECT_EQ(reason.found, c.found) << c.inputs.l0_runs;
    EXPECT_EQ(reason.limit, c.limit) << c.inputs.l0_runs;
    EXPECT_EQ(reason.pending_bytes, c.pending) << c.inputs.l0_runs;
  }
}

TEST(StallReason, EveryKindSaysWhatEndsIt) {
  for (const StallKind kind : {StallKind::kL0Runs, StallKind::kImmutables, StallKind::kMemoryBudget,
                               StallKind::kDiskGuard, StallKind::kSpaceTarget}) {
    for (const bool waits : {false, true}) {
      const std::string text = StallReason{kind, waits, 97, 95, 5 * kMiB}.ToString();
      EXPECT_TRUE(text.starts_with(waits ? "writes wait: " : "writes are delayed: ")) << text;
      EXPECT_NE(text.find("; ends "), std::string::npos) << text;
      EXPECT_EQ(text.find('\n'), std::string::npos);
      EXPECT_STRNE(StallKindName(kind), "unknown");
    }
  }
}

}  // namespace
}  // namespace seerdb
