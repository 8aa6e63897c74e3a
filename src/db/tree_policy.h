// TreePolicy: how the tree is shaped now: the options' policy, moved by what is done with the database and
// bent to the space target.
//
// Thread safety: all methods concurrently. mu_ is a leaf lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "base/mutex.h"
#include "compaction/compaction_picker.h"
#include "compaction/shape_tuner.h"
#include "db/space_plan.h"
#include "db/tree_view.h"
#include "metrics/statistics.h"
#include "seerdb/options.h"

namespace seerdb {

class TreePolicy {
 public:
  // `memory_limit_bytes`: of the budget, 0 = none.
  TreePolicy(const Options& options, uint64_t memory_limit_bytes, std::shared_ptr<Statistics> statistics);

  struct Settings {
    PickerOptions picker;
    uint64_t target_file_size = 0;
    SpacePlan space;
  };
  // Takes a sample of the workload, decides anew, and says what holds now. `disk_bytes`: tables, logs and
  // unfinished files.
  Settings Decide(const TreeView& tree, uint64_t disk_bytes) EXCLUDES(mu_);

  TreeShape shape() const EXCLUDES(mu_);
  // The space pressure for what is on disk now, by the last Decide's estimate of what is live.
  double NoteDisk(uint64_t disk_bytes) EXCLUDES(mu_);
  // Nothing can be merged: until the next of Decide and NoteDisk there is no space pressure, since waiting
  // would not help.
  void NoteNothingToMerge() { space_pressure_.store(0, std::memory_order_relaxed); }
  // As of the last of these. 0 .. 1, see SpacePlan.
  double space_pressure() const { return space_pressure_.load(std::memory_order_relaxed); }
  // As MergesOfAByte, of the last Decide.
  double merges_of_a_byte() const { return merges_of_a_byte_.load(std::memory_order_relaxed); }
  // How far beyond what PlanSpace tolerates without a target: 0 up to there, 1 at twice that.
  double dead_urgency() const { return dead_urgency_.load(std::memory_order_relaxed); }
  // As SpacePlan, of the last Decide.
  uint64_t memtable_value_bytes() const { return memtable_value_bytes_.load(std::memory_order_relaxed); }
  // Of tables; more are made fewer before they are old.
  uint64_t max_range_tombstones() const { return max_range_tombstones_; }
  // True if the tree may have work although nothing is written: someone should call Decide now and then.
  bool wants_ticks() const;

 private:
  WorkloadSample TakeSampleLocked(const Version& version) REQUIRES(mu_);
  // EstimateLive, once for each version.
  LiveEstimate LiveOnce(const TreeView& tree) EXCLUDES(mu_);
  TreeFacts FactsOfLocked(const Version& version, const SpacePlan& space) REQUIRES(mu_);

  const Options options_;
  const uint64_t memory_limit_bytes_;
  const uint64_t max_range_tombstones_;
  const std::shared_ptr<Statistics> statistics_;
  std::atomic<double> space_pressure_{0};
  std::atomic<double> merges_of_a_byte_{2};
  std::atomic<double> dead_urgency_{0};
  std::atomic<uint64_t> memtable_value_bytes_{UINT64_MAX};
  mutable Mutex mu_;
  TunerState tuner_ GUARDED_BY(mu_);
  // Of the last version of which it was asked without a target.
  VersionPtr estimated_ GUARDED_BY(mu_);
  LiveEstimate live_ GUARDED_BY(mu_);
  SpaceFacts space_ GUARDED_BY(mu_);         // of the last Decide
  double l0_run_bytes_ GUARDED_BY(mu_) = 0;  // average, when there were any
  // Counters at the last sample.
  uint64_t puts_ GUARDED_BY(mu_) = 0;
  uint64_t put_bytes_ GUARDED_BY(mu_) = 0;
  uint64_t gets_ GUARDED_BY(mu_) = 0;
  uint64_t found_ GUARDED_BY(mu_) = 0;
  uint64_t seeks_ GUARDED_BY(mu_) = 0;
  uint64_t entries_ GUARDED_BY(mu_) = 0;
  uint64_t passed_ GUARDED_BY(mu_) = 0;
};

}  // namespace seerdb
