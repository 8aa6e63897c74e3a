// RunningCompactions: the compactions under way, so that a new one is chosen that does not disturb them.
//
// Thread safety: all methods concurrently. mu_ is held while a plan is chosen, which does no I/O.
#pragma once

#include <functional>
#include <list>
#include <optional>

#include "base/mutex.h"
#include "compaction/compaction_picker.h"

namespace seerdb {

class RunningCompactions {
 public:
  // Chooses given what runs (added to `context`), and registers the choice in the same step. The version that
  // it chooses from is taken inside `choose`: a job ends only after its result is in the current version.
  std::optional<CompactionPlan> Start(
      PickContext context,
      const std::function<std::optional<CompactionPlan>(const PickContext& context)>& choose) EXCLUDES(mu_);
  // The result of a plan that Start returned is installed, or given up.
  void End(const CompactionPlan& plan) EXCLUDES(mu_);

  // Bytes of the inputs of all running jobs: about what they write before the inputs go.
  uint64_t input_bytes() const EXCLUDES(mu_);

 private:
  mutable Mutex mu_;
  std::list<CompactionPlan> plans_ GUARDED_BY(mu_);
};

}  // namespace seerdb
