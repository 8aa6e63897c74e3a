#include "metrics/statistics.h"

#include "base/mutant.h"
#include "base/units.h"

namespace seerdb {
namespace {

// Operations of users come from many threads at once, the others from a few.
constexpr size_t kForegroundShards = 4;

bool IsForeground(Latency latency) {
  return latency == Latency::put_latency || latency == Latency::get_latency ||
         latency == Latency::delete_latency || latency == Latency::write_latency ||
         latency == Latency::seek_latency;
}

double Ratio(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

thread_local CounterShard lent_shard;
constinit thread_local bool lent = false;

std::unique_ptr<CounterShard[]> MakeShards(bool enabled) {
  if (!enabled) return nullptr;
  auto shards = std::make_unique<CounterShard[]>(kThreadSlots + 1);
  // Threads must not choose in step.
  for (uint32_t i = 0; i <= kThreadSlots; ++i) shards[i].Seed(i);
  return shards;
}

}  // namespace

Statistics::Statistics(bool enabled, std::shared_ptr<Clock> clock)
    : clock_(std::move(clock)), shards_(MakeShards(enabled)) {
  if (!enabled || clock_ == nullptr) return;
  for (size_t i = 0; i < histograms_.size(); ++i) {
    const bool foreground = IsForeground(static_cast<Latency>(i));
    histograms_[i] = std::make_unique<Histogram>(foreground ? kForegroundShards : 1);
  }
}

CounterShard* Statistics::Borrow() {
  if (lent) return nullptr;
  lent = true;
  std::destroy_at(&lent_shard);
  std::construct_at(&lent_shard);
  return &lent_shard;
}

void Statistics::GiveBack(CounterShard* borrowed) {
  for (size_t i = 0; i < static_cast<size_t>(Counter::kCount); ++i) {
    const auto counter = static_cast<Counter>(i);
    if (const uint64_t n = borrowed->Get(counter); n != 0) shards_[kThreadSlots].AddShared(counter, n);
  }
  lent = false;
}

uint64_t Statistics::Get(Counter counter) const {
  if (!enabled()) return 0;
  uint64_t sum = 0;
  for (uint32_t i = 0; i <= kThreadSlots; ++i) sum += shards_[i].Get(counter);
  return sum;
}

void Statistics::RecordSince(Latency latency, uint64_t begin_ns) {
  Record(latency, clock_->NowNanos() - begin_ns);
}

void Statistics::Record(Latency latency, uint64_t ns) {
  Histogram* const histogram = histograms_[static_cast<size_t>(latency)].get();
  if (histogram != nullptr) histogram->Add(ns, CurrentThreadSlot());
}

LatencySummary Statistics::Summary(Latency latency) const {
  const Histogram* const histogram = histograms_[static_cast<size_t>(latency)].get();
  return histogram != nullptr ? histogram->Read().Summary() : LatencySummary();
}

void Statistics::Fill(DBStats* stats) const {
#define SEERDB_FILL_COUNTER(name, help) stats->name = Get(Counter::name);
  SEERDB_COUNTER_LIST(SEERDB_FILL_COUNTER)
#undef SEERDB_FILL_COUNTER
#define SEERDB_FILL_LATENCY(name, help) stats->name = Summary(Latency::name);
  SEERDB_LATENCY_LIST(SEERDB_FILL_LATENCY)
#undef SEERDB_FILL_LATENCY
  stats->physical_bytes_written = stats->wal_bytes_written + stats->wal_bytes_prepared +
                                  stats->value_bytes_written + stats->value_gc_bytes_written +
                                  stats->flush_bytes_written + stats->bulk_load_bytes_written +
                                  stats->manifest_bytes_written;
  if (!SEERDB_MUTANT("amplification-omits-compaction")) {
    stats->physical_bytes_written += stats->compaction_bytes_written;
  }
  stats->write_amplification = Ratio(stats->physical_bytes_written, stats->logical_bytes_written);
  stats->read_amplification = Ratio(stats->blocks_read, stats->total_gets);
  stats->cache_hit_rate = Ratio(stats->cache_hits, stats->cache_hits + stats->cache_misses);
  stats->writes_per_sec = kMicrosPerSecond * Ratio(stats->total_puts, stats->uptime_us);
  stats->reads_per_sec = kMicrosPerSecond * Ratio(stats->total_gets, stats->uptime_us);
  stats->deletes_per_sec = kMicrosPerSecond * Ratio(stats->total_deletes, stats->uptime_us);
}

}  // namespace seerdb
