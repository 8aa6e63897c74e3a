// One short history; the file system refuses its n-th call, for every n, in every way, under every policy.
// The error comes back with operation and file, or does no harm; nothing acknowledged is lost; what stopped
// writes stays until reopen, or until there is space, or a descriptor.
#include <cinttypes>
#include <cstdio>
#include <map>

#include "base/status_macros.h"
#include "env/manual_clock.h"
#include "tests/faults/fault_run.h"

namespace seerdb::testing {
namespace {

enum class Kind { kDevice, kDeviceAfterwards, kDeviceShort, kNoSpace, kNoSpaceShort, kNoDescriptor, kSlow };

struct KindName {
  Kind kind;
  const char* name;
};
constexpr KindName kKinds[] = {
    {Kind::kDevice, "device error"},
    {Kind::kDeviceAfterwards, "device error after the call was made"},
    {Kind::kDeviceShort, "device error after a short write, or after the call"},
    {Kind::kNoSpace, "no space"},
    {Kind::kNoSpaceShort, "no space after a short write, or after the call"},
    {Kind::kNoDescriptor, "no descriptor"},
    {Kind::kSlow, "slow"},
};

// A directory is opened to be synced: without a descriptor that was not tried.
bool IsSync(FileOp op, Kind kind) {
  return op == FileOp::kSync || op == FileOp::kSyncAll ||
         (op == FileOp::kSyncDir && kind != Kind::kNoDescriptor);
}

// What fired.
struct Fired {
  bool fired = false;
  FileOp op = FileOp::kAny;
  std::string path;
};

FaultRule RuleFor(Kind kind, uint64_t nth, const Options& options, Fired* fired) {
  const bool no_space = kind == Kind::kNoSpace || kind == Kind::kNoSpaceShort;
  const Status error = no_space                      ? FaultRule::NoSpaceError()
                       : kind == Kind::kNoDescriptor ? FaultRule::NoDescriptorError()
                                                     : FaultRule::DeviceError();
  FaultRule rule = FaultRule::Fail(FileOp::kAny, kFaultDirectory, error, nth);
  if (kind == Kind::kDeviceShort || kind == Kind::kNoSpaceShort) {
    rule.perform = true;
    rule.append_bytes = nth % 3 == 0 ? UINT64_MAX : 11 * (nth % 8);
  }
  if (kind == Kind::kDeviceAfterwards) rule.perform = true;
  if (kind == Kind::kSlow) rule.error = Status();
  rule.callback = [fired, kind, clock = options.clock](FileOp op, const std::string& path) {
    *fired = {true, op, path};
    if (kind == Kind::kSlow) clock->SleepMicros(10'000'000);
  };
  return rule;
}

// Runs the history until something fails.
Status RunHistory(FaultRun* run) {
  SEERDB_RETURN_IF_ERROR(run->Open());
  for (int i = 0; i < 4; ++i) SEERDB_RETURN_IF_ERROR(run->Put("k" + std::to_string(i), std::string(90, 'a')));
  SEERDB_RETURN_IF_ERROR(run->Write({{"k1", "batch"}, {"k2", std::nullopt}, {"x", "batch"}}));
  SEERDB_RETURN_IF_ERROR(run->Flush());
  for (int i = 0; i < 16; ++i) {
    const WriteOptions how = i % 5 == 2 ? WriteOptions::Sync() : WriteOptions();
    SEERDB_RETURN_IF_ERROR(run->Put("k" + std::to_string(i), std::string(500, 'b'), how));
    if (i % 4 == 3) run->RunTasks();
  }
  SEERDB_RETURN_IF_ERROR(run->Write({{"k3", std::nullopt}, {"x", std::nullopt}}));
  SEERDB_RETURN_IF_ERROR(run->CompactRange());
  const auto got = run->db().Get("k5");
  SEERDB_RETURN_IF_ERROR(got.status());
  EXPECT_TRUE(got->has_value());
  const auto iterator = run->db().NewIterator();
  Contents seen;
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    seen.emplace(iterator->key(), iterator->value());
  }
  SEERDB_RETURN_IF_ERROR(iterator->status());
  EXPECT_EQ(Difference(run->acknowledged(), seen), "");
  SEERDB_RETURN_IF_ERROR(run->Put("late", "1"));
  SEERDB_RETURN_IF_ERROR(run->Close());
  SEERDB_RETURN_IF_ERROR(run->Open());
  SEERDB_RETURN_IF_ERROR(run->Put("late", "2"));
  run->RunTasks();
  return run->Put("end", "of it");
}

// After a failure, with the fault gone: reads go on, writes are refused until they may resume.
void CheckAftermath(FaultRun* run, const Status& failure, Kind kind, const Fired& fired) {
  if (!run->is_open()) return;
  EXPECT_EQ(run->LiveDifference(), "");
  const Status probe = run->Put("probe", "x");
  if (probe.ok()) {
    // A call that only that one operation needed.
    EXPECT_FALSE(IsMutating(fired.op) && fired.op != FileOp::kDelete) << failure.ToString();
    return;
  }
  EXPECT_TRUE(probe.IsReadOnly()) << probe.ToString();
  EXPECT_NE(probe.message().find(fired.path), Slice::npos) << probe.ToString();
  const bool no_space = (kind == Kind::kNoSpace || kind == Kind::kNoSpaceShort) && !IsSync(fired.op, kind);
  EXPECT_EQ(probe.IsNoSpace(), no_space) << probe.ToString();
  const bool may_pass = no_space || (kind == Kind::kNoDescriptor && !IsSync(fired.op, kind));
  EXPECT_EQ(probe.MayPass(), may_pass) << probe.ToString();
  EXPECT_EQ(probe.detail() == StatusDetail::kSyncFailed, IsSync(fired.op, kind)) << probe.ToString();
  const Status resumed = run->Resume();
  EXPECT_EQ(resumed.ok(), may_pass) << resumed.ToString();
  if (resumed.ok()) {
    EXPECT_OK(run->Put("resumed", "x"));
    EXPECT_EQ(run->LiveDifference(), "");
  } else {
    EXPECT_TRUE(run->Put("refused", "x").IsReadOnly());
  }
}

struct Counts {
  uint64_t runs = 0;
  uint64_t reported = 0;
  uint64_t crashes = 0;
  std::map<std::string, uint64_t> absorbed;  // by operation
};

// False when the history has no n-th call any more.
bool FailNthCall(const Options& options, bool cooperative, const KindName& kind, uint64_t nth,
                 Counts* counts) {
  FaultRun run(options, cooperative);
  Fired fired;
  run.faults().AddRule(RuleFor(kind.kind, nth, options, &fired));
  const Status status = RunHistory(&run);
  run.faults().ClearRules();
  if (!fired.fired) {
    EXPECT_OK(status);
    return false;
  }
  SCOPED_TRACE(std::string(kind.name) + " at call " + std::to_string(nth) + ": " + FileOpName(fired.op) +
               " " + fired.path);
  ++counts->runs;
  if (kind.kind == Kind::kSlow) {
    EXPECT_OK(status);
  } else if (status.ok()) {
    ++counts->absorbed[FileOpName(fired.op)];
    EXPECT_FALSE(IsSync(fired.op, kind.kind)) << "a failed sync went unnoticed";
    EXPECT_EQ(run.LiveDifference(), "");
  } else {
    ++counts->reported;
    EXPECT_NE(status.message().find(FileOpName(fired.op)), Slice::npos) << status.ToString();
    EXPECT_NE(status.message().find(fired.path), Slice::npos) << status.ToString();
    CheckAftermath(&run, status, kind.kind, fired);
  }
  run.CollectNow(AllCrashes());
  counts->crashes += run.CheckCollected();
  return true;
}

class NthCallTest : public ::testing::TestWithParam<SyncPolicy> {};

TEST_P(NthCallTest, FailsAndNothingIsLost) {
  Counts counts;
  const LogMode fast = GetParam() >= SyncPolicy::kSyncData ? LogMode::kDirect : LogMode::kMapped;
  for (const auto& [cooperative, log_mode] :
       {std::pair(false, LogMode::kBuffered), {false, fast}, {true, LogMode::kAuto}}) {
    for (const KindName& kind : kKinds) {
      SCOPED_TRACE(std::string(cooperative ? "cooperative, " : "foreground, ") + LogModeName(log_mode));
      for (uint64_t nth = 1;; nth += kSanitized ? 11 : 1) {
        Options options = TinyOptions();
        options.wal_sync_policy = GetParam();
        options.log_mode = log_mode;
        options.table_access = TableAccess::kPread;
        options.block_cache_capacity = 0;
        const bool more = FailNthCall(options, cooperative, kind, nth, &counts);
        if (HasFailure()) return;
        if (!more) break;
      }
    }
  }
  EXPECT_GT(counts.reported, kSanitized ? 50u : 500u);
  std::printf("[ FAULTS   ] %" PRIu64 " calls failed or slowed, %" PRIu64 " reported, %" PRIu64
              " crash points explored; without harm:",
              counts.runs, counts.reported, counts.crashes);
  for (const auto& [name, count] : counts.absorbed) std::printf(" %s %" PRIu64, name.c_str(), count);
  std::printf("\n");
}

std::string PolicyName(const ::testing::TestParamInfo<SyncPolicy>& tested) {
  static const char* const kNames[] = {"None", "Barrier", "SyncData", "SyncAll"};
  return kNames[static_cast<size_t>(tested.param)];
}

INSTANTIATE_TEST_SUITE_P(Faults, NthCallTest,
                         ::testing::Values(SyncPolicy::kNone, SyncPolicy::kBarrier, SyncPolicy::kSyncData,
                                           SyncPolicy::kSyncAll),
                         PolicyName);

}  // namespace
}  // namespace seerdb::testing
