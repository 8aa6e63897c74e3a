// TransactionHost: what the engine does for transactions (src/txn), beside what it does for everyone.
//
// Thread safety: all methods concurrently. Must not be called once ActiveTransactions::closed() is set.
#pragma once

#include <cstdint>
#include <memory>

#include "base/memory_account.h"
#include "db/active_transactions.h"
#include "db/commit_check.h"
#include "format/keyspace_table.h"
#include "seerdb/clock.h"
#include "seerdb/options.h"
#include "seerdb/slice.h"
#include "seerdb/status.h"

namespace seerdb {

class TransactionHost {
 public:
  // Registers the newest sequence that all may see; nothing that is written behind it goes unnoticed.
  // Wants ActiveTransactions::End, and then a release of the snapshot.
  virtual Status BeginTransaction(ActiveTransactions::Entry* entry) = 0;
  // Writes `operations` (batch_codec.h) if `check` finds nothing. `count` of them, `ranges` of these are
  // range deletions. Without operations, only checks.
  struct Commit {
    Slice operations;
    uint32_t count = 0;
    uint32_t ranges = 0;
    bool only_deletes = false;
    CommitCheck* check = nullptr;  // null: nothing can be in the way
  };
  virtual Status CommitTransaction(const WriteOptions& options, const Commit& commit) = 0;

  virtual const std::shared_ptr<ActiveTransactions>& transactions() = 0;
  // The keyspace as it is now; null stands for the default one. kInvalidArgument: it cannot be used here.
  virtual Status FindKeyspace(const KeyspaceState* keyspace, const KeyspaceState** now) = 0;
  // kInvalidArgument: it cannot be written.
  struct WriteSizes {
    uint64_t key_bytes = 0;
    uint64_t value_bytes = 0;
    uint64_t batch_bytes = 0;
    uint64_t operations = 0;  // of the batch
    uint64_t ranges = 0;      // of them, range deletions
  };
  virtual Status CheckWriteSizes(const WriteSizes& sizes) = 0;
  virtual Clock* transaction_clock() = 0;
  virtual uint64_t transaction_seed() = 0;
  virtual const std::shared_ptr<MemoryAccount>& transaction_account() = 0;

 protected:
  ~TransactionHost() = default;
};

}  // namespace seerdb
