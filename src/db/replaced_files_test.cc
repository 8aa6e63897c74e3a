// When the files of replaced tables go: a merge, and one that runs beside it, hold none longer than they
// need.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include "env/memory_file_system.h"
#include "seerdb/compaction_filter.h"
#include "seerdb/db.h"

namespace seerdb {
namespace {

constexpr char kPlace[] = "/db";

// False after a time in which it can only be that it never comes.
bool Eventually(const std::function<bool()>& done) {
  for (int i = 0; i < 20'000 && !done(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return done();
}

// Keeps everything, and the first merge that asks until it is told to go on.
class HoldingFilter final : public CompactionFilter {
 public:
  FilterDecision Filter(const Entry&, std::string*) const override {
    entered_.store(true);
    go_on_.wait(false);
    return FilterDecision::kKeep;
  }
  bool entered() const { return entered_.load(); }
  void GoOn() {
    go_on_.store(true);
    go_on_.notify_all();
  }

 private:
  mutable std::atomic<bool> entered_{false};
  std::atomic<bool> go_on_{false};
};

TEST(ReplacedFiles, AMergeHoldsNoTablesButItsInputs) {
  const auto fs = std::make_shared<MemoryFileSystem>();
  const auto filter = std::make_shared<HoldingFilter>();
  Options options;
  options.file_system = fs;
  options.compaction_filter = filter;
  options.wal_sync_policy = SyncPolicy::kNone;
  options.l0_compaction_trigger = 2;
  options.max_background_compactions = 2;
  auto opened = DB::Open(options, kPlace);
  ASSERT_TRUE(opened.ok()) << opened.status().ToString();
  const auto db = *std::move(opened);
  const auto other = db->OpenKeyspace("other");
  ASSERT_TRUE(other.ok());
  ASSERT_TRUE(other->Put("key", "value").ok());
  ASSERT_TRUE(db->CompactRange().ok());
  // The first goes down as it is.
  for (int i = 0; i < 8 && !filter->entered(); ++i) {
    ASSERT_TRUE(db->Put("key", "value").ok());
    ASSERT_TRUE(db->Flush().ok());
  }
  ASSERT_TRUE(Eventually([&] { return filter->entered(); }));
  EXPECT_TRUE(db->DropKeyspace(*other).ok());
  EXPECT_TRUE(Eventually([&] { return db->Stats().total_dropped_tables > 0; }));
  EXPECT_TRUE(Eventually([&] { return db->Stats().obsolete_table_bytes == 0; }));
  filter->GoOn();
  EXPECT_TRUE(db->WaitForCompaction().ok());
  EXPECT_TRUE(db->Close().ok());
}

}  // namespace
}  // namespace seerdb
