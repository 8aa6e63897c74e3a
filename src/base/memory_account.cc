#include "base/memory_account.h"

namespace seerdb {
namespace {

bool Lasts(MemoryClass what) { return what < MemoryClass::kMappedTables && what != MemoryClass::kJobs; }

}  // namespace

void MemoryAccount::Add(MemoryClass what, uint64_t bytes) {
  cells_[static_cast<size_t>(what)].fetch_add(bytes, std::memory_order_seq_cst);
  if (Lasts(what)) lasting_bytes_.fetch_add(bytes, std::memory_order_seq_cst);
  if (parent_ != nullptr) parent_->Add(what, bytes);
}

void MemoryAccount::Subtract(MemoryClass what, uint64_t bytes) {
  cells_[static_cast<size_t>(what)].fetch_sub(bytes, std::memory_order_seq_cst);
  if (Lasts(what)) lasting_bytes_.fetch_sub(bytes, std::memory_order_seq_cst);
  if (waiting_.load(std::memory_order_seq_cst) > 0) {
    MutexLock lock(&wait_mu_);
    released_.SignalAll();
  }
  if (parent_ != nullptr) parent_->Subtract(what, bytes);
}

void MemoryAccount::Move(MemoryClass from, MemoryClass to, uint64_t bytes) {
  if (Lasts(from) == Lasts(to)) {
    cells_[static_cast<size_t>(from)].fetch_sub(bytes, std::memory_order_seq_cst);
    cells_[static_cast<size_t>(to)].fetch_add(bytes, std::memory_order_seq_cst);
    if (parent_ != nullptr) parent_->Move(from, to, bytes);
    return;
  }
  Add(to, bytes);
  Subtract(from, bytes);
}

uint64_t MemoryAccount::held_bytes() const {
  uint64_t held = 0;
  for (size_t i = 0; i < kClasses; ++i) {
    const auto what = static_cast<MemoryClass>(i);
    if (Lasts(what) && what != MemoryClass::kBlockCache) held += bytes(what);
  }
  return held;
}

MemoryUsage MemoryAccount::usage() const {
  MemoryUsage usage;
  usage.active_memtable_bytes = bytes(MemoryClass::kActiveMemTable);
  usage.immutable_memtable_bytes = bytes(MemoryClass::kImmutableMemTable);
  usage.pinned_memtable_bytes = bytes(MemoryClass::kPinnedMemTable);
  usage.block_cache_bytes = bytes(MemoryClass::kBlockCache);
  usage.pinned_block_bytes = bytes(MemoryClass::kPinnedBlocks);
  usage.table_metadata_bytes = bytes(MemoryClass::kTableMetadata);
  usage.bulk_load_bytes = bytes(MemoryClass::kBulkLoad);
  usage.transaction_bytes = bytes(MemoryClass::kTransactions);
  usage.job_bytes = bytes(MemoryClass::kJobs);
  usage.log_bytes = bytes(MemoryClass::kLog);
  // Summed here rather than read, so that it is the sum of what stands beside it.
  usage.total_bytes = usage.active_memtable_bytes + usage.immutable_memtable_bytes +
                      usage.pinned_memtable_bytes + usage.block_cache_bytes + usage.pinned_block_bytes +
                      usage.table_metadata_bytes + usage.bulk_load_bytes + usage.transaction_bytes +
                      usage.job_bytes + usage.log_bytes;
  usage.mapped_bytes = bytes(MemoryClass::kMappedTables);
  usage.mapped_obsolete_bytes = bytes(MemoryClass::kMappedObsolete);
  return usage;
}

void MemoryAccount::WaitForRelease(const std::function<bool()>& done, uint64_t micros) {
  MutexLock lock(&wait_mu_);
  waiting_.fetch_add(1, std::memory_order_seq_cst);
  if (!done()) released_.WaitFor(&wait_mu_, micros);
  waiting_.fetch_sub(1, std::memory_order_seq_cst);
}

}  // namespace seerdb
