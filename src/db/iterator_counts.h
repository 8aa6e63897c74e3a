// IteratorCounts: what an iterator has done and not yet told the statistics, which threads share.
//
// Thread safety: external synchronization.
#pragma once

#include <cstdint>

#include "metrics/statistics.h"

namespace seerdb {

class IteratorCounts {
 public:
  // Borrows `statistics`.
  explicit IteratorCounts(Statistics* statistics) : statistics_(*statistics) {}
  ~IteratorCounts() { Tell(); }
  IteratorCounts(const IteratorCounts&) = delete;
  IteratorCounts& operator=(const IteratorCounts&) = delete;

  void AddSeek() {
    if (++seeks_ == kSeeksBetweenTellings || entries_ + passed_ >= kEntriesBetweenTellings) Tell();
  }
  void AddEntry() { ++entries_; }
  // Hidden entries that were passed over.
  void AddPassed(uint64_t entries) { passed_ += entries; }

 private:
  // An iterator that is used again and again tells what it was used for this often, or sooner after long
  // scans.
  static constexpr uint64_t kSeeksBetweenTellings = 64;
  static constexpr uint64_t kEntriesBetweenTellings = 4096;

  void Tell() {
    statistics_.AddEach(Statistics::Count{Counter::total_seeks, seeks_},
                        Statistics::Count{Counter::total_scan_entries, entries_},
                        Statistics::Count{Counter::scan_entries_skipped, passed_});
    passed_ = 0;
    seeks_ = 0;
    entries_ = 0;
  }

  Statistics& statistics_;
  uint64_t seeks_ = 0;
  uint64_t entries_ = 0;
  uint64_t passed_ = 0;
};

}  // namespace seerdb
