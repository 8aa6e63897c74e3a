// ScheduleOwed: hands a task to an executor and learns if the executor lets go of it without running it.
//
// A task that is destroyed unrun (its thread died, its queue was dropped, it was refused) would otherwise be
// waited for without end. Thread safety: may be called concurrently.
#pragma once

#include <functional>

#include "seerdb/executor.h"

namespace seerdb {

// Schedules `run`. False if the executor lets go of the task within this call. If it does so later, `dropped`
// is called once, on the thread that destroys the task.
bool ScheduleOwed(Executor* executor, Executor::Lane lane, std::function<void()> run,
                  std::function<void()> dropped);

}  // namespace seerdb
