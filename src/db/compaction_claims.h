// CompactionClaims: which tables the running compactions use, so that the next one uses others.
//
// A version read inside Choose is no older than the last claim given back, so no plan names a table that a
// finished job has replaced. Requires: a claim is given back after the job's result is installed.
// Thread safety: all methods concurrently. mu_ is held while a plan is made.
#pragma once

#include <functional>
#include <optional>

#include "base/mutex.h"
#include "compaction/compaction_plan.h"

namespace seerdb {

class CompactionClaims {
 public:
  // Gets the tables in use, and whether a job takes tables from L0. The outputs of such a job may span keys
  // between its inputs, so no second one may run beside it.
  using Picker = std::function<std::optional<CompactionPlan>(TableNumberSet unavailable, bool l0_is_taken)>;

  // What `pick` chooses is claimed before anybody else may choose. The caller gives it back by a Claim.
  std::optional<CompactionPlan> Choose(const Picker& pick) EXCLUDES(mu_);

  // Gives back, at its end, what was chosen.
  class Claim {
   public:
    Claim(CompactionClaims* claims, const CompactionPlan& plan) : claims_(claims), plan_(plan) {}
    ~Claim() { claims_->Release(plan_); }
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;

   private:
    CompactionClaims* const claims_;
    const CompactionPlan& plan_;
  };

 private:
  void Release(const CompactionPlan& plan) EXCLUDES(mu_);

  Mutex mu_;
  TableNumberSet tables_ GUARDED_BY(mu_);
  bool l0_is_taken_ GUARDED_BY(mu_) = false;
};

}  // namespace seerdb
