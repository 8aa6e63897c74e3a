#include "base/failpoint.h"

#if defined(SEERDB_FAILPOINTS)

#include <unistd.h>

#include <map>
#include <string>

#include "base/mutex.h"

namespace seerdb {
namespace {

class Failpoints {
 public:
  void Arm(const char* name, FailpointAction action) EXCLUDES(mu_) {
    MutexLock lock(&mu_);
    armed_[name] = std::move(action);
  }
  void DisarmAll() EXCLUDES(mu_) {
    MutexLock lock(&mu_);
    armed_.clear();
    passages_.clear();
  }
  uint64_t Passages(const char* name) EXCLUDES(mu_) {
    MutexLock lock(&mu_);
    return passages_[name];
  }
  Status Pass(const char* name) EXCLUDES(mu_) {
    MutexLock lock(&mu_);
    ++passages_[name];
    const auto found = armed_.find(name);
    if (found == armed_.end() || --found->second.countdown > 0) return {};
    const FailpointAction action = std::move(found->second);
    armed_.erase(found);
    if (action.exit_process) ::_exit(kFailpointExitCode);
    return action.error.WithContext(std::string("failpoint ") + name);
  }

 private:
  Mutex mu_;
  std::map<std::string, FailpointAction> armed_ GUARDED_BY(mu_);
  std::map<std::string, uint64_t> passages_ GUARDED_BY(mu_);
};

Failpoints& All() {
  static auto* const failpoints = new Failpoints;  // outlives every thread
  return *failpoints;
}

}  // namespace

void ArmFailpoint(const char* name, FailpointAction action) { All().Arm(name, std::move(action)); }
void DisarmFailpoints() { All().DisarmAll(); }
uint64_t FailpointPassages(const char* name) { return All().Passages(name); }
Status PassFailpoint(const char* name) { return All().Pass(name); }

}  // namespace seerdb

#endif
