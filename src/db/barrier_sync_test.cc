#include "db/barrier_sync.h"

#include <gtest/gtest.h>

#include "env/manual_clock.h"

namespace seerdb {
namespace {

// Forgets what it is given.
class IdleExecutor final : public Executor {
 public:
  void Schedule(Lane, std::function<void()>) override {}
  void ScheduleAfter(uint64_t, Lane, std::function<void()>) override {}
  bool cooperative() const override { return false; }
  bool RunOne() override { return false; }
};

TEST(BarrierSync, IsOverdueOnceTheOldestWriteHasWaited) {
  // At any time, 0 included, which stands for no write.
  for (const uint64_t start_us : {0, 1, 2, 1000}) {
    SCOPED_TRACE(start_us);
    const auto clock = std::make_shared<ManualClock>(start_us);
    const auto barrier = std::make_shared<BarrierSync>(nullptr, nullptr, clock, 100);
    IdleExecutor executor;
    EXPECT_FALSE(barrier->Overdue());
    barrier->NoteWrite(&executor);
    EXPECT_FALSE(barrier->Overdue());
    clock->Advance(99);
    EXPECT_FALSE(barrier->Overdue());
    barrier->NoteWrite(&executor);
    clock->Advance(2);
    EXPECT_TRUE(barrier->Overdue());
    barrier->NoteSynced();
    EXPECT_FALSE(barrier->Overdue());
  }
}

}  // namespace
}  // namespace seerdb
