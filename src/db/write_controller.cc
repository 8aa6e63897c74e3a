#include "db/write_controller.h"

#include <algorithm>

#include "base/units.h"

namespace seerdb {
namespace {

// A sleep shorter than this costs more than it delays.
constexpr uint64_t kShortestSleepUs = 100;
constexpr uint64_t kLongestSleepUs = 10'000;
constexpr uint64_t kBurstUs = kLongestSleepUs;
// Where nothing can end a wait, because a damaged table is in the way, writes go on at this price.
constexpr uint64_t kNoReliefSleepUs = 1'000;

}  // namespace

WriteController::WriteController(const Options& options, const Parts& parts)
    : limits_(LimitsOf(options)),
      memtable_capacity_(options.memtable_capacity),
      parts_(parts),
      l0_watch_(static_cast<size_t>(std::min(limits_.l0_start_runs, limits_.l0_stop_runs))),
      memtable_watch_(options.max_immutable_memtables),
      limiter_(kBurstUs) {}

WriteLoad WriteController::Load(double active_fill) const {
  WriteLoad load;
  load.l0_runs = parts_.views->l0_runs();
  load.immutables = parts_.views->immutable_count();
  load.active_fill = active_fill;
  load.debt_bytes = debt_bytes_.load(std::memory_order_relaxed);
  load.tree_bytes = tree_bytes_.load(std::memory_order_relaxed);
  load.space_pressure = space_pressure_.load(std::memory_order_relaxed);
  load.flush_bytes_per_second = drain_.flush_bytes_per_second();
  load.drain_bytes_per_second = drain_.l0_bytes_per_second();
  return load;
}

double WriteController::ActiveFill() const {
  const ReadViewHolder::Pin view(parts_.views);
  return static_cast<double>(view->active().memtable->bytes()) / static_cast<double>(memtable_capacity_);
}

StallState WriteController::State() const { return Admit(limits_, Load(ActiveFill())); }

double WriteController::L0Urgency() const { return seerdb::L0Urgency(limits_, Load(ActiveFill())); }
double WriteController::DebtUrgency() const { return seerdb::DebtUrgency(limits_, Load(0)); }

bool WriteController::MustWait() const { return Admit(limits_, Load(0)).waits; }

Status WriteController::WaitForRelief() {
  parts_.work->PokeCompaction();
  Status waited = parts_.work->WaitUntil([this] { return stopped_.load() || !MustWait(); });
  if (!waited.IsBusy()) return waited;
  parts_.clock->SleepMicros(kNoReliefSleepUs);
  return {};
}

Status WriteController::Slow(uint64_t bytes, double active_fill) {
  const uint64_t start_us = parts_.clock->NowMicros();
  uint64_t now_us = start_us;
  Status status;
  bool spent = false;
  bool poked = false;
  while (!stopped_.load(std::memory_order_relaxed)) {
    const StallState state = Admit(limits_, Load(active_fill));
    if (state.waits) {
      status = WaitForRelief();
      now_us = parts_.clock->NowMicros();
      limiter_.Forgive(now_us);
      break;
    }
    if (state.bytes_per_second == 0) {
      limiter_.Forgive(now_us);
      break;
    }
    limiter_.Advance(now_us, state.bytes_per_second);
    if (!spent) limiter_.Spend(bytes);
    spent = true;
    const uint64_t wait_us = limiter_.WaitUs(state.bytes_per_second);
    if (wait_us < kShortestSleepUs) break;
    if (!poked) {
      parts_.work->Poke();
      parts_.work->PokeCompaction();
      poked = true;
    }
    parts_.clock->SleepMicros(std::min(wait_us, kLongestSleepUs));
    now_us = parts_.clock->NowMicros();
  }
  if (now_us > start_us) {
    using Count = Statistics::Count;
    parts_.statistics->AddEach(Count{Counter::write_stalls, 1},
                               Count{Counter::write_stall_us, now_us - start_us});
    parts_.statistics->Record(Latency::write_stall_latency, (now_us - start_us) * kNanosPerMicro);
  }
  return status;
}

void WriteController::SetDebt(uint64_t debt_bytes, uint64_t tree_bytes) {
  debt_bytes_.store(debt_bytes, std::memory_order_relaxed);
  tree_bytes_.store(tree_bytes, std::memory_order_relaxed);
  WriteLoad alone;
  alone.debt_bytes = debt_bytes;
  alone.tree_bytes = tree_bytes;
  NoteOutside(kDebt, alone);
}

void WriteController::SetSpacePressure(double pressure) {
  space_pressure_.store(pressure, std::memory_order_relaxed);
  WriteLoad alone;
  alone.space_pressure = pressure;
  NoteOutside(kSpace, alone);
}

void WriteController::NoteOutside(Outside which, const WriteLoad& alone) {
  if (Admit(limits_, alone).reason != StallCause::kNone) {
    outside_.fetch_or(which, std::memory_order_relaxed);
  } else {
    outside_.fetch_and(~static_cast<uint32_t>(which), std::memory_order_relaxed);
  }
}

}  // namespace seerdb
