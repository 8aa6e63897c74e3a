// MemoryAccount: how many bytes of memory are held, by what they are for; of one database, or of a budget.
//
// What is added to a database's account is added to its budget's account, its parent, too. Memory is held
// through a MemoryCharge, which gives it back when it is destroyed and keeps its account alive until then:
// pinned values and iterators outlive their database.
// Thread safety: MemoryAccount: all methods concurrently; counters are relaxed, and a sum may be behind by
// what other threads are doing. MemoryCharge: external synchronization. wait_mu_ is a leaf lock.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "base/mutex.h"
#include "seerdb/memory_budget.h"

namespace seerdb {

enum class MemoryClass : uint8_t {
  kActiveMemTable,
  kImmutableMemTable,
  kPinnedMemTable,  // flushed, and still read
  kBlockCache,
  kPinnedBlocks,  // in use by readers, and in no cache
  kTableMetadata,
  kBulkLoad,      // sorting and writing of bulk loads
  kTransactions,  // what they have buffered and read, and the history that they are checked against
  kJobs,          // buffers of flush and compaction
  kLog,
  // Clean pages of files, which the system takes back when it needs them: shown, and in no sum.
  kMappedTables,
  kMappedObsolete,  // of tables that are deleted when their readers have left
  kCount
};

class MemoryAccount {
 public:
  explicit MemoryAccount(std::shared_ptr<MemoryAccount> parent = nullptr) : parent_(std::move(parent)) {}
  MemoryAccount(const MemoryAccount&) = delete;
  MemoryAccount& operator=(const MemoryAccount&) = delete;

  void Add(MemoryClass what, uint64_t bytes);
  void Subtract(MemoryClass what, uint64_t bytes) EXCLUDES(wait_mu_);
  void Move(MemoryClass from, MemoryClass to, uint64_t bytes) EXCLUDES(wait_mu_);

  // Of all classes that count, kJobs aside: what does not go away by itself.
  uint64_t lasting_bytes() const { return lasting_bytes_.load(std::memory_order_seq_cst); }
  uint64_t total_bytes() const { return lasting_bytes() + bytes(MemoryClass::kJobs); }
  uint64_t bytes(MemoryClass what) const {
    return cells_[static_cast<size_t>(what)].load(std::memory_order_seq_cst);
  }
  // Of lasting_bytes, what only its holders can give back: all but the block cache.
  uint64_t held_bytes() const;
  // The limit is left at 0.
  MemoryUsage usage() const;

  // Unless `done` (which reads these counters) holds, waits until somebody gives memory back, at most so
  // long. May return for no reason.
  void WaitForRelease(const std::function<bool()>& done, uint64_t micros) EXCLUDES(wait_mu_);

 private:
  static constexpr size_t kClasses = static_cast<size_t>(MemoryClass::kCount);

  const std::shared_ptr<MemoryAccount> parent_;
  std::atomic<uint64_t> lasting_bytes_{0};
  std::array<std::atomic<uint64_t>, kClasses> cells_{};
  // Sequentially consistent, like the counters: either who gives back sees the waiter, or the waiter the
  // bytes.
  std::atomic<uint32_t> waiting_{0};
  Mutex wait_mu_;
  CondVar released_;
};

// Bytes held for one purpose at a time.
class MemoryCharge {
 public:
  // `account` null: nothing is counted.
  MemoryCharge(std::shared_ptr<MemoryAccount> account, MemoryClass what, uint64_t bytes = 0)
      : account_(std::move(account)), what_(what) {
    Add(bytes);
  }
  ~MemoryCharge() { Release(); }
  MemoryCharge(const MemoryCharge&) = delete;
  MemoryCharge& operator=(const MemoryCharge&) = delete;

  void Add(uint64_t bytes) {
    bytes_ += bytes;
    if (account_ != nullptr && bytes != 0) account_->Add(what_, bytes);
  }
  void MoveTo(MemoryClass what) {
    if (account_ != nullptr && what != what_) account_->Move(what_, what, bytes_);
    what_ = what;
  }
  void Set(uint64_t bytes) {
    if (bytes >= bytes_) return Add(bytes - bytes_);
    if (account_ != nullptr) account_->Subtract(what_, bytes_ - bytes);
    bytes_ = bytes;
  }
  void Release() {
    if (account_ != nullptr && bytes_ != 0) account_->Subtract(what_, bytes_);
    bytes_ = 0;
  }
  uint64_t bytes() const { return bytes_; }

 private:
  const std::shared_ptr<MemoryAccount> account_;
  MemoryClass what_;
  uint64_t bytes_ = 0;
};

}  // namespace seerdb
