#include "cache/shared_budget.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/mutant.h"

namespace seerdb {
namespace {

constexpr uint64_t kMinLimitBytes = uint64_t{8} << 20;
constexpr uint64_t kMaxLimitBytes = uint64_t{16} << 40;
// The cache keeps so far below the mark of early flushes that writers need not trim it for each group.
constexpr uint64_t kCacheMarginShare = 32;
// Of the reserve for jobs, a flush's part: a chunk of its file, and a share of the limit.
constexpr uint64_t kFlushChunkBytes = uint64_t{1} << 19;
constexpr uint64_t kFlushShare = 32;
// What tables' metadata may grow by while jobs run: one part in so many.
constexpr uint64_t kOpeningShare = 3;

uint64_t CacheLimit(uint64_t limit_bytes) {
  return limit_bytes / 5 * 4 - limit_bytes / kCacheMarginShare - SharedBudget::JobReserve(limit_bytes);
}

}  // namespace

Result<std::shared_ptr<MemoryBudget>> MemoryBudget::Create(uint64_t limit_bytes) {
  if (limit_bytes < kMinLimitBytes || limit_bytes > kMaxLimitBytes) {
    return Status::InvalidArgument("memory budget is " + std::to_string(limit_bytes) + ", expected " +
                                   std::to_string(kMinLimitBytes) + " .. " + std::to_string(kMaxLimitBytes));
  }
  return std::shared_ptr<MemoryBudget>(std::make_shared<SharedBudget>(limit_bytes));
}

SharedBudget::SharedBudget(uint64_t limit_bytes)
    : limit_bytes_(limit_bytes),
      account_(std::make_shared<MemoryAccount>()),
      cache_(std::make_shared<BlockCache>(0, account_, CacheLimit(limit_bytes))),
      unused_bytes_(JobReserve(limit_bytes)) {}

uint64_t SharedBudget::JobReserve(uint64_t limit_bytes) {
  constexpr uint64_t kChunksBytes = 3 << 19;  // of the files that are written
  return kChunksBytes + limit_bytes / 8;
}

uint64_t SharedBudget::pressure_bytes() const {
  // A merge opens tables, and has the indexes of its outputs beside those of its inputs.
  const uint64_t opening_bytes = account_->bytes(MemoryClass::kTableMetadata) / kOpeningShare;
  return account_->held_bytes() + job_bytes() + opening_bytes;
}

uint64_t SharedBudget::UnusedLocked(size_t kind) const {
  const uint64_t flush_bytes = kFlushChunkBytes + limit_bytes_ / kFlushShare;
  const uint64_t bytes =
      kind == static_cast<size_t>(Job::kFlush) ? flush_bytes : job_reserve_bytes() - flush_bytes;
  return bytes - std::min(bytes, running_[kind].bytes);
}

MemoryUsage SharedBudget::usage() const {
  MemoryUsage usage = account_->usage();
  usage.limit_bytes = limit_bytes_;
  return usage;
}

void SharedBudget::Join(std::shared_ptr<BudgetMember> member) {
  MutexLock lock(&mu_);
  members_.push_back(std::move(member));
}

void SharedBudget::Leave(const BudgetMember* member) {
  MutexLock lock(&mu_);
  std::erase_if(members_, [member](const auto& other) { return other.get() == member; });
}

SharedBudget::Members SharedBudget::Others(const BudgetMember* asker) const {
  MutexLock lock(&mu_);
  Members others = members_;
  std::erase_if(others, [asker](const auto& other) { return other.get() == asker; });
  return others;
}

uint64_t SharedBudget::LargestOther(const BudgetMember* asker) const {
  uint64_t largest = 0;
  for (const auto& other : Others(asker)) largest = std::max(largest, other->active_memtable_bytes());
  return largest;
}

bool SharedBudget::AskLargest(const BudgetMember* asker) {
  uint64_t largest = 0;
  std::shared_ptr<BudgetMember> asked;
  for (const auto& other : Others(asker)) {
    const uint64_t bytes = other->active_memtable_bytes();
    if (bytes <= largest) continue;
    largest = bytes;
    asked = other;
  }
  return asked != nullptr && asked->GiveBack();
}

bool SharedBudget::TryCharge(MemoryCharge* charge, uint64_t bytes) {
  MutexLock lock(&mu_);
  if (pressure_bytes() + bytes >= stop_bytes() && !SEERDB_MUTANT("memory-limit-not-kept")) return false;
  charge->Add(bytes);
  return true;
}

// A flush waits for no compaction, and gives memory back when it ends.
bool SharedBudget::MayWaitLocked(Job job) const {
  const uint32_t flushes = running_[static_cast<size_t>(Job::kFlush)].jobs;
  return flushes > 0 || (job == Job::kCompaction && running_[static_cast<size_t>(job)].jobs > 0);
}

void SharedBudget::StartJob(Job job, MemoryCharge* charge, uint64_t bytes) {
  const size_t kind = static_cast<size_t>(job);
  MutexLock lock(&mu_);
  while (MayWaitLocked(job) && account_->total_bytes() + UnusedLocked(1 - kind) + bytes > limit_bytes_) {
    job_ended_.Wait(&mu_);
  }
  charge->Add(bytes);
  ++running_[kind].jobs;
  running_[kind].bytes += bytes;
  unused_bytes_.store(UnusedLocked(), std::memory_order_relaxed);
}

void SharedBudget::EndJob(Job job, MemoryCharge* charge) {
  MutexLock lock(&mu_);
  Running& running = running_[static_cast<size_t>(job)];
  --running.jobs;
  running.bytes -= charge->bytes();
  unused_bytes_.store(UnusedLocked(), std::memory_order_relaxed);
  charge->Release();
  job_ended_.SignalAll();
}

JobMemory::JobMemory(SharedBudget* budget, const std::shared_ptr<MemoryAccount>& account,
                     SharedBudget::Job job, uint64_t bytes)
    : budget_(budget), job_(job), charge_(account, MemoryClass::kJobs) {
  if (budget_ != nullptr) {
    budget_->StartJob(job_, &charge_, bytes);
  } else {
    charge_.Add(bytes);
  }
}

void JobMemory::Release() {
  if (budget_ != nullptr) budget_->EndJob(job_, &charge_);
  budget_ = nullptr;
  charge_.Release();
}

bool SharedBudget::AskAll(const BudgetMember* asker) {
  bool any = false;
  for (const auto& other : Others(asker)) any |= other->GiveBack();
  return any;
}

}  // namespace seerdb
