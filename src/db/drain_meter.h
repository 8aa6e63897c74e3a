// DrainMeter: how many ingested bytes a second flush and the compaction of L0 retire while they work.
//
// A slow average over the time that jobs took, not over the time between them: it says what the background
// can do, also while little comes in. Before the first job it answers a guess.
// Thread safety: all methods concurrently; the rates are read without a lock. mu_ is a leaf lock.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/mutex.h"

namespace seerdb {

// Bytes over time, of which the older count less and less.
class SlowRate {
 public:
  void Note(uint64_t bytes, uint64_t took_us);
  // 0 before the first Note.
  uint64_t bytes_per_second() const;

 private:
  double bytes_ = 0;
  double us_ = 0;
};

class DrainMeter {
 public:
  // A memtable of memory_bytes became tables of table_bytes.
  void NoteFlush(uint64_t memory_bytes, uint64_t table_bytes, uint64_t took_us) EXCLUDES(mu_);
  // Tables of so many bytes left L0.
  void NoteL0(uint64_t table_bytes, uint64_t took_us) EXCLUDES(mu_);

  uint64_t flush_bytes_per_second() const { return flush_rate_.load(std::memory_order_relaxed); }
  uint64_t l0_bytes_per_second() const { return l0_rate_.load(std::memory_order_relaxed); }

 private:
  static constexpr uint64_t kGuess = uint64_t{64} << 20;

  std::atomic<uint64_t> flush_rate_{kGuess};
  std::atomic<uint64_t> l0_rate_{kGuess};
  Mutex mu_;
  SlowRate flush_ GUARDED_BY(mu_);
  SlowRate l0_ GUARDED_BY(mu_);
  double memory_for_table_byte_ GUARDED_BY(mu_) = 1;
};

}  // namespace seerdb
