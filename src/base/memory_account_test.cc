#include "base/memory_account.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace seerdb {
namespace {

TEST(MemoryAccount, ChargesCountInEveryAccountAboveUntilTheyEnd) {
  const auto budget = std::make_shared<MemoryAccount>();
  const auto one = std::make_shared<MemoryAccount>(budget);
  const auto two = std::make_shared<MemoryAccount>(budget);
  {
    MemoryCharge memtable(one, MemoryClass::kActiveMemTable, 100);
    memtable.Add(20);
    const MemoryCharge cached(two, MemoryClass::kBlockCache, 7);
    const MemoryCharge mapped(two, MemoryClass::kMappedTables, 1000);
    EXPECT_EQ(one->total_bytes(), 120u);
    EXPECT_EQ(two->total_bytes(), 7u);
    EXPECT_EQ(budget->total_bytes(), 127u);
    EXPECT_EQ(budget->held_bytes(), 120u);
    EXPECT_EQ(budget->usage().mapped_bytes, 1000u);
    memtable.MoveTo(MemoryClass::kImmutableMemTable);
    EXPECT_EQ(budget->bytes(MemoryClass::kActiveMemTable), 0u);
    EXPECT_EQ(budget->bytes(MemoryClass::kImmutableMemTable), 120u);
    EXPECT_EQ(budget->total_bytes(), 127u);
  }
  EXPECT_EQ(budget->total_bytes(), 0u);
  EXPECT_EQ(budget->usage().mapped_bytes, 0u);
}

TEST(MemoryAccount, UsageAddsUp) {
  const auto account = std::make_shared<MemoryAccount>();
  std::vector<std::unique_ptr<MemoryCharge>> charges;
  uint64_t sum = 0;
  for (size_t i = 0; i < static_cast<size_t>(MemoryClass::kCount); ++i) {
    const auto what = static_cast<MemoryClass>(i);
    charges.push_back(std::make_unique<MemoryCharge>(account, what, uint64_t{1} << i));
    if (what < MemoryClass::kMappedTables) sum += uint64_t{1} << i;
  }
  const MemoryUsage usage = account->usage();
  EXPECT_EQ(usage.total_bytes, sum);
  EXPECT_EQ(account->total_bytes(), sum);
  EXPECT_EQ(account->lasting_bytes(), sum - usage.job_bytes);
  EXPECT_EQ(account->held_bytes(), sum - usage.job_bytes - usage.block_cache_bytes);
  EXPECT_NE(usage.mapped_bytes, 0u);
  EXPECT_NE(usage.mapped_obsolete_bytes, 0u);
}

TEST(MemoryAccount, MovesBetweenWhatCountsAndWhatDoesNot) {
  const auto account = std::make_shared<MemoryAccount>();
  MemoryCharge charge(account, MemoryClass::kMappedTables, 10);
  charge.MoveTo(MemoryClass::kMappedObsolete);
  EXPECT_EQ(account->total_bytes(), 0u);
  charge.MoveTo(MemoryClass::kTableMetadata);
  EXPECT_EQ(account->total_bytes(), 10u);
  charge.Release();
  EXPECT_EQ(account->total_bytes(), 0u);
}

TEST(MemoryAccount, AChargeWithoutAccountCountsNothing) {
  MemoryCharge charge(nullptr, MemoryClass::kJobs, 10);
  charge.Add(5);
  charge.MoveTo(MemoryClass::kLog);
  EXPECT_EQ(charge.bytes(), 15u);
}

TEST(MemoryAccount, WaitersWakeWhenMemoryIsGivenBack) {
  const auto account = std::make_shared<MemoryAccount>();
  MemoryCharge charge(account, MemoryClass::kJobs, 10);
  std::thread waiter([&account] {
    const auto empty = [&account] { return account->total_bytes() == 0; };
    while (!empty()) account->WaitForRelease(empty, 60'000'000);
  });
  charge.Release();
  waiter.join();
}

}  // namespace
}  // namespace seerdb
