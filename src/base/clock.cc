#include "seerdb/clock.h"

#include <sched.h>

namespace seerdb {

void Clock::Yield() { sched_yield(); }

}  // namespace seerdb
