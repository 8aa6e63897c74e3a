// RunTransaction: a transaction that is tried anew while others are faster.
#include <algorithm>
#include <memory>

#include "base/random.h"
#include "db/transaction_host.h"
#include "seerdb/db.h"
#include "txn/transaction_impl.h"

namespace seerdb {
namespace {

constexpr uint64_t kFirstPauseUs = 16;
constexpr uint64_t kLongestPauseUs = 8192;
// The first retries come at once: mostly the other one has just committed.
constexpr uint32_t kRetriesAtOnce = 2;

}  // namespace

Status RunTransaction(DB* db, const TransactionOptions& options,
                      const std::function<Status(Transaction&)>& work) {
  return TransactionImpl::Run(db, options, work);
}

Status TransactionImpl::Run(DB* db, const TransactionOptions& options,
                            const std::function<Status(Transaction&)>& work) {
  if (options.max_attempts == 0) {
    return Status::InvalidArgument("run transaction: max_attempts is 0, expected at least 1");
  }
  std::unique_ptr<Random> random;
  uint64_t pause_us = kFirstPauseUs;
  for (uint32_t attempt = 1;; ++attempt) {
    Result<std::unique_ptr<Transaction>> begun = db->BeginTransaction(options);
    if (!begun.ok()) return begun.status();
    auto& transaction = static_cast<TransactionImpl&>(**begun);
    Status status = work(transaction);
    if (status.ok()) {
      if (!transaction.is_active()) return {};
      status = transaction.Commit();
    }
    if (!status.IsConflict() || attempt >= options.max_attempts) return status;
    if (attempt <= kRetriesAtOnce) continue;
    if (random == nullptr) {
      // The start differs from attempt to attempt, where the seed does not.
      random = std::make_unique<Random>(transaction.host_->transaction_seed() + transaction.entry_.start);
    }
    Clock* const clock = transaction.host_->transaction_clock();
    begun->reset();  // what its snapshot keeps need not wait
    clock->SleepMicros(1 + random->Uniform(pause_us));
    pause_us = std::min(2 * pause_us, kLongestPauseUs);
  }
}

}  // namespace seerdb
